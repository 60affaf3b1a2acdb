//! How many requests are under way, asked of Envoy once a second.

use std::net::SocketAddr;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::Failed;
use crate::bootstrap;
use crate::envoy;
use crate::live::Live;

/// From one question to the next.
const PACE: Duration = Duration::from_secs(1);

/// What is under way, told to the live view. Dropped, it stops.
pub(super) struct Gauge {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Gauge {
    /// Asks the admin there about these services, each of which is behind the listener of its number.
    pub(super) fn start(
        admin: SocketAddr,
        live: Live,
        services: Vec<String>,
    ) -> Result<Self, Failed> {
        let (stop, stopped) = mpsc::channel();
        let ask = move || {
            while stopped.recv_timeout(PACE) == Err(RecvTimeoutError::Timeout) {
                // An Envoy that does not answer is noticed by others.
                let Ok(stats) = envoy::admin_get(admin, &path()) else { continue };
                for (number, service) in services.iter().enumerate() {
                    if let Some(requests) = active(&stats, number) {
                        live.in_flight(service, requests);
                    }
                }
            }
        };
        let thread = thread::Builder::new().name("in-flight".to_owned()).spawn(ask);
        let thread = thread.map_err(|error| Failed::System { what: "Watching Envoy", error })?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Gauge {
    fn drop(&mut self) {
        self.stop.take();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn path() -> String {
    format!("/stats?filter=^http%5C.{}%5B0-9%5D%2B%5C.downstream_rq_active$", bootstrap::INBOUND)
}

fn active(stats: &str, number: usize) -> Option<u64> {
    let name = format!("http.{}.downstream_rq_active: ", bootstrap::inbound(number));
    stats.lines().find_map(|line| line.strip_prefix(&name)?.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_listener_has_its_number() {
        let stats = "http.inbound_0.downstream_rq_active: 3\n\
                     http.inbound_10.downstream_rq_active: 5\n\
                     http.inbound_1.downstream_rq_active: none\n";
        for (number, expected) in [(0, Some(3)), (10, Some(5)), (1, None), (2, None)] {
            assert_eq!(active(stats, number), expected, "{number}");
        }
    }
}
