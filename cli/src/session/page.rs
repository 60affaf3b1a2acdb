//! Where the live page is served.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use super::Failed;
use crate::live::{self, Live};

/// The page's usual port, and how many after it are tried.
const USUAL: std::ops::RangeInclusive<u16> = 8090..=8189;

/// The page's usual address, or the next that is free and none of those.
pub fn free_page(but: &[SocketAddr]) -> SocketAddr {
    let mut addresses = USUAL.map(|port| SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    let free = addresses.find(|address| {
        let is_said = but.iter().any(|said| said.port() == address.port());
        !is_said && TcpListener::bind(address).is_ok()
    });
    free.unwrap_or_else(|| SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))
}

pub(super) fn serve(live: Live, address: SocketAddr) -> Result<live::Server, Failed> {
    live::Server::start(live, address).map_err(|error| Failed::at(address, "--page", error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_that_is_taken_is_passed_over() {
        let first = free_page(&[]);
        assert!(first.ip().is_loopback());
        assert_ne!(free_page(&[first]), first);
        let _held = TcpListener::bind(first).unwrap();
        assert_ne!(free_page(&[]), first);
    }
}
