//! A trace as a waterfall: its spans in the order of a tree, and on one clock.
//!
//! Spans come from several programs, twice or never, and may say anything of their parents.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use serde::Serialize;
use serde_json::{Map, Value};

use super::bounds;
use super::kept::Request;
use super::spans::{Origin, Span};

/// A trace as it is shown.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Waterfall {
    /// Its ID.
    pub trace_id: String,
    /// When the first span began, in microseconds since 1970.
    pub started_us: u64,
    /// From there to the end of the last.
    pub duration_us: u64,
    /// Children follow their parent, those of one parent in the order in which they began.
    pub spans: Vec<ShownSpan>,
    /// Spans that are not shown, because there are too many.
    pub left_out: usize,
    /// The requests of the trace that have lines.
    pub requests: Vec<Request>,
}

/// A span as it is shown.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ShownSpan {
    /// Its ID.
    pub span_id: String,
    /// Its parent's, which need not be among the spans.
    pub parent_span_id: Option<String>,
    /// What it is called.
    pub name: String,
    /// Whose it is.
    pub service: String,
    /// `server`, `client`, `internal`, `producer` or `consumer`.
    pub kind: &'static str,
    /// Who made it.
    pub from: Origin,
    /// From the beginning of the trace.
    pub start_us: u64,
    /// How long it took.
    pub duration_us: u64,
    /// Whether it failed.
    pub error: bool,
    /// What is said of it.
    pub attributes: Map<String, Value>,
    /// What happened meanwhile.
    pub events: Vec<ShownEvent>,
    /// How many of its ancestors are shown.
    pub depth: usize,
    /// By how much it was moved, because its clock was behind its parent's.
    #[serde(skip_serializing_if = "is_zero")]
    pub shifted_us: u64,
}

/// Something that happened at one moment of a span.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ShownEvent {
    /// What it is called.
    pub name: String,
    /// From the beginning of the trace.
    pub at_us: u64,
    /// What is said of it.
    pub attributes: Map<String, Value>,
}

/// A span's place in the waterfall.
#[derive(Clone, Copy, Debug)]
struct Place {
    span: usize,
    depth: usize,
    shift: u64,
}

/// Clocks of programs on one machine differ by this much without anybody having set them wrongly: each looks at
/// the clock at another moment of its work.
const TOLERATED_US: u64 = 1_000;

/// Puts the spans of a trace in order; none if there are none. Of spans with one ID the first counts.
pub(super) fn waterfall(
    trace: u128,
    spans: &[Arc<Span>],
    requests: Vec<Request>,
) -> Option<Waterfall> {
    let mut known = HashSet::new();
    let mut spans: Vec<&Span> = spans.iter().map(AsRef::as_ref).collect();
    spans.retain(|span| known.insert(span.id));
    // Those that begin together stay in one order, however they came.
    spans.sort_by_key(|span| (span.start_us, span.id));
    let places = places(&spans);
    let began = |place: &Place| spans[place.span].start_us + place.shift;
    let started_us = places.iter().map(began).min()?;
    let ended = places.iter().map(|place| began(place) + spans[place.span].duration_us).max()?;
    let shown = places.iter().take(bounds::SPANS_OF_TRACE);
    Some(Waterfall {
        trace_id: format!("{trace:032x}"),
        started_us,
        duration_us: ended - started_us,
        spans: shown.map(|place| show(spans[place.span], *place, started_us)).collect(),
        left_out: places.len().saturating_sub(bounds::SPANS_OF_TRACE),
        requests,
    })
}

/// A span by itself.
pub(super) fn alone(span: &Span) -> ShownSpan {
    show(span, Place { span: 0, depth: 0, shift: 0 }, span.start_us)
}

/// All spans, depth first.
fn places(spans: &[&Span]) -> Vec<Place> {
    let by_id: HashMap<u64, usize> = spans.iter().enumerate().map(|(at, it)| (it.id, at)).collect();
    let parent = |span: &Span| span.parent.and_then(|parent| by_id.get(&parent)).copied();
    let mut children: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (at, span) in spans.iter().enumerate() {
        if let Some(parent) = parent(span) {
            children.entry(parent).or_default().push(at);
        }
    }
    let mut walk = Walk { spans, children, seen: vec![false; spans.len()], places: Vec::new() };
    for root in (0..spans.len()).filter(|&at| parent(spans[at]).is_none()) {
        walk.from(root);
    }
    // What is left are rings of parents. Each is entered where it begins first.
    for at in 0..spans.len() {
        walk.from(at);
    }
    walk.places
}

struct Walk<'a> {
    spans: &'a [&'a Span],
    children: BTreeMap<usize, Vec<usize>>,
    seen: Vec<bool>,
    places: Vec<Place>,
}

impl Walk<'_> {
    /// Not by recursion: a trace can be as deep as it has spans.
    fn from(&mut self, root: usize) {
        let mut ahead = vec![Place { span: root, depth: 0, shift: 0 }];
        while let Some(place) = ahead.pop() {
            if std::mem::replace(&mut self.seen[place.span], true) {
                continue;
            }
            self.places.push(place);
            let children = self.children.get(&place.span).into_iter().flatten().rev();
            ahead.extend(children.map(|&child| Place {
                span: child,
                depth: place.depth + 1,
                shift: shift(self.spans[child], self.spans[place.span], place.shift),
            }));
        }
    }
}

/// By how much a child's clock is behind. A child of the same program has its parent's clock. One of another
/// program that seems to have begun before its parent is put in the middle of it.
fn shift(child: &Span, parent: &Span, shift: u64) -> u64 {
    if (child.from, &child.service) == (parent.from, &parent.service) {
        return shift;
    }
    let earliest = parent.start_us + shift;
    if child.start_us + TOLERATED_US >= earliest {
        return 0;
    }
    let spare = parent.duration_us.saturating_sub(child.duration_us);
    earliest + spare / 2 - child.start_us
}

fn show(span: &Span, place: Place, started_us: u64) -> ShownSpan {
    let offset = |at: u64| (at + place.shift).saturating_sub(started_us);
    let event = |event: &super::spans::Event| ShownEvent {
        name: event.name.clone(),
        // An event of another time is told as of the beginning or the end.
        at_us: offset(event.at_us.clamp(span.start_us, span.start_us + span.duration_us)),
        attributes: event.attributes.clone(),
    };
    ShownSpan {
        span_id: format!("{:016x}", span.id),
        parent_span_id: span.parent.map(|parent| format!("{parent:016x}")),
        name: span.name.clone(),
        service: span.service.to_string(),
        kind: span.kind,
        from: span.from,
        start_us: offset(span.start_us),
        duration_us: span.duration_us,
        error: span.error,
        attributes: span.attributes.clone(),
        events: span.events.iter().map(event).collect(),
        depth: place.depth,
        shifted_us: place.shift,
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}
