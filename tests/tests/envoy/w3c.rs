//! W3C Trace Context, level 2, from end to end: through an inbound listener into an app that only passes
//! headers on, and through an outbound listener to whom it calls. The tables say what must come out there.
//!
//! The parsers by themselves are tested in the core; here it is what Envoy and the filter make of them.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};

use serde_json::{Value, json};
use sightline_tests::{Answer, Configuration, Message, Proxy, Request, Upstream, outbound};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const CALLER: &str = "00f067aa0ba902b7";
const VALID: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// What becomes of the caller's trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trace {
    /// It goes on.
    Joined,
    /// Nothing of it is left.
    Started,
}
use Trace::{Joined, Started};

/// Somebody who is called by an app, with Envoy before and behind the app.
struct Service {
    proxy: Proxy,
    app: Upstream,
    called: Upstream,
}

/// A traceparent, taken apart.
#[derive(Debug, PartialEq, Eq)]
struct Parts {
    trace: String,
    span: String,
    flags: String,
}

impl Service {
    /// The app makes so many calls for each request.
    fn calling(calls: usize) -> Self {
        let called = Upstream::answering(|_| Answer::new(200).body("hi"));
        let whom = Arc::new(OnceLock::<SocketAddr>::new());
        let app = Upstream::calling(calls, &["traceparent", "tracestate", "baggage"], {
            let whom = Arc::clone(&whom);
            move || *whom.get().expect("requests come after the proxy has started")
        });
        let proxy = Proxy::start(|bootstrap| {
            outbound(bootstrap.upstream(app.address()), called.address(), |bootstrap| {
                bootstrap.configuration(service("shop-out"))
            })
        });
        whom.set(proxy.outbound_address()).expect("nobody else sets it");
        Self { proxy, app, called }
    }

    /// What those who were called saw of one request, in order.
    fn pass(&self, fields: &[(&str, &str)]) -> Vec<Message> {
        let before = self.called.requests().len();
        let request = fields
            .iter()
            .fold(Request::get("/"), |request, (name, value)| request.field(name, value));
        assert_eq!(self.proxy.send(&request).status(), 200, "{fields:?}");
        self.called.requests().split_off(before)
    }

    /// The same where there is one call, which must have a parent of its own.
    fn pass_one(&self, name: &str, fields: &[(&str, &str)]) -> (Parts, Message) {
        let mut calls = self.pass(fields);
        let call = calls.pop().unwrap();
        let parts = Parts::of(&call);
        let app = Parts::of(self.app.requests().last().unwrap());
        assert_eq!(parts.trace, app.trace, "{name}: one trace on both sides of the app");
        let spans = BTreeSet::from([CALLER, &app.span, &parts.span]);
        assert_eq!(spans.len(), 3, "{name}: caller, server and client are three: {spans:?}");
        (parts, call)
    }
}

impl Parts {
    /// Of the only traceparent of a message, which must be a good one.
    fn of(message: &Message) -> Self {
        let values = texts(message, "traceparent");
        let [value] = values.as_slice() else { panic!("not one traceparent: {values:?}") };
        let parts: Vec<_> = value.split('-').collect();
        let ["00", trace, span, flags] = parts[..] else { panic!("not version 00: {value}") };
        for (part, length) in [(trace, 32), (span, 16), (flags, 2)] {
            let is_hex = part.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
            assert!(is_hex && part.len() == length, "{value}");
        }
        assert!(trace.contains(|it| it != '0') && span.contains(|it| it != '0'), "{value}");
        Self { trace: trace.to_owned(), span: span.to_owned(), flags: flags.to_owned() }
    }
}

fn service(name: &str) -> Configuration {
    Configuration::Struct(json!({"service": {"name": name}}))
}

fn texts(message: &Message, name: &str) -> Vec<String> {
    message.all(name).iter().map(|it| String::from_utf8_lossy(it).into_owned()).collect()
}

