//! The demo's clients: shoppers, members and staff on their errands, one that listens to a stream, one
//! that chats, probes, scanners, and clients that break off or never were any good.
//!
//! Steady, in small waves, and the same from run to run as far as the apps' answers are. Not a load
//! generator: who waits for an answer sends nothing meanwhile.

use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

mod broken;
mod client;
mod dice;
mod pace;
mod scanner;
mod sent;
mod shopper;
mod staff;
mod streams;

use client::Client;
use dice::Dice;
use pace::Pace;
use sent::Tally;

pub use sent::Sent;

/// How often each app is asked whether it is alive.
const PROBE: Duration = Duration::from_secs(2);

/// A second asks each visitor for so many requests, which leaves most of it for waiting.
const A_VISITOR_DOES: f64 = 2.5;

/// Threads are not free, and a visitor is one.
const MOST_VISITORS: u32 = 64;

/// What a visitor can be on, and how often one is beside the others.
const ERRANDS: [(u64, Errand); 5] = [
    (30, shopper::errand),
    (28, staff::member),
    (22, staff::clerk),
    (5, scanner::errand),
    (10, broken::errand),
];

/// Something done in several requests; none if it was left off.
type Errand = fn(&mut Client) -> Option<()>;

/// Where the three services are reached.
#[derive(Clone, Copy, Debug)]
pub struct Fronts {
    /// The shop, on `FastAPI`.
    pub shop: SocketAddr,
    /// The accounts, on Flask.
    pub accounts: SocketAddr,
    /// The back office, on Django.
    pub backoffice: SocketAddr,
}

/// The clients at work. Dropped, they end what they are at and go.
#[derive(Debug)]
pub struct Traffic {
    world: Arc<World>,
    threads: Vec<JoinHandle<()>>,
}

/// What all clients share.
#[derive(Debug)]
struct World {
    fronts: Fronts,
    pace: Pace,
    tally: Tally,
}

impl Fronts {
    fn all(&self) -> [SocketAddr; 3] {
        [self.shop, self.accounts, self.backoffice]
    }
}

impl Traffic {
    /// Sends about `rate` requests a second, all clients together.
    pub fn start(fronts: Fronts, rate: f64) -> Self {
        let world = Arc::new(World { fronts, pace: Pace::of(rate), tally: Tally::default() });
        let mut traffic = Self { world, threads: Vec::new() };
        for number in 1..=visitors(rate) {
            traffic.spawn(number, visit);
        }
        traffic.spawn(0, probe);
        traffic.spawn(0, streams::listen);
        traffic.spawn(0, streams::chat);
        traffic
    }

    /// What has been sent so far.
    pub fn sent(&self) -> Sent {
        self.world.tally.sent()
    }

    /// Waits until the clients have ended what they were at, and says what was sent in all.
    pub fn stop(mut self) -> Sent {
        self.join();
        self.sent()
    }

    fn spawn(&mut self, number: u64, work: fn(&mut Client)) {
        let mut client = Client::of(Arc::clone(&self.world), Dice::of(number));
        self.threads.push(thread::spawn(move || work(&mut client)));
    }

    fn join(&mut self) {
        self.world.pace.stop();
        for thread in self.threads.drain(..) {
            // A client that panicked has said so on stderr, and the others are to be ended as well.
            let _ = thread.join();
        }
    }
}

impl Drop for Traffic {
    fn drop(&mut self) {
        self.join();
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped before")]
fn visitors(rate: f64) -> u64 {
    (rate / A_VISITOR_DOES).ceil().clamp(4.0, f64::from(MOST_VISITORS)) as u64
}

/// One errand after the other, until it is time to go.
fn visit(client: &mut Client) {
    let all: u64 = ERRANDS.iter().map(|(weight, _)| weight).sum();
    while !client.is_to_go() {
        let mut drawn = client.dice.below(all);
        let errand = ERRANDS.iter().find(|(weight, _)| {
            let is_it = drawn < *weight;
            drawn = drawn.saturating_sub(*weight);
            is_it
        });
        client.arrive();
        // One that was left off is as good as one that was not: the next begins anew.
        if let Some((_, errand)) = errand {
            let _ = errand(client);
        }
    }
}

/// Asks each app for its health, as an orchestrator does. Sightline leaves such requests alone.
fn probe(client: &mut Client) {
    while !client.pause(PROBE) {
        client.probe();
    }
}

#[cfg(test)]
mod tests;
