//! What a request counts as, for every way in which it can end.

use super::*;
use crate::ending::Flags;
use crate::ending::tests::Nothing;
use crate::route::Scratch;
use crate::sampling::Budget;
use crate::{Exchange, Moment, Monotonic, Place, Plan, Rng, Tracing, config};

/// What is said of a request with this content type, and the response's head, flags and gRPC status.
fn told<T>(
    request: &str,
    response: &[(&str, &str)],
    bits: u64,
    grpc_status: Option<u32>,
    tell: impl FnOnce(&Observation<'_>) -> T,
) -> T {
    let plan = Plan::new(&config::read(b"").unwrap(), &Place::default());
    let now = Moment { wall: Wall(0), monotonic: Monotonic(0) };
    let (mut rng, mut scratch) = (Rng::from_seed([9; 32]), Scratch::default());
    let pairs = [(b":method".as_slice(), b"GET".as_slice()), (b"content-type", request.as_bytes())];
    let mut exchange =
        Exchange::begin(pairs.into_iter(), now, &mut rng, &mut scratch, &plan, Tracing::Own);
    if !response.is_empty() {
        let pairs = response.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes()));
        exchange.respond(pairs, Monotonic(1), &plan);
    }
    let mut budget = Budget::default();
    let end = Monotonic(2);
    let mut observation = exchange.finish(end, Route::UNMATCHED, &plan, &mut budget, &Nothing);
    observation.ending.flags = Flags(bits);
    observation.ending.grpc_status = observation.ending.grpc_status.or(grpc_status);
    tell(&observation)
}

const TIMEOUT: u64 = 1 << 2;
const CLIENT_GONE: u64 = 1 << 14;
const CLOSED: u64 = 1 << 6;
const IDLE: u64 = 1 << 16;
const SWITCHED: [(&str, &str); 1] = [(":status", "101")];
const GRPC: &str = "application/grpc";
const EVENTS: [(&str, &str); 2] =
    [(":status", "200"), ("content-type", "text/event-stream; charset=utf-8")];

/// A name, the request's content type, the response's head, flags, and the status of the call; then the
/// outcome, the type of error, and whether the span is one.
type Row<'a> = (
    &'a str,
    &'a str,
    &'a [(&'a str, &'a str)],
    u64,
    Option<u32>,
    Outcome,
    Option<ErrorType>,
    bool,
);

#[test]
fn an_error_has_a_type_and_a_success_has_none() {
    use ErrorType::{Reason, Status};
    use Outcome::{ClientError, Failure, Success};

    let ok = [(":status", "200")].as_slice();
    let gone = Some(Reason("downstream_connection_termination"));
    let timeout = Some(Reason("upstream_request_timeout"));
    let idle = Some(Reason("stream_idle_timeout"));
    let table: [Row<'_>; 19] = [
        ("a success", "", ok, 0, None, Success, None, false),
        ("a 404", "", &[(":status", "404")], 0, None, ClientError, None, false),
        ("a 404 with a reason", "", &[(":status", "404")], 1 << 8, None, ClientError, None, false),
        ("a 503", "", &[(":status", "503")], 0, None, Failure, Some(Status(503)), true),
        ("a 504 with a reason", "", &[(":status", "504")], TIMEOUT, None, Failure, timeout, true),
        ("no answer", "", &[], 0, None, Failure, Some(Reason("_OTHER")), true),
        ("no answer, client gone", "", &[], CLIENT_GONE, None, Failure, gone, true),
        ("cut short", "", ok, TIMEOUT, None, Success, timeout, true),
        ("a client that did not wait", "", ok, CLIENT_GONE, None, Success, gone, false),
        ("one that left events", "", &EVENTS, CLIENT_GONE, None, Success, None, false),
        ("events that were cut short", "", &EVENTS, TIMEOUT, None, Success, timeout, true),
        ("a socket that the app closed", "", &SWITCHED, CLOSED, None, Success, None, false),
        ("a socket without a word for long", "", &SWITCHED, IDLE, None, Success, idle, true),
        ("a failed call", GRPC, ok, 0, Some(14), Failure, Some(Reason("UNAVAILABLE")), true),
        ("a call refused", GRPC, ok, 0, Some(5), Success, None, false),
        ("a call that timed out here", GRPC, ok, TIMEOUT, Some(14), Failure, timeout, true),
        (
            "a call by its head",
            GRPC,
            &[(":status", "200"), ("grpc-status", "13")],
            0,
            None,
            Failure,
            Some(Reason("INTERNAL")),
            true,
        ),
        (
            "a grpc-status elsewhere",
            "",
            &[(":status", "200"), ("grpc-status", "13")],
            0,
            None,
            Success,
            None,
            false,
        ),
        (
            "a call answered as HTTP",
            GRPC,
            &[(":status", "502")],
            0,
            None,
            Failure,
            Some(Status(502)),
            true,
        ),
    ];
    for (name, request, response, bits, grpc_status, outcome, error, is_error) in table {
        let found = told(request, response, bits, grpc_status, |it| {
            (it.outcome(), it.error_type(), it.is_error())
        });
        assert_eq!(found, (outcome, error, is_error), "{name}");
    }
}

