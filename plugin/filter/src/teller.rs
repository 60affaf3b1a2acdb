//! Tells a collector what was counted, by all workers and by one of them: the one that leads.

use std::time::Duration;

use sightline_core::config::Temporality;
use sightline_core::otlp::{Signal, write_metrics};
use sightline_core::red::Before;
use sightline_core::{Moment, Monotonic, Plan, Wall};

use crate::exporters::{self, Exporters};
use crate::meter::{Copies, Ledgers, SharedMeter};
use crate::root::Root;

/// What tells of one configuration's service.
pub(crate) struct Teller {
    sender: exporters::Shared,
    interval: Duration,
    temporality: Temporality,
    due: Monotonic,
    /// When it was last told of, by this worker.
    last: Wall,
    under_way: Option<UnderWay>,
}

/// Sums that a collector is being told of.
struct UnderWay {
    /// When they were read, and all of them, as they are written down once the collector has them.
    told: Vec<u8>,
    /// How much the collector had settled before.
    settled: u64,
}

/// The longest request. A collector refuses a gRPC message from 4 MiB on, and something is still put around.
const LONGEST: usize = 3 * 1024 * 1024;

impl Teller {
    pub(crate) fn new(
        plan: &Plan,
        meter: &SharedMeter,
        exporters: &mut Exporters,
        now: Monotonic,
    ) -> Option<Self> {
        let (export, otlp) = (plan.export.as_ref()?, plan.metrics.otlp.as_ref()?);
        Some(Self {
            sender: exporters.join(export, Signal::Metrics, Some(meter)),
            interval: otlp.interval,
            temporality: otlp.temporality,
            due: now.after(otlp.interval),
            last: Wall(0),
            under_way: None,
        })
    }

    /// Tells what there is to be told, if it is time, and this worker `leads`. What another one is telling is
    /// its own affair.
    pub(crate) fn tick(&mut self, leads: bool, root: &Root, ledgers: &mut Ledgers, now: Moment) {
        if !leads {
            self.under_way = None;
            return;
        }
        let Ok(sender) = self.sender.try_borrow() else { return };
        // One reading after the other: a later one says all that an earlier one did.
        if !sender.is_empty() {
            return;
        }
        let settled = sender.settled();
        drop(sender);
        if let Some(under_way) = self.under_way.take().filter(|it| settled > it.settled) {
            ledgers.told.replace(&under_way.told);
        }
        if now.monotonic >= self.due {
            self.due = now.monotonic.after(self.interval);
            self.tell(root, ledgers, settled, now);
        }
    }

    fn tell(&mut self, root: &Root, ledgers: &Ledgers, settled: u64, now: Moment) {
        let (copies, routes) = (ledgers.read(), root.route_sources());
        let told = ledgers.told.read();
        let before = match self.temporality {
            Temporality::Cumulative => None,
            Temporality::Delta => before(&told),
        };
        let snapshot = copies.snapshot(&root.plan.metrics, &routes, self.last, now.wall);
        let reading = snapshot.read_since(before);
        if let Ok(mut sender) = self.sender.try_borrow_mut() {
            write_metrics(&reading, self.temporality, LONGEST, &mut |piece| {
                sender.offer(now.monotonic, &mut |out| out.extend_from_slice(piece));
            });
        }
        self.last = now.wall;
        if self.temporality == Temporality::Delta {
            self.under_way = Some(UnderWay { told: as_told(&copies, now.wall), settled });
        }
    }
}

/// What the collector has been told, as it is written down.
fn as_told(copies: &Copies, at: Wall) -> Vec<u8> {
    [&at.0.to_le_bytes(), &*copies.sums].concat()
}

/// What the collector had been told, if anything.
fn before(told: &[u8]) -> Option<Before<'_>> {
    let (at, sheet) = told.split_first_chunk()?;
    Some(Before { sheet, at: Wall(u64::from_le_bytes(*at)) })
}
