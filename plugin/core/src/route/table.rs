//! Small numbers for the names of routes, so that a series is a few bytes and its name is written once.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;

use crate::Quick;

/// The number of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Number(u32);

impl Number {
    /// As a number of 32 bits.
    pub(crate) fn as_u64(self) -> u64 {
        self.0.into()
    }
}

/// Names and their numbers. It never forgets one: a host never forgets a series either. How many there
/// can be is bounded by those who give names, the configuration and the limit of inferred routes.
#[derive(Debug, Default)]
pub struct Table {
    numbers: HashMap<Box<str>, Number, BuildHasherDefault<Quick>>,
}

impl Table {
    /// The number of this name, the same each time.
    #[inline]
    pub fn number(&mut self, name: &str) -> Number {
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        let number = Number(u32::try_from(self.numbers.len()).unwrap_or(u32::MAX));
        self.numbers.insert(name.into(), number);
        number
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_one_number() {
        let mut table = Table::default();
        let users = table.number("/users");
        assert_ne!(table.number("/orders"), users);
        assert_eq!(table.number("/users"), users);
    }
}