/// The tracestate as whoever receives it must read it: all its headers in order, without white space
/// around members, without empty ones, each key once. Our own member is not the subject here.
fn foreign_state(message: &Message) -> String {
    let joined = texts(message, "tracestate").join(",");
    let mut keys = BTreeSet::new();
    let members = joined.split(',').map(|member| member.trim_matches([' ', '\t']));
    let members = members.filter(|member| !member.is_empty() && !member.starts_with("ot="));
    let first = members.filter(|member| keys.insert(member.split('=').next()));
    first.collect::<Vec<_>>().join(",")
}

#[test]
fn a_traceparent_is_joined_or_replaced_as_its_rules_say() {
    let service = Service::calling(1);
    // T stands for the trace and S for the span.
    let rows: &[(&str, Trace, &[&str])] = &[
        ("none", Started, &[]),
        ("a good one", Joined, &["00-T-S-01"]),
        ("white space around it", Joined, &["\t 00-T-S-01 \t"]),
        ("twice the same", Started, &["00-T-S-01", "00-T-S-01"]),
        ("a good one and an empty one", Started, &["00-T-S-01", ""]),
        ("empty", Started, &[""]),
        ("a later version", Joined, &["cc-T-S-01"]),
        ("more behind a dash", Joined, &["cc-T-S-01-more"]),
        ("no more behind a dash", Joined, &["cc-T-S-01-"]),
        ("more behind a full stop", Started, &["cc-T-S-01.more"]),
        ("version 00 with more", Started, &["00-T-S-01-more"]),
        ("version 00 with a full stop", Started, &["00-T-S-01."]),
        ("the version that is forbidden", Started, &["ff-T-S-01"]),
        ("a version that begins badly", Started, &[".0-T-S-01"]),
        ("a version that ends badly", Started, &["0.-T-S-01"]),
        ("a version of three", Started, &["000-T-S-01"]),
        ("a version of four", Started, &["0000-T-S-01"]),
        ("a version of one", Started, &["0-T-S-01"]),
        ("a trace of zeros", Started, &["00-00000000000000000000000000000000-S-01"]),
        ("a trace that begins badly", Started, &["00-.bf92f3577b34da6a3ce929d0e0e4736-S-01"]),
        ("a trace that ends badly", Started, &["00-4bf92f3577b34da6a3ce929d0e0e473.-S-01"]),
        ("a trace in upper case", Started, &["00-4BF92F3577B34DA6A3CE929D0E0E4736-S-01"]),
        ("a long trace", Started, &["00-T1-S-01"]),
        ("a short trace", Started, &["00-4bf92f3577b34da6a3ce929d0e0e473-S-01"]),
        ("a span of zeros", Started, &["00-T-0000000000000000-01"]),
        ("a span that begins badly", Started, &["00-T-.0f067aa0ba902b7-01"]),
        ("a span that ends badly", Started, &["00-T-00f067aa0ba902b.-01"]),
        ("a long span", Started, &["00-T-S1-01"]),
        ("a short span", Started, &["00-T-00f067aa0ba902b-01"]),
        ("flags that begin badly", Started, &["00-T-S-.0"]),
        ("flags that end badly", Started, &["00-T-S-0."]),
        ("long flags", Started, &["00-T-S-001"]),
        ("short flags", Started, &["00-T-S-1"]),
    ];
    for &(name, expected, values) in rows {
        let values = values.iter().map(|it| it.replace('T', TRACE).replace('S', CALLER));
        let values: Vec<_> = values.collect();
        // A tracestate beside it lives and dies with it.
        let state = ("tracestate", "a=1,b=2");
        let fields = values.iter().map(|value| ("traceparent", value.as_str())).chain([state]);
        let (parts, call) = service.pass_one(name, &fields.collect::<Vec<_>>());
        let kept = match expected {
            Joined => parts.trace == TRACE,
            // Nor is a part of it taken over.
            Started => !parts.trace.contains(&TRACE[1..31]),
        };
        assert!(kept, "{name}: {parts:?}");
        let state = if expected == Joined { "a=1,b=2" } else { "" };
        assert_eq!(foreign_state(&call), state, "{name}");
    }
}

#[test]
fn of_two_that_differ_neither_is_joined() {
    let service = Service::calling(1);
    let other = VALID.replace(TRACE, &TRACE.replace('4', "5"));
    for pair in [[VALID, &other], [&other, VALID]] {
        let (parts, _) = service.pass_one("two", &pair.map(|value| ("traceparent", value)));
        assert!(pair.iter().all(|value| !value.contains(&parts.trace)), "{parts:?}");
    }
}

