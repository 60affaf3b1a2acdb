//! Makes a reading of what the workers share: rows find their families, and become points.

use std::collections::HashMap;

use super::exemplars::Collection;
use super::family::{self, Family, Kind};
use super::row::{self, HEADER, Rows};
use super::sheet::Heading;
use super::{
    Boundaries, Custom, Decimal, Exemplar, FamilyReading, Histogram, Level, Levels, Point, Reading,
    Scheme, Value, roll,
};
use crate::otlp::Signal;
use crate::{Direction, Method, Wall};

/// What a reading is made of.
#[derive(Clone, Copy, Debug)]
pub struct Snapshot<'a> {
    /// The sums of all workers.
    pub sheet: &'a [u8],
    /// Who is there, and what is under way.
    pub roll: &'a [u8],
    /// Requests that stand for others; empty: none are shown.
    pub exemplars: &'a [u8],
    /// The boundaries that durations are shown with.
    pub boundaries: &'a Boundaries,
    /// Metrics of the configuration's own.
    pub custom: &'a [Custom],
    /// How many routes there are, by where they come from.
    pub routes: &'a [(&'static str, u64)],
    /// Only exemplars that are newer are shown.
    pub exemplars_after: Wall,
    /// When this is read.
    pub now: Wall,
}

/// What was told before, where only what is new is to be told.
#[derive(Clone, Copy, Debug)]
pub struct Before<'a> {
    /// The sums as they were.
    pub sheet: &'a [u8],
    /// When that was.
    pub at: Wall,
}

/// Families that are in sheets, by their numbers, which are written down: new ones come at the end.
static FAMILIES: [Family; 11] = [
    family::SERVER_DURATION,
    family::CLIENT_DURATION,
    family::FIRST_BYTE,
    family::STREAM_DURATION,
    family::SPANS,
    family::BATCHES,
    family::EXPORTED,
    family::DROPPED,
    family::OVERFLOWED,
    family::LOST,
    family::INVALID,
];

static SERVER_ACTIVE: Family = family::SERVER_ACTIVE;
static CLIENT_ACTIVE: Family = family::CLIENT_ACTIVE;
static WAITING: Family = family::WAITING;
static ROUTES: Family = family::ROUTES;
static BUILD: Family = family::BUILD;
static STREAMS: Boundaries = Boundaries::STREAMS;

/// The number of rows that have a name and nothing else. They are not shown.
pub(super) const NAMES: u8 = 0x7e;

/// The number of a custom metric's rows. Their first label says which.
pub(super) const CUSTOM: u8 = 0x7f;

/// The number of a family that is in sheets.
pub(super) fn family_number(family: &Family) -> u8 {
    let place = FAMILIES.iter().position(|it| it.name == family.name);
    place.and_then(|place| u8::try_from(place).ok()).unwrap_or(CUSTOM)
}

impl<'a> Snapshot<'a> {
    /// All that was ever counted.
    pub fn read(&self) -> Reading<'a> {
        self.read_since(None)
    }

    /// What is new since then; levels as they are.
    pub fn read_since(&self, before: Option<Before<'a>>) -> Reading<'a> {
        let began = row::began(self.sheet).unwrap_or(self.now);
        let before = before.filter(|before| row::began(before.sheet) == Some(began));
        // A point must not end before it begins, even if somebody sets the clock back.
        let now = self.now.max(Wall(began.0.saturating_add(1)));
        let since = before.map_or(began, |before| before.at.min(Wall(now.0.saturating_sub(1))));
        let mut families = self.families(began, before);
        families.extend(self.levels());
        families.push(info());
        families.retain(|family| !family.points.is_empty());
        Reading { began, since, now, families }
    }

    fn families(&self, began: Wall, before: Option<Before<'a>>) -> Vec<FamilyReading<'a>> {
        let customs = self.custom.iter().map(|custom| &custom.family);
        let empty = |family| FamilyReading { family, points: Vec::new() };
        let mut families: Vec<_> = FAMILIES.iter().chain(customs).map(empty).collect();
        let mut mixed = vec![false; families.len()];
        let exemplars = Collection::read(self.exemplars, began);
        // What is no sheet has no rows: whoever adds something begins one.
        let sheet = row::began(self.sheet).map_or(&[][..], |_| self.sheet);
        for row in Rows::from(sheet, HEADER) {
            let Some((place, boundaries, parsed, labels)) = self.place(row.key) else { continue };
            let numbers = new_numbers(row, before);
            let (Some(numbers), Some(family)) = (numbers, families.get_mut(place)) else {
                continue;
            };
            let value = match (family.family.kind, boundaries, parsed) {
                (Kind::Histogram, Some(shown), Some(counted)) => {
                    if let Some(mixed) = mixed.get_mut(place) {
                        *mixed |= counted != *shown;
                    }
                    let exemplars = exemplars.of_row(row.at).iter().map(|it| it.exemplar);
                    let exemplars = exemplars.filter(|it| it.at > self.exemplars_after);
                    Value::Histogram(histogram(&numbers, &counted, shown, exemplars))
                }
                (Kind::Amount, ..) => Value::Number(amount(&numbers)),
                _ => Value::Number(Decimal::whole(numbers.first().copied().unwrap_or(0))),
            };
            family.points.push(Point { labels, value });
        }
        for (family, _) in families.iter_mut().zip(mixed).filter(|(_, mixed)| *mixed) {
            merge(&mut family.points);
        }
        families
    }

    /// Which family a row belongs to, the boundaries it is shown with and was counted in, and its labels.
    #[expect(clippy::type_complexity, reason = "taken apart at once")]
    fn place(
        &self,
        key: &'a [u8],
    ) -> Option<(usize, Option<&'a Boundaries>, Option<Boundaries>, Vec<&'a str>)> {
        let parsed = row::parse(key)?;
        let mut labels = row::labels(parsed.labels);
        if parsed.family == CUSTOM {
            let identity = labels.next()?;
            let place = self.custom.iter().position(|custom| custom.identity == identity)?;
            let boundaries = self.custom.get(place)?.boundaries.as_ref();
            return Some((FAMILIES.len() + place, boundaries, parsed.boundaries, labels.collect()));
        }
        let place = usize::from(parsed.family);
        let streams = FAMILIES.get(place)?.name == family::STREAM_DURATION.name;
        let boundaries = if streams { &STREAMS } else { self.boundaries };
        Some((place, Some(boundaries), parsed.boundaries, labels.collect()))
    }

    fn levels(&self) -> [FamilyReading<'a>; 4] {
        let (levels, _) = roll::call(self.roll);
        let routes = self.routes.iter().map(|&(source, number)| point(vec![source], number));
        let signals = Signal::ALL.iter();
        let waiting = signals.filter_map(|&signal| {
            let number = levels.shown_of(Level::waiting(signal))?;
            Some(point(vec![signal.name()], number))
        });
        [
            active(&SERVER_ACTIVE, Direction::Inbound, &levels),
            active(&CLIENT_ACTIVE, Direction::Outbound, &levels),
            FamilyReading { family: &WAITING, points: waiting.collect() },
            FamilyReading { family: &ROUTES, points: routes.collect() },
        ]
    }
}

fn point(labels: Vec<&str>, number: u64) -> Point<'_> {
    Point { labels, value: Value::Number(Decimal::whole(number)) }
}

