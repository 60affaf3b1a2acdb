//! Trace Context level 2 and Baggage, a row for each rule: what comes in, and what must become of it.
//!
//! The rows are the tables in `trace_context/`, so that whatever carries headers on can be held against them:
//! here the parsers, in [`outbound`] and nowhere else. What a header says inside one vendor's member, such
//! as our `ot`, is not among them.

use std::collections::HashSet;

use sightline_core::identity::{Tracestate, read_baggage};
use sightline_core::route::Scratch;
use sightline_core::{Edit, Exchange, Moment, Place, Plan, Rng, Tracing, config};

const TRACEPARENT: &str = include_str!("trace_context/traceparent.tsv");
const TRACESTATE: &str = include_str!("trace_context/tracestate.tsv");
const CHANGES: &str = include_str!("trace_context/changes.tsv");
const BAGGAGE: &str = include_str!("trace_context/baggage.tsv");

/// The trace that all rows come with.
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

/// A rule of Trace Context.
struct Row {
    /// The rule, and where the standard has it.
    name: String,
    inbound: Pairs,
    trace: Trace,
    state: State,
}

type Pairs = Vec<(String, String)>;

/// What becomes of the trace.
enum Trace {
    /// It goes on, with these flags, and a parent ID of ours.
    Joined(String),
    /// Another begins, and nothing is left of what came.
    Restarted,
}

/// What becomes of the tracestate.
enum State {
    Kept(String),
    Dropped,
}

/// What goes on to the next.
struct Outbound {
    trace_id: String,
    parent_id: String,
    flags: String,
    state: Option<String>,
}

/// In one request after the other, so that each shows whether it has a parent ID of its own.
#[test]
fn each_rule_of_trace_context_holds() {
    let rng = &mut Rng::from_seed([5; 32]);
    let mut parents = HashSet::new();
    for row in [TRACEPARENT, TRACESTATE].into_iter().flat_map(lines).map(Row::read) {
        for _ in 0..3 {
            let sent = outbound(&row.inbound, rng);
            row.expect(&sent);
            assert!(parents.insert(sent.parent_id), "{}: a parent ID was there before", row.name);
        }
    }
}

#[test]
fn each_rule_of_changing_a_tracestate_holds() {
    for [section, rule, before, member, after] in lines(CHANGES) {
        let mut written = Vec::new();
        let (key, value) = halves(member, "=");
        let before = said(before);
        let before = Tracestate::parse(before.as_bytes()).unwrap();
        before.write_with(key.as_bytes(), value.map(str::as_bytes), &mut written);
        assert_eq!(text(&written), said(after), "{rule} ({section})");
    }
}

#[test]
fn each_rule_of_baggage_holds() {
    let wanted = ["a".to_owned(), "b".to_owned()];
    for [section, rule, inbound, read] in lines(BAGGAGE) {
        let inbound = pairs(inbound);
        let headers = values(&inbound, "baggage");
        let found = read_baggage(headers.iter().map(|value| value.as_bytes()), &wanted);
        let found: Pairs =
            found.iter().map(|(at, value)| (wanted[*at].clone(), text(value))).collect();
        assert_eq!(found, pairs(read), "{rule} ({section})");
    }
}

#[test]
fn each_rule_of_a_table_has_a_name_of_its_own() {
    for table in [TRACEPARENT, TRACESTATE, CHANGES, BAGGAGE] {
        let mut names = HashSet::new();
        for row in rows(table) {
            let rule = row.split('\t').nth(1).unwrap();
            assert!(names.insert(rule), "{rule} is there twice");
        }
    }
}

/// What goes upstream, as a receiver reads it: headers joined, members without blanks, the first of a key.
fn outbound(inbound: &Pairs, rng: &mut Rng) -> Outbound {
    let settings = config::read(br#"{"sampling": {"ratio": 0}}"#).unwrap();
    let plan = Plan::new(&settings, &Place::default());
    let mut headers: Pairs =
        inbound.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.clone())).collect();
    let pairs = headers.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes()));
    let mut scratch = Scratch::default();
    let now = Moment::default();
    let exchange = Exchange::begin(pairs, now, rng, &mut scratch, &plan, Tracing::Own);
    exchange.edit_request(&plan, |edit| match edit {
        Edit::Set(name, value) => {
            headers.retain(|(other, _)| other.as_bytes() != name);
            headers.push((text(name), text(value)));
        }
        Edit::Add(name, value) => headers.push((text(name), text(value))),
        Edit::Remove(name) => headers.retain(|(other, _)| other.as_bytes() != name),
    });
    let [header] = values(&headers, "traceparent")[..] else { panic!("{headers:?}") };
    let parts: Vec<&str> = header.split('-').collect();
    let ["00", trace_id, parent_id, flags] = parts[..] else { panic!("{header}") };
    let [trace_id, parent_id, flags] = [trace_id, parent_id, flags].map(str::to_owned);
    let joined = values(&headers, "tracestate").join(",");
    let state = Tracestate::parse(joined.as_bytes()).unwrap();
    let mut canonical = Vec::new();
    state.write_with(b"", None, &mut canonical);
    let state = (!state.is_empty()).then(|| text(&canonical));
    Outbound { trace_id, parent_id, flags, state }
}