#[test]
fn the_header_is_known_by_its_name_in_any_case_and_by_no_other() {
    let service = Service::calling(1);
    for (parent, state, trace, members) in [
        ("TraceParent", "TraceState", Joined, "a=1"),
        ("TRACEPARENT", "TRACESTATE", Joined, "a=1"),
        ("traceparent", "tracestate", Joined, "a=1"),
        ("traceparent", "trace-state", Joined, ""),
        ("traceparent", "trace.state", Joined, ""),
        ("trace-parent", "tracestate", Started, ""),
        ("trace.parent", "tracestate", Started, ""),
    ] {
        let name = format!("{parent} and {state}");
        let (parts, call) = service.pass_one(&name, &[(parent, VALID), (state, "a=1")]);
        assert_eq!(parts.trace == TRACE, trace == Joined, "{name}: {parts:?}");
        assert_eq!(foreign_state(&call), members, "{name}");
    }
}

#[test]
fn of_the_flags_those_two_pass_that_have_a_meaning() {
    let service = Service::calling(1);
    for (inbound, expected) in
        [("00", "00"), ("01", "01"), ("02", "02"), ("03", "03"), ("fd", "01")]
    {
        let value = format!("00-{TRACE}-{CALLER}-{inbound}");
        let (parts, _) = service.pass_one(inbound, &[("traceparent", &value)]);
        assert_eq!((parts.trace.as_str(), parts.flags.as_str()), (TRACE, expected), "{inbound}");
    }
}

#[test]
fn a_tracestate_keeps_its_members_in_order_or_goes_as_a_whole() {
    let service = Service::calling(1);
    let numbered = |from, to| {
        (from..=to).map(|number| format!("k{number}={number}")).collect::<Vec<_>>().join(",")
    };
    let all_of_keys = "0abcdefghijklmnopqrstuvwxyz0123456789_-*/@";
    let all_of_values: String = (' '..='~').filter(|byte| !matches!(byte, ',' | '=')).collect();
    let every_character = format!("{all_of_keys}={all_of_values}");
    let long = |key: usize, value: usize| format!("{}={}", "k".repeat(key), "v".repeat(value));
    let half = numbered(1, 16);
    let rows: Vec<(&str, Vec<String>, String)> = [
        ("two members", vec!["a=1,b=2"], "a=1,b=2"),
        ("not by their names", vec!["z=1,a=2,m=3"], "z=1,a=2,m=3"),
        ("several headers", vec!["a=1,b=2", "c=3", "d=4,e=5"], "a=1,b=2,c=3,d=4,e=5"),
        ("white space around members", vec!["a=1 \t , \t b=2,\tc=3"], "a=1,b=2,c=3"),
        ("white space around all", vec!["\t a=1 \t"], "a=1"),
        ("a space in front of a value", vec!["a= 1,b=2"], "a= 1,b=2"),
        ("an empty header", vec![""], ""),
        ("empty headers around", vec!["", "a=1", ""], "a=1"),
        ("empty members", vec!["a=1,, \t,b=2,"], "a=1,b=2"),
        ("a key twice, the first of which counts", vec!["a=1,b=2,a=3"], "a=1,b=2"),
        ("a key twice, in two headers", vec!["a=1", "a=1,b=2"], "a=1,b=2"),
        ("a key of digits", vec!["1a=1,b=2"], "1a=1,b=2"),
        ("a tenant of a system", vec!["t@s=1,b=2"], "t@s=1,b=2"),
        ("at signs anywhere but in front", vec!["a@=1,a@@b=2,a@b@c=3"], "a@=1,a@@b=2,a@b@c=3"),
        ("an at sign in front", vec!["@a=1,b=2"], ""),
        ("an upper-case key", vec!["A=1,b=2"], ""),
        ("a full stop in a key", vec!["a.b=1,b=2"], ""),
        ("a space behind a key", vec!["a =1,b=2"], ""),
        ("an underscore in front", vec!["_a=1,b=2"], ""),
        ("no key", vec!["=1,b=2"], ""),
        ("no value", vec!["a=,b=2"], ""),
        ("no equals sign", vec!["a,b=2"], ""),
        ("two equals signs", vec!["a=1=2,b=2"], ""),
        ("a tab in a value", vec!["a=1\t2,b=2"], ""),
        ("one bad header of two", vec!["a=1", "B=2"], ""),
    ]
    .map(|(name, values, state)| {
        (name, values.into_iter().map(str::to_owned).collect(), state.to_owned())
    })
    .into_iter()
    .chain([
        ("every character", vec![every_character.clone()], every_character),
        ("the longest key and value", vec![long(256, 256)], long(256, 256)),
        ("a longer key", vec!["a=1".to_owned(), long(257, 1)], String::new()),
        ("a longer value", vec!["a=1".to_owned(), long(1, 257)], String::new()),
        ("32 members", vec![half.clone(), numbered(17, 32)], numbered(1, 32)),
        ("33 members", vec![half, numbered(17, 33)], String::new()),
        ("not ASCII", vec!["a=ä,b=2".to_owned()], String::new()),
    ])
    .collect();
    let wrong = rows.iter().filter_map(|(name, values, expected)| {
        let states = values.iter().map(|value| ("tracestate", value.as_str()));
        let fields: Vec<_> = [("traceparent", VALID)].into_iter().chain(states).collect();
        let (parts, call) = service.pass_one(name, &fields);
        assert_eq!(parts.trace, TRACE, "{name}: a tracestate never costs the trace");
        let state = foreign_state(&call);
        (state != *expected).then(|| format!("{name}: `{state}` is not `{expected}`"))
    });
    assert_eq!(wrong.collect::<Vec<_>>(), [""; 0]);
}

