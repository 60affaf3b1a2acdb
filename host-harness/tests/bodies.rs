//! Bodies and trailers: shown piece by piece, buffered, held back, dropped, changed, and let go, on
//! the way to the application and on the way back.

mod guest;

use std::time::Duration;

use guest::{guest, loaded, on, said, word, world};
use sightline_host::{HeaderMap, Host, Message, Outcome, Plugin, Protocol, Request, Response};

const TICK: Duration = Duration::from_millis(5);

/// One way of a stream, with the numbers that the ABI has for it.
#[derive(Clone, Copy)]
struct Way {
    name: &'static str,
    body: u32,
    trailers: u32,
    stream: u32,
}

const WAYS: [Way; 2] = [
    Way { name: "request", body: 0, trailers: 1, stream: 0 },
    Way { name: "response", body: 1, trailers: 3, stream: 1 },
];

impl Way {
    fn on(self, callback: &str, code: &str) -> String {
        on(&format!("{}_{callback}", self.name), code)
    }

    /// Says the size of a piece of body, whether it is the last, and what is there to read.
    fn on_body(self, then: &str) -> String {
        let say = "(call $say (local.get $size)) (call $say (local.get $end))";
        self.on("body", &format!("{say} (call $show_buffer (i32.const {})) {then}", self.body))
    }

    /// Lets the first stream go on with the first tick.
    fn resumed(self) -> String {
        let resume = format!(
            "(drop (call $tick_period (i32.const 0))) (call $say (call $effective (i32.const 2)))
             (call $say (call $continue (i32.const {})))",
            self.stream
        );
        on("configure", "(drop (call $tick_period (i32.const 5)))") + &on("tick", &resume)
    }

    /// An exchange with these pieces of body on this way.
    fn exchange(self, chunks: &[&str], trailers: bool) -> Request {
        let post = Request::new("POST", "/");
        let trailer = |on| if on { vec![("x-t", "1")] } else { vec![] };
        if self.name == "request" {
            let request = chunks.iter().fold(post, Request::chunk);
            trailer(trailers).into_iter().fold(request, |it, (name, value)| it.trailer(name, value))
        } else {
            let response = chunks.iter().fold(Response::new(200), Response::chunk);
            let trailers = trailer(trailers).into_iter();
            post.answered(trailers.fold(response, |it, (name, value)| it.trailer(name, value)))
        }
    }

    /// What came out at the other end.
    fn came(self, outcome: &Outcome) -> &Message {
        let message = if self.name == "request" { &outcome.upstream } else { &outcome.client };
        message.as_ref().expect("something came out")
    }

    fn body(self, outcome: &Outcome) -> String {
        self.came(outcome).body.escape_ascii().to_string()
    }

    fn trailers(self, outcome: &Outcome) -> String {
        self.came(outcome).trailers.as_ref().map(HeaderMap::to_string).unwrap_or_default()
    }
}

/// What the module logs from the first request on, and what came of that request.
fn run(host: &mut Host, request: Request) -> (String, Outcome) {
    let before = host.log().len();
    let outcome = host.request(request).unwrap_or_else(|failure| panic!("{failure}"));
    let said = host.log()[before..].iter().filter(|line| line.thread == 1);
    (said.map(|line| line.text.as_str()).collect::<Vec<_>>().join(" "), outcome)
}

fn host(body: &str) -> Host {
    loaded(Plugin::new(&guest(body)))
}

