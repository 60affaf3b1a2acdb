//! Whole spans, read back from their bytes and compared as text.

mod case;

use proptest::prelude::*;

use self::case::{Case, texts};
use crate::otlp::protobuf::varint_length;
use crate::route::{Route, Source};

const CALLER: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const USERS: Route<'_> = Route { name: "/users/{id}", source: Source::Template };

/// An upstream that answers from a template, over HTTP/1.1, to a client at an address.
fn get(path: &str) -> Case<'static> {
    Case::new("GET", path).with("user-agent", "curl/8").with("x-request-id", "abc").on(USERS)
}

fn grpc(code: Option<u32>) -> Case<'static> {
    let case = Case::new("POST", "/shop.Cart/Add").with("content-type", "application/grpc+proto");
    let case = case.with("x-request-id", "abc").status("200").protocol("HTTP/2");
    case.grpc_status(code).on(Route { name: "/shop.Cart/Add", source: Source::Learned })
}

/// All of a table in one text, each under its name.
fn shown<const N: usize>(table: [(&str, Case<'_>); N]) -> String {
    let spans = table.map(|(name, case)| format!("--- {name}\n{}", case.shown()));
    spans.concat()
}

#[test]
fn a_server_says_all_that_it_knows() {
    let forwarded = get("/users/7?a=b&token=x&c=d")
        .with("x-forwarded-for", "192.0.2.9, 198.51.100.7")
        .with("x-forwarded-host", "shop.example:8443, inner")
        .with("traceparent", CALLER)
        .with("tracestate", "vendor=1");
    insta::assert_snapshot!(shown([
        ("plain", get("/users/7").status("200")),
        ("forwarded, and joined to a trace", forwarded.status("201")),
        ("an address in IPv6", get("/users/7").host("[2001:db8::1]:8080").status("200")),
        ("HTTP/2, over TLS", get("/users/7").scheme("https").protocol("HTTP/2").status("200")),
        ("nothing but what a host must say", Case::bare("GET").on(Route::UNMATCHED)),
    ]));
}

#[test]
fn what_became_of_a_request_is_told_apart() {
    insta::assert_snapshot!(outcomes(|case| case));
}

#[test]
fn for_a_client_a_4xx_is_an_error_too() {
    insta::assert_snapshot!(outcomes(Case::outbound));
}

/// Only what differs: the status, its cause, and whether the span is an error.
fn outcomes(turn: impl Fn(Case<'static>) -> Case<'static>) -> String {
    let (status, flag) = (|status| get("/").status(status), |bit: u32| get("/").flags(1 << bit));
    let table = [
        ("200", status("200")),
        ("302", status("302")),
        ("101", status("101")),
        ("404", status("404")),
        ("499", status("499")),
        ("500", status("500")),
        ("999", status("999")),
        ("a status that is none", status("nonsense")),
        ("no response, and no reason", get("/")),
        ("503, nobody healthy", flag(1).status("503")),
        ("504, upstream timeout", flag(2).status("504")),
        ("503, reset by the upstream", flag(4).status("503")),
        ("503, no connection", flag(5).status("503")),
        ("200, cut short by the upstream", flag(6).status("200")),
        ("200, idle for too long", flag(16).status("200")),
        ("404, no route", flag(8).status("404")),
        ("403, refused by an authority", flag(12).status("403")),
        ("429, rate limited", flag(11).status("429")),
        ("418, fault injected", flag(10).status("418")),
        ("client gone before the answer", flag(14)),
        ("client gone within the answer", flag(14).status("200")),
        ("client gone from an upgrade", flag(14).status("101")),
        (
            "client gone from events",
            flag(14).status("200").answering("content-type", "text/event-stream"),
        ),
        ("client gone from a gRPC call", grpc(None).flags(1 << 14)),
        ("gRPC OK", grpc(Some(0))),
        ("gRPC NOT_FOUND", grpc(Some(5))),
        ("gRPC UNAVAILABLE", grpc(Some(14))),
        ("gRPC, a code that there is not", grpc(Some(4_711))),
        ("gRPC UNAVAILABLE by the proxy", grpc(Some(14)).flags(1 << 5)),
        ("gRPC, no status", grpc(None)),
        ("a grpc-status on what is no gRPC", status("200").grpc_status(Some(14))),
    ];
    let row = |(name, case): (&str, Case<'static>)| {
        let span = turn(case).shown();
        let told = ["http.response.status_code", "rpc.response", "error.type", "status "];
        let is_told = |line: &&str| told.iter().any(|told| line.starts_with(told));
        let lines: Vec<_> = span.lines().filter(is_told).collect();
        format!("{name}: {}\n", lines.join(", "))
    };
    table.into_iter().map(row).collect()
}

#[test]
fn a_name_has_only_words_that_are_bounded() {
    let inferred = |source| Route { name: "/users/{int}", source };
    for (name, case, expected) in [
        ("a template", get("/users/7"), "GET /users/{id}"),
        ("typed", get("/users/7").on(inferred(Source::Typed)), "GET /users/{int}"),
        ("learned", get("/users/7").on(inferred(Source::Learned)), "GET /users/{int}"),
        ("unmatched", get("/users/7").on(Route::UNMATCHED), "GET"),
        ("past the limit", get("/users/7").on(Route::OVERFLOW), "GET"),
        ("another method", Case::new("BREW", "/pot").on(USERS), "HTTP /users/{id}"),
        ("another, unmatched", Case::new("BREW", "/pot").on(Route::UNMATCHED), "HTTP"),
        ("in lower case", Case::new("get", "/users/7").on(Route::UNMATCHED), "HTTP"),
        ("no method", Case::bare("").on(Route::UNMATCHED), "HTTP"),
        ("gRPC", grpc(Some(0)), "POST /shop.Cart/Add"),
        ("gRPC, unmatched", grpc(Some(12)).on(Route::UNMATCHED), "POST"),
    ] {
        for (kind, case) in [("SERVER", case.clone()), ("CLIENT", case.outbound())] {
            let span = case.shown();
            assert_eq!(span.lines().next(), Some(format!("{kind} {expected}").as_str()), "{name}");
            let has_route = ["http.route = ", "url.template = "].iter().any(|it| span.contains(it));
            assert_eq!(has_route, expected.contains('/'), "{name}: {span}");
        }
    }
}

#[test]
fn methods_of_ones_own_are_told_where_nobody_groups_by_them() {
    for (method, original) in
        [("GET", None), ("BREW", Some("BREW")), ("get", Some("get")), ("", None)]
    {
        let span = Case::bare(method).on(Route::UNMATCHED).shown();
        let told =
            span.lines().find_map(|line| line.strip_prefix("http.request.method_original = "));
        assert_eq!(told, original.map(|it| format!("{it:?}")).as_deref(), "{method}");
    }
}

#[test]
fn a_client_says_where_it_went() {
    let to = |scheme, host| get("/users/7?token=x&a=b").outbound().scheme(scheme).host(host);
    insta::assert_snapshot!(shown([
        ("plain", to("http", "shop.test").status("200")),
        ("a port", to("http", "shop.test:8080").status("200")),
        ("TLS", to("https", "shop.test").status("404")),
        ("a password", to("https", "me:hunter2@shop.test").status("200")),
        ("IPv6", to("http", "[2001:db8::1]").status("503")),
        (
            "forwarded, which says who asked us",
            to("http", "shop.test").with("x-forwarded-host", "a.test").status("200")
        ),
    ]));
}

#[test]
fn a_grpc_call_is_one_of_rpc_too() {
    insta::assert_snapshot!(shown([
        ("served", grpc(Some(0))),
        ("failed", grpc(Some(14))),
        ("of a client", grpc(Some(5)).outbound()),
    ]));
}

#[test]
fn what_is_ours_is_marked_so() {
    let restart = r#""trace": {"inbound": "restart"}"#;
    let baggage = r#""trace": {"baggage": ["tenant", "plan"]}"#;
    let called = || get("/users/7").status("200").with("traceparent", CALLER);
    let unsampled = CALLER.replace("-01", "-00");
    let kept = || get("/users/7").with("traceparent", &unsampled).status("500");
    insta::assert_snapshot!(shown([
        ("a trace restarted", called().said(restart).with("tracestate", "vendor=1")),
        ("restarted, the caller's state invalid", called().said(restart).with("tracestate", "a=")),
        (
            "baggage that is asked for",
            get("/").status("200").said(baggage).with("baggage", "secret=x, tenant=acme%20co;p=1")
        ),
        ("kept by rule", kept().with("tracestate", "vendor=1,ot=rv:6e6d1a75832a2f;th:8")),
        ("kept by rule, and nothing else in its state", kept().with("tracestate", "ot=th:ffff")),
    ]));
}

#[test]
fn secrets_are_not_in_a_span() {
    let said = r#""routes": {"templates": [{"path": "/reset/{token}", "secret": ["token"]}]},
        "trace": {"baggage": ["tenant"]}"#;
    let authority = format!("{}hunter2:hunter2@shop.test", "hunter2".repeat(150));
    let long = format!("/reset/hunter2{}", "hunter2".repeat(500));
    let table = [
        ("the query", get("/a?TOKEN=hunter2&%74oken=hunter2;Sig=hunter2&x-amz-signature=hunter2")),
        ("behind what is cut", get(&format!("/a?b={}&token=hunter2", "x".repeat(2_040)))),
        ("a parameter of the route", get("/reset/hunter2?password=hunter2")),
        ("one that is cut", get(&long)),
        ("a gRPC call", grpc(Some(0)).path("/reset/hunter2")),
        ("headers", get("/").with("authorization", "hunter2").with("cookie", "a=hunter2")),
        ("baggage", get("/").with("baggage", "other=hunter2,tenant=a;p=hunter2")),
        ("an authority", get("/").host("hunter2:hunter2@shop.test")),
        ("an authority that is cut", get("/").host(&authority)),
        ("a forwarded host", get("/").with("x-forwarded-host", "hunter2@shop.test")),
        ("a forwarded host that is cut", get("/").with("x-forwarded-host", &authority)),
    ];
    for (name, case) in table {
        for case in [case.clone(), case.outbound()] {
            let span = case.said(said).status("200").shown();
            assert!(!span.contains("hunter2"), "{name}: {span}");
        }
    }
}

#[test]
fn addresses_are_shown_as_far_as_they_may_be() {
    let redact = |how| format!(r#""access_log": {{"redact": {{"client_ip": "{how}"}}}}"#);
    let case = || get("/").with("x-forwarded-for", "198.51.100.77").status("200");
    for (how, client, peer) in [
        ("none", Some("198.51.100.77"), Some("192.0.2.1")),
        ("truncate", Some("198.51.100.0"), Some("192.0.2.0")),
        ("drop", None, None),
    ] {
        let span = case().said(&redact(how)).shown();
        let told = |key: &str| {
            let value = span.lines().find_map(|line| line.strip_prefix(&format!("{key} = ")));
            value.map(|value| value.trim_matches('"').to_owned())
        };
        assert_eq!(told("client.address").as_deref(), client, "{how}");
        assert_eq!(told("network.peer.address").as_deref(), peer, "{how}");
        assert_eq!(told("network.peer.port").is_some(), peer.is_some(), "{how}");
    }
}

#[test]
fn a_client_cannot_push_its_own_address_in_front_of_the_one_that_a_proxy_saw() {
    for padding in [0, 900, 1_000, 1_009, 1_010, 1_011, 1_020, 1_024, 1_030, 5_000] {
        let forged = format!(
            "{}10.6.6.6,{}198.51.100.7",
            "10.6.6.6,".repeat(padding / 9),
            " ".repeat(padding % 9)
        );
        for headers in [vec![forged.as_str()], vec![forged.as_str(), "198.51.100.7"]] {
            let case = headers.iter().fold(get("/"), |case, it| case.with("x-forwarded-for", it));
            let span = case.status("200").shown();
            assert!(span.contains("client.address = \"198.51.100.7\"\n"), "{padding}: {span}");
        }
    }
}

#[test]
fn a_value_that_is_cut_ends_with_an_ellipsis() {
    let long = "é".repeat(3_000);
    let case = Case::new(&long, &format!("/{long}?{long}")).with("user-agent", &long);
    let case = case.with("content-type", "application/grpc").on(Route::UNMATCHED);
    let span = case.shown();
    for (key, longest) in [
        ("http.request.method_original", 1_024),
        ("user_agent.original", 1_024),
        ("url.path", 2_048),
        ("url.query", 2_048),
        ("rpc.method", 2_048),
    ] {
        let start = format!("{key} = \"");
        let value = span.lines().find_map(|line| line.strip_prefix(&start)).unwrap();
        let whole = value.strip_suffix("…\"").unwrap_or_else(|| panic!("{key}: {value}"));
        assert!((longest - 2..=longest).contains(&whole.len()), "{key}: {}", whole.len());
    }
}

/// More than any client can make a span be; a batch is at most 3 MiB.
const MOST_BYTES: usize = 44 * 1_024;

#[test]
fn a_span_has_a_bound() {
    let evil = vec![0xff; 70_000];
    let members: Vec<_> =
        (0..32).map(|at| format!("{}{at:02}={}", "k".repeat(254), "v".repeat(256))).collect();
    let mut case = Case::new("GET", "/")
        .said(r#""trace": {"baggage": ["a", "b", "c", "d", "e", "f", "g", "h"]}"#);
    for name in
        [":method", ":scheme", ":authority", "user-agent", "x-forwarded-host", "x-forwarded-for"]
    {
        case = case.with_bytes(name, &evil);
    }
    case = case.with_bytes(":path", &[b"/", evil.as_slice(), b"?", &evil].concat());
    case = case.with("content-type", "application/grpc").with("traceparent", CALLER);
    for state in
        [members.join(",\t"), format!("{} ", members.join(" ,").repeat(2)), "x".repeat(70_000)]
    {
        let mut case = case.clone().with("tracestate", &state);
        for key in ["a", "b", "c", "d", "e", "f", "g", "h"] {
            case = case.with("baggage", &format!("{key}={}", "%ff".repeat(330)));
        }
        for case in [case.clone(), case.outbound()] {
            let span = case.written();
            assert!(span.len() < MOST_BYTES, "{}", span.len());
            assert!(varint_length(span.len() as u64) <= 3);
        }
    }
}

proptest! {
    #[test]
    fn any_bytes_give_valid_utf8_and_the_same_attributes(
        bytes in proptest::collection::vec(any::<u8>(), 0..40), outbound in any::<bool>(),
    ) {
        let mut case = Case::new("GET", "/").status("200");
        let names = [":method", ":scheme", ":authority", ":path", "user-agent", "traceparent",
            "tracestate", "x-forwarded-for", "x-forwarded-host", "baggage", "x-request-id"];
        for name in names {
            case = case.with_bytes(name, &bytes);
        }
        let case = if outbound { case.outbound() } else { case };
        // Reading panics where a text is not UTF-8 or a field is not one of a span's.
        let keys = texts(&case.said(r#""trace": {"baggage": ["a"]}"#).written());
        let mut once = keys.clone();
        once.sort();
        once.dedup();
        prop_assert_eq!(once.len(), keys.len(), "an attribute came twice: {:?}", keys);
    }
}
