//! A finished request as a log record: what its line says, in the words of OpenTelemetry.

use super::attributes::Item;
use super::protobuf::Message;
use crate::config::Side;
use crate::log::{Field, Level};
use crate::{Direction, Exported, Observation, Plan};

/// Field numbers of `opentelemetry.proto.logs.v1.LogRecord`.
mod field {
    pub(super) const OF_SCOPE_LOGS: u32 = 2;
    pub(super) const TIME: u32 = 1;
    pub(super) const SEVERITY: u32 = 2;
    pub(super) const SEVERITY_TEXT: u32 = 3;
    pub(super) const BODY: u32 = 5;
    pub(super) const ATTRIBUTE: u32 = 6;
    pub(super) const FLAGS: u32 = 8;
    pub(super) const TRACE_ID: u32 = 9;
    pub(super) const SPAN_ID: u32 = 10;
    pub(super) const OBSERVED: u32 = 11;
}

/// Writes the log record of a finished request, as one more of a batch.
#[inline(never)]
pub fn write_log_record(
    observation: &Observation<'_>,
    direction: Direction,
    plan: &Plan,
    out: &mut Vec<u8>,
) {
    let mut batch = Message::new(out);
    let message = batch.message(field::OF_SCOPE_LOGS);
    let (attribute, fields) = (field::ATTRIBUTE, plan.log.fields);
    let mut record = Item { observation, direction, plan, message, attribute, fields };
    record.write_event();
    record.write_trace();
    record.write_attributes();
    record.write_sizes_and_times();
    record.write_proxy();
    record.write_headers();
}

impl Item<'_> {
    fn write_event(&mut self) {
        let observation = self.observation;
        self.message.fixed64(field::TIME, observation.began.0);
        self.message.fixed64(field::OBSERVED, observation.ended().0);
        if self.fields.contains(Field::Level) {
            let level = observation.level();
            self.message.varint(field::SEVERITY, severity(level));
            self.message.text(field::SEVERITY_TEXT, level.as_str().as_bytes());
        }
        if self.fields.contains(Field::Event) {
            self.message.message(field::BODY).text(1, b"http_request");
        }
    }

    fn write_trace(&mut self) {
        let observation = self.observation;
        let trace = observation.trace();
        if self.fields.contains(Field::TraceFlags) {
            self.message.fixed32(field::FLAGS, trace.flags.bits().into());
        }
        self.message.bytes(field::TRACE_ID, trace.trace_id.as_bytes());
        self.message.bytes(field::SPAN_ID, trace.span_id.as_bytes());
        if let Some(parent) = trace.parent {
            self.text(Field::ParentSpanId, "sightline.parent_span_id", &parent.to_hex());
        }
        if self.fields.contains(Field::Sampled) {
            let sampled = observation.exported != Exported::No;
            self.message.attribute_bool(self.attribute, "sightline.sampled", sampled);
        }
    }

    fn write_sizes_and_times(&mut self) {
        let observation = self.observation;
        let ending = &observation.ending;
        self.double(Field::Duration, "sightline.duration_ms", millis(observation.duration));
        if let Some(to_first_byte) = observation.to_first_byte {
            self.double(Field::ToFirstByte, "sightline.ttfb_ms", millis(to_first_byte));
        }
        for (field, key, bytes) in [
            (Field::RequestBytes, "http.request.body.size", ending.request_bytes),
            (Field::ResponseBytes, "http.response.body.size", ending.response_bytes),
        ] {
            if let Some(bytes) = bytes {
                self.int(field, key, bytes.cast_signed());
            }
        }
        if let Some(stream) = observation.stream() {
            self.text(Field::Stream, "sightline.stream", stream.as_str().as_bytes());
        }
        if observation.is_success()
            && let Some(ratio) = self.plan.log.success_ratio()
        {
            self.double(Field::SuccessRatio, "sightline.success_ratio", ratio.number);
        }
    }

    /// What the proxy has to say of it.
    fn write_proxy(&mut self) {
        let ending = &self.observation.ending;
        if let Some(upstream) = &ending.upstream {
            self.text(Field::Upstream, "sightline.upstream", upstream);
        }
        if !ending.flags.is_empty() {
            let mut names = Vec::new();
            ending.flags.write_names(&mut names);
            self.text(Field::Flags, "sightline.flags", &names);
        }
        if let Some(details) = &ending.details {
            self.text(Field::Details, "sightline.details", details);
        }
    }

    fn write_headers(&mut self) {
        for header in self.observation.captured {
            let head = match header.side {
                Side::Request => "http.request.header.",
                Side::Response => "http.response.header.",
            };
            let key = [head, header.name(self.plan)].concat();
            self.message.attribute_texts(self.attribute, &key, &header.value.shown());
        }
    }

    fn double(&mut self, field: Field, key: &str, value: f64) {
        if self.fields.contains(field) {
            self.message.attribute_double(self.attribute, key, value);
        }
    }
}

/// The number of `SeverityNumber`.
fn severity(level: Level) -> u64 {
    match level {
        Level::Info => 9,
        Level::Warning => 13,
        Level::Error => 17,
    }
}

/// Milliseconds with as many decimals as the line has.
#[expect(clippy::cast_precision_loss, reason = "microseconds of centuries fit")]
fn millis(duration: std::time::Duration) -> f64 {
    duration.as_micros() as f64 / 1e3
}

#[cfg(test)]
mod tests;