#[test]
fn what_a_module_answers_to_a_piece_decides_what_it_sees_next_and_what_goes_on() {
    let until_the_end =
        |number| format!("(return (select (i32.const 0) (i32.const {number}) (local.get $end)))");
    let each = "2 0 ab 3 0 cde 0 1 ";
    let rows = [
        ("goes on", "(return (i32.const 0))".into(), each, "abcde"),
        ("buffers to the end", until_the_end(1), "2 0 ab 5 0 abcde 5 1 abcde", "abcde"),
        ("holds to the end", until_the_end(2), each, "abcde"),
        ("drops to the end", until_the_end(3), each, ""),
        ("answers a number that the ABI does not have", until_the_end(9), each, ""),
        (
            "buffers the first piece",
            "(return (i32.and (i32.eqz (local.get $end)) (i32.eq (local.get $size) (i32.const 2))))".into(),
            "2 0 ab 5 0 abcde 0 1 ",
            "abcde",
        ),
    ];
    for way in WAYS {
        for (name, code, seen, went_on) in &rows {
            let (said, outcome) =
                run(&mut host(&way.on_body(code)), way.exchange(&["ab", "cde"], false));
            let name = format!("{}: {name}", way.name);
            assert_eq!((said.as_str(), way.body(&outcome).as_str()), (*seen, *went_on), "{name}");
            assert!(way.came(&outcome).whole, "{name}");
        }
    }
}

#[test]
fn with_http_2_the_last_piece_is_the_end() {
    let way = WAYS[0];
    let request = way.exchange(&["ab", "cde"], false).protocol(Protocol::Http2);
    assert_eq!(run(&mut host(&way.on_body("")), request).0, "2 0 ab 3 1 cde");
}

#[test]
fn trailers_take_the_place_of_the_last_piece() {
    for way in WAYS {
        let body = way.on_body("")
            + &way.on(
                "trailers",
                &format!(
                    "(call $say (local.get $count)) (drop (call $add (i32.const {}) 'x-more' '2'))",
                    way.trailers
                ),
            );
        let (said, outcome) = run(&mut host(&body), way.exchange(&["ab"], true));
        assert_eq!(said, "2 0 ab 1", "{}", way.name);
        assert_eq!(way.trailers(&outcome), "x-t: 1\nx-more: 2\n", "{}", way.name);
    }
}

#[test]
fn a_stream_that_stops_at_its_headers_shows_all_at_once_when_it_goes_on() {
    let rows = [
        ("a body", &["ab", "cde"][..], false, "0 0 5 1 abcde"),
        ("a body and trailers", &["ab", "cde"], true, "0 0 5 0 abcde trailers"),
        ("trailers alone", &[], true, "0 0 trailers"),
        ("headers alone", &[], false, "0 0"),
    ];
    for way in WAYS {
        for answer in [1, 3, 4, 9] {
            let body = way.on("headers", &format!("(return (i32.const {answer}))"))
                + &way.on_body("")
                + &way.on("trailers", &word("trailers"))
                + &way.resumed();
            for (name, chunks, trailers, seen) in rows {
                let (said, outcome) = run(&mut host(&body), way.exchange(chunks, trailers));
                let name = format!("{} {answer}: {name}", way.name);
                assert_eq!(said, seen, "{name}");
                assert_eq!(way.body(&outcome), chunks.concat(), "{name}");
                assert_eq!(!way.trailers(&outcome).is_empty(), trailers, "{name}");
                assert!(way.came(&outcome).whole, "{name}");
            }
        }
    }
}

#[test]
fn two_from_a_callback_for_headers_is_as_good_as_zero() {
    for way in WAYS {
        let body = way.on("headers", "(return (i32.const 2))") + &way.on_body("");
        let (said, outcome) = run(&mut host(&body), way.exchange(&["ab"], false));
        assert_eq!(
            (said.as_str(), way.body(&outcome).as_str()),
            ("2 0 ab 0 1 ", "ab"),
            "{}",
            way.name
        );
    }
}

