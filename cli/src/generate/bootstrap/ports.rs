//! Ports that would be used twice, told before Envoy fails to start or calls itself.

use std::net::SocketAddr;

use super::super::{Endpoint, Refusal};
use super::Deployment;
use super::scrapes::Scrapes;

/// One place where Envoy is to listen, and what says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listening {
    /// The flag or the key.
    pub said_by: &'static str,
    /// The place.
    pub address: SocketAddr,
}

const LISTEN: &str = "--listen";
const METRICS: &str = "metrics.endpoint";
const ADMIN: &str = "--admin";

/// Refuses what Envoy cannot listen on at once, and what would make it call itself.
pub(super) fn check(deployment: &Deployment, scrapes: Option<&Scrapes>) -> Result<(), Refusal> {
    let at = |said_by, address| Listening { said_by, address };
    let mut all = vec![at(LISTEN, deployment.listen), at(ADMIN, deployment.admin)];
    all.extend(scrapes.map(|scrapes| at(METRICS, scrapes.address)));
    for (index, one) in all.iter().enumerate() {
        if let Some(other) = all[..index].iter().find(|other| clash(one, other)) {
            return Err(Refusal::SamePort(other.clone(), one.clone()));
        }
    }
    let calls = [("--app", Some(&deployment.app)), ("--otlp", deployment.otlp.as_ref())];
    for (said_by, called) in calls {
        let called = called.and_then(|called| serving(&all, called));
        if let Some(listening) = called {
            return Err(Refusal::Loop(said_by, listening.clone()));
        }
    }
    Ok(())
}

fn serving<'a>(all: &'a [Listening], called: &Endpoint) -> Option<&'a Listening> {
    all.iter().find(|listening| called.is_served_by(listening.address))
}

/// Port 0 is any that is free.
fn clash(one: &Listening, other: &Listening) -> bool {
    let (a, b) = (one.address, other.address);
    let same = a.ip() == b.ip() || a.ip().is_unspecified() || b.ip().is_unspecified();
    // The filter answers scrapes on that port, whatever the address.
    let shows = [one, other].iter().all(|it| [LISTEN, METRICS].contains(&it.said_by));
    a.port() == b.port() && a.port() != 0 && (same || shows)
}
