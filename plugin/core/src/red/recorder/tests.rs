//! Requests counted by several workers into one sheet, against what a list of them says.

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::ending::tests::Nothing;
use crate::red::{FamilyReading, Reading, Snapshot, Value};
use crate::route::{Alone, Scratch};
use crate::sampling::Budget;
use crate::{Exchange, Moment, Monotonic, Place, Plan, Rng, Tracing, config};

const NOW: Wall = Wall(1_800_000_000_000_000_000);
const SERVER: &str = "http.server.request.duration";
const FIRST: &str = "sightline.http.time_to_first_byte";

/// What one worker counts with.
struct Worker {
    recorder: Recorder,
    sheet: Sheet,
}

/// A request: method, route, status (0: none is sent), milliseconds, and more of the response's head.
#[derive(Clone, Copy, Debug)]
struct Said<'a> {
    method: &'a str,
    route: &'a str,
    status: u16,
    millis: u64,
    more: &'a [(&'a str, &'a str)],
}

fn said<'a>(method: &'a str, route: &'a str, status: u16) -> Said<'a> {
    Said { method, route, status, millis: 30, more: &[] }
}

fn plan(metrics: &str) -> Plan {
    let said = format!(r#"{{"metrics": {{{metrics}}}}}"#);
    Plan::new(&config::read(said.as_bytes()).unwrap(), &Place::default())
}

/// Shown on an endpoint, and with room for so many series.
fn shown(limit: usize, metrics: &str) -> Plan {
    let mut plan = plan(&format!(r#""endpoint": {{"port": 1}}{metrics}"#));
    plan.metrics.series_limit = limit;
    plan
}

impl Worker {
    fn new(plan: &Plan) -> Self {
        Self { recorder: Recorder::new(&plan.metrics), sheet: Sheet::default() }
    }

    fn count(&mut self, plan: &Plan, said: Said<'_>, ledger: &mut Alone) -> SeriesId {
        self.count_one(plan, said, Direction::Inbound, ledger)
    }

    fn count_one(
        &mut self,
        plan: &Plan,
        said: Said<'_>,
        direction: Direction,
        ledger: &mut Alone,
    ) -> SeriesId {
        let now = Moment { wall: NOW, monotonic: Monotonic(0) };
        let (mut rng, mut scratch) = (Rng::from_seed([9; 32]), Scratch::default());
        let pairs = [(&b":method"[..], said.method.as_bytes()), (b":scheme", b"http")];
        let tracing = Tracing::Own;
        let mut exchange =
            Exchange::begin(pairs.into_iter(), now, &mut rng, &mut scratch, plan, tracing);
        let status = said.status.to_string();
        if said.status > 0 {
            let more = said.more.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes()));
            let head = std::iter::once((&b":status"[..], status.as_bytes())).chain(more);
            exchange.respond(head, Monotonic(1_000_000), plan);
        }
        let route = Route { name: said.route, ..Route::UNMATCHED };
        let (end, mut budget) = (Monotonic(said.millis * 1_000_000), Budget::default());
        let observation = exchange.finish(end, route, plan, &mut budget, &Nothing);
        let Self { recorder, sheet } = self;
        let mut counting = Counting { sheet, exemplars: None, ledger, now: NOW };
        let id = recorder.record(&observation, direction, &mut counting);
        recorder.record_custom(&plan.metrics.custom, &observation, &mut counting);
        id
    }

    fn agree(&mut self, ledger: &mut Alone) {
        assert!(self.sheet.agree(NOW, ledger));
    }
}

fn reading<'a>(plan: &'a Plan, sheet: &'a Alone) -> Reading<'a> {
    let snapshot = Snapshot {
        sheet: &sheet.state,
        roll: &[],
        exemplars: &[],
        boundaries: &plan.metrics.boundaries,
        custom: &plan.metrics.custom,
        routes: &[],
        exemplars_after: Wall(0),
        now: NOW,
    };
    snapshot.read()
}

/// The points of a family: labels, how many there were, and their sum.
fn points(family: &FamilyReading<'_>) -> Vec<(String, u64, String)> {
    let point = |point: &crate::red::Point<'_>| {
        let (count, sum) = match &point.value {
            Value::Histogram(histogram) => (histogram.count(), histogram.sum),
            Value::Number(number) => (0, *number),
        };
        let mut digits = Vec::new();
        sum.write(&mut digits);
        (point.labels.join(" "), count, String::from_utf8(digits).unwrap())
    };
    family.points.iter().map(point).collect()
}

