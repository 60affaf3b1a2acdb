//! Carries batches to collectors: what is due goes out at a tick, and answers come back by token.
//!
//! Exporters belong to the VM, not to a root: a configuration that replaces another one and sends to the same
//! place takes over what still waits. One that nobody feeds any more lasts until it is empty.

use std::cell::RefCell;
use std::rc::Rc;

use sightline_core::otlp::{self, BatchId, Counts, Exporter, Reply, Signal, Verdict};
use sightline_core::red::{Family, Level, family};
use sightline_core::sampling::Kept;
use sightline_core::{ExportPlan, Exported, Monotonic, Rng, number};

use crate::abi::{self, CallError, Token};
use crate::ledger;
use crate::meter::{Meter, SharedMeter};
use crate::request::Request;
use crate::stats::Stats;

/// All exporters of this VM.
#[derive(Default)]
pub(crate) struct Exporters {
    senders: Vec<Shared>,
    /// Where a batch gets its envelope, kept for its capacity.
    message: Vec<u8>,
}

/// The most calls that one tick makes. A worker serves no request meanwhile.
const MOST_CALLS: usize = 16;

/// An exporter that a root feeds, and perhaps others.
pub(crate) type Shared = Rc<RefCell<Sender>>;

/// One exporter and what it has under way.
pub(crate) struct Sender {
    plan: Rc<ExportPlan>,
    signal: Signal,
    exporter: Exporter,
    /// Where what happens is counted, if it is.
    meter: Option<SharedMeter>,
    /// How many items wait, as far as the meter knows.
    waiting: u32,
    /// Requests that the collector has taken, since ever.
    taken: u64,
    calls: Vec<Call>,
    tally: Tally,
    trouble: Trouble,
}

/// Whose spans were offered since this was last told.
#[derive(Clone, Copy, Default)]
struct Tally {
    sampled: u64,
    kept_error: u64,
    kept_slow: u64,
    unsampled: u64,
}

#[derive(Clone, Copy)]
struct Call {
    token: Token,
    batch: BatchId,
    /// The root that made the call. With it the call ends.
    root: u32,
}

/// What went wrong since the log last told.
#[derive(Default)]
struct Trouble {
    failures: u64,
    dropped: u64,
    /// What was said of the last failure.
    last: String,
}

impl Exporters {
    /// The exporter for this plan: one that is there already, if it sends the same to the same place.
    pub(crate) fn join(
        &mut self,
        plan: &Rc<ExportPlan>,
        signal: Signal,
        meter: Option<&SharedMeter>,
    ) -> Shared {
        let same = |sender: &&Shared| {
            sender.try_borrow().is_ok_and(|it| it.signal == signal && it.plan == *plan)
        };
        if let Some(sender) = self.senders.iter().find(same) {
            return Rc::clone(sender);
        }
        let sender = Sender::new(Rc::clone(plan), signal, meter.map(Rc::clone));
        sender.begin();
        let sender = Rc::new(RefCell::new(sender));
        self.senders.push(Rc::clone(&sender));
        sender
    }

    /// Sends what is due, and tells what has happened. This root makes the calls.
    pub(crate) fn tick(&mut self, root: u32, rng: &mut Rng, stats: &mut Stats) {
        for sender in &self.senders {
            // The host does not call back while it is being called.
            if let Ok(mut sender) = sender.try_borrow_mut() {
                sender.send(root, &mut self.message, rng);
                sender.tell(stats);
            }
        }
        let fed = |sender: &Shared| Rc::strong_count(sender) > 1;
        let empty = |sender: &Shared| sender.try_borrow().is_ok_and(|it| it.exporter.is_empty());
        self.senders.retain(|sender| fed(sender) || !empty(sender));
    }

    /// A collector has answered over HTTP.
    pub(crate) fn on_http_answer(&mut self, token: Token, rng: &mut Rng) {
        let (mut status, mut retry_after) = (None, None);
        let headers = abi::call_headers();
        for (name, value) in headers.iter() {
            match name {
                b":status" => status = number(value),
                b"retry-after" => retry_after = Some(value),
                _ => {}
            }
        }
        let reply = otlp::of_http(status, retry_after, &abi::call_body(), abi::wall_now());
        let what = match status {
            Some(status) => format!("status {status}"),
            None => "no answer".to_owned(),
        };
        self.answered(token, &reply, &what, rng);
    }

