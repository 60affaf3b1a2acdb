//! A port that is kept for an app from before it is started, so that Envoy can be told of it meanwhile.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use socket2::{Domain, Protocol, Socket, Type};

/// A free port of this machine, which nobody is given who asks for any.
#[derive(Debug)]
pub(super) struct Port {
    address: SocketAddr,
    /// Bound and not listening: who asks for this very port gets it, as uvicorn and gunicorn do, because
    /// both sides say `SO_REUSEADDR`.
    _kept: Option<Socket>,
}

impl Port {
    /// Takes any free one.
    pub(super) fn take() -> io::Result<Self> {
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let socket = Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::TCP))?;
        socket.set_reuse_address(true)?;
        socket.bind(&any.into())?;
        let address = socket.local_addr()?.as_socket().unwrap_or(any);
        // Elsewhere a port that is bound is not to be had a second time, whoever listens.
        Ok(Self { address, _kept: cfg!(target_os = "linux").then_some(socket) })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::net::{TcpListener, TcpStream};

    #[test]
    fn nobody_is_given_it_and_nobody_listens_there() {
        let port = Port::take().unwrap();
        let others: Vec<Port> = (0..50).map(|_| Port::take().unwrap()).collect();
        let others: BTreeSet<_> = others.iter().map(Port::address).collect();
        assert_eq!((others.len(), others.contains(&port.address())), (50, false));
        assert!(TcpStream::connect(port.address()).is_err());
    }

    #[test]
    fn who_asks_for_it_can_listen_there() {
        let port = Port::take().unwrap();
        let listener = TcpListener::bind(port.address()).unwrap();
        drop(port);
        TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    }
}
