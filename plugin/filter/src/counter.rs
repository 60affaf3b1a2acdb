//! Counts the requests of one configuration: as Envoy stats, and for whoever asks for all that was counted.

use std::cell::RefCell;

use sightline_core::red::{Format, Level, Recorder, family, openmetrics};
use sightline_core::route::Source;
use sightline_core::{Direction, Exchange, Observation, Plan, Wall};

use crate::meter::{Meter, SharedMeter};
use crate::root::Root;
use crate::shared::Shared;
use crate::stats::SeriesStats;
use crate::teller::Teller;
use crate::tracer::Tracer;

/// What counts requests, if they are counted.
pub(crate) struct Counter {
    meter: SharedMeter,
    series: RefCell<Series>,
    teller: Option<RefCell<Teller>>,
}

/// The series that were met, and their Envoy stats by the same numbers.
struct Series {
    recorder: Recorder,
    stats: Vec<SeriesStats>,
}

/// A request that is under way, as it counts until it is over.
#[derive(Clone, Copy)]
pub(crate) struct Active {
    level: Level,
    /// Which way it goes; none: nobody wants to know.
    direction: Option<Direction>,
}

impl Counter {
    pub(crate) fn new(plan: &Plan, shared: &mut Shared) -> Option<Self> {
        if !plan.metrics.records() {
            return None;
        }
        let Shared { meters, exporters, rng, clock, stats, .. } = shared;
        if plan.metrics.stats {
            stats.begin();
        }
        let meter = meters.join(&plan.service, rng, stats);
        let series = Series { recorder: Recorder::new(&plan.metrics), stats: Vec::new() };
        let teller = Teller::new(plan, &meter, exporters, clock.now().monotonic).map(RefCell::new);
        Some(Self { meter, series: RefCell::new(series), teller })
    }

    pub(crate) fn meter(&self) -> &SharedMeter {
        &self.meter
    }

    /// A request has come. Which way it goes is asked only where that is shown.
    pub(crate) fn enter(
        &self,
        exchange: &Exchange,
        plan: &Plan,
        tracer: &Tracer,
    ) -> Option<Active> {
        if !plan.router.counts(exchange.target()) {
            return None;
        }
        // Asked once for a request: it has its price.
        let direction = plan.metrics.is_shown().then(|| tracer.direction());
        let level = exchange.level(direction.unwrap_or(Direction::Inbound));
        self.meter.try_borrow_mut().ok()?.levels.rise(level);
        Some(Active { level, direction })
    }

    /// It is over. Hands back which way it went, if that was asked.
    pub(crate) fn leave(&self, active: Active) -> Option<Direction> {
        if let Ok(mut meter) = self.meter.try_borrow_mut() {
            meter.levels.fall(active.level);
        }
        active.direction
    }

    /// Counts a request that is over.
    pub(crate) fn count(
        &self,
        observation: &Observation<'_>,
        direction: Direction,
        plan: &Plan,
        shared: &mut Shared,
    ) {
        // The host does not call back while it is being called.
        let (Ok(mut meter), Ok(mut series)) =
            (self.meter.try_borrow_mut(), self.series.try_borrow_mut())
        else {
            return;
        };
        let Series { recorder, stats } = &mut *series;
        let mut counting = meter.counting(shared.clock.last(), plan.metrics.exemplars);
        let id = recorder.record(observation, direction, &mut counting);
        recorder.record_custom(&plan.metrics.custom, observation, &mut counting);
        if !plan.metrics.stats {
            return;
        }
        // Numbers come without a gap, so this is one at most.
        if let Some(name) = recorder.name(id).filter(|_| id.index() >= stats.len()) {
            stats.push(shared.stats.of_series(name));
        }
        if let Some(stats) = stats.get(id.index()) {
            stats.count(observation);
        }
        if observation.route.source == Source::Overflow {
            shared.stats.count_overflow();
        }
    }

    /// Shares what is new with the other workers.
    pub(crate) fn agree(&self, shared: &mut Shared) {
        let (Ok(mut meter), Ok(mut series)) =
            (self.meter.try_borrow_mut(), self.series.try_borrow_mut())
        else {
            return;
        };
        let overflowed = series.recorder.take_overflowed();
        meter.count(&family::OVERFLOWED, &[], overflowed, &mut shared.stats);
        meter.agree(shared.clock.now(), &mut shared.stats);
    }

    /// Tells a collector what was counted, if it is time and this worker is the one to.
    pub(crate) fn tell(&self, root: &Root, shared: &mut Shared) {
        let Some(mut teller) = self.teller.as_ref().and_then(|it| it.try_borrow_mut().ok()) else {
            return;
        };
        let Ok(mut meter) = self.meter.try_borrow_mut() else { return };
        let leads = meter.leads();
        let Meter { telling, ledgers, .. } = &mut *meter;
        teller.tick(leads, root, telling, ledgers, shared.clock.now());
    }

    /// Writes all that was counted, by all workers.
    pub(crate) fn write_page(&self, format: Format, root: &Root, shared: &mut Shared) -> Vec<u8> {
        self.agree(shared);
        let mut page = Vec::new();
        if let Ok(meter) = self.meter.try_borrow() {
            let (copies, routes) = (meter.ledgers.read(), root.route_sources());
            let now = shared.clock.now().wall;
            let reading = copies.snapshot(&root.plan.metrics, &routes, Wall(0), now).read();
            openmetrics::write(&reading, &root.plan.resource.attributes, format, &mut page);
        }
        page
    }
}