#[test]
fn baggage_passes_as_it_came() {
    let service = Service::calling(1);
    let (good, bad) = ("tenant = acme ;kind=x, user=%C3%A4", "=, ;;");
    let (_, call) =
        service.pass_one("baggage", &[("baggage", good), ("traceparent", "no"), ("baggage", bad)]);
    assert_eq!(texts(&call, "baggage").join(","), format!("{good},{bad}"));
}

#[test]
fn each_call_of_one_request_has_a_parent_of_its_own() {
    let service = Service::calling(3);
    let rows: [(&str, &[(&str, &str)]); 3] = [
        ("a good one", &[("traceparent", VALID)]),
        ("none", &[]),
        (
            "a bad one",
            &[("traceparent", "00-00000000000000000000000000000000-00f067aa0ba902b7-01")],
        ),
    ];
    for (name, fields) in rows {
        let calls: Vec<_> = service.pass(fields).iter().map(Parts::of).collect();
        let app = Parts::of(service.app.requests().last().unwrap());
        let parents: BTreeSet<_> =
            calls.iter().map(|call| call.span.as_str()).chain([CALLER, &app.span]).collect();
        assert_eq!((calls.len(), parents.len()), (3, 5), "{name}: {calls:?}");
        assert!(calls.iter().all(|call| call.trace == app.trace), "{name}: {calls:?}");
    }
}

#[test]
fn the_lines_of_both_listeners_tell_the_same_story() {
    let service = Service::calling(2);
    let calls: Vec<_> = service.pass(&[("traceparent", VALID)]).iter().map(Parts::of).collect();
    let app = Parts::of(&service.app.request());
    let line_of = |span: &str| {
        let line = service.proxy.line_where("the line of a span", |line| line["span_id"] == span);
        assert_eq!(line["trace_id"], TRACE, "{line}");
        line
    };
    let server = line_of(&app.span);
    assert_eq!((&server["parent_span_id"], &server["path"]), (&json!(CALLER), &json!("/")));
    for (number, call) in calls.iter().enumerate() {
        let client = line_of(&call.span);
        let told = [&client["parent_span_id"], &client["path"], &client["service"]];
        let expected =
            [Value::from(app.span.as_str()), json!(format!("/call/{number}")), json!("shop-out")];
        assert_eq!(told, expected.each_ref(), "{client}");
    }
}
