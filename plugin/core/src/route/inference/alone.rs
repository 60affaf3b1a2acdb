//! A ledger of one: for whoever is not among workers, such as a command or a test.

use super::Ledger;

/// The state of one who agrees with nobody.
#[derive(Debug, Default)]
pub struct Alone {
    /// What was agreed, encoded.
    pub state: Vec<u8>,
    /// The hour.
    pub hour: u32,
}

impl Ledger for Alone {
    fn agree(&mut self, change: &mut dyn FnMut(&[u8]) -> Option<Vec<u8>>) -> bool {
        if let Some(next) = change(&self.state) {
            self.state = next;
        }
        true
    }

    fn hour(&self) -> u32 {
        self.hour
    }
}
