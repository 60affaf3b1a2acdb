//! Screens as they look, for sizes that there are and others.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::super::super::{Front, Live};
use super::super::view::Next;
use super::*;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

fn live() -> Live {
    let front = Front {
        service: "shop".to_owned(),
        listen: ([127, 0, 0, 1], 8080).into(),
        app: "127.0.0.1:8000".to_owned(),
        configuration: serde_json::json!({}),
    };
    Live::new(vec![front])
}

/// Three routes: one with most requests, one that fails, one that is slow and hostile.
fn busy() -> Live {
    let live = live();
    let hostile = "/\u{1b}[2J\u{202e}中\n";
    for (count, route, status, duration) in
        [(5, "/users/{id}", 200, 3.0), (2, "/pay", 503, 40.0), (1, hostile, 404, 2_000.0)]
    {
        for number in 0..count {
            let line = serde_json::json!({
                "event": "http_request", "service": "shop", "method": "GET", "path": route, "route": route,
                "route_source": "template", "status": status, "duration_ms": duration, "trace_id": TRACE,
                "span_id": format!("{:016x}", status + number), "request_id": format!("req-{status}-{number}"),
                "timestamp": "2026-11-21T09:15:02.000000Z",
            });
            live.line(line.to_string().as_bytes());
        }
    }
    live
}

fn view(live: &Live) -> View {
    View::new(live.snapshot())
}

fn press(view: &mut View, live: &Live, codes: &[KeyCode]) -> Next {
    codes.iter().fold(Next::Draw, |_, code| view.key(KeyEvent::from(*code), live))
}

fn text(rows: &[Row]) -> Vec<String> {
    let row = |row: &Row| row.iter().map(|piece| piece.text.as_str()).collect::<String>();
    rows.iter().map(|it| row(it).trim_end().to_owned()).collect()
}

fn screen(view: &mut View, width: usize, height: usize) -> String {
    text(&page(view, width, height)).join("\n")
}

#[test]
fn nothing_yet_says_what_to_do() {
    let mut view = view(&live());
    let shown = screen(&mut view, 80, 24);
    assert!(
        shown.starts_with("shop  http://127.0.0.1:8080 → 127.0.0.1:8000\n0.0 req/s  0 % errors"),
        "{shown}"
    );
    assert!(shown.contains("no request yet: curl http://127.0.0.1:8080/"), "{shown}");
    assert!(shown.ends_with(KEYS), "{shown}");
}

#[test]
fn figures_and_requests_are_on_one_screen() {
    let live = busy();
    live.in_flight("shop", 3);
    let mut view = view(&live);
    press(&mut view, &live, &[KeyCode::Char('s'); 3]);
    let shown = text(&page(&mut view, 80, 24));
    assert_eq!(shown.len(), 24);
    assert_eq!(shown[0], "shop  http://127.0.0.1:8080 → 127.0.0.1:8000  3 in flight");
    assert!(shown[1].ends_with("  8 requests"), "{shown:?}");
    let heading =
        "        route (by requests)          req/s errors     p50     p95     p99 active";
    assert_eq!(shown[3], heading);
    assert!(shown[4].starts_with("GET     /users/{id}   "), "{shown:?}");
    assert!(shown[5].starts_with("GET     /pay   "), "{shown:?}");
    assert!(shown[6].starts_with(r"GET     /\u{1b}[2J\u{202e}\u{4"), "{shown:?}");
    assert_eq!(shown[7], "slowest of 5 minutes");
    assert_eq!(shown[8], r"09:15:02 404   2.0 s req-404- GET /\u{1b}[2J\u{202e}\u{4e2d}\n");
    assert_eq!(shown[9], "09:15:02 503   40 ms req-503- GET /pay");
}

#[test]
fn every_size_is_filled_exactly_and_never_overrun() {
    let live = busy();
    let mut view = view(&live);
    for keys in [
        &[][..],
        &[KeyCode::Down],
        &[KeyCode::Char('/'), KeyCode::Char('é')],
        &[
            KeyCode::Esc,
            KeyCode::Char('/'),
            KeyCode::Char('r'),
            KeyCode::Char('e'),
            KeyCode::Char('q'),
        ],
        &[KeyCode::Char('-'), KeyCode::Enter, KeyCode::End],
    ] {
        press(&mut view, &live, keys);
        for width in [0, 1, 2, 5, 8, 9, 10, 20, 33, 40, 60, 79, 80, 200] {
            for height in [0, 1, 2, 3, 5, 10, 24, 60] {
                let rows = page(&mut view, width, height);
                assert_eq!(rows.len(), height, "{width}x{height}");
                for row in &rows {
                    let text: String = row.iter().map(|piece| piece.text.as_str()).collect();
                    assert!(text.chars().count() <= width, "{width}x{height}: {text}");
                    assert!(!text.chars().any(char::is_control), "{width}x{height}: {text:?}");
                }
            }
        }
    }
}

#[test]
fn narrow_screens_keep_what_matters_most() {
    for (width, heads) in [
        (80, "req/s errors p50 p95 p99 active"),
        (74, "req/s errors p95 p99 active"),
        (66, "req/s errors p95 p99"),
        (60, "req/s errors p95"),
        (50, "req/s p95"),
        (40, "req/s"),
        (30, ""),
    ] {
        let shown: Vec<_> = columns(width).iter().map(|column| column.head).collect();
        assert_eq!(shown.join(" "), heads, "{width}");
    }
}