#[test]
fn headers_alone_can_be_held_back_where_the_plugin_may() {
    let rows = [
        (
            "until the body is whole",
            "(return (i32.eqz (local.get $end)))",
            "2 0 ab 5 0 abcde 5 1 abcde",
        ),
        ("until a piece of it comes", "", "2 0 ab 3 0 cde 0 1 "),
    ];
    for way in WAYS {
        for (name, then, seen) in rows {
            let body = way.on("headers", "(return (i32.const 1))")
                + &way.on_body(&format!(
                    "(drop (call $add (i32.const {}) 'x-late' '1')) {then}",
                    2 * way.body
                ));
            let mut host = loaded(Plugin::new(&guest(&body)).may_stop_iteration());
            let (said, outcome) = run(&mut host, way.exchange(&["ab", "cde"], false));
            let name = format!("{}: {name}", way.name);
            assert_eq!(said, seen, "{name}");
            assert_eq!(way.body(&outcome), "abcde", "{name}");
            assert!(way.came(&outcome).get("x-late").is_some(), "{name}");
        }
    }
}

#[test]
fn what_a_module_keeps_of_a_body_goes_on_unseen_when_the_stream_does() {
    let rows = [
        ("buffered", 1, "2 0 ab 5 0 abcde 5 1 abcde 0 0", "abcde"),
        ("held", 2, "2 0 ab 3 0 cde 0 1  0 0", "abcde"),
        ("dropped", 3, "2 0 ab 3 0 cde 0 1  0 0", ""),
    ];
    for way in WAYS {
        for (name, answer, seen, went_on) in rows {
            let body = way.on_body(&format!("(return (i32.const {answer}))")) + &way.resumed();
            let (said, outcome) = run(&mut host(&body), way.exchange(&["ab", "cde"], false));
            let name = format!("{}: {name}", way.name);
            assert_eq!((said.as_str(), way.body(&outcome).as_str()), (seen, went_on), "{name}");
            assert!(way.came(&outcome).whole, "{name}");
        }
    }
}

#[test]
fn later_pieces_are_shown_again_after_the_stream_went_on() {
    for way in WAYS {
        let once = "(return (i32.eq (local.get $size) (i32.const 2)))";
        let body = way.on_body(once) + &way.resumed();
        let slowly = match way.name {
            "request" => way.exchange(&["ab", "cde"], false).every(2 * TICK),
            _ => Request::get("/")
                .answered(Response::new(200).chunk("ab").chunk("cde").every(2 * TICK)),
        };
        let mut host = host(&body);
        host.advance(Duration::ZERO).unwrap();
        let (said, outcome) = run(&mut host, slowly);
        // The tick comes before the first piece of body, and finds nothing that waits.
        assert_eq!(way.body(&outcome), "abcde", "{}: {said}", way.name);
    }
}

#[test]
fn trailers_are_held_back_until_the_stream_goes_on() {
    for way in WAYS {
        let body = way.on("trailers", "(call $say (local.get $count)) (return (i32.const 1))")
            + &way.resumed();
        let (said, outcome) = run(&mut host(&body), way.exchange(&["ab"], true));
        assert_eq!(said, "1 0 0", "{}", way.name);
        assert_eq!(
            (way.body(&outcome).as_str(), way.trailers(&outcome).as_str()),
            ("ab", "x-t: 1\n"),
            "{}",
            way.name
        );
    }
}

#[test]
fn a_buffered_body_can_be_read_when_the_trailers_come() {
    for way in WAYS {
        let body = way.on_body("(return (i32.const 1))")
            + &way.on("trailers", &format!("(call $show_buffer (i32.const {}))", way.body));
        let (said, outcome) = run(&mut host(&body), way.exchange(&["ab", "cde"], true));
        assert_eq!(said, "2 0 ab 5 0 abcde abcde", "{}", way.name);
        assert_eq!(
            (way.body(&outcome).as_str(), way.trailers(&outcome).as_str()),
            ("abcde", "x-t: 1\n"),
            "{}",
            way.name
        );
    }
}

