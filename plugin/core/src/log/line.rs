//! The fields of the line, in their order.

use super::field::Field;
use super::writer::Writer;
use crate::config::{LogFormat, Side};
use crate::head::{Kept, LONGEST_PATH, LONGEST_VALUE};
use crate::{Exported, Observation, Plan, address};

/// Writes the line of a finished request behind what `out` holds, without a line break. What is not
/// known is left out.
#[inline]
pub fn write_line(observation: &Observation<'_>, plan: &Plan, out: &mut Vec<u8>) {
    let mut line = Writer::begin(plan.log.format, plan.log.fields, out);
    line.written(Field::Timestamp, &mut |out| observation.began.write_rfc3339(out));
    line.raw(plan.log.front(observation.level()));
    write_identity(observation, &mut line);
    write_request(observation, &mut line);
    write_outcome(observation, &mut line);
    write_transport(observation, plan, &mut line);
    line.raw(&plan.log.place);
    write_headers(observation, plan, &mut line);
    write_baggage(observation, plan, &mut line);
    if observation.is_success()
        && let Some(ratio) = plan.log.success_ratio()
    {
        line.bare(Field::SuccessRatio, ratio.text.as_bytes());
    }
    line.end();
}

#[inline]
fn write_identity(observation: &Observation<'_>, line: &mut Writer<'_>) {
    let trace = observation.trace();
    line.text(Field::RequestId, observation.request_id.as_bytes(), LONGEST_VALUE, false);
    line.word(Field::TraceId, &trace.trace_id.to_hex());
    line.word(Field::SpanId, &trace.span_id.to_hex());
    if let Some(parent) = trace.parent {
        line.word(Field::ParentSpanId, &parent.to_hex());
    }
    line.word(Field::TraceFlags, &trace.flags.to_hex());
    let sampled = observation.exported != Exported::No;
    line.bare(Field::Sampled, if sampled { b"true" } else { b"false" });
}

#[inline]
fn write_request(observation: &Observation<'_>, line: &mut Writer<'_>) {
    let head = observation.head;
    write_kept(Field::Method, &head.method, LONGEST_VALUE, line);
    write_kept(Field::Scheme, &head.scheme, LONGEST_VALUE, line);
    if line.format == LogFormat::Ecs {
        write_domain(&head.host, line);
    } else {
        write_kept(Field::Host, &head.host, LONGEST_VALUE, line);
    }
    write_kept(Field::Path, &head.path, LONGEST_PATH, line);
    write_kept(Field::Query, &head.query, LONGEST_PATH, line);
    line.text(Field::Route, observation.route.name.as_bytes(), LONGEST_VALUE, false);
    line.word(Field::RouteSource, observation.route.source.as_str().as_bytes());
}

/// ECS has the port in a field of its own.
fn write_domain(host: &Kept, line: &mut Writer<'_>) {
    let (domain, port) = address::split_port(&host.bytes);
    if !domain.is_empty() {
        line.text(Field::Host, domain, LONGEST_VALUE, host.cut);
    }
    if let Some(port) = port {
        line.number_beside(Field::Host, br#","url.port":"#, port.into());
    }
}

#[inline]
fn write_outcome(observation: &Observation<'_>, line: &mut Writer<'_>) {
    line.number(Field::Status, observation.status().unwrap_or(0).into());
    if let Some(error) = observation.error_type() {
        line.word(Field::ErrorType, error.text(&mut [0; 3]).as_bytes());
    }
    if line.format == LogFormat::Ecs {
        line.number(
            Field::Duration,
            u64::try_from(observation.duration.as_nanos()).unwrap_or(u64::MAX),
        );
    } else {
        line.millis(Field::Duration, observation.duration);
    }
    if let Some(to_first_byte) = observation.to_first_byte {
        line.millis(Field::ToFirstByte, to_first_byte);
    }
    if let Some(stream) = observation.stream() {
        line.word(Field::Stream, stream.as_str().as_bytes());
    }
    if let Some(status) = observation.grpc_status() {
        line.number(Field::GrpcStatus, status.into());
    }
}

#[inline]
fn write_transport(observation: &Observation<'_>, plan: &Plan, line: &mut Writer<'_>) {
    let ending = &observation.ending;
    if let Some(bytes) = ending.request_bytes {
        line.number(Field::RequestBytes, bytes);
    }
    if let Some(bytes) = ending.response_bytes {
        line.number(Field::ResponseBytes, bytes);
    }
    if let Some(protocol) = &ending.protocol {
        let version = protocol.strip_prefix(b"HTTP/").filter(|_| line.format == LogFormat::Ecs);
        line.text(Field::Protocol, version.unwrap_or(protocol), LONGEST_VALUE, false);
    }
    if let Some(client) = observation.client(plan) {
        line.written(Field::ClientIp, &mut |out| address::write(client, out));
    }
    write_kept(Field::UserAgent, &observation.head.user_agent, LONGEST_VALUE, line);
    if let Some(upstream) = &ending.upstream {
        line.text(Field::Upstream, upstream, LONGEST_VALUE, false);
    }
    if !ending.flags.is_empty() {
        line.written(Field::Flags, &mut |out| ending.flags.write_names(out));
    }
    if let Some(details) = &ending.details {
        line.text(Field::Details, details, LONGEST_VALUE, false);
    }
}

fn write_headers(observation: &Observation<'_>, plan: &Plan, line: &mut Writer<'_>) {
    if observation.captured.is_empty() || !line.open(Field::Headers) {
        return;
    }
    for side in [Side::Request, Side::Response] {
        let mut captured = observation.captured.iter().filter(|it| it.side == side).peekable();
        if captured.peek().is_none() {
            continue;
        }
        line.open_group(side.as_str());
        for header in captured {
            let path = ["headers", side.as_str()];
            line.entry(&path, header.name(plan), &header.value.bytes, header.value.cut);
        }
        line.close();
    }
    line.close();
}

fn write_baggage(observation: &Observation<'_>, plan: &Plan, line: &mut Writer<'_>) {
    let baggage = &observation.head.baggage;
    if baggage.is_empty() || !line.open(Field::Baggage) {
        return;
    }
    for (number, value) in baggage {
        if let Some(key) = plan.trace.baggage.get(*number) {
            line.entry(&["baggage"], key, value, false);
        }
    }
    line.close();
}

#[inline]
fn write_kept(field: Field, value: &Kept, longest: usize, line: &mut Writer<'_>) {
    if !value.bytes.is_empty() {
        line.text(field, &value.bytes, longest, value.cut);
    }
}

#[cfg(test)]
mod tests;