/// The points of the family with this name; none if there is none.
fn points_of(name: &str, reading: &Reading<'_>) -> Vec<(String, u64, String)> {
    let family = reading.families.iter().find(|family| family.family.name == name);
    family.map(points).unwrap_or_default()
}

fn counts_of(name: &str, reading: &Reading<'_>) -> Vec<(String, u64)> {
    points_of(name, reading).into_iter().map(|(labels, count, _)| (labels, count)).collect()
}

fn row(labels: &str, count: u64) -> (String, u64) {
    (labels.to_owned(), count)
}

#[test]
fn a_request_is_counted_in_all_that_belongs_to_it() {
    let plan = shown(100, "");
    let (mut worker, mut shared) = (Worker::new(&plan), Alone::default());
    let events: &[_] = &[("content-type", "text/event-stream")];
    let requests = [
        said("GET", "/a", 200),
        said("GET", "/a", 200),
        said("GET", "/a", 503),
        said("POST", "/a", 0),
        said("BREW", "/b", 404),
        Said { more: events, millis: 2_500, ..said("GET", "/events", 200) },
        said("GET", "/socket", 101),
    ];
    for request in requests {
        worker.count(&plan, request, &mut shared);
    }
    worker.count_one(&plan, said("GET", "/a", 200), Direction::Outbound, &mut shared);
    worker.agree(&mut shared);
    let reading = reading(&plan, &shared);
    let (whole, part) = ("0.06".to_owned(), "0.03".to_owned());
    assert_eq!(
        points_of(SERVER, &reading),
        [
            ("GET http /a 200  ".to_owned(), 2, whole),
            ("GET http /a 503 503 ".to_owned(), 1, part.clone()),
            ("POST http /a  _OTHER ".to_owned(), 1, part.clone()),
            ("_OTHER http /b 404  ".to_owned(), 1, part),
        ]
    );
    assert_eq!(counts_of("http.client.request.duration", &reading), [row("GET http /a 200  ", 1)]);
    assert_eq!(
        points_of("sightline.http.stream.duration", &reading),
        [
            ("GET /events 200  sse ".to_owned(), 1, "2.5".to_owned()),
            ("GET /socket 101  websocket ".to_owned(), 1, "0.03".to_owned()),
        ]
    );
    // The one without an answer has no first byte, but a place for that of the next.
    assert_eq!(
        points_of(FIRST, &reading),
        [
            ("GET /a ".to_owned(), 3, "0.003".to_owned()),
            ("_OTHER /b ".to_owned(), 1, "0.001".to_owned()),
            ("GET /events ".to_owned(), 1, "0.001".to_owned()),
            ("GET /socket ".to_owned(), 1, "0.001".to_owned()),
            ("GET /a outbound".to_owned(), 1, "0.001".to_owned()),
        ]
    );
}

#[test]
fn past_the_limit_the_route_goes_first_and_then_the_rest() {
    let plan = shown(4, "");
    let (mut worker, mut shared) = (Worker::new(&plan), Alone::default());
    // Each of these takes two rows: that of its duration and that of its first byte.
    for route in ["/a", "/b"] {
        worker.count(&plan, said("GET", route, 200), &mut shared);
    }
    for status in [200, 404, 200, 0] {
        worker.count(&plan, said("GET", "/c", status), &mut shared);
    }
    worker.count(&plan, said("PUT", "/a", 201), &mut shared);
    assert_eq!(worker.recorder.take_overflowed(), 5);
    // There is no room left even for these.
    for status in [500, 501, 502] {
        worker.count(&plan, said("POST", "/d", status), &mut shared);
    }
    worker.count(&plan, said("GET", "/a", 200), &mut shared);
    assert_eq!((worker.recorder.take_overflowed(), worker.recorder.take_overflowed()), (3, 0));
    worker.agree(&mut shared);
    let reading = reading(&plan, &shared);
    assert_eq!(
        counts_of(SERVER, &reading),
        [
            row("GET http /a 200  ", 2),
            row("GET http /b 200  ", 1),
            row("GET  _other 200  ", 2),
            row("GET  _other 404  ", 1),
            row("GET  _other   ", 1),
            row("PUT  _other 201  ", 1),
            row("_OTHER  _other   ", 3),
        ]
    );
    let first: u64 = counts_of(FIRST, &reading).iter().map(|(_, count)| count).sum();
    assert_eq!(first, 10, "all but the one that was not answered");
    let name = worker.recorder.name(SeriesId(2)).unwrap();
    assert_eq!((&*name.route, name.method, name.status), ("_other", Method::Get, 200));
}

