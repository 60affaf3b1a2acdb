//! Tells a collector what was counted, by all workers and by one of them: the one that leads.

use std::rc::{Rc, Weak};
use std::time::Duration;

use sightline_core::config::Temporality;
use sightline_core::otlp::{Signal, write_metrics};
use sightline_core::red::Before;
use sightline_core::{Moment, Monotonic, Plan, Wall};

use crate::exporters::{self, Exporters};
use crate::ledger::SharedValue;
use crate::meter::{Copies, Ledgers, SharedMeter};
use crate::root::Root;

/// What tells of one configuration's service.
pub(crate) struct Teller {
    sender: exporters::Shared,
    interval: Duration,
    temporality: Temporality,
    due: Monotonic,
    /// By which it is known to be there.
    mark: Rc<()>,
}

/// What this VM tells of a service, and for which root. Where several roots count for one service, one tells.
#[derive(Default)]
pub(crate) struct Telling {
    /// Of the teller that was configured last.
    teller: Weak<()>,
    under_way: Option<UnderWay>,
}

/// Sums that a collector is being told of.
struct UnderWay {
    sender: exporters::Shared,
    /// When they were read, and with it what is to be known of them the next time, as it is written down once
    /// the collector has them.
    told: Vec<u8>,
    /// How many requests the collector had taken before.
    taken: u64,
}

/// The longest request, before it is compressed. It lies in memory several times while it is written.
const LONGEST: usize = 128 * 1024;

impl Teller {
    pub(crate) fn new(
        plan: &Plan,
        meter: &SharedMeter,
        exporters: &mut Exporters,
        now: Monotonic,
    ) -> Option<Self> {
        let (export, otlp) = (plan.export.as_ref()?, plan.metrics.otlp.as_ref()?);
        let mark = Rc::new(());
        if let Ok(mut meter) = meter.try_borrow_mut() {
            meter.telling.teller = Rc::downgrade(&mark);
        }
        Some(Self {
            sender: exporters.join(export, Signal::Metrics, Some(meter)),
            interval: otlp.interval,
            temporality: otlp.temporality,
            due: now.after(otlp.interval),
            mark,
        })
    }

    /// Tells what there is to be told, if it is time, and this worker `leads`.
    pub(crate) fn tick(
        &mut self,
        leads: bool,
        root: &Root,
        telling: &mut Telling,
        ledgers: &mut Ledgers,
        now: Moment,
    ) {
        if !telling.is_by(&self.mark) {
            return;
        }
        if !leads {
            telling.give_up();
        } else if telling.is_over(&self.sender, &mut ledgers.told) && now.monotonic >= self.due {
            self.due = now.monotonic.after(self.interval);
            telling.under_way = self.tell(root, ledgers, now);
        }
    }

    fn tell(&self, root: &Root, ledgers: &Ledgers, now: Moment) -> Option<UnderWay> {
        let (copies, routes) = (ledgers.read(), root.route_sources());
        let told = ledgers.told.read();
        let before = before(&told);
        let last = before.map_or(Wall(0), |before| before.at);
        let snapshot = copies.snapshot(&root.plan.metrics, &routes, last, now.wall);
        let is_delta = self.temporality == Temporality::Delta;
        let reading = snapshot.read_since(before.filter(|_| is_delta));
        let mut sender = self.sender.try_borrow_mut().ok()?;
        write_metrics(&reading, self.temporality, LONGEST, &mut |piece| {
            sender.offer(now.monotonic, &mut |out| out.extend_from_slice(piece));
        });
        let told = as_told(&copies, is_delta, reading.now);
        Some(UnderWay { sender: Rc::clone(&self.sender), told, taken: sender.taken() })
    }
}

impl Telling {
    /// Whether it is this teller that tells: the one that was configured last, of those that are left.
    fn is_by(&mut self, mark: &Rc<()>) -> bool {
        if !self.is_wanted() {
            self.teller = Rc::downgrade(mark);
        }
        self.teller.as_ptr() == Rc::as_ptr(mark)
    }

    /// Whether any configuration of this VM wants something told.
    pub(crate) fn is_wanted(&self) -> bool {
        self.teller.strong_count() > 0
    }

    /// Another worker tells all of it, and would tell it twice.
    fn give_up(&mut self) {
        if let Some(under_way) = self.under_way.take()
            && let Ok(mut sender) = under_way.sender.try_borrow_mut()
        {
            sender.give_up();
        }
    }

    /// Whether the next reading can be told. A later one says all that an earlier one did, so they go one after
    /// the other; and what the collector has not taken is told again by the next one.
    fn is_over(&mut self, next: &exporters::Shared, told: &mut SharedValue) -> bool {
        let Some(under_way) = &self.under_way else { return true };
        let Ok(mut sender) = under_way.sender.try_borrow_mut() else { return false };
        // A collector that is not told any more is not waited for.
        if !Rc::ptr_eq(&under_way.sender, next) && !sender.is_calling() {
            sender.give_up();
        }
        if !sender.is_empty() {
            return false;
        }
        let taken = sender.taken();
        drop(sender);
        self.settle(taken, told);
        true
    }

    /// What was under way is answered, or tried no longer. It is written down if the collector has taken it.
    pub(crate) fn settle(&mut self, taken: u64, told: &mut SharedValue) {
        if let Some(under_way) = self.under_way.take().filter(|it| taken > it.taken) {
            told.replace(&under_way.told);
        }
    }
}

/// What the collector has been told, as it is written down: sums only where they are taken off the next ones.
fn as_told(copies: &Copies, is_delta: bool, at: Wall) -> Vec<u8> {
    let sums = if is_delta { &*copies.sums } else { &[] };
    [&at.0.to_le_bytes(), sums].concat()
}

/// What the collector had been told, if anything.
fn before(told: &[u8]) -> Option<Before<'_>> {
    let (at, sheet) = told.split_first_chunk()?;
    Some(Before { sheet, at: Wall(u64::from_le_bytes(*at)) })
}
