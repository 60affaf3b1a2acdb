//! A collector that misbehaves as it is told, and remembers what it was sent.
//!
//! The OTLP itself is done by `sightline_cli::otlp`. What is here is for tests: the script, waiting, and
//! being killed.

mod points;
mod records;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sightline_cli::otlp::{Export, ReceivedSpan, Receiver, Reply, Signal, Store};
use sightline_cli::wait;

use crate::Nobody;

use points::newest;
pub use points::{PointValue, ReceivedPoint};
pub use records::ReceivedRecord;

/// How long to wait for spans and points: longer than any interval at which a test's filter exports.
const PATIENCE: Duration = Duration::from_secs(30);

/// A collector. Dropped, it stops.
pub struct Collector {
    address: SocketAddr,
    /// While it listens.
    receiver: Option<Receiver>,
    /// While it does not: nobody else gets its port in the meantime.
    nobody: Option<Nobody>,
    shared: Arc<Shared>,
}

type Script = dyn Fn(usize, &Export) -> Reply + Send + Sync;

struct Shared {
    script: Box<Script>,
    exports: Mutex<Vec<Arc<Export>>>,
    /// The spans that the script's replies accept.
    store: Store,
    /// The points of metrics that they accept.
    points: Mutex<Vec<ReceivedPoint>>,
    /// The log records that they accept.
    records: Mutex<Vec<ReceivedRecord>>,
}

impl Collector {
    /// One that accepts everything.
    pub fn start() -> Self {
        Self::that(|_, _| Reply::Accepted)
    }

    /// One that answers as `script` says. Its number is that of the exports that came before this one.
    pub fn that(script: impl Fn(usize, &Export) -> Reply + Send + Sync + 'static) -> Self {
        let script = Box::new(script);
        let shared = Arc::new(Shared {
            script,
            exports: Mutex::default(),
            store: Store::default(),
            points: Mutex::default(),
            records: Mutex::default(),
        });
        let receiver = shared.listen(SocketAddr::from(([127, 0, 0, 1], 0)));
        Self { address: receiver.address(), receiver: Some(receiver), nobody: None, shared }
    }

    /// Where it listens, or did and will.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops listening and cuts every connection. It forgets nothing.
    pub fn stop(&mut self) {
        if self.receiver.take().is_some() {
            self.nobody = Some(Nobody::at(self.address));
        }
    }

    /// Listens on the same port again.
    pub fn restart(&mut self) {
        if self.nobody.take().is_some() {
            self.receiver = Some(self.shared.listen(self.address));
        }
    }

    /// Every export that came, in order, whatever was answered.
    pub fn exports(&self) -> Vec<Arc<Export>> {
        self.shared.exports().clone()
    }

    /// The spans that it has accepted, in order. One that is reset or stopped after it has accepted
    /// spans may be sent them again, as any collector.
    pub fn spans(&self) -> Vec<ReceivedSpan> {
        self.shared.store.spans()
    }

    /// The spans, as soon as it has accepted so many; a panic with what there is if they do not come.
    pub fn wait_for(&self, count: usize) -> Vec<ReceivedSpan> {
        let enough = || (self.shared.store.total() >= count as u64).then(|| self.spans());
        let what = format!("{count} spans");
        wait::until(&what, PATIENCE, enough).unwrap_or_else(|late| self.give_up(&late))
    }

    /// The first span that is so, as soon as there is one; a panic with what there is if none comes.
    ///
    /// `what` completes the sentence "waited 30s for …".
    pub fn span_where(&self, what: &str, is_so: impl Fn(&ReceivedSpan) -> bool) -> ReceivedSpan {
        let mut seen = None;
        let look = || {
            let total = self.shared.store.total();
            // Searched only when there are more: thousands of spans every few milliseconds are work.
            let is_news = seen.replace(total) != Some(total);
            is_news.then(|| self.spans().into_iter().find(&is_so)).flatten()
        };
        wait::until(what, PATIENCE, look).unwrap_or_else(|late| self.give_up(&late))
    }

    /// The points of metrics that it has accepted, in order.
    pub fn points(&self) -> Vec<ReceivedPoint> {
        self.shared.points().clone()
    }