#[test]
fn the_last_series_is_one_whichever_worker_made_it() {
    let plan = shown(2, "");
    let mut shared = Alone::default();
    let (mut one, mut two) = (Worker::new(&plan), Worker::new(&plan));
    one.count(&plan, said("GET", "/a", 200), &mut shared);
    // What the last series is for too, while there is room for it as for any other.
    one.count(&plan, said("BREW", "/b", 0), &mut shared);
    one.count(&plan, said("GET", "/b", 200), &mut shared);
    two.count(&plan, said("GET", "/b", 404), &mut shared);
    one.agree(&mut shared);
    two.agree(&mut shared);
    let reading = reading(&plan, &shared);
    let (labels, counts): (Vec<_>, Vec<_>) = counts_of(SERVER, &reading).into_iter().unzip();
    assert_eq!(labels, ["GET http /a 200  ", "_OTHER  _other   ", "GET  _other 200  "]);
    assert_eq!(counts, [1, 2, 1]);
}

#[test]
fn the_limit_is_that_of_all_workers() {
    let plan = shown(8, "");
    let mut shared = Alone::default();
    let mut workers = [Worker::new(&plan), Worker::new(&plan), Worker::new(&plan)];
    for number in 0..12 {
        let route = format!("/{number}");
        workers[number % 3].count(&plan, said("GET", &route, 200), &mut shared);
    }
    for worker in &mut workers {
        worker.count(&plan, said("GET", "/0", 200), &mut shared);
        worker.agree(&mut shared);
    }
    let counts = counts_of(SERVER, &reading(&plan, &shared));
    let own: Vec<_> = counts.iter().filter(|(labels, _)| !labels.contains("_other")).collect();
    assert_eq!(own.len(), 4, "{counts:?}");
    assert_eq!(*own[0], row("GET http /0 200  ", 4));
    assert_eq!(counts.iter().map(|(_, count)| count).sum::<u64>(), 15);
}

#[test]
fn where_only_names_are_needed_nothing_is_summed_up_and_the_limit_holds() {
    let mut plan = plan("");
    plan.metrics.series_limit = 2;
    let (mut one, mut two, mut shared) = (Worker::new(&plan), Worker::new(&plan), Alone::default());
    one.count(&plan, said("GET", "/a", 200), &mut shared);
    two.count(&plan, said("GET", "/b", 200), &mut shared);
    let events: &[_] = &[("content-type", "text/event-stream")];
    let other = two.count(&plan, Said { more: events, ..said("GET", "/c", 200) }, &mut shared);
    let name = two.recorder.name(other).unwrap();
    assert_eq!((&*name.route, name.status, name.is_stream), ("_other", 200, true));
    for worker in [&mut one, &mut two] {
        worker.agree(&mut shared);
    }
    let reading = reading(&plan, &shared);
    let shown: Vec<_> = reading.families.iter().map(|family| &*family.family.name).collect();
    assert_eq!(shown, ["sightline.build_info"]);
}

#[test]
fn custom_metrics_have_a_limit_of_their_own_and_what_is_invalid_is_counted() {
    let custom = r#", "custom": [
        {"name": "paid", "kind": "counter", "unit": "EUR", "value": {"response_header": "x-amount"},
         "labels": {"kind": {"response_header": "x-kind", "allow": ["card", "cash"]}}},
        {"name": "size", "kind": "histogram", "value": {"response_header": "x-size"}, "buckets": [1, 2]}]"#;
    let plan = shown(3, custom);
    let (mut worker, mut shared) = (Worker::new(&plan), Alone::default());
    let answers: [&[(&str, &str)]; 7] = [
        &[("x-amount", "0.7"), ("x-kind", "card")],
        &[("x-amount", "1.55"), ("x-kind", "card")],
        &[("x-amount", "2"), ("x-kind", "cheque")],
        &[("x-size", "1.5")],
        &[("x-amount", "minus one")],
        &[("x-amount", "")],
        // No room for this one.
        &[("x-amount", "9"), ("x-kind", "cash")],
    ];
    for more in answers {
        worker.count(&plan, Said { more, ..said("GET", "/a", 200) }, &mut shared);
    }
    worker.agree(&mut shared);
    assert_eq!(worker.recorder.take_overflowed(), 1);
    let reading = reading(&plan, &shared);
    assert_eq!(
        points_of("sightline.custom.paid", &reading),
        [("card".to_owned(), 0, "2.25".to_owned()), ("other".to_owned(), 0, "2".to_owned())]
    );
    let size = points_of("sightline.custom.size", &reading);
    assert_eq!(size, [(String::new(), 1, "1.5".to_owned())]);
    assert_eq!(
        points_of("sightline.invalid_values", &reading),
        [("sightline.custom.paid".to_owned(), 0, "2".to_owned())]
    );
}

