//! The fields of the line, in their order.

use super::json::Object;
use crate::head::{Kept, LONGEST_PATH, LONGEST_VALUE};
use crate::{Exported, Observation, Outcome, Plan};

/// Writes the line of a finished request behind what `out` holds, without a line break. What is not
/// known is left out.
#[inline]
pub fn write_line(observation: &Observation<'_>, plan: &Plan, out: &mut Vec<u8>) {
    let mut line = Object::begin(out);
    line.time("timestamp", observation.began);
    line.plain("level", level(observation.outcome()).as_bytes());
    line.plain("event", b"http_request");
    line.text("service", plan.service.as_bytes(), LONGEST_VALUE, false);
    write_identity(observation, &mut line);
    write_request(observation, &mut line);
    line.text("route", observation.route.name.as_bytes(), LONGEST_VALUE, false);
    line.plain("route_source", observation.route.source.as_str().as_bytes());
    line.number("status", observation.status().unwrap_or(0).into());
    if let Some(error) = observation.error_type() {
        line.plain("error_type", error.text(&mut [0; 3]).as_bytes());
    }
    line.millis("duration_ms", observation.duration);
    if let Some(to_first_byte) = observation.to_first_byte {
        line.millis("ttfb_ms", to_first_byte);
    }
    if let Some(stream) = observation.stream() {
        line.plain("stream", stream.as_str().as_bytes());
    }
    if let Some(status) = observation.grpc_status() {
        line.number("grpc_status", status.into());
    }
    write_kept("user_agent", &observation.head.user_agent, LONGEST_VALUE, &mut line);
    write_baggage(observation, plan, &mut line);
    line.end();
}

fn write_identity(observation: &Observation<'_>, line: &mut Object<'_>) {
    let trace = observation.trace();
    line.text("request_id", observation.request_id.as_bytes(), LONGEST_VALUE, false);
    line.plain("trace_id", &trace.trace_id.to_hex());
    line.plain("span_id", &trace.span_id.to_hex());
    if let Some(parent) = trace.parent {
        line.plain("parent_span_id", &parent.to_hex());
    }
    line.plain("trace_flags", &trace.flags.to_hex());
    line.boolean("sampled", observation.exported != Exported::No);
}

fn write_request(observation: &Observation<'_>, line: &mut Object<'_>) {
    let head = observation.head;
    write_kept("method", &head.method, LONGEST_VALUE, line);
    write_kept("scheme", &head.scheme, LONGEST_VALUE, line);
    write_kept("host", &head.host, LONGEST_VALUE, line);
    write_kept("path", &head.path, LONGEST_PATH, line);
    write_kept("query", &head.query, LONGEST_PATH, line);
}

fn write_baggage(observation: &Observation<'_>, plan: &Plan, line: &mut Object<'_>) {
    let baggage = &observation.head.baggage;
    if baggage.is_empty() {
        return;
    }
    line.object("baggage", |object| {
        for (number, value) in baggage {
            if let Some(key) = plan.trace.baggage.get(*number) {
                object.text(key, value, LONGEST_VALUE, false);
            }
        }
    });
}

fn write_kept(name: &str, value: &Kept, longest: usize, line: &mut Object<'_>) {
    if !value.bytes.is_empty() {
        line.text(name, &value.bytes, longest, value.cut);
    }
}

fn level(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Success => "info",
        Outcome::ClientError => "warning",
        Outcome::Failure => "error",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ending::tests::Nothing;
    use crate::route::{Route, Scratch, Source};
    use crate::sampling::Budget;
    use crate::{Exchange, Moment, Monotonic, Place, Rng, Tracing, Wall, config};

    const NOW: Moment = Moment { wall: Wall(1_800_000_000_123_456_789), monotonic: Monotonic(0) };

    fn line(pairs: &[(&[u8], &[u8])], status: Option<&[u8]>) -> String {
        let settings = config::read(br#"{"service": {"name": "shop"}}"#).unwrap();
        let plan = Plan::new(&settings, &Place::default());
        let mut rng = Rng::from_seed([3; 32]);
        let mut scratch = Scratch::default();
        let mut exchange = Exchange::begin(
            pairs.iter().copied(),
            NOW,
            &mut rng,
            &mut scratch,
            &plan,
            Tracing::Own,
        );
        if let Some(status) = status {
            exchange.respond(
                [(b":status".as_slice(), status)].into_iter(),
                Monotonic(1_500_000),
                &plan,
            );
        }
        let mut out = Vec::new();
        let route = Route { name: "/users/{int}", source: Source::Typed };
        let now = Monotonic(2_000_999);
        let observation = exchange.finish(now, route, &plan, &mut Budget::default(), &Nothing);
        write_line(&observation, &plan, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_whole_line() {
        let line = line(
            &[
                (b":method", b"GET"),
                (b":scheme", b"http"),
                (b":authority", b"shop.test"),
                (b":path", b"/users/7?token=secret"),
                (b"user-agent", b"curl/8"),
                (b"x-request-id", b"abc"),
                (b"traceparent", b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
            ],
            Some(b"200"),
        );
        insta::assert_snapshot!(line, @r#"{"timestamp":"2027-01-15T08:00:00.123456Z","level":"info","event":"http_request","service":"shop","request_id":"abc","trace_id":"4bf92f3577b34da6a3ce929d0e0e4736","span_id":"0606060606060606","parent_span_id":"00f067aa0ba902b7","trace_flags":"01","sampled":false,"method":"GET","scheme":"http","host":"shop.test","path":"/users/7","query":"token=REDACTED","route":"/users/{int}","route_source":"typed","status":200,"duration_ms":2.000,"ttfb_ms":1.500,"user_agent":"curl/8"}"#);
    }

    #[test]
    fn nothing_was_reached_and_nothing_was_known() {
        insta::assert_snapshot!(line(&[], None), @r#"{"timestamp":"2027-01-15T08:00:00.123456Z","level":"error","event":"http_request","service":"shop","request_id":"06060606-0606-4606-8484-848484848484","trace_id":"3030303030303030fffffffcfc7f9999","span_id":"17d7e42424246463","trace_flags":"03","sampled":false,"route":"/users/{int}","route_source":"typed","status":0,"error_type":"_OTHER","duration_ms":2.000}"#);
    }

    #[test]
    fn levels_follow_the_status() {
        for (status, level) in [("200", "info"), ("404", "warning"), ("503", "error")] {
            let line = line(&[], Some(status.as_bytes()));
            assert!(line.contains(&format!(r#""level":"{level}""#)), "{line}");
        }
    }

    #[test]
    fn hostile_bytes_stay_inside_their_field() {
        let line =
            line(&[(b":path", b"/\xff\"\n{}"), (b"user-agent", b"\x1b[2J\xe2\x80\xae")], None);
        let parsed: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(parsed["path"], "/\u{fffd}\"\n{}");
        assert!(!line.contains(['\n', '\x1b', '\u{202e}']), "{line:?}");
    }
}
