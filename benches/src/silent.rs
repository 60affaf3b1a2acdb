//! A host that has nothing to say of how a request ended, so that asking it costs nothing.

use sightline_core::Witness;

/// It knows the protocol, at most.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent {
    /// As the host writes it.
    pub protocol: Option<&'static [u8]>,
}

impl Witness for Silent {
    fn protocol(&self) -> Option<Box<[u8]>> {
        self.protocol.map(Into::into)
    }
}
