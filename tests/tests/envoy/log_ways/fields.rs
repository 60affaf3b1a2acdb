//! Where each field of the line is in every other rendering, and how its value is said there. What has no place in
//! the table fails the test that meets it.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sightline_tests::ReceivedRecord;

use super::read::{self, Flat};

/// A field, its name in the Elastic Common Schema, and where a log record has it: an attribute, or what stands in the
/// first words of [`Said::of`].
const TABLE: [(&str, &str, &str); 36] = [
    ("timestamp", "@timestamp", "time"),
    ("level", "log.level", "severity_text"),
    ("event", "message", "body"),
    ("service", "service.name", "resource service.name"),
    ("request_id", "http.request.id", "sightline.request_id"),
    ("trace_id", "trace.id", "trace_id"),
    ("span_id", "span.id", "span_id"),
    ("parent_span_id", "parent.id", "sightline.parent_span_id"),
    ("trace_flags", "sightline.trace_flags", "flags"),
    ("sampled", "sightline.sampled", "sightline.sampled"),
    ("method", "http.request.method", "http.request.method"),
    ("scheme", "url.scheme", "url.scheme"),
    ("host", "url.domain", "server.address"),
    ("path", "url.path", "url.path"),
    ("query", "url.query", "url.query"),
    ("route", "sightline.route", "http.route"),
    ("route_source", "sightline.route_source", "sightline.route.source"),
    ("status", "http.response.status_code", "http.response.status_code"),
    ("error_type", "error.type", "error.type"),
    ("duration_ms", "event.duration", "sightline.duration_ms"),
    ("ttfb_ms", "sightline.ttfb_ms", "sightline.ttfb_ms"),
    ("stream", "sightline.stream", "sightline.stream"),
    ("grpc_status", "sightline.grpc_status", "rpc.response.status_code"),
    ("request_bytes", "http.request.body.bytes", "http.request.body.size"),
    ("response_bytes", "http.response.body.bytes", "http.response.body.size"),
    ("protocol", "http.version", "network.protocol.version"),
    ("client_ip", "client.ip", "client.address"),
    ("user_agent", "user_agent.original", "user_agent.original"),
    ("upstream", "destination.address", "sightline.upstream"),
    ("flags", "sightline.flags", "sightline.flags"),
    ("details", "sightline.details", "sightline.details"),
    ("pod", "orchestrator.resource.name", "resource k8s.pod.name"),
    ("namespace", "orchestrator.namespace", "resource k8s.namespace.name"),
    ("headers.request", "sightline.headers.request", "http.request.header"),
    ("headers.response", "sightline.headers.response", "http.response.header"),
    ("baggage", "sightline.baggage", "baggage"),
];
/// The last one, by itself only so that the table has whole lines.
const RATIO: (&str, &str, &str) =
    ("success_ratio", "sightline.success_ratio", "sightline.success_ratio");

/// What all renderings of a request must agree on: the fields of the line, their values as text.
pub(super) type Facts = Flat;

/// A log record in names and values, whoever has decoded it.
pub(super) struct Said(BTreeMap<String, Value>);

impl Said {
    /// As our receiver has it.
    pub(super) fn of(received: &ReceivedRecord) -> Self {
        let record = &received.record;
        let mut said = received.attributes.clone();
        said.insert("time".to_owned(), json!(record.time_unix_nano));
        said.insert("severity_text".to_owned(), json!(record.severity_text));
        said.insert("severity".to_owned(), json!(record.severity_number));
        said.insert("body".to_owned(), received.body());
        said.insert("flags".to_owned(), json!(record.flags));
        said.insert("trace_id".to_owned(), json!(received.trace_id_hex()));
        said.insert("span_id".to_owned(), json!(received.span_id_hex()));
        let resource = received.resource.iter();
        said.extend(resource.map(|(name, value)| (format!("resource {name}"), value.clone())));
        Self(said)
    }

    /// As `decode_otlp.py` prints it.
    pub(super) fn decoded(resource: &Value, record: &Value) -> Self {
        let values = |attributes: &Value| {
            let attributes = attributes.as_object().cloned().unwrap_or_default();
            attributes.into_iter().map(|(name, value)| (name, plain(&value))).collect::<Vec<_>>()
        };
        let mut said: BTreeMap<_, _> = values(&record["attributes"]).into_iter().collect();
        let severity = match record["severity_number"].as_str() {
            Some("SEVERITY_NUMBER_INFO") => 9,
            Some("SEVERITY_NUMBER_WARN") => 13,
            Some("SEVERITY_NUMBER_ERROR") => 17,
            other => panic!("{other:?}"),
        };
        said.insert("time".to_owned(), record["time_unix_nano"].clone());
        said.insert("severity".to_owned(), json!(severity));
        said.insert("body".to_owned(), plain(&record["body"]));
        for name in ["severity_text", "flags", "trace_id", "span_id"] {
            said.insert(name.to_owned(), record[name].clone());
        }
        let resource = values(&resource["attributes"]).into_iter();
        said.extend(resource.map(|(name, value)| (format!("resource {name}"), value)));
        Self(said)
    }