#[test]
#[expect(clippy::redundant_closure_for_method_calls, reason = "the method is of one lifetime only")]
fn a_stream_is_known_by_what_began_it() {
    let ok = [(":status", "200")].as_slice();
    for (name, request, response, expected) in [
        ("a page", "", ok, None),
        ("an upgrade", "", &[(":status", "101")], Some(Stream::WebSocket)),
        ("an upgrade refused", "", &[(":status", "426")], None),
        ("events", "", &EVENTS, Some(Stream::Events)),
        ("a call", GRPC, ok, Some(Stream::Grpc)),
        ("a call in JSON", "application/grpc+json", ok, Some(Stream::Grpc)),
        ("gRPC-Web, which is no call", "application/grpc-web", ok, None),
        ("no answer", "", &[], None),
    ] {
        assert_eq!(told(request, response, 0, None, |it| it.stream()), expected, "{name}");
    }
}

#[test]
fn a_status_has_three_digits() {
    for (status, expected) in [(0, "000"), (7, "007"), (503, "503"), (999, "999")] {
        assert_eq!(ErrorType::Status(status).text(&mut [0; 3]), expected);
    }
    assert_eq!(ErrorType::Reason("_OTHER").text(&mut [0; 3]), "_OTHER");
}

#[test]
fn a_mistake_of_the_caller_is_an_error_of_its_own_series_and_not_of_the_server() {
    let mut routes = crate::route::Table::default();
    let unmatched = routes.number(Route::UNMATCHED.name);
    for (name, request, status, flags, grpc_status, inbound, outbound) in [
        ("a success", "", "200", 0, None, None, None),
        ("a success that was cut short", "", "200", CLIENT_GONE, None, None, None),
        ("a 404", "", "404", 0, None, None, Some(ErrorType::Status(404))),
        ("a 404 with a reason", "", "404", 1 << 8, None, None, Some(ErrorType::Status(404))),
        ("a call not found", GRPC, "200", 0, Some(5), None, Some(ErrorType::Reason("NOT_FOUND"))),
    ] {
        let response = [(":status", status)];
        let error = |direction| {
            told(request, &response, flags, grpc_status, |it| it.parts(unmatched, direction).error)
        };
        assert_eq!(error(Direction::Inbound), inbound, "{name}");
        assert_eq!(error(Direction::Outbound), outbound, "{name}");
    }
    for direction in [Direction::Inbound, Direction::Outbound] {
        let error = told("", &[(":status", "504")], TIMEOUT, None, |it| {
            it.parts(unmatched, direction).error
        });
        assert_eq!(error, Some(ErrorType::Reason("upstream_request_timeout")), "{direction:?}");
    }
}