    /// A collector has answered over gRPC.
    pub(crate) fn on_grpc_message(&mut self, token: Token, rng: &mut Rng) {
        self.answered(token, &otlp::of_grpc_message(&abi::grpc_message()), "gRPC status 0", rng);
    }

    /// A gRPC call ended without a message.
    pub(crate) fn on_grpc_end(&mut self, token: Token, status: u32, rng: &mut Rng) {
        let reply = otlp::of_grpc_status(status, b"");
        self.answered(token, &reply, &format!("gRPC status {status}"), rng);
    }

    /// A root is gone, and its calls with it.
    pub(crate) fn forget(&mut self, root: u32) {
        for sender in &self.senders {
            if let Ok(mut sender) = sender.try_borrow_mut() {
                let Sender { calls, exporter, .. } = &mut *sender;
                calls.retain(|call| {
                    if call.root == root {
                        exporter.returned(call.batch);
                    }
                    call.root != root
                });
            }
        }
    }

    /// The last root is gone: nobody makes calls any more, or hears of them.
    pub(crate) fn give_up(&mut self, stats: &mut Stats) {
        for sender in &self.senders {
            if let Ok(mut sender) = sender.try_borrow_mut() {
                sender.exporter.give_up();
                sender.tell(stats);
            }
        }
        self.senders.clear();
    }

    fn answered(&mut self, token: Token, reply: &Reply, what: &str, rng: &mut Rng) {
        for sender in &self.senders {
            if let Ok(mut sender) = sender.try_borrow_mut() {
                sender.answered(token, reply, what, rng);
            }
        }
    }
}

impl Sender {
    fn new(plan: Rc<ExportPlan>, signal: Signal, meter: Option<SharedMeter>) -> Self {
        let exporter = Exporter::new(plan.limits_of(signal));
        Self {
            plan,
            signal,
            exporter,
            meter,
            waiting: 0,
            taken: 0,
            calls: Vec::new(),
            tally: Tally::default(),
            trouble: Trouble::default(),
        }
    }

    /// Shows what may go wrong before it does.
    fn begin(&self) {
        if let Some(mut meter) = self.meter.as_ref().and_then(|meter| meter.try_borrow_mut().ok()) {
            for reason in ["queue_full", "rejected", "expired"] {
                meter.begin(&family::DROPPED, &[self.signal.name(), reason]);
            }
            for outcome in ["ok", "rejected", "failed"] {
                meter.begin(&family::BATCHES, &[self.signal.name(), outcome]);
            }
        }
    }

    /// Whether nothing waits and nothing is under way.
    pub(crate) fn is_empty(&self) -> bool {
        self.exporter.is_empty()
    }

    /// Whether a request is under way.
    pub(crate) fn is_calling(&self) -> bool {
        !self.calls.is_empty()
    }

    /// Requests that the collector has taken, if only in part, since ever.
    pub(crate) fn taken(&self) -> u64 {
        self.taken
    }

    /// Drops all that waits or is under way, and does not hear of it any more.
    pub(crate) fn give_up(&mut self) {
        self.calls.clear();
        self.exporter.give_up();
    }

    /// Takes an item, such as the span of a request that is over. Says whether there was room for it.
    pub(crate) fn offer(&mut self, now: Monotonic, write: &mut dyn FnMut(&mut Vec<u8>)) -> bool {
        self.exporter.offer(now, write)
    }

    /// Counts a traced request by what becomes of its span.
    pub(crate) fn count_span(&mut self, exported: Exported) {
        let Tally { sampled, kept_error, kept_slow, unsampled } = &mut self.tally;
        *match exported {
            Exported::No => unsampled,
            Exported::Sampled => sampled,
            Exported::Kept(Kept::Error) => kept_error,
            Exported::Kept(Kept::Slow) => kept_slow,
        } += 1;
    }

    fn send(&mut self, root: u32, message: &mut Vec<u8>, rng: &mut Rng) {
        let now = abi::monotonic_now();
        if self.signal == Signal::Metrics && self.was_silent(now) {
            self.give_up();
        }
        for _ in 0..MOST_CALLS {
            let Some((batch, items, _)) = self.exporter.due(now) else { break };
            message.clear();
            self.plan.envelope.wrap(items, message);
            match Request::new(&self.plan, self.signal, rng).send(message) {
                Ok(token) => self.calls.push(Call { token, batch, root }),
                Err(error) => {
                    let retry = Verdict::Retry { after: None };
                    self.exporter.answered(batch, &retry, now, rng);
                    self.trouble.failed(match error {
                        CallError::NoCluster => "Envoy has no such cluster",
                        CallError::Failed => "no connection",
                    });
                }
            }
        }
    }

