//! What the configuration says of lines, ready for requests.

use super::field::{Field, Fields};
use super::level::Level;
use super::writer::Writer;
use crate::config::{AccessLog, Droppable, LogFormat, Token, WhichLines};
use crate::head::LONGEST_VALUE;
use crate::otlp::Resource;
use crate::red::Decimal;
use crate::redact::Redaction;
use crate::{Observation, Sampler};

/// Where lines go, and what is in them.
#[derive(Clone, Debug)]
pub struct LogPlan {
    /// Whether the line is handed to the host as filter state.
    pub property: bool,
    /// Whether it goes into the host's own log.
    pub stdout: bool,
    /// Whether it is exported as a log record.
    pub otlp: bool,
    pub(crate) format: LogFormat,
    pub(crate) fields: Fields,
    /// Captured headers of the request, in lower case.
    pub(crate) request_headers: Vec<String>,
    /// Captured headers of the response, likewise.
    pub(crate) response_headers: Vec<String>,
    /// What the lines of a level have in common behind their time.
    fronts: [Vec<u8>; 3],
    /// What all lines say of the place.
    pub(super) place: Vec<u8>,
    /// Which part of the lines of requests that succeeded is kept; none: all.
    success: Option<SuccessRatio>,
}

/// A part of lines that is kept.
#[derive(Clone, Debug)]
pub(crate) struct SuccessRatio {
    sampler: Sampler,
    pub(crate) number: f64,
    /// The number, as a line says it.
    pub(crate) text: String,
}

impl LogPlan {
    pub(crate) fn new(
        settings: &AccessLog,
        redaction: &Redaction,
        service: &str,
        resource: &Resource,
    ) -> Self {
        let dropped = settings.drop.0.iter().map(|&Droppable(field)| field);
        let fields = Fields::without(dropped);
        let headers = |names: &[Token]| {
            if fields.contains(Field::Headers) { captured(names, redaction) } else { Vec::new() }
        };
        let format = settings.format;
        Self {
            property: settings.property,
            stdout: settings.stdout,
            otlp: settings.otlp,
            format,
            fields,
            request_headers: headers(&settings.request_headers.0),
            response_headers: headers(&settings.response_headers.0),
            fronts: Level::ALL.map(|level| front(level, service, format, fields)),
            place: place(resource, format, fields),
            success: SuccessRatio::new(settings.success_ratio.as_f64()),
        }
    }

    /// What lines of this level have behind their time.
    pub(super) fn front(&self, level: Level) -> &[u8] {
        let [info, warning, error] = &self.fronts;
        match level {
            Level::Info => info,
            Level::Warning => warning,
            Level::Error => error,
        }
    }

    /// Whether anybody reads lines.
    pub fn is_on(&self) -> bool {
        self.property || self.stdout || self.otlp
    }

    /// Whether flags matter to requests of which these get a line. What was cut short failed, whatever its status: no
    /// line is left out without asking.
    pub(crate) fn asks_for_flags(&self, lines: WhichLines) -> bool {
        let shown = self.fields.contains(Field::Flags) || self.fields.contains(Field::ErrorType);
        match lines {
            WhichLines::None => false,
            WhichLines::Errors => true,
            WhichLines::All => shown || self.success.is_some(),
        }
    }

    /// Whether the line of a request that has succeeded is kept. It goes by the trace alone, so that hops agree.
    pub(crate) fn keeps_success(&self, observation: &Observation<'_>) -> bool {
        self.success.as_ref().is_none_or(|it| it.sampler.keeps(observation.trace().trace_id))
    }

    /// Of which part of such lines the line of a request that has succeeded is one, if that is not all.
    pub(crate) fn success_ratio(&self) -> Option<&SuccessRatio> {
        self.success.as_ref()
    }
}

/// Which version of the Elastic Common Schema the names are from.
const ECS: &[u8] = br#","ecs.version":"8.11.0""#;

/// Nothing in it changes from line to line of a level, so it is written once.
fn front(level: Level, service: &str, format: LogFormat, fields: Fields) -> Vec<u8> {
    let mut front = Vec::new();
    let mut line = Writer::go_on(format, fields, &mut front);
    line.word(Field::Level, level.as_str().as_bytes());
    line.word(Field::Event, b"http_request");
    if format == LogFormat::Ecs {
        // What Elastic's tools expect of every event.
        line.raw(ECS);
        line.raw(match level {
            Level::Info => br#","event.outcome":"success""#,
            Level::Warning | Level::Error => br#","event.outcome":"failure""#,
        });
    }
    line.text(Field::Service, service.as_bytes(), LONGEST_VALUE, false);
    front
}

fn place(resource: &Resource, format: LogFormat, fields: Fields) -> Vec<u8> {
    let mut place = Vec::new();
    let mut line = Writer::go_on(format, fields, &mut place);
    for (field, name) in [(Field::Pod, "k8s.pod.name"), (Field::Namespace, "k8s.namespace.name")] {
        if let Some(value) = resource.get(name).filter(|value| !value.is_empty()) {
            line.text(field, value.as_bytes(), LONGEST_VALUE, false);
        }
    }
    place
}

/// Those that may be captured, each once.
fn captured(names: &[Token], redaction: &Redaction) -> Vec<String> {
    let mut captured: Vec<String> = Vec::new();
    for name in names {
        let name = name.as_str().to_ascii_lowercase();
        if redaction.captures(name.as_bytes()) && !captured.contains(&name) {
            captured.push(name);
        }
    }
    captured
}

impl SuccessRatio {
    /// None for a ratio that keeps all.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a ratio is within 0 and 1"
    )]
    fn new(number: f64) -> Option<Self> {
        if number >= 1.0 {
            return None;
        }
        let mut text = Vec::new();
        Decimal::from_nanos((number * 1e9 + 0.5) as u64).write(&mut text);
        let text = String::from_utf8(text).unwrap_or_default();
        Some(Self { sampler: Sampler::with_ratio(number), number, text })
    }
}
