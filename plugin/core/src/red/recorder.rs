//! Finds the series of a request once, and counts the request in all that belongs to it.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;

use super::collect::{CUSTOM, family_number};
use super::family::{CLIENT_DURATION, FIRST_BYTE, INVALID, SERVER_DURATION, STREAM_DURATION};
use super::series::{Labels, Parts};
use super::sheet::{Heading, RowId, Sheet};
use super::{Boundaries, Custom, Decimal, Exemplars, Invalid, Sample};
use crate::observation::Stream;
use crate::route::{Ledger, Route, Table};
use crate::{Direction, Method, MetricsPlan, Observation, Quick, Wall};

/// What one configuration counts, and where.
#[derive(Debug)]
pub struct Recorder {
    boundaries: Boundaries,
    /// How many rows of a sheet may have a route of their own.
    limit: usize,
    /// Whether anybody is shown more than the names of series: else nothing is summed up.
    sums: bool,
    /// Requests that there was no series for, since this was last asked.
    overflowed: u64,
    routes: Table,
    /// Series that were met, by their labels.
    known: HashMap<Labels, SeriesId, BuildHasherDefault<Quick>>,
    series: Vec<Series>,
    /// Rows of custom metrics, by the metric's place and the number of the label set; none: there was no room.
    custom: HashMap<(usize, u32), Option<RowId>, BuildHasherDefault<Quick>>,
}

/// A series, by its number in this recorder. Numbers are given from 0 on without a gap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SeriesId(u32);

/// What a series is called where its labels must be part of the name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeriesName {
    /// The method.
    pub method: Method,
    /// The route.
    pub route: Box<str>,
    /// The status; 0 if none was sent.
    pub status: u16,
    /// Whether its requests are streams.
    pub is_stream: bool,
}

/// Where a request is counted.
#[derive(Debug)]
struct Series {
    name: SeriesName,
    duration: RowId,
    /// None until a response has begun.
    first_byte: Option<RowId>,
}

/// What a recorder counts into.
pub struct Counting<'a> {
    /// The sums.
    pub sheet: &'a mut Sheet,
    /// Requests that stand for others; none: none are to.
    pub exemplars: Option<&'a mut Exemplars>,
    /// What all workers share of the sums.
    pub ledger: &'a mut dyn Ledger,
    /// The time, for a sheet that begins now.
    pub now: Wall,
}

