//! What the workers of this Envoy agree on, kept in its shared data. Keys have our prefix: in Istio all
//! plugins share one space of keys.

use sightline_core::route::Ledger;

use crate::abi;

/// One shared value.
pub(crate) struct SharedValue {
    key: String,
}

/// How often another worker may be faster before we give up for now. Each time one of them got on.
const MOST_TRIES: usize = 16;

impl SharedValue {
    /// What is known of a service. A new configuration finds there what an earlier one has left.
    pub(crate) fn of(what: &str, service: &str) -> Self {
        Self { key: ["sightline.", what, ".", service].concat() }
    }

    /// Puts this in the place of whatever is there.
    pub(crate) fn replace(&mut self, value: &[u8]) {
        self.agree(&mut |_| Some(value.to_vec()));
    }

    /// What is there now.
    pub(crate) fn read(&self) -> Box<[u8]> {
        abi::shared_data(&self.key).0
    }
}

impl Ledger for SharedValue {
    fn agree(&mut self, change: &mut dyn FnMut(&[u8]) -> Option<Vec<u8>>) -> bool {
        (0..MOST_TRIES).any(|_| {
            let (state, version) = abi::shared_data(&self.key);
            change(&state).is_none_or(|next| abi::set_shared_data(&self.key, &next, version))
        })
    }

    fn hour(&self) -> u32 {
        const NANOSECONDS_AN_HOUR: u64 = 3_600_000_000_000;
        u32::try_from(abi::wall_now().0 / NANOSECONDS_AN_HOUR).unwrap_or(u32::MAX)
    }
}

/// What is under this key, if need be after we have put this there. All workers get the same.
pub(crate) fn first(key: &str, ours: &[u8]) -> Box<[u8]> {
    let (there, version) = abi::shared_data(key);
    if !there.is_empty() {
        return there;
    }
    if abi::set_shared_data(key, ours, version) { ours.into() } else { abi::shared_data(key).0 }
}

/// Whether no worker has asked this before.
pub(crate) fn is_first(key: &str) -> bool {
    let (there, version) = abi::shared_data(key);
    there.is_empty() && abi::set_shared_data(key, b"asked", version)
}

/// Whether no worker has asked this within the minute that runs: so all of them together do something once.
pub(crate) fn is_first_of_minute(key: &str) -> bool {
    const NANOSECONDS_A_MINUTE: u64 = 60_000_000_000;
    // One clock for all threads, and nobody sets it back.
    let now = abi::monotonic_now().0;
    let (last, version) = abi::shared_data(key);
    let last = (*last).try_into().map(u64::from_le_bytes);
    let recent = last.is_ok_and(|last| now.saturating_sub(last) < NANOSECONDS_A_MINUTE);
    !recent && abi::set_shared_data(key, &now.to_le_bytes(), version)
}
