//! A collector that misbehaves as it is told, and remembers what it was sent.
//!
//! The OTLP itself is done by `sightline_cli::otlp`. What is here is for tests: the script, waiting, and
//! being killed.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sightline_cli::otlp::{Export, ReceivedSpan, Receiver, Reply, Store};
use sightline_cli::wait;

use crate::Nobody;

/// How long to wait for spans: longer than any interval at which a test's filter exports.
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
}

impl Collector {
    /// One that accepts everything.
    pub fn start() -> Self {
        Self::that(|_, _| Reply::Accepted)
    }

    /// One that answers as `script` says. Its number is that of the exports that came before this one.
    pub fn that(script: impl Fn(usize, &Export) -> Reply + Send + Sync + 'static) -> Self {
        let script = Box::new(script);
        let shared = Shared { script, exports: Mutex::default(), store: Store::default() };
        let shared = Arc::new(shared);
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
        reply
    }

    fn exports(&self) -> MutexGuard<'_, Vec<Arc<Export>>> {
        self.exports.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Request;

    /// An `ExportTraceServiceRequest` with two spans, called a and b.
    const TWO_SPANS: &[u8] = b"\x0a\x0c\x12\x0a\x12\x03\x2a\x01a\x12\x03\x2a\x01b";

    fn send(collector: &Collector) -> Option<u16> {
        let request = Request::post("/v1/traces")
            .field("content-type", "application/x-protobuf")
            .body(TWO_SPANS);
        request.send(collector.address()).ok().map(|answer| answer.status())
    }

    fn names(spans: &[ReceivedSpan]) -> Vec<&str> {
        spans.iter().map(ReceivedSpan::name).collect()
    }

    #[test]
    fn spans_count_only_when_the_reply_accepts_them() {
        let some = Reply::Partial { rejected: 1, message: "one too many".to_owned() };
        let script = [Reply::status(503), some, Reply::Reset, Reply::Accepted];
        let collector = Collector::that(move |number, _| script[number].clone());
        let answers: Vec<_> = (0..4).map(|_| send(&collector)).collect();
        assert_eq!(answers, [Some(503), Some(200), None, Some(200)]);
        assert_eq!(names(&collector.wait_for(3)), ["a", "a", "b"]);
        assert_eq!(collector.exports().len(), 4);
    }

    #[test]
    fn it_is_killed_and_comes_back_with_all_that_it_knew() {
        let mut collector = Collector::start();
        assert_eq!(send(&collector), Some(200));
        collector.stop();
        assert_eq!(send(&collector), None);
        collector.restart();
        assert_eq!(send(&collector), Some(200));
        assert_eq!(names(&collector.wait_for(4)), ["a", "b", "a", "b"]);
    }

    #[test]
    fn a_span_is_found_by_what_it_is() {
        let collector = Collector::start();
        send(&collector);
        let span = collector.span_where("a span called b", |span| span.name() == "b");
        assert_eq!(span.name(), "b");
    }
}