#[test]
fn trailers_can_be_made_at_the_last_piece_and_not_before() {
    for way in WAYS {
        let add = format!("(call $say (call $add (i32.const {}) 'x-made' '1'))", way.trailers);
        let body = way.on("body", &add) + &way.on("trailers", &word("never"));
        let (said, outcome) = run(&mut host(&body), way.exchange(&["ab"], false));
        assert_eq!(said, "2 0", "{}", way.name);
        assert_eq!(
            (way.body(&outcome).as_str(), way.trailers(&outcome).as_str()),
            ("ab", "x-made: 1\n"),
            "{}",
            way.name
        );
    }
}

#[test]
fn a_body_is_changed_at_its_front_or_behind_it() {
    let rows = [
        ("in front", 0, 0, "0", "xyab"),
        ("in place of the first byte", 0, 1, "0", "xyb"),
        ("in place of all", 0, 2, "0", "xy"),
        ("in place of more than there is", 0, -1, "0", "xy"),
        ("behind", 2, 0, "0", "abxy"),
        ("far behind", 9, 9, "0", "abxy"),
        ("in the middle", 1, 1, "2", "ab"),
    ];
    for way in WAYS {
        for (name, start, length, status, expected) in rows {
            let set = format!(
                "(if (local.get $size) (then (call $say (call $set_buffer (i32.const {}) (i32.const {start}) (i32.const {length}) 'xy'))))",
                way.body
            );
            let (said, outcome) =
                run(&mut host(&way.on("body", &set)), way.exchange(&["ab"], false));
            let name = format!("{}: {name}", way.name);
            assert_eq!((said.as_str(), way.body(&outcome).as_str()), (status, expected), "{name}");
        }
    }
}

#[test]
fn a_buffered_body_is_changed_whole_and_its_length_is_the_modules_business() {
    for way in WAYS {
        let change = format!(
            "(if (i32.eqz (local.get $end)) (then (return (i32.const 1))))
             (drop (call $set_buffer (i32.const {}) (i32.const 0) (i32.const -1) 'other'))",
            way.body
        );
        let request = match way.name {
            "request" => Request::new("POST", "/").body("ab"),
            _ => Request::get("/").answered(Response::new(200).body("ab")),
        };
        let (_, outcome) = run(&mut host(&way.on("body", &change)), request);
        assert_eq!(way.body(&outcome), "other", "{}", way.name);
        assert_eq!(way.came(&outcome).get("content-length"), Some(&b"2"[..]), "{}", way.name);
    }
}

#[test]
fn a_body_is_there_only_while_it_is_shown() {
    let set = |kind: u32| {
        format!("(call $say (call $set_buffer (i32.const {kind}) (i32.const 0) (i32.const 0) 'x'))")
    };
    let status = |kind: u32| {
        format!(
            "(call $say (call $buffer_status (i32.const {kind}) (i32.const 0) (i32.const 4))) (call $say (i32.load (i32.const 0)))"
        )
    };
    let rows = [
        ("request_headers", "2 0 0"),
        ("request_trailers", "2 0 0"),
        ("response_body", "2 0 0"),
        ("log", "2 0 0"),
    ];
    for (callback, expected) in rows {
        let code = set(0) + &status(0);
        let code = match callback {
            "response_body" => format!("(if (local.get $end) (then {code}))"),
            _ => code,
        };
        let request = Request::new("POST", "/").chunk("ab").trailer("a", "b");
        let request = request.answered(Response::new(200).chunk("c"));
        assert_eq!(said(&guest::outcome(&on(callback, &code), request)), expected, "{callback}");
    }
    let others = [4, 7].map(set).join(" ") + &[4, 7].map(status).join(" ") + &set(6) + &set(9);
    let request = Request::get("/");
    assert_eq!(said(&guest::outcome(&on("request_headers", &others), request)), "1 1 1 0 1 0 2 2");
}