    /// How many things there were, by what it has accepted so far, in all series of a counter or a histogram
    /// with at least these attributes, as a backend adds them up; none if there is no such series.
    pub fn count_of(&self, name: &str, attributes: &[(&str, &str)]) -> Option<u64> {
        let mut points = self.points();
        points.retain(|point| point.name == name && point.has(attributes));
        newest(&points)
            .into_iter()
            .map(ReceivedPoint::count)
            .sum::<Option<u64>>()
            .filter(|_| !points.is_empty())
    }

    /// Waits until there were so many, as [`Self::count_of`] has it; a panic with what there is if that does not
    /// come. Whether it stays at that, the caller has to see.
    pub fn wait_for_count(&self, name: &str, attributes: &[(&str, &str)], count: u64) {
        let is_so = || (self.count_of(name, attributes) == Some(count)).then_some(());
        let what = format!("a count of {count} in {name} {attributes:?}");
        wait::until(&what, PATIENCE, is_so).unwrap_or_else(|late| self.give_up_on_points(&late));
    }

    /// The first point that is so, as soon as there is one; a panic with what there is if none comes.
    ///
    /// `what` completes the sentence "waited 30s for …".
    pub fn point_where(&self, what: &str, is_so: impl Fn(&ReceivedPoint) -> bool) -> ReceivedPoint {
        let look = || self.shared.points().iter().find(|point| is_so(point)).cloned();
        wait::until(what, PATIENCE, look).unwrap_or_else(|late| self.give_up_on_points(&late))
    }

    /// The log records that it has accepted, in order.
    pub fn records(&self) -> Vec<ReceivedRecord> {
        self.shared.records().clone()
    }

    /// The first log record that is so, as soon as there is one; a panic with what there is if none comes.
    ///
    /// `what` completes the sentence "waited 30s for …".
    pub fn record_where(
        &self,
        what: &str,
        is_so: impl Fn(&ReceivedRecord) -> bool,
    ) -> ReceivedRecord {
        let look = || self.shared.records().iter().find(|record| is_so(record)).cloned();
        wait::until(what, PATIENCE, look).unwrap_or_else(|late| {
            panic!("{late}; these records came: {:#?}", self.records());
        })
    }

    /// The log record of the request with this ID, as soon as it has come.
    pub fn record_of(&self, request_id: &str) -> ReceivedRecord {
        self.record_where(&format!("the record of {request_id}"), |record| {
            record.attribute("sightline.request_id") == request_id
        })
    }

    fn give_up_on_points(&self, late: &wait::TimedOut) -> ! {
        let exports = self.shared.exports().len();
        let points = self.points();
        let told = newest(&points).into_iter().map(ReceivedPoint::told).collect::<Vec<_>>();
        panic!("{late}; {exports} exports came, and of each series this is the newest: {told:#?}");
    }

    fn give_up(&self, late: &wait::TimedOut) -> ! {
        let exports = self.shared.exports().len();
        let spans = self.spans();
        let names: Vec<&str> = spans.iter().map(ReceivedSpan::name).collect();
        panic!("{late}; {exports} exports came, with these spans accepted: {names:#?}");
    }
}

impl Shared {
    fn listen(self: &Arc<Self>, address: SocketAddr) -> Receiver {
        let shared = Arc::clone(self);
        Receiver::start(address, move |export| shared.take(export))
            .unwrap_or_else(|error| panic!("a collector at {address}: {error}"))
    }

    fn take(&self, export: Export) -> Reply {
        let export = Arc::new(export);
        let number = {
            let mut exports = self.exports();
            exports.push(Arc::clone(&export));
            exports.len() - 1
        };
        let reply = (self.script)(number, &export);
        self.store.keep(&export, &reply);
        match &export.signal {
            Signal::Traces(_) => {}
            Signal::Metrics(request) => {
                let points = points::points(request);
                let accepted = reply.accepts(export.protocol, points.len());
                self.points().extend(points.into_iter().take(accepted));
            }
            Signal::Logs(request) => {
                let records = records::records(request);
                let accepted = reply.accepts(export.protocol, records.len());
                self.records().extend(records.into_iter().take(accepted));
            }
        }
        reply
    }

    fn records(&self) -> MutexGuard<'_, Vec<ReceivedRecord>> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn points(&self) -> MutexGuard<'_, Vec<ReceivedPoint>> {
        self.points.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn exports(&self) -> MutexGuard<'_, Vec<Arc<Export>>> {
        self.exports.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