    /// What the collector has taken is written down at once: it is not to be told again, whatever becomes of this
    /// worker.
    fn settle(&self) {
        let meter = self.meter.as_ref().and_then(|meter| meter.try_borrow_mut().ok());
        if let Some(mut meter) = meter {
            let Meter { telling, ledgers, .. } = &mut *meter;
            telling.settle(self.taken, &mut ledgers.told);
        }
    }

    /// Whether this worker was stuck for so long that another one tells what is counted.
    fn was_silent(&self, now: Monotonic) -> bool {
        let meter = self.meter.as_ref().and_then(|meter| meter.try_borrow().ok());
        meter.is_some_and(|meter| meter.was_silent(now))
    }

    fn answered(&mut self, token: Token, reply: &Reply, what: &str, rng: &mut Rng) {
        let Some(call) = self.calls.iter().find(|call| call.token == token).copied() else {
            return;
        };
        self.calls.retain(|call| call.token != token);
        self.taken += u64::from(matches!(reply.verdict, Verdict::Accepted { .. }));
        let now = abi::monotonic_now();
        self.exporter.answered(call.batch, &reply.verdict, now, rng);
        if self.signal == Signal::Metrics && self.is_empty() && !self.was_silent(now) {
            self.settle();
        }
        if !matches!(reply.verdict, Verdict::Accepted { rejected: 0 }) {
            self.trouble.failed(&format!("{what} {}", reply.message));
        }
    }

    /// Tells what has happened, to the log too if that was trouble.
    fn tell(&mut self, stats: &mut Stats) {
        let counts = self.exporter.take_counts();
        self.count(counts, stats);
        self.trouble.dropped += counts.queue_full + counts.rejected + counts.expired;
        let Trouble { failures, dropped, last } = &self.trouble;
        if (*failures > 0 || *dropped > 0) && ledger::is_first_of_minute("sightline.export.trouble")
        {
            abi::log_warning(&format!(
                "sightline: export of {} to {}: {failures} requests failed, {dropped} items dropped, {} wait; {}",
                self.signal.name(),
                self.plan.cluster,
                self.exporter.waiting(),
                last.trim(),
            ));
            self.trouble = Trouble::default();
        }
    }

    /// Counts what has happened, and how many wait.
    fn count(&mut self, counts: Counts, stats: &mut Stats) {
        let Tally { sampled, kept_error, kept_slow, unsampled } = std::mem::take(&mut self.tally);
        let signal = self.signal.name();
        let mut meter = self.meter.as_ref().and_then(|meter| meter.try_borrow_mut().ok());
        let mut count = |family: &Family, labels: &[&str], number| match &mut meter {
            Some(meter) => meter.count(family, labels, number, stats),
            None => stats.count(family, labels, number),
        };
        count(&family::SPANS, &["sampled"], sampled);
        count(&family::SPANS, &["kept_error"], kept_error);
        count(&family::SPANS, &["kept_slow"], kept_slow);
        count(&family::SPANS, &["unsampled"], unsampled);
        count(&family::BATCHES, &[signal, "ok"], counts.batches_ok);
        count(&family::BATCHES, &[signal, "rejected"], counts.batches_rejected);
        count(&family::BATCHES, &[signal, "failed"], counts.batches_failed);
        count(&family::DROPPED, &[signal, "queue_full"], counts.queue_full);
        count(&family::DROPPED, &[signal, "rejected"], counts.rejected);
        count(&family::DROPPED, &[signal, "expired"], counts.expired);
        count(&family::EXPORTED, &[signal], counts.exported);
        let waiting = u32::try_from(self.exporter.waiting()).unwrap_or(u32::MAX);
        let before = std::mem::replace(&mut self.waiting, waiting);
        if let Some(meter) = &mut meter {
            meter.levels.change(Level::waiting(self.signal), before, waiting);
        }
    }
}

impl Trouble {
    fn failed(&mut self, why: &str) {
        self.failures += 1;
        why.clone_into(&mut self.last);
    }
}
