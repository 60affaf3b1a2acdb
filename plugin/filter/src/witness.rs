//! What the host alone knows of a stream that is over.

use sightline_core::{Flags, Witness, number};

use crate::abi::{self, Side};

/// The host, asked about the current stream.
pub(crate) struct Host;

impl Witness for Host {
    fn flags(&self) -> Flags {
        Flags(abi::response_flags().unwrap_or(0))
    }

    fn grpc_status(&self) -> Option<u32> {
        let trailers = abi::header_pairs(Side::ResponseTrailers);
        trailers
            .iter()
            .find(|(name, _)| *name == b"grpc-status")
            .and_then(|(_, value)| number(value))
    }

    fn peer(&self) -> Option<Box<[u8]>> {
        abi::source_address()
    }

    fn protocol(&self) -> Option<Box<[u8]>> {
        abi::protocol()
    }

    fn upstream(&self) -> Option<Box<[u8]>> {
        abi::upstream_address()
    }

    fn details(&self) -> Option<Box<[u8]>> {
        abi::code_details()
    }

    fn request_bytes(&self) -> Option<u64> {
        abi::request_size()?.try_into().ok()
    }

    fn response_bytes(&self) -> Option<u64> {
        abi::response_size()?.try_into().ok()
    }
}