fn info<'a>() -> FamilyReading<'a> {
    FamilyReading { family: &BUILD, points: vec![point(vec![env!("CARGO_PKG_VERSION")], 1)] }
}

fn active<'a>(family: &'a Family, direction: Direction, levels: &Levels) -> FamilyReading<'a> {
    let kinds = Method::ALL.iter().flat_map(|&method| Scheme::ALL.map(|scheme| (method, scheme)));
    let points = kinds.filter_map(|(method, scheme)| {
        let number = levels.shown_of(Level::active(direction, method, scheme))?;
        Some(point(vec![method.as_str(), scheme.as_str()], number))
    });
    FamilyReading { family, points: points.collect() }
}

/// The numbers of a row, less what they were before; none if nothing is new then.
fn new_numbers(row: row::Row<'_>, before: Option<Before<'_>>) -> Option<Vec<u64>> {
    let Some(before) = before else { return Some(row::numbers(row.words).collect()) };
    let words = before.sheet.get(row.at..).and_then(|rest| rest.get(..row.words.len()));
    let before = row::numbers(words.unwrap_or_default()).chain(std::iter::repeat(0));
    let new: Vec<_> =
        row::numbers(row.words).zip(before).map(|(now, before)| now.wrapping_sub(before)).collect();
    new.iter().any(|number| *number > 0).then_some(new)
}

fn amount(numbers: &[u64]) -> Decimal {
    let [whole, nanos] = *numbers.first_chunk().unwrap_or(&[0, 0]);
    Decimal::of_parts(whole, nanos)
}

/// A histogram as it is shown, whatever the buckets were when it was counted.
fn histogram<'a>(
    numbers: &[u64],
    counted: &Boundaries,
    shown: &'a Boundaries,
    exemplars: impl Iterator<Item = Exemplar>,
) -> Histogram<'a> {
    let buckets = numbers.get(Heading::SUM..).unwrap_or_default();
    let sum = amount(numbers);
    if counted == shown {
        let exemplars = exemplars.collect();
        return Histogram { boundaries: shown, counts: buckets.to_vec(), sum, exemplars };
    }
    let mut counts = vec![0_u64; shown.buckets()];
    let ends = counted.iter().map(|end| shown.bucket(end)).chain([shown.buckets() - 1]);
    for (bucket, number) in ends.zip(buckets) {
        if let Some(count) = counts.get_mut(bucket) {
            *count = count.wrapping_add(*number);
        }
    }
    Histogram { boundaries: shown, counts, sum, exemplars: Vec::new() }
}

/// Makes one of points that have the same labels, because they were counted in different buckets.
fn merge(points: &mut Vec<Point<'_>>) {
    let mut places: HashMap<Vec<&str>, usize, std::hash::BuildHasherDefault<crate::Quick>> =
        HashMap::default();
    let mut merged: Vec<Point<'_>> = Vec::with_capacity(points.len());
    for point in std::mem::take(points) {
        match places.get(&point.labels).and_then(|&place| merged.get_mut(place)) {
            Some(earlier) => add(&mut earlier.value, point.value),
            None => {
                places.insert(point.labels.clone(), merged.len());
                merged.push(point);
            }
        }
    }
    *points = merged;
}

fn add<'a>(to: &mut Value<'a>, value: Value<'a>) {
    if let (Value::Histogram(to), Value::Histogram(value)) = (to, value) {
        for (count, more) in to.counts.iter_mut().zip(value.counts) {
            *count = count.wrapping_add(more);
        }
        let ((whole, nanos), (more, more_nanos)) = (to.sum.parts(), value.sum.parts());
        to.sum = Decimal::of_parts(whole.wrapping_add(more), nanos + more_nanos);
        if to.exemplars.is_empty() {
            to.exemplars = value.exemplars;
        }
    }
}

#[cfg(test)]
mod tests;