#[test]
fn too_much_that_is_buffered_is_answered_by_envoy_itself() {
    let limited = |plugin| Host::new(world().most_buffered(4), plugin).unwrap();
    let buffer = "(return (i32.eqz (local.get $end)))";
    let run = |body: &str, way: Way, may_stop: bool| {
        let plugin = Plugin::new(&guest(body));
        let plugin = if may_stop { plugin.may_stop_iteration() } else { plugin };
        run(&mut limited(plugin), way.exchange(&["ab", "cde"], false)).1
    };
    let told = |outcome: &Outcome| {
        let client = outcome.client.as_ref();
        let text = client.map(|it| {
            format!("{} {}", it.status().unwrap_or_default(), String::from_utf8_lossy(&it.body))
        });
        format!(
            "{} {}",
            text.unwrap_or("nothing".into()),
            outcome.details.clone().unwrap_or_default()
        )
    };
    let [request, response] = WAYS;
    let held = response.on("headers", "(return (i32.const 1))") + &response.on("body", buffer);
    let rows = [
        (
            "a request",
            request.on("body", buffer),
            request,
            false,
            "413 Payload Too Large request_payload_too_large",
        ),
        (
            "a response whose headers are held back",
            held,
            response,
            true,
            "500 Internal Server Error response_payload_too_large",
        ),
        (
            "a response whose headers have left",
            response.on("body", buffer),
            response,
            false,
            "200  response_payload_too_large",
        ),
        (
            "a client that is made to wait by a module that waits for it",
            request.on("body", "(return (select (i32.const 0) (i32.const 2) (local.get $end)))"),
            request,
            false,
            "408 stream timeout stream_idle_timeout",
        ),
    ];
    for (name, body, way, may_stop, expected) in rows {
        assert_eq!(told(&run(&body, way, may_stop)), expected, "{name}");
    }
    // At the headers, 3 asks for a buffer, and 1 and 4 for a client that is made to wait.
    for (answer, expected) in
        [(3, "413 Payload Too Large request_payload_too_large"), (4, "200  via_upstream")]
    {
        let body =
            request.on("headers", &format!("(return (i32.const {answer}))")) + &request.resumed();
        assert_eq!(told(&run(&body, request, false)), expected, "{answer}");
    }
}

#[test]
fn a_stream_that_goes_on_within_the_callback_is_sent_on_before_the_callback_has_answered() {
    let body = |answer: u32| {
        on(
            "request_headers",
            &format!("(drop (call $continue (i32.const 0))) (return (i32.const {answer}))"),
        )
    };
    let stopped = guest::outcome(&body(1), Request::get("/"));
    assert_eq!((stopped.earlier_attempts.len(), stopped.client.unwrap().status()), (0, Some(200)));
    let twice = guest::outcome(&body(0), Request::get("/"));
    assert_eq!((twice.earlier_attempts.len(), twice.client.unwrap().status()), (1, Some(200)));
    // The rest of a request stays behind for ever.
    let stuck = Request::new("POST", "/").chunk("ab").abandoned_after(TICK);
    assert_eq!(
        guest::outcome(&body(1), stuck).upstream.map(|it| (it.body, it.whole)),
        Some((vec![], false))
    );
}

#[test]
fn resuming_loses_the_requests_maps_and_body() {
    let read = "(call $say (call $get (i32.const 0) ':path' (i32.const 0) (i32.const 4)))";
    let code = format!("{read} (drop (call $continue (i32.const 1))) {read}");
    let body = on("request_headers", "(return (i32.const 1))")
        + &on("configure", "(drop (call $tick_period (i32.const 5)))")
        + &on(
            "tick",
            &format!(
                "(drop (call $tick_period (i32.const 0))) (drop (call $effective (i32.const 2))) {code}"
            ),
        );
    // A response that has not come cannot go on: Envoy crashes.
    let mut host = host(&body);
    let failure = host.request(Request::get("/")).unwrap_err();
    assert!(failure.to_string().starts_with("Envoy crashes"), "{failure}");
    assert_eq!(guest::texts(&host), ["0", "2"]);
}
