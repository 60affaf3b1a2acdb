//! Where spans come in: the filter's, and those of apps that export to the usual ports.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use super::{Failed, Holder};
use crate::otlp::{Export, Receiver, Reply};

/// Where exporters send if nobody says otherwise: over HTTP, and over gRPC. Each port takes both.
const USUAL: [u16; 2] = [4318, 4317];

type Take = dyn Fn(&Export) + Send + Sync;

/// At least one receiver.
pub(super) struct Receivers {
    first: Receiver,
    others: Vec<Receiver>,
}

impl Receivers {
    /// Listens at the addresses that were asked for; if none was, on the usual ports as far as they are free,
    /// and otherwise on any. `take` sees each export.
    pub(super) fn start(
        asked: &[SocketAddr],
        notes: &mut Vec<String>,
        take: impl Fn(&Export) + Send + Sync + 'static,
    ) -> Result<Self, Failed> {
        let take: Arc<Take> = Arc::new(take);
        let receivers = if asked.is_empty() {
            Self::usual(USUAL, &take, notes)
        } else {
            asked.iter().map(|&address| receive(address, &take)).collect::<Result<Vec<_>, _>>()
        };
        let mut receivers = receivers?.into_iter();
        match receivers.next() {
            Some(first) => Ok(Self { first, others: receivers.collect() }),
            None => Ok(Self { first: receive(local(0), &take)?, others: Vec::new() }),
        }
    }

    /// Those that can be had, or one on any port; what is missing is told.
    fn usual(
        ports: [u16; 2],
        take: &Arc<Take>,
        notes: &mut Vec<String>,
    ) -> Result<Vec<Receiver>, Failed> {
        let mut receivers = Vec::new();
        let mut taken = Vec::new();
        for port in ports {
            match receive(local(port), take) {
                Ok(receiver) => receivers.push(receiver),
                Err(_) => taken.push(local(port)),
            }
        }
        if receivers.is_empty() {
            receivers.push(receive(local(0), take)?);
        }
        let here = receivers[0].address();
        notes.extend(taken.into_iter().map(|address| note(address, here)));
        Ok(receivers)
    }

    /// Where the filter exports to, and who else wants to.
    pub(super) fn address(&self) -> SocketAddr {
        reachable(self.first.address())
    }

    /// Whether all usual ports are among them.
    pub(super) fn is_usual(&self) -> bool {
        let ports: Vec<u16> = self.all().map(|receiver| receiver.address().port()).collect();
        USUAL.iter().all(|port| ports.contains(port))
    }

    fn all(&self) -> impl Iterator<Item = &Receiver> {
        std::iter::once(&self.first).chain(&self.others)
    }
}

fn receive(address: SocketAddr, take: &Arc<Take>) -> Result<Receiver, Failed> {
    let take = Arc::clone(take);
    let receiver = Receiver::start(address, move |export| {
        take(&export);
        Reply::Accepted
    });
    receiver.map_err(|error| Failed::at(address, "--otlp", error))
}

fn local(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}

/// What listens everywhere is reached on this machine.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

fn note(taken: SocketAddr, here: SocketAddr) -> String {
    let holder = Holder::of(taken).map(|holder| format!(" ({holder})")).unwrap_or_default();
    format!(
        "{taken} is taken by another program{holder}: spans that apps send there are not seen here. \
         Have them sent to http://{here}, over HTTP or gRPC."
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    fn nothing() -> Arc<Take> {
        Arc::new(|_: &Export| ())
    }

    /// Two ports that were free a moment ago.
    fn free() -> [u16; 2] {
        let held = [0, 0].map(|port| TcpListener::bind(local(port)).unwrap());
        held.each_ref().map(|listener| listener.local_addr().unwrap().port())
    }

    #[test]
    fn what_was_asked_for_is_had_or_refused() {
        let mut notes = Vec::new();
        let receivers = Receivers::start(&[local(0), local(0)], &mut notes, |_| ()).unwrap();
        assert_eq!((receivers.all().count(), receivers.is_usual(), notes.len()), (2, false, 0));
        let taken = [receivers.address()];
        let refused = Receivers::start(&taken, &mut notes, |_| ()).err().unwrap().to_string();
        assert!(refused.contains("is taken by") && refused.contains("--otlp"), "{refused}");
    }

    #[test]
    fn the_usual_ports_are_had_as_far_as_they_are_free() {
        let ports = free();
        for taken in [&[][..], &ports[..1], &ports[1..], &ports[..]] {
            let held = taken.iter().map(|&port| TcpListener::bind(local(port)).unwrap());
            let _held: Vec<TcpListener> = held.collect();
            let mut notes = Vec::new();
            let receivers = Receivers::usual(ports, &nothing(), &mut notes).unwrap();
            assert_eq!(receivers.len(), (2 - taken.len()).max(1));
            assert_eq!(notes.len(), taken.len(), "{notes:?}");
            for (note, port) in notes.iter().zip(taken) {
                let here = receivers[0].address();
                assert!(note.starts_with(&format!("127.0.0.1:{port} is taken by")), "{note}");
                assert!(note.contains(&format!("http://{here},")), "{note}");
            }
        }
    }

    #[test]
    fn what_listens_everywhere_is_reached_here() {
        for (address, expected) in
            [("0.0.0.0:1", "127.0.0.1:1"), ("[::]:1", "[::1]:1"), ("10.0.0.1:1", "10.0.0.1:1")]
        {
            assert_eq!(reachable(address.parse().unwrap()), expected.parse().unwrap());
        }
    }
}
