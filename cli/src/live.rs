//! The live view: what passes, seen while it passes, on a page and in a terminal.
//!
//! It is fed with access-log lines and exported spans and keeps as much of them in memory as `live/bounds.rs`
//! allows; counts are exact all the same. It starts nothing and reads no file: that is for the session. The page
//! itself is in `live/page/`, and knows of all this only what [`Server`] answers.

mod bounds;
mod figures;
mod histogram;
mod kept;
mod line;
mod seconds;
mod server;
mod spans;
mod store;
pub mod terminal;
#[cfg(test)]
mod tests;
mod trace;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

pub use figures::{Inferred, Told, ToldRoute};
pub use kept::Request;
pub use server::Server;
pub use spans::Origin;
pub use store::{Dropped, Found, FoundRequest, InMemory, Snapshot, ToldService};
pub use trace::{ShownEvent, ShownSpan, Waterfall};

use crate::otlp::{Export, Signal};
use line::Line;
use store::Store;

/// What is known of all that passes. Its clones are handles to the same.
#[derive(Clone, Debug)]
pub struct Live {
    store: Arc<Mutex<Store>>,
}

/// An app, and the listener in front of it.
#[derive(Clone, Debug)]
pub struct Front {
    /// What the app is called in lines and spans.
    pub service: String,
    /// Where clients ask.
    pub listen: SocketAddr,
    /// Where the app listens.
    pub app: String,
    /// The filter's configuration, to explain routes with.
    pub configuration: serde_json::Value,
}

impl Live {
    /// Nothing has passed yet.
    pub fn new(fronts: Vec<Front>) -> Self {
        Self { store: Arc::new(Mutex::new(Store::new(now_us(), fronts))) }
    }

    /// Takes in a line of the access log, with its end or without.
    pub fn line(&self, line: &[u8]) {
        // Read before the lock is taken: it is most of the work.
        let read = Line::read(line);
        self.lock().line(now_us(), line, &read);
    }

    /// Takes in what an exporter has sent, if it is spans.
    pub fn spans(&self, export: &Export) {
        if let Signal::Traces(spans) = &export.signal {
            self.lock().spans(now_us(), spans);
        }
    }

    /// Takes note of how many requests a service has under way.
    pub fn in_flight(&self, service: &str, requests: u64) {
        self.lock().in_flight(service, requests);
    }

    /// Takes note of lines that were counted here, and were not shown to a person as they came.
    pub fn not_shown(&self, lines: u64) {
        self.lock().not_shown(lines);
    }

    /// All figures as of now.
    pub fn snapshot(&self) -> Snapshot {
        self.lock().snapshot(now_us())
    }

    /// A trace, by its ID in hex; none if nothing is known of it.
    pub fn trace(&self, trace_id: &str) -> Option<Waterfall> {
        self.lock().trace(trace_id)
    }

    /// The newest requests whose request ID or trace ID is this, or begins like this.
    pub fn search(&self, id: &str) -> Found {
        self.lock().search(id)
    }

    fn lock(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Microseconds since 1970.
fn now_us() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}