    /// What it says of the request.
    pub(super) fn facts(mut self) -> Facts {
        self.fold();
        let severity = self.0.remove("severity").and_then(|severity| severity.as_u64());
        let level = match severity {
            Some(9) => "info",
            Some(13) => "warning",
            _ => "error",
        };
        assert_eq!(self.0["severity_text"], level);
        let mut facts = Facts::new();
        for (place, value) in self.0 {
            if let Some(field) = field_of(&place, |(.., place)| place) {
                let value = said_as_in_lines(&field, &value);
                facts.insert(field, value);
            } else {
                let apart = ["resource service.instance.id", "resource telemetry."];
                assert!(apart.iter().any(|it| place.starts_with(it)), "{place} has no field");
            }
        }
        facts
    }

    /// Puts together what the line has in one field, and says what it says in so many words.
    fn fold(&mut self) {
        let said = &mut self.0;
        if let Some(original) = said.remove("http.request.method_original") {
            assert_eq!(said.insert("http.request.method".to_owned(), original).unwrap(), "_OTHER");
        }
        if let Some(port) = said.remove("server.port") {
            let host = format!("{}:{port}", said["server.address"].as_str().unwrap());
            said.insert("server.address".to_owned(), json!(host));
        }
        if let Some(system) = said.remove("rpc.system.name") {
            assert_eq!(system, "grpc");
            let method = said.remove("rpc.method").unwrap();
            assert_eq!(said["url.path"], format!("/{}", method.as_str().unwrap()));
        }
        said.entry("http.route".to_owned()).or_insert(json!("_unmatched"));
        said.entry("http.response.status_code".to_owned()).or_insert(json!(0));
    }
}

/// What Python says of a value, `{"int": 200}`.
fn plain(typed: &Value) -> Value {
    let (kind, value) = typed.as_object().unwrap().iter().next().unwrap();
    if kind == "array" {
        return value.as_array().unwrap().iter().map(plain).collect();
    }
    value.clone()
}

/// What a line says of the request.
pub(super) fn of_line(format: &str, line: &str) -> Facts {
    let mut flat = read::line(format, line);
    if format == "ecs" {
        flat = of_ecs(flat);
    }
    let known = |(name, value): (String, String)| {
        let field = field_of(&name, |(field, ..)| field).unwrap_or_else(|| panic!("{name}"));
        let value = said_as_in_lines(&field, &json!(value));
        (field, value)
    };
    flat.into_iter().map(known).collect()
}

fn of_ecs(mut flat: Flat) -> Flat {
    assert_eq!(flat.remove("ecs.version").as_deref(), Some("8.11.0"));
    let expected = if flat["log.level"] == "info" { "success" } else { "failure" };
    assert_eq!(flat.remove("event.outcome").as_deref(), Some(expected));
    if let Some(port) = flat.remove("url.port") {
        let host = format!("{}:{port}", flat["url.domain"]);
        flat.insert("url.domain".to_owned(), host);
    }
    let nanos: u64 = flat["event.duration"].parse().unwrap();
    let micros = nanos / 1_000;
    let millis = format!("{}.{:03}", micros / 1_000, micros % 1_000);
    flat.insert("event.duration".to_owned(), millis);
    let ours = |(name, value): (String, String)| {
        let field = field_of(&name, |(_, ecs, _)| ecs);
        (field.unwrap_or_else(|| panic!("{name} has no field")), value)
    };
    flat.into_iter().map(ours).collect()
}

/// The field that is called so in one of the columns, with what stands behind a dot.
fn field_of(
    name: &str,
    column: impl Fn((&'static str, &'static str, &'static str)) -> &'static str,
) -> Option<String> {
    TABLE.into_iter().chain([RATIO]).find_map(|row| {
        let rest = name.strip_prefix(column(row))?;
        let is_open = row.0.starts_with("headers") || row.0 == "baggage";
        let is_it = if is_open { rest.starts_with('.') } else { rest.is_empty() };
        is_it.then(|| format!("{}{rest}", row.0))
    })
}

/// Some are numbers here and texts there, some in another unit or another spelling.
fn said_as_in_lines(field: &str, value: &Value) -> String {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Array(texts) => texts.iter().filter_map(Value::as_str).collect(),
        other => other.to_string(),
    };
    match field {
        "timestamp" => micros(&text),
        "trace_flags" if value.is_u64() => format!("{:02x}", value.as_u64().unwrap()),
        "duration_ms" | "ttfb_ms" | "success_ratio" => {
            format!("{:.3}", text.parse::<f64>().unwrap())
        }
        "protocol" if !text.starts_with("HTTP/") => format!("HTTP/{text}"),
        "grpc_status" if text == "UNAVAILABLE" => "14".to_owned(),
        _ => text,
    }
}

/// Microseconds since the epoch, of nanoseconds or of a point in time as lines have it.
fn micros(text: &str) -> String {
    if let Ok(nanos) = text.parse::<u64>() {
        return (nanos / 1_000).to_string();
    }
    let numbers: Vec<u64> = text
        .trim_end_matches('Z')
        .split(['-', 'T', ':', '.'])
        .map(|part| part.parse().unwrap_or_else(|_| panic!("{text}")))
        .collect();
    let [year, month, day, hour, minute, second, micros] = numbers[..] else { panic!("{text}") };
    // Years begin in March, so that a leap day is the last of its year.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + day - 1;
    let seconds = (days - 719_468) * 86_400 + hour * 3_600 + minute * 60 + second;
    (seconds * 1_000_000 + micros).to_string()
}
