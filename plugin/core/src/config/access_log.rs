//! One line for each request: where it goes, how it is written, what is in it and what is kept out.

use super::choice::choice;
use super::section::section;
use super::{Leaf, List, Path, Problem, Ratio, Settings, Text, Token, Value, one_of, told_of};
use crate::log::Field;
use crate::redact::Redaction;

section! {
    /// One line for each request.
    pub struct AccessLog {
        /// Whether the line is set as filter state `wasm.sightline_log`, where Envoy's own loggers find
        /// it as `%FILTER_STATE(wasm.sightline_log:PLAIN)%`.
        property: bool = true,
        /// Whether the line is written into Envoy's application log, at the line's level and behind Envoy's own prefix.
        stdout: bool = false,
        /// Whether the line is sent to `export.cluster` as an OTLP log record.
        otlp: bool = false,
        /// `json`: one object with the fields of docs/access-log.md. `ecs`: one with the names of the Elastic Common Schema.
        /// `logfmt`: `name=value` with spaces between.
        format: LogFormat = LogFormat::Json,
        /// The part of the lines that is kept of requests that succeeded, by trace: all lines of a trace or none, on every
        /// hop with the same ratio. Lines of requests that failed are always kept.
        success_ratio: Ratio = Ratio::percent(100),
        /// Headers of the request whose values go into the line, at most 32.
        request_headers: List<Token> = List::default(),
        /// Headers of the response whose values go into the line, at most 32.
        response_headers: List<Token> = List::default(),
        /// Fields that are left out of lines and log records. What a left-out field would cost is saved.
        drop: List<Droppable> = List::default(),
        /// What is kept out of lines and spans.
        redact: Redact = Redact::default(),
    }
}

choice! {
    /// How a line is written.
    pub enum LogFormat {
        /// An object with our names.
        Json = "json",
        /// An object with the names of the Elastic Common Schema.
        Ecs = "ecs",
        /// Names and values.
        Logfmt = "logfmt",
    }
}

section! {
    /// What is kept out of lines and spans.
    pub struct Redact {
        /// Keys of the query whose values are `REDACTED`, in any case and however they are encoded.
        query: List<Text> = List(SECRET_PARAMETERS.iter().filter_map(|name| Text::new(name)).collect()),
        /// Headers that are never captured, even where `request_headers` or `response_headers` names them.
        headers: List<Token> = List(SECRET_HEADERS.iter().filter_map(|name| Token::new(name)).collect()),
        /// Whether the client's address is whole, without its last part (a /24, or a /48 of IPv6), or left out.
        client_ip: RedactedAddress = RedactedAddress::None,
    }
}

choice! {
    /// How much of a client's address is shown.
    pub enum RedactedAddress {
        /// All of it.
        None = "none",
        /// Its network.
        Truncate = "truncate",
        /// Nothing.
        Drop = "drop",
    }
}

/// Parameters that carry signatures and keys.
const SECRET_PARAMETERS: [&str; 12] = [
    "X-Amz-Signature",
    "X-Amz-Credential",
    "X-Amz-Security-Token",
    "AWSAccessKeyId",
    "Signature",
    "sig",
    "X-Goog-Signature",
    "token",
    "access_token",
    "api_key",
    "password",
    "secret",
];

/// Headers that carry credentials.
const SECRET_HEADERS: [&str; 5] =
    ["authorization", "proxy-authorization", "cookie", "set-cookie", "x-api-key"];

/// A field that may be left out. Invariant: none of the IDs, which every line has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Droppable(pub(crate) Field);

impl Leaf for Droppable {
    fn takes() -> String {
        format!("a field: {}", one_of(Self::known()))
    }

    fn parse(said: &Value) -> Option<Self> {
        let Value::String(name) = said else { return None };
        Field::DROPPABLE.into_iter().find(|field| field.name() == name).map(Self)
    }

    fn show(&self) -> String {
        self.0.name().to_owned()
    }

    fn known() -> &'static [&'static str] {
        &Field::DROPPABLE_NAMES
    }
}

impl AccessLog {
    /// Each costs a look at every header, and a line that is read by people has an end.
    const MOST_HEADERS: usize = 32;

    /// What cannot go together, and what is too much.
    pub(super) fn check(settings: &Settings, problems: &mut Vec<Problem>) {
        let Self { otlp, request_headers, response_headers, .. } = &settings.access_log;
        if *otlp && settings.export.cluster.is_none() && !told_of("export.cluster", problems) {
            let message = "true stands here, but export.cluster names no collector; expected both, or false here";
            problems.push(Problem::new("access_log.otlp", message));
        }
        let section = Path::Key(&Path::Root, "access_log");
        for (key, List(headers)) in
            [("request_headers", request_headers), ("response_headers", response_headers)]
        {
            if headers.len() > Self::MOST_HEADERS {
                let message =
                    format!("{} entries, expected at most {}", headers.len(), Self::MOST_HEADERS);
                problems.push(Problem::new(Path::Key(&section, key), message));
            }
        }
    }

    /// What is asked for and yet never shown.
    pub(super) fn warnings(&self) -> Vec<Problem> {
        let redaction = Redaction::new(&self.redact);
        let section = Path::Key(&Path::Root, "access_log");
        let lists = [
            ("request_headers", &self.request_headers),
            ("response_headers", &self.response_headers),
        ];
        let mut warnings = Vec::new();
        for (key, List(headers)) in lists {
            let list = Path::Key(&section, key);
            for (number, Token(name)) in headers.iter().enumerate() {
                if !redaction.captures(name.as_bytes()) {
                    let message = format!("{name} is never captured, because of access_log.redact");
                    warnings.push(Problem::new(Path::Entry(&list, number), message));
                }
            }
        }
        warnings
    }
}