#[test]
fn a_selected_route_narrows_the_requests_and_stays_selected() {
    let live = busy();
    let mut view = view(&live);
    press(&mut view, &live, &[KeyCode::Char('s'); 3]);
    press(&mut view, &live, &[KeyCode::Down, KeyCode::Char('j')]);
    let shown = screen(&mut view, 80, 24);
    assert!(shown.contains("slowest of 5 minutes of GET /pay\n"), "{shown}");
    assert!(shown.contains("req-503") && !shown.contains("req-200"), "{shown}");
    press(&mut view, &live, &[KeyCode::Char('s')]);
    view.update(live.snapshot());
    assert!(screen(&mut view, 80, 24).contains("of GET /pay\n"));
    press(&mut view, &live, &[KeyCode::End, KeyCode::End, KeyCode::Down]);
    assert_eq!(view.selected(), Some(2));
    press(&mut view, &live, &[KeyCode::Home]);
    assert_eq!(view.selected(), Some(0));
    press(&mut view, &live, &[KeyCode::Esc]);
    assert_eq!(view.selected(), None);
    assert!(screen(&mut view, 80, 24).contains("slowest of 5 minutes\n"));
}

#[test]
fn the_list_of_requests_is_chosen() {
    let live = busy();
    let mut view = view(&live);
    for (heading, first) in [
        ("slowest of 5 minutes\n", "404   2.0 s"),
        ("newest failed\n", "503   40 ms"),
        ("newest\n", "404   2.0 s"),
        ("slowest of 5 minutes\n", "404   2.0 s"),
    ] {
        let shown = screen(&mut view, 80, 24);
        let (_, list) = shown.split_once(heading).unwrap_or_else(|| panic!("{heading}: {shown}"));
        assert!(list.starts_with(&format!("09:15:02 {first}")), "{heading}: {list}");
        press(&mut view, &live, &[KeyCode::Char('r')]);
    }
}

#[test]
fn a_search_shows_line_span_and_route() {
    let live = busy();
    let mut view = view(&live);
    let typed: Vec<_> = "/req-503-11".chars().map(KeyCode::Char).collect();
    press(&mut view, &live, &typed);
    press(&mut view, &live, &[KeyCode::Backspace]);
    assert!(screen(&mut view, 80, 24).ends_with("request or trace ID: req-503-1_"));
    press(&mut view, &live, &[KeyCode::Enter]);
    // So wide that nothing of the line is broken.
    let shown = screen(&mut view, 400, 100);
    assert!(shown.starts_with("one request for \"req-503-1\"\n\n09:15:02 503"), "{shown}");
    assert!(shown.contains("  The path is read as \"/pay\"."), "{shown}");
    assert!(shown.contains("\"request_id\":\"req-503-1\""), "{shown}");
    assert!(shown.contains(&format!("\ntrace {TRACE}\nGET /users/{{id}} (shop)")), "{shown}");
    assert_eq!(shown.matches("(shop)").count(), 8, "{shown}");
    press(&mut view, &live, &[KeyCode::End]);
    assert!(!screen(&mut view, 80, 10).contains("one request"));
    press(&mut view, &live, &[KeyCode::Up, KeyCode::Home]);
    assert!(screen(&mut view, 80, 10).contains("one request"));
    press(&mut view, &live, &[KeyCode::Esc]);
    assert!(screen(&mut view, 80, 24).ends_with(KEYS));
}

#[test]
fn what_is_not_found_is_told() {
    let live = busy();
    let mut view = view(&live);
    press(&mut view, &live, &[KeyCode::Char('/'), KeyCode::Char('x'), KeyCode::Enter]);
    assert!(screen(&mut view, 80, 24).starts_with("nothing is called \"x\""));
}

#[test]
fn it_ends_when_it_is_told_to() {
    let live = live();
    let control_c = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
    for (name, before, key, next) in [
        ("q", &[][..], KeyEvent::from(KeyCode::Char('q')), Next::End),
        ("q while typing", &[KeyCode::Char('/')], KeyEvent::from(KeyCode::Char('q')), Next::Draw),
        (
            "q in what was found",
            &[KeyCode::Char('/'), KeyCode::Enter],
            KeyEvent::from(KeyCode::Char('q')),
            Next::Draw,
        ),
        ("Ctrl-C", &[], control_c, Next::End),
        ("Ctrl-C while typing", &[KeyCode::Char('/')], control_c, Next::End),
        ("another key", &[], KeyEvent::from(KeyCode::Char('x')), Next::Draw),
    ] {
        let mut view = view(&live);
        press(&mut view, &live, before);
        assert_eq!(view.key(key, &live), next, "{name}");
    }
}

#[test]
fn colours_are_left_out_if_nobody_wants_them() {
    let live = busy();
    let mut view = view(&live);
    let coloured = Paint::in_colour(true).page(&page(&mut view, 80, 24));
    press(&mut view, &live, &[KeyCode::Down]);
    let plain = Paint::in_colour(false).page(&page(&mut view, 80, 24));
    assert!(coloured.contains("\x1b[31m") && !plain.contains("\x1b[3"), "{plain:?}");
    assert!(plain.contains("\x1b[7m"), "what is selected must still be seen: {plain:?}");
    assert_eq!(plain.matches("\x1b[2K").count(), 24);
}
