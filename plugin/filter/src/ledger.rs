//! What the workers of this Envoy agree on, kept in its shared data.

use sightline_core::route::Ledger;

use crate::abi;

/// One shared value. Its key says whose it is: in Istio all plugins share one space of keys.
pub(crate) struct SharedValue {
    key: String,
}

/// How often another worker may be faster before we give up for now. Each time one of them got on.
const MOST_TRIES: usize = 16;

impl SharedValue {
    /// The routes of a service. A new configuration finds there what an earlier one has learned.
    pub(crate) fn routes_of(service: &str) -> Self {
        Self { key: format!("sightline.routes.{service}") }
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
