//! What is counted for a service in this VM, and shared with the other workers.
//!
//! Meters belong to the VM, not to a root: a configuration that replaces another one of the same service counts on
//! where that has counted.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use sightline_core::red::roll::{Member, Word};
use sightline_core::red::{Counting, Exemplars, Family, Levels, Sheet, Snapshot, family};
use sightline_core::{MetricsPlan, Moment, Monotonic, Rng, Wall};

use crate::abi;
use crate::ledger::SharedValue;
use crate::stats::Stats;
use crate::teller::Telling;

/// All meters of this VM, one for each service.
#[derive(Default)]
pub(crate) struct Meters(Vec<SharedMeter>);

/// A meter that a root counts with, and perhaps others.
pub(crate) type SharedMeter = Rc<RefCell<Meter>>;

/// Counts for one service.
pub(crate) struct Meter {
    pub(crate) ledgers: Ledgers,
    pub(crate) levels: Levels,
    pub(crate) telling: Telling,
    sheet: Sheet,
    exemplars: Exemplars,
    member: Member,
    leads: bool,
    /// When it was last said that this worker is there.
    agreed: Monotonic,
}

/// For so long the other workers are sure to count on this one, though it says nothing.
const SILENCE: Duration = Duration::from_secs(4);

/// What the workers share of one service.
pub(crate) struct Ledgers {
    service: String,
    /// All sums.
    pub(crate) sums: SharedValue,
    /// Who is there.
    pub(crate) roll: SharedValue,
    /// Requests that stand for others.
    pub(crate) exemplars: SharedValue,
    /// When they were last told, and the sums as they were then where only what is new is told.
    pub(crate) told: SharedValue,
}

impl Meters {
    /// The meter of this service. One that is there already shares at once what is new: where configurations follow
    /// each other quickly, none of their ticks may come.
    pub(crate) fn join(&mut self, service: &str, rng: &mut Rng, stats: &mut Stats) -> SharedMeter {
        let same = |meter: &&SharedMeter| {
            meter.try_borrow().is_ok_and(|meter| meter.ledgers.service == service)
        };
        if let Some(meter) = self.0.iter().find(same) {
            if let Ok(mut meter) = meter.try_borrow_mut() {
                meter.agree(now(), stats);
            }
            return Rc::clone(meter);
        }
        let meter = Rc::new(RefCell::new(Meter::new(service, rng)));
        self.0.push(Rc::clone(&meter));
        meter
    }

    /// Lets go of meters that nobody counts with any more.
    pub(crate) fn prune(&mut self, stats: &mut Stats) {
        self.leave_where(|meter| Rc::strong_count(meter) == 1, stats);
    }

    /// Lets go of all: the last root is gone, and nobody calls any more.
    pub(crate) fn give_up(&mut self, stats: &mut Stats) {
        self.leave_where(|_| true, stats);
    }

    fn leave_where(&mut self, is_over: impl Fn(&SharedMeter) -> bool, stats: &mut Stats) {
        self.0.retain(|meter| {
            let is_over = is_over(meter);
            if is_over && let Ok(mut meter) = meter.try_borrow_mut() {
                meter.leave(stats);
            }
            !is_over
        });
    }
}

impl Meter {
    fn new(service: &str, rng: &mut Rng) -> Self {
        let mut sheet = Sheet::default();
        sheet.begin(&family::LOST, &[]);
        sheet.begin(&family::OVERFLOWED, &[]);
        Self {
            ledgers: Ledgers::of(service),
            levels: Levels::default(),
            telling: Telling::default(),
            sheet,
            exemplars: Exemplars::default(),
            member: Member::new(u64::from_le_bytes(rng.next_8())),
            leads: false,
            agreed: Monotonic::default(),
        }
    }

    /// Whether this worker does what is to be done once, of those that could.
    pub(crate) fn leads(&self) -> bool {
        self.leads
    }

    /// Whether the other workers may have taken this one for lost.
    pub(crate) fn was_silent(&self, now: Monotonic) -> bool {
        now.since(self.agreed) > SILENCE
    }

    /// What a recorder counts into.
    pub(crate) fn counting(&mut self, now: Moment, with_exemplars: bool) -> Counting<'_> {
        Counting {
            sheet: &mut self.sheet,
            exemplars: with_exemplars.then_some(&mut self.exemplars),
            ledger: &mut self.ledgers.sums,
            now: now.wall,
        }
    }

    /// Shows a counter before anything was counted.
    pub(crate) fn begin(&mut self, family: &Family, labels: &[&str]) {
        self.sheet.begin(family, labels);
    }

    /// Counts something of our own doings.
    pub(crate) fn count(
        &mut self,
        family: &Family,
        labels: &[&str],
        number: u64,
        stats: &mut Stats,
    ) {
        self.sheet.count(family, labels, number);
        stats.count(family, labels, number);
    }

    /// Shares what is new, and says that this worker is there.
    pub(crate) fn agree(&mut self, now: Moment, stats: &mut Stats) {
        let word = Word { levels: &self.levels, can_lead: self.telling.is_wanted() };
        let answer = self.member.answer(word, now.monotonic, &mut self.ledgers.roll);
        if let Some(answer) = answer {
            self.leads = answer.leads;
            self.agreed = now.monotonic;
            stats.move_levels(&answer.before, &self.levels);
            self.count(&family::LOST, &[], answer.lost, stats);
        }
        self.share(now);
    }

    fn share(&mut self, now: Moment) {
        let Ledgers { sums, exemplars, .. } = &mut self.ledgers;
        if self.sheet.agree(now.wall, sums) {
            self.exemplars.agree(&self.sheet, exemplars);
        }
    }

    /// Nobody counts with it any more.
    fn leave(&mut self, stats: &mut Stats) {
        let now = now();
        self.share(now);
        if let Some(answer) = self.member.leave(now.monotonic, &mut self.ledgers.roll) {
            stats.move_levels(&answer.before, &Levels::default());
        }
    }
}

/// What is there, copied at one moment.
pub(crate) struct Copies {
    pub(crate) sums: Box<[u8]>,
    roll: Box<[u8]>,
    exemplars: Box<[u8]>,
}

impl Copies {
    /// As it is shown by this plan, with exemplars that are newer than that.
    pub(crate) fn snapshot<'a>(
        &'a self,
        plan: &'a MetricsPlan,
        routes: &'a [(&'static str, u64)],
        exemplars_after: Wall,
        now: Wall,
    ) -> Snapshot<'a> {
        Snapshot {
            sheet: &self.sums,
            roll: &self.roll,
            exemplars: if plan.exemplars { &self.exemplars } else { &[] },
            boundaries: &plan.boundaries,
            custom: &plan.custom,
            routes,
            exemplars_after,
            now,
        }
    }
}

fn now() -> Moment {
    Moment { wall: abi::wall_now(), monotonic: abi::monotonic_now() }
}

impl Ledgers {
    /// What is there now.
    pub(crate) fn read(&self) -> Copies {
        Copies { sums: self.sums.read(), roll: self.roll.read(), exemplars: self.exemplars.read() }
    }

    fn of(service: &str) -> Self {
        // Another format will have another number, so that versions of this module can stand side by side.
        let value = |what| SharedValue::of(what, service);
        Self {
            service: service.to_owned(),
            sums: value("metrics/1"),
            roll: value("workers/1"),
            exemplars: value("exemplars/1"),
            told: value("told/1"),
        }
    }
}
