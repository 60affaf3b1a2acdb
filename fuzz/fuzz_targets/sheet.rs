//! What workers share of metrics: any bytes as the sheet, the exemplars and what was told of them, as another worker is
//! said to have written them.
//!
//! Sizes come first, two bytes for each of the first two. Whatever is there is shown, and two workers count some requests
//! into it. Then there are as many more requests as they had, and a request that can stand for others does.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sightline_core::config::{self, Temporality};
use sightline_core::red::{
    Before, Counting, Exemplars, Format, Reading, Recorder, Sheet, Snapshot, Value, openmetrics,
};
use sightline_core::route::{Alone, Route, Scratch};
use sightline_core::sampling::Budget;
use sightline_core::{
    Direction, Exchange, Moment, Monotonic, Pair, Place, Plan, Rng, Tracing, Wall, Witness, otlp,
};

const NOW: Wall = Wall(1_790_000_000_000_000_000);
/// Only where spans are exported does a request stand for others.
const CONFIGURATION: &str =
    r#"{"metrics": {"endpoint": {"port": 1}}, "export": {"cluster": "collector"}}"#;
const DURATION: &str = "http.server.request.duration";

const REQUEST: [Pair<'static>; 4] = [
    (b":path", b"/"),
    (b":method", b"GET"),
    (b":scheme", b"http"),
    (b"traceparent", b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
];

struct Silent;

impl Witness for Silent {}

/// What all workers share.
struct Shared {
    plan: Plan,
    sums: Alone,
    exemplars: Alone,
}

fuzz_target!(|input: &[u8]| {
    let Some((sheet, rest)) = part(input) else { return };
    let Some((exemplars, told)) = part(rest) else { return };
    let settings = config::read(CONFIGURATION.as_bytes()).expect("the configuration works");
    let plan = Plan::new(&settings, &Place::default());
    let state = |bytes: &[u8]| Alone { state: bytes.to_vec(), ..Alone::default() };
    let mut shared = Shared { plan, sums: state(sheet), exemplars: state(exemplars) };
    let before = shared.show(told).0;
    for worker in [1, 2] {
        shared.work(worker);
    }
    let (after, has_exemplar) = shared.show(told);
    assert_eq!(after, before.wrapping_add(3), "requests since they were counted");
    assert!(has_exemplar, "a request that stands for others is not shown");
});

fn part(input: &[u8]) -> Option<(&[u8], &[u8])> {
    let (size, rest) = input.split_first_chunk()?;
    rest.split_at_checked(u16::from_le_bytes(*size).into())
}

impl Shared {
    /// A new worker counts so many requests.
    fn work(&mut self, requests: usize) {
        let (mut rng, mut scratch) = (Rng::from_seed([7; 32]), Scratch::default());
        let began = Moment { wall: NOW, monotonic: Monotonic(0) };
        let head = REQUEST.into_iter();
        let mut exchange =
            Exchange::begin(head, began, &mut rng, &mut scratch, &self.plan, Tracing::Own);
        let status: [Pair<'_>; 1] = [(b":status", b"200")];
        exchange.respond(status.into_iter(), Monotonic(1), &self.plan);
        let mut recorder = Recorder::new(&self.plan.metrics);
        let (mut sheet, mut exemplars) = (Sheet::default(), Exemplars::default());
        for number in 0..requests {
            let now = Monotonic(1_000_000 << number);
            let route = Route::UNMATCHED;
            let mut budget = Budget::default();
            let observation = exchange.finish(now, route, &self.plan, &mut budget, &Silent);
            let mut counting = Counting {
                sheet: &mut sheet,
                exemplars: Some(&mut exemplars),
                ledger: &mut self.sums,
                now: NOW,
            };
            recorder.record(&observation, Direction::Inbound, &mut counting);
        }
        assert!(sheet.agree(NOW, &mut self.sums), "nobody else writes");
        exemplars.agree(&sheet, &mut self.exemplars);
    }

    /// Shows all there is in all ways. Hands back how many requests there were, and whether one of ours stands for others.
    fn show(&self, told: &[u8]) -> (u64, bool) {
        let snapshot = Snapshot {
            sheet: &self.sums.state,
            roll: &[],
            exemplars: &self.exemplars.state,
            boundaries: &self.plan.metrics.boundaries,
            custom: &[],
            routes: &[],
            exemplars_after: Wall(0),
            now: NOW,
        };
        let since = snapshot.read_since(Some(Before { sheet: told, at: Wall(7) }));
        let reading = snapshot.read();
        for reading in [&since, &reading] {
            for format in [Format::OpenMetrics, Format::Text] {
                let mut page = Vec::new();
                openmetrics::write(reading, &[], format, &mut page);
                assert!(str::from_utf8(&page).is_ok(), "the page is no text");
            }
            for temporality in [Temporality::Cumulative, Temporality::Delta] {
                otlp::write_metrics(reading, temporality, 1_000, &mut |piece| {
                    assert!(!piece.is_empty());
                });
            }
        }
        (requests(&reading), has_exemplar(&reading))
    }
}

fn requests(reading: &Reading<'_>) -> u64 {
    let durations = reading.families.iter().filter(|family| family.family.name == DURATION);
    let points = durations.flat_map(|family| &family.points);
    points.fold(0, |sum, point| match &point.value {
        Value::Histogram(it) => it.counts.iter().fold(sum, |sum, it| sum.wrapping_add(*it)),
        Value::Number(_) => sum,
    })
}

fn has_exemplar(reading: &Reading<'_>) -> bool {
    let points = reading.families.iter().flat_map(|family| &family.points);
    points.into_iter().any(|point| match &point.value {
        Value::Histogram(it) => it.exemplars.iter().any(|it| it.at > NOW),
        Value::Number(_) => false,
    })
}