impl Row {
    fn read([section, rule, inbound, trace, state]: [&str; 5]) -> Self {
        Self {
            name: format!("{rule} ({section})"),
            inbound: pairs(inbound),
            trace: match halves(trace, " ") {
                ("joined", Some(flags)) => Trace::Joined(flags.to_owned()),
                ("restarted", None) => Trace::Restarted,
                _ => panic!("{rule}: {trace:?}"),
            },
            state: match halves(state, " ") {
                ("kept", Some(state)) => State::Kept(said(state)),
                ("dropped", None) => State::Dropped,
                _ => panic!("{rule}: {state:?}"),
            },
        }
    }

    fn expect(&self, sent: &Outbound) {
        let Self { name, inbound, trace, state } = self;
        match trace {
            Trace::Joined(flags) => {
                assert_eq!((sent.trace_id.as_str(), &sent.flags), (TRACE, flags), "{name}");
            }
            Trace::Restarted => {
                let came = inbound.iter().any(|(_, value)| value.contains(&sent.trace_id));
                assert!(!came, "{name}: {}", sent.trace_id);
                // All of it is random, which is said.
                assert_eq!(sent.flags, "02", "{name}");
            }
        }
        let came = inbound.iter().any(|(_, value)| value.contains(&sent.parent_id));
        assert!(!came, "{name}: {}", sent.parent_id);
        let expected = match state {
            State::Kept(state) => Some(state),
            State::Dropped => None,
        };
        assert_eq!(sent.state.as_ref(), expected, "{name}");
    }
}

/// The values of a header. A host hands its name over in lower case.
fn values<'a>(pairs: &'a Pairs, name: &str) -> Vec<&'a str> {
    let pairs = pairs.iter().filter(|(other, _)| other.to_ascii_lowercase() == name);
    pairs.map(|(_, value)| value.as_str()).collect()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn lines<const COLUMNS: usize>(table: &str) -> impl Iterator<Item = [&str; COLUMNS]> {
    rows(table).map(|row| {
        let columns: Vec<_> = row.split('\t').collect();
        columns.try_into().unwrap_or_else(|columns| panic!("{columns:?}"))
    })
}

fn rows(table: &str) -> impl Iterator<Item = &str> {
    table.lines().filter(|row| !row.is_empty() && !row.starts_with('#'))
}

fn pairs(column: &str) -> Pairs {
    let pairs = column.split(" | ").filter(|&pair| pair != "-");
    let pairs = pairs.map(|pair| halves(pair, ":"));
    pairs
        .map(|(name, value)| (name.to_owned(), said(value.unwrap().trim_start_matches(' '))))
        .collect()
}

fn halves<'a>(text: &'a str, sign: &str) -> (&'a str, Option<&'a str>) {
    text.split_once(sign).map_or((text, None), |(before, behind)| (before, Some(behind)))
}

/// What a text with the escapes of the tables stands for.
fn said(column: &str) -> String {
    let mut said = String::new();
    let mut parts = if column == "-" { "" } else { column }.split('\\');
    said.push_str(parts.next().unwrap_or_default());
    while let Some(part) = parts.next() {
        if part.is_empty() {
            said.push('\\');
            said.push_str(parts.next().unwrap_or_default());
            continue;
        }
        let (escape, rest) = match part.split_once(')').filter(|_| part.starts_with('(')) {
            Some((repeated, rest)) => {
                let (times, what) = repeated[1..].split_once('*').unwrap();
                (what.repeat(times.parse().unwrap()), rest)
            }
            None if part.starts_with('s') => (" ".to_owned(), &part[1..]),
            None if part.starts_with('t') => ("\t".to_owned(), &part[1..]),
            None => panic!("{column:?} has an unknown escape"),
        };
        said.push_str(&escape);
        said.push_str(rest);
    }
    said
}
