//! Readings of sheets: added up from what was told piece by piece, counted in other buckets, and of any bytes.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::config::{self, Temporality};
use crate::red::{Format, Sheet, openmetrics};
use crate::route::Alone;
use crate::{Place, Plan};

const NOW: Wall = Wall(1_800_000_000_000_000_000);
const LATER: Wall = Wall(NOW.0 + 1);
const LABELS: [&str; 6] = ["GET", "http", "/a", "200", "", "1.1"];

fn plan(metrics: &str) -> Plan {
    let said = format!(r#"{{"metrics": {{{metrics}}}}}"#);
    Plan::new(&config::read(said.as_bytes()).unwrap(), &Place::default())
}

fn snapshot<'a>(plan: &'a Plan, sheet: &'a [u8]) -> Snapshot<'a> {
    Snapshot {
        sheet,
        roll: &[],
        exemplars: &[],
        boundaries: &plan.metrics.boundaries,
        custom: &plan.metrics.custom,
        routes: &[],
        exemplars_after: Wall(0),
        now: LATER,
    }
}

fn boundaries(ends: &[&str]) -> Boundaries {
    let ends: Vec<_> = ends.iter().map(|end| Decimal::parse(end.as_bytes()).unwrap()).collect();
    Boundaries::new(&ends).unwrap()
}

fn decimal(text: &str) -> Decimal {
    Decimal::parse(text.as_bytes()).unwrap()
}

/// A duration's heading, counted in these buckets.
fn duration(counted: &Boundaries, labels: &[&str]) -> Heading {
    Heading::histogram(family_number(&family::SERVER_DURATION), true, counted, labels)
}

/// A family's name and a point's labels, and the point's counts and sum.
type Shown = BTreeMap<(String, Vec<String>), (Vec<u64>, Decimal)>;

/// All points; a panic if a label set is there twice.
fn shown(reading: &Reading<'_>) -> Shown {
    let mut shown = Shown::new();
    for family in &reading.families {
        for point in &family.points {
            let labels = point.labels.iter().map(ToString::to_string).collect();
            let value = match &point.value {
                Value::Number(number) => (Vec::new(), *number),
                Value::Histogram(histogram) => (histogram.counts.clone(), histogram.sum),
            };
            let twice = shown.insert((family.family.name.to_string(), labels), value);
            assert!(twice.is_none(), "{point:?} in {}", family.family.name);
        }
    }
    shown
}

/// What only ever grows; the rest says what is now.
fn growing(reading: &Reading<'_>) -> Shown {
    let mut shown = shown(reading);
    shown.retain(|(name, _), _| name != "sightline.build_info");
    shown
}

fn sum(one: Decimal, other: Decimal) -> Decimal {
    let ((whole, nanos), (more, more_nanos)) = (one.parts(), other.parts());
    Decimal::of_parts(whole + more, nanos + more_nanos)
}

fn add_to(all: &mut Shown, piece: Shown) {
    for (key, (counts, amount)) in piece {
        let (sums, total) = all.entry(key).or_insert((vec![0; counts.len()], Decimal::default()));
        sums.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
        *total = sum(*total, amount);
    }
}

#[test]
fn rows_counted_in_other_buckets_are_shown_as_one_in_those_of_now() {
    let plan = plan(r#""buckets": [0.1, 1, 10]"#);
    let (mut sheet, mut shared) = (Sheet::default(), Alone::default());
    let table: [(&[&str], &[&str]); 3] = [
        (&["0.1", "1", "10"], &["0.1", "0.5", "100"]),
        // A value is shown no lower than it may have been: in the bucket where its own ends.
        (&["0.05", "0.7", "2"], &["0.05", "0.7", "1.5", "3"]),
        (&[], &["7", "0.01"]),
    ];
    for (ends, values) in table {
        let counted = boundaries(ends);
        let row = sheet.row(&duration(&counted, &LABELS));
        for value in values {
            sheet.observe(row, &counted, decimal(value));
        }
    }
    let other = sheet.row(&duration(&boundaries(&["1"]), &["PUT", "http", "/a", "200", "", ""]));
    sheet.observe(other, &boundaries(&["1"]), decimal("1"));
    assert!(sheet.agree(NOW, &mut shared));
    let shown = growing(&snapshot(&plan, &shared.state).read());
    let shown: Vec<_> =
        shown.iter().map(|((_, labels), value)| (labels[0].as_str(), value.clone())).collect();
    assert_eq!(
        shown,
        [("GET", (vec![2, 2, 1, 4], decimal("112.86"))), ("PUT", (vec![0, 1, 0, 0], decimal("1")))]
    );
}

#[test]
fn what_this_configuration_does_not_know_is_left_out() {
    let custom = |unit: &str| {
        format!(
            r#""custom": [{{"name": "paid", "kind": "counter", "unit": "{unit}", "value": {{"request_header": "a"}}}}]"#
        )
    };
    let (before, now) = (plan(&custom("EUR")), plan(&custom("USD")));
    let (mut sheet, mut shared) = (Sheet::default(), Alone::default());
    for (custom, amount) in [(&before.metrics.custom[0], "0.5"), (&now.metrics.custom[0], "1.25")] {
        let row = sheet.row(&Heading::amount(CUSTOM, true, &[&custom.identity]));
        sheet.add_amount(row, decimal(amount));
    }
    // A version to come has families that this one has not.
    for family in [u8::try_from(FAMILIES.len()).unwrap(), 0x60, NAMES] {
        let row = sheet.row(&Heading::counter(family, &["x"]));
        sheet.add(row, 0, 7);
    }
    sheet.count(&family::LOST, &[], 3);
    assert!(sheet.agree(NOW, &mut shared));
    for (plan, paid) in [(&before, "0.5"), (&now, "1.25")] {
        let shown = growing(&snapshot(plan, &shared.state).read());
        let shown: Vec<_> =
            shown.iter().map(|((name, _), (_, amount))| (name.as_str(), *amount)).collect();
        let paid = ("sightline.custom.paid", decimal(paid));
        assert_eq!(shown, [paid, ("sightline.workers.lost", decimal("3"))]);
    }
}

#[test]
fn only_what_is_new_is_told_and_all_of_it_where_the_sheet_is_another() {
    let plan = plan("");
    let (mut sheet, mut shared) = (Sheet::default(), Alone::default());
    sheet.count(&family::SPANS, &["sampled"], 5);
    sheet.count(&family::LOST, &[], 1);
    assert!(sheet.agree(NOW, &mut shared));
    let told = shared.state.clone();
    sheet.count(&family::SPANS, &["sampled"], 2);
    sheet.count(&family::SPANS, &["unsampled"], 4);
    assert!(sheet.agree(NOW, &mut shared));
    let other = row::empty_sheet(Wall(3));
    let at = Wall(NOW.0 - 5);
    for (name, before, since, expected) in [
        ("for the first time", None, NOW, [("sampled", 7), ("unsampled", 4)].as_slice()),
        ("again", Some(&told), at, &[("sampled", 2), ("unsampled", 4)]),
        ("nothing is new", Some(&shared.state), at, &[]),
        ("of another sheet", Some(&other), NOW, &[("sampled", 7), ("unsampled", 4)]),
        ("of none", Some(&Vec::new()), NOW, &[("sampled", 7), ("unsampled", 4)]),
    ] {
        let before = before.map(|sheet| Before { sheet, at });
        let reading = snapshot(&plan, &shared.state).read_since(before);
        assert_eq!((reading.began, reading.since, reading.now), (NOW, since, LATER), "{name}");
        let mut shown = growing(&reading);
        shown.retain(|(family, _), _| family == "sightline.spans");
        let shown: Vec<_> = shown
            .iter()
            .map(|((_, labels), (_, number))| (&*labels[0], number.parts().0))
            .collect();
        assert_eq!(shown, expected, "{name}");
    }
}

#[test]
fn levels_are_as_they_are_whatever_was_told_before() {
    let plan = plan("");
    let mut roll_of = Alone::default();
    let mut levels = Levels::default();
    levels.rise(Level::active(Direction::Outbound, Method::Put, Scheme::Https));
    levels.rise(Level::waiting(Signal::Traces));
    for (worker, falls) in [(1, true), (2, false)] {
        let word = roll::Word { levels: &levels, can_lead: true };
        roll::Member::new(worker).answer(word, crate::Monotonic(1), &mut roll_of).unwrap();
        if falls {
            levels.fall(Level::waiting(Signal::Traces));
        }
    }
    let sheet = row::empty_sheet(NOW);
    let snapshot = Snapshot {
        roll: &roll_of.state,
        routes: &[("template", 3), ("typed", 0)],
        ..snapshot(&plan, &sheet)
    };
    let before = Some(Before { sheet: &sheet, at: NOW });
    let expected = [
        ("http.client.active_requests", "PUT https", 2),
        ("sightline.export.waiting", "traces", 1),
        ("sightline.routes", "template", 3),
        ("sightline.routes", "typed", 0),
    ];
    for reading in [snapshot.read(), snapshot.read_since(before)] {
        let shown = growing(&reading);
        let shown: Vec<_> = shown
            .iter()
            .map(|((name, labels), (_, number))| (&**name, labels.join(" "), number.parts().0))
            .collect();
        let expected = expected.map(|(name, labels, number)| (name, labels.to_owned(), number));
        assert_eq!(shown, expected);
    }
}

/// A sheet with rows of all kinds.
fn sheet_of_all_kinds(plan: &Plan) -> Vec<u8> {
    let (mut sheet, mut shared) = (Sheet::default(), Alone::default());
    for (ends, value) in [(&["1", "2"][..], "1.5"), (&["0.5"], "0.1")] {
        let counted = boundaries(ends);
        let row = sheet.row(&duration(&counted, &LABELS));
        sheet.observe(row, &counted, decimal(value));
    }
    let paid = Heading::amount(CUSTOM, true, &[&plan.metrics.custom[0].identity, "card"]);
    let row = sheet.row(&paid);
    sheet.add_amount(row, decimal("3.5"));
    sheet.count(&family::LOST, &[], 1);
    sheet.count(&family::BATCHES, &["traces", "ok"], 1);
    assert!(sheet.agree(NOW, &mut shared));
    shared.state
}

const CUSTOM_PLAN: &str = r#""buckets": [1, 2], "custom": [{"name": "paid", "kind": "counter", "value": {"request_header": "a"},
    "labels": {"kind": {"request_header": "k", "allow": ["card"]}}}]"#;