/// How many requests there were with each method and status, of those whose worker has agreed since.
type Model = BTreeMap<(usize, usize), u64>;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever requests come and whichever workers are lost, each request whose worker has agreed since is counted
    /// once, no label set is there twice, and there is a bound.
    #[test]
    fn every_request_is_counted_once(
        steps in proptest::collection::vec((0..3_usize, 0..9_u8, 0..4_usize, 0..6_usize, 0..12_u8), 1..150),
    ) {
        const LIMIT: usize = 8;
        const METHODS: [&str; 4] = ["GET", "POST", "BREW", "DELETE"];
        const STATUSES: [u16; 6] = [0, 101, 200, 404, 500, 599];
        let (plan, mut shared) = (shown(LIMIT, ""), Alone::default());
        let mut workers = [Worker::new(&plan), Worker::new(&plan), Worker::new(&plan)];
        let (mut pending, mut model) = ([const { Model::new() }; 3], Model::new());
        for (at, route, method, status, what) in steps {
            match what {
                0 => {
                    workers[at] = Worker::new(&plan);
                    pending[at].clear();
                }
                1..3 => workers[at].agree(&mut shared),
                _ => {
                    let route = format!("/{route}");
                    let request = said(METHODS[method], &route, STATUSES[status]);
                    // What was there is agreed on also where a new series is asked for.
                    let (worker, before) = (&mut workers[at], shared.state.clone());
                    worker.count(&plan, request, &mut shared);
                    if shared.state != before {
                        for (key, number) in std::mem::take(&mut pending[at]) {
                            *model.entry(key).or_insert(0) += number;
                        }
                    }
                    *pending[at].entry((method, status)).or_insert(0) += 1;
                    continue;
                }
            }
            for (key, number) in std::mem::take(&mut pending[at]) {
                *model.entry(key).or_insert(0) += number;
            }
        }
        let reading = reading(&plan, &shared);
        let all: Vec<_> = [SERVER, "sightline.http.stream.duration"]
            .into_iter()
            .flat_map(|name| counts_of(name, &reading).into_iter().map(move |it| (name, it)))
            .collect();
        let mut labels: Vec<_> = all.iter().map(|(name, (labels, _))| (*name, labels)).collect();
        labels.sort();
        labels.dedup();
        prop_assert_eq!(labels.len(), all.len(), "{:?}", all);
        prop_assert!(all.len() <= 2 * LIMIT + 2, "{:?}", all);
        let counted: u64 = all.iter().map(|(_, (_, count))| count).sum();
        prop_assert_eq!(counted, model.values().sum::<u64>());
        for (at, status) in STATUSES.iter().enumerate().filter(|(_, status)| **status > 0) {
            let expected: u64 = model.iter().filter(|((_, it), _)| *it == at).map(|(_, count)| count).sum();
            let text = format!(" {status} ");
            let with = all.iter().filter(|(_, (labels, _))| labels.contains(&text));
            let counted: u64 = with.map(|(_, (_, count))| count).sum();
            // Past twice the limit the status goes too.
            prop_assert!(counted <= expected, "{status}: {counted} of {expected}");
        }
    }
}

#[test]
fn durations_add_up_to_the_nanosecond() {
    let plan = shown(10, "");
    let (mut worker, mut shared) = (Worker::new(&plan), Alone::default());
    let mut sum = Duration::ZERO;
    for millis in 0..1_000 {
        sum += Duration::from_millis(millis * 7);
        let request = Said { millis: millis * 7, ..said("GET", "/a", 200) };
        worker.count(&plan, request, &mut shared);
    }
    worker.agree(&mut shared);
    let (_, count, total) = points_of(SERVER, &reading(&plan, &shared)).swap_remove(0);
    assert_eq!((count, total), (1_000, format!("{}.{}", sum.as_secs(), sum.subsec_millis() / 100)));
}