impl SeriesId {
    /// As a place in a list.
    #[inline]
    pub fn index(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

impl Recorder {
    /// Counts as the plan has it.
    pub fn new(plan: &MetricsPlan) -> Self {
        Self {
            boundaries: plan.boundaries.clone(),
            limit: plan.series_limit,
            sums: plan.is_shown(),
            overflowed: 0,
            routes: Table::default(),
            known: HashMap::default(),
            series: Vec::new(),
            custom: HashMap::default(),
        }
    }

    /// Counts a finished request.
    #[inline]
    pub fn record(
        &mut self,
        observation: &Observation<'_>,
        direction: Direction,
        counting: &mut Counting<'_>,
    ) -> SeriesId {
        let parts = observation.parts(self.routes.number(observation.route.name), direction);
        let id = match self.known.get(&parts.pack()) {
            Some(id) => *id,
            None => self.meet(parts, observation.route.name, counting),
        };
        if self.sums {
            if observation.to_first_byte.is_some() {
                self.begin_first_byte(id, parts, counting);
            }
            if let Some(series) = self.series.get(id.index()) {
                self.count(series, observation, counting);
            }
        }
        id
    }

    /// Counts what a finished request adds to custom metrics.
    #[inline(never)]
    pub fn record_custom(
        &mut self,
        all: &[Custom],
        observation: &Observation<'_>,
        counting: &mut Counting<'_>,
    ) {
        let shown = if self.sums { all } else { &[] };
        for (place, custom) in shown.iter().enumerate() {
            match custom.sample(observation) {
                Some(Ok(sample)) => {
                    self.count_custom(place, custom, &sample, observation, counting);
                }
                Some(Err(Invalid)) => counting.sheet.count(&INVALID, &[&custom.family.name], 1),
                None => {}
            }
        }
    }

    fn count_custom(
        &mut self,
        place: usize,
        custom: &Custom,
        sample: &Sample<'_>,
        observation: &Observation<'_>,
        counting: &mut Counting<'_>,
    ) {
        let Counting { sheet, ledger, now, exemplars } = counting;
        let row = self.custom.entry((place, sample.choice)).or_insert_with(|| {
            sheet.limited_row(&custom_heading(custom, sample), self.limit, *now, &mut **ledger)
        });
        match (*row, &custom.boundaries) {
            (Some(row), None) => sheet.add_amount(row, sample.value),
            (Some(row), Some(boundaries)) => {
                let bucket = sheet.observe(row, boundaries, sample.value);
                if let Some(exemplars) = exemplars {
                    exemplars.offer(row, bucket, sample.value, observation);
                }
            }
            (None, _) => self.overflowed += 1,
        }
    }

    /// What a series is called.
    pub fn name(&self, id: SeriesId) -> Option<&SeriesName> {
        self.series.get(id.index()).map(|series| &series.name)
    }

    /// How many requests there was no series for, since this was last asked.
    pub fn take_overflowed(&mut self) -> u64 {
        std::mem::take(&mut self.overflowed)
    }

    #[inline]
    fn count(&self, series: &Series, observation: &Observation<'_>, counting: &mut Counting<'_>) {
        let boundaries =
            if series.name.is_stream { &Boundaries::STREAMS } else { &self.boundaries };
        let mut observe = |row, boundaries, value: Decimal| {
            let bucket = counting.sheet.observe(row, boundaries, value);
            if let Some(exemplars) = &mut counting.exemplars {
                exemplars.offer(row, bucket, value, observation);
            }
        };
        observe(series.duration, boundaries, observation.duration.into());
        if let (Some(row), Some(first_byte)) = (series.first_byte, observation.to_first_byte) {
            observe(row, &self.boundaries, first_byte.into());
        }
    }

    /// A series that was not met before: its own if there is room for it, else one under another route.
    #[cold]
    #[inline(never)]
    fn meet(&mut self, parts: Parts, route: &str, counting: &mut Counting<'_>) -> SeriesId {
        if let Some(duration) = self.admit(parts, route, self.limit, counting) {
            return self.insert(parts, route, duration);
        }
        self.overflowed += 1;
        self.overflow(parts, counting)
    }

    /// The series of all that there is no room for. Method and status stay, unless there are too many of those.
    fn overflow(&mut self, parts: Parts, counting: &mut Counting<'_>) -> SeriesId {
        let route = Route::OVERFLOW.name;
        let parts = parts.without_details(self.routes.number(route));
        if let Some(known) = self.known.get(&parts.pack()) {
            return *known;
        }
        if let Some(row) = self.admit(parts, route, self.limit.saturating_mul(2), counting) {
            return self.insert(parts, route, row);
        }
        let parts = Parts { method: Method::Other, status: 0, ..parts };
        if let Some(known) = self.known.get(&parts.pack()) {
            return *known;
        }
        // Under the same heading as where there was room for it, so that it is there once.
        let row = counting.sheet.row(&self.heading(parts, route));
        self.insert(parts, route, row)
    }

    fn insert(&mut self, parts: Parts, route: &str, duration: RowId) -> SeriesId {
        let id = SeriesId(u32::try_from(self.series.len()).unwrap_or(u32::MAX));
        let Parts { method, status, .. } = parts;
        let name =
            SeriesName { method, route: route.into(), status, is_stream: parts.stream.is_some() };
        self.series.push(Series { name, duration, first_byte: None });
        self.known.insert(parts.pack(), id);
        id
    }

    fn admit(
        &self,
        parts: Parts,
        route: &str,
        limit: usize,
        Counting { sheet, ledger, now, .. }: &mut Counting<'_>,
    ) -> Option<RowId> {
        sheet.limited_row(&self.heading(parts, route), limit, *now, &mut **ledger)
    }

    /// What the row of a request's duration stands under.
    fn heading(&self, parts: Parts, route: &str) -> Heading {
        let mut digits = [0; 3];
        let status = parts.status_text(&mut digits);
        let mut error_digits = [0; 3];
        let error = parts.error_text(&mut error_digits);
        let method = parts.method.as_str();
        if !self.sums {
            let stream = if parts.stream.is_some() { "stream" } else { "" };
            return Heading::name(true, &[method, route, status, stream]);
        }
        if let Some(stream) = parts.stream {
            let labels = [method, route, status, error, stream.as_str(), parts.direction_text()];
            let family = family_number(&STREAM_DURATION);
            return Heading::histogram(family, true, &Boundaries::STREAMS, &labels);
        }
        let family = match parts.direction {
            Direction::Inbound => family_number(&SERVER_DURATION),
            Direction::Outbound => family_number(&CLIENT_DURATION),
        };
        let labels = [method, parts.scheme.as_str(), route, status, error, parts.version.as_str()];
        Heading::histogram(family, true, &self.boundaries, &labels)
    }

    /// Gives a series a row for the time to the first byte, which statuses share.
    #[inline]
    fn begin_first_byte(&mut self, id: SeriesId, parts: Parts, counting: &mut Counting<'_>) {
        if let Some(series) = self.series.get_mut(id.index()).filter(|it| it.first_byte.is_none()) {
            let SeriesName { method, route, .. } = &series.name;
            let heading = |limited, route: &str| {
                let labels = [method.as_str(), route, parts.direction_text()];
                let family = family_number(&FIRST_BYTE);
                Heading::histogram(family, limited, &self.boundaries, &labels)
            };
            let Counting { sheet, ledger, now, .. } = counting;
            let own = || sheet.limited_row(&heading(true, route), self.limit, *now, &mut **ledger);
            let row = (**route != *Route::OVERFLOW.name).then(own).flatten();
            series.first_byte =
                Some(row.unwrap_or_else(|| sheet.row(&heading(false, Route::OVERFLOW.name))));
        }
    }
}

/// What the row of a custom metric stands under.
fn custom_heading(custom: &Custom, sample: &Sample<'_>) -> Heading {
    let mut labels = vec![custom.identity.as_str()];
    labels.extend_from_slice(sample.labels());
    match &custom.boundaries {
        None => Heading::amount(CUSTOM, true, &labels),
        Some(boundaries) => Heading::histogram(CUSTOM, true, boundaries, &labels),
    }
}

impl Stream {
    /// Its name in metrics and lines.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::WebSocket => "websocket",
            Self::Events => "sse",
            Self::Grpc => "grpc",
        }
    }
}

#[cfg(test)]
mod tests;