/// Reads and writes it in every way. What matters is that it comes to an end.
fn show_all(snapshot: &Snapshot<'_>, before: Before<'_>) {
    for reading in [snapshot.read(), snapshot.read_since(Some(before))] {
        for format in [Format::Text, Format::OpenMetrics] {
            openmetrics::write(&reading, &[], format, &mut Vec::new());
        }
        for temporality in [Temporality::Cumulative, Temporality::Delta] {
            crate::otlp::write_metrics(&reading, temporality, 1_000, &mut |_| {});
        }
    }
}

#[test]
fn numbers_that_run_over_are_shown_somehow() {
    let plan = plan(CUSTOM_PLAN);
    let mut sheet = sheet_of_all_kinds(&plan);
    let rows: Vec<_> = Rows::from(&sheet, HEADER).map(|row| (row.at, row.words.len())).collect();
    for (at, size) in rows {
        sheet[at..at + size].fill(0xff);
    }
    show_all(&snapshot(&plan, &sheet), Before { sheet: &sheet_of_all_kinds(&plan), at: NOW });
}

proptest! {
    #[test]
    fn what_is_told_piece_by_piece_adds_up_to_all(
        steps in proptest::collection::vec((0..5_u8, 0..3_usize, 0..4_000_u64, 0..4_u8), 1..80),
    ) {
        let plan = plan(r#""buckets": [0.5, 1, 2]"#);
        let buckets = [boundaries(&["0.5", "1", "2"]), boundaries(&["1"]), boundaries(&[])];
        let (mut sheet, mut shared) = (Sheet::default(), Alone::default());
        let (mut told, mut pieces) = (Vec::new(), Shown::new());
        for (family, place, number, what) in steps {
            let name = ["a", "b", "c"][place];
            match family {
                0..2 => {
                    let labels = ["GET", "http", name, "200", "", "2"];
                    let row = sheet.row(&duration(&buckets[usize::from(what) % 3], &labels));
                    let value = Decimal::from_nanos(number * 1_000_003);
                    sheet.observe(row, &buckets[usize::from(what) % 3], value);
                }
                2 => sheet.count(&family::SPANS, &[name], number),
                _ => sheet.count(&family::BATCHES, &["traces", name], number),
            }
            if what > 0 {
                prop_assert!(sheet.agree(NOW, &mut shared));
            }
            if what > 1 {
                let before = Some(Before { sheet: &told, at: NOW });
                add_to(&mut pieces, growing(&snapshot(&plan, &shared.state).read_since(before)));
                told = shared.state.clone();
            }
        }
        let before = Some(Before { sheet: &told, at: NOW });
        add_to(&mut pieces, growing(&snapshot(&plan, &shared.state).read_since(before)));
        prop_assert_eq!(pieces, growing(&snapshot(&plan, &shared.state).read()));
    }

    #[test]
    fn any_bytes_are_read_to_some_end(
        bytes: Vec<u8>,
        roll: Vec<u8>,
        exemplars: Vec<u8>,
        edits in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        cut: prop::sample::Index,
    ) {
        let plan = plan(CUSTOM_PLAN);
        let whole = sheet_of_all_kinds(&plan);
        let mut edited = whole.clone();
        for (place, byte) in edits {
            let place = place.index(edited.len());
            edited[place] = byte;
        }
        let cut_off = &edited[..cut.index(edited.len() + 1)];
        let marked = [row::empty_sheet(NOW), bytes.clone()].concat();
        let exemplars = [NOW.0.to_le_bytes().to_vec(), exemplars].concat();
        for sheet in [&bytes, &marked, &edited, cut_off] {
            let snapshot =
                Snapshot { roll: &roll, exemplars: &exemplars, ..snapshot(&plan, sheet) };
            for before in [&whole, &marked, cut_off] {
                show_all(&snapshot, Before { sheet: before, at: NOW });
            }
        }
    }
}
