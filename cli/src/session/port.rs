//! A port that is kept for Envoy from the moment it was found free.
//!
//! Envoy shares its ports among its workers (`SO_REUSEPORT`), and would so share one with another Envoy
//! without a word. So whether it is free is asked first by somebody who does not share.

use std::io;
use std::net::{SocketAddr, TcpListener};

use socket2::{Domain, Protocol, Socket, Type};

use super::Failed;

/// A port that nobody else can take, and that only Envoy listens on.
#[derive(Debug)]
pub(super) struct Port {
    address: SocketAddr,
    /// Bound and not listening, so that no connection comes here.
    _kept: Option<Socket>,
}

impl Port {
    /// Takes it, where 0 is any free one; `flag` is what the user can say to have another.
    pub(super) fn take(address: SocketAddr, flag: &'static str) -> Result<Self, Failed> {
        let take = || {
            if address.port() != 0 {
                TcpListener::bind(address)?;
            }
            keep(address)
        };
        take().map_err(|error| Failed::at(address, flag, error))
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }
}

fn keep(address: SocketAddr) -> io::Result<Port> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    // Where ports are not shared, Envoy could not take this one while we keep it.
    let is_shared = cfg!(target_os = "linux");
    if is_shared {
        socket.set_reuse_port(true)?;
    }
    socket.bind(&address.into())?;
    // Connections that are just over are no reason to refuse it; but nobody is to listen on it beside us.
    socket.set_reuse_address(false)?;
    let address = socket.local_addr()?.as_socket().unwrap_or(address);
    Ok(Port { address, _kept: is_shared.then_some(socket) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_that_somebody_listens_on_is_refused() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let refused = Port::take(address, "--listen").unwrap_err();
        assert!(matches!(refused, Failed::Taken { .. }), "{refused}");
        drop(listener);
        assert_eq!(Port::take(address, "--listen").unwrap().address(), address);
    }

    #[test]
    fn a_free_port_is_kept_from_others_that_do_not_share() {
        let port = Port::take(SocketAddr::from(([127, 0, 0, 1], 0)), "--listen").unwrap();
        assert_ne!(port.address().port(), 0);
        assert!(Port::take(port.address(), "--listen").is_err());
    }

    #[test]
    fn an_address_of_another_machine_is_refused() {
        let elsewhere = "192.0.2.1:8080".parse().unwrap();
        let refused = Port::take(elsewhere, "--listen").unwrap_err();
        assert!(matches!(refused, Failed::Port { .. }), "{refused}");
    }
}
