//! Whole logs, and what is suggested for them.

use std::fmt::Write as _;
use std::io::Cursor;

use sightline_core::Method;
use sightline_core::route::{Router, Scratch, Target};

use super::*;
use crate::check::Own;

fn suggestions(log: &str, said: &str, options: Options) -> Suggestions {
    let mut gathering = Gathering::new(Own::parse(said).unwrap().meant, options);
    gathering.read(Log::of("a.log", Cursor::new(log.to_owned())).unwrap()).unwrap();
    gathering.finish()
}

fn told(log: &str) -> String {
    suggestions(log, "", Options::DEFAULT).to_string()
}

fn line(path: &str, status: u16) -> String {
    format!("INFO:     127.0.0.1:1 - \"GET {path} HTTP/1.1\" {status} OK\n")
}

/// The log of a shop.
fn shop() -> String {
    let mut log = String::new();
    for number in 1_000..1_050 {
        log += &line(&format!("/users/{number}?tab=a"), 200);
        log +=
            &line(&format!("/users/{number}/orders/6f1e5d0c-1111-4222-8333-aaaabbbb{number}"), 200);
        log += &line("/docs", 200);
        log += &line("/wp-login.php", 404);
    }
    log += &line("/carts/7", 200);
    log += &line("/healthz", 200);
    log
}

#[test]
fn typed_routes_become_templates_the_most_frequent_first() {
    let log = shop() + &line("/users/9", 404) + "INFO:     Started server process [7]\n\n";
    assert_eq!(
        told(&log),
        "# From 203 requests. Read it through: names and types are guesses from the paths.\n\
         routes:\n  templates:\n    \
           - /users/{user_id:int}  # 51 requests, e.g. /users/1000\n    \
           - /users/{user_id:int}/orders/{order_id:uuid}  # 50 requests, e.g. /users/1000/orders/6f1e5d0c-1111-4222-8333-aaaabbbb1000\n\
         # Left out:\n\
         #   50 requests to paths that no answer shows to exist, e.g. /wp-login.php\n\
         #   50 requests to routes without a parameter, which need no template\n\
         #   1 request to paths that routes.ignore names\n\
         #   1 route with fewer requests than --min: /carts/{int}\n"
    );
    let complaint = suggestions(&log, "", Options::DEFAULT).complaint();
    let expected = "1 line holds no request and went uncounted; the first is a.log:204.";
    assert_eq!(complaint.as_deref(), Some(expected));
}

#[test]
fn words_that_are_too_many_become_a_parameter_and_the_frequent_one_beside_them_stays() {
    let mut log = line("/articles/feed", 200).repeat(100);
    for number in 0..150_u8 {
        log += &line(&format!("/articles/{}", spelled(number)), 200);
    }
    let told = told(&log);
    assert!(
        told.contains("- /articles/{article_slug}  # 150 requests, e.g. /articles/a"),
        "{told}"
    );
    let beside = "- /articles/feed  # 100 requests; another template here would take them\n";
    assert!(told.contains(beside), "{told}");
    let few = Options { distinct: 1_000, ..Options::DEFAULT };
    assert_eq!(suggestions(&log, "", few).pinned, []);
}

#[test]
fn what_templates_match_is_left_out() {
    let said = "routes: { templates: ['/users/{id}'] }";
    let found = suggestions(&shop(), said, Options { min: 1, ..Options::DEFAULT });
    let templates: Vec<_> = found.pinned.iter().map(|it| it.template.as_str()).collect();
    assert_eq!(templates, ["/users/{user_id:int}/orders/{order_id:uuid}", "/carts/{cart_id:int}"]);
    assert_eq!(found.left_out.templates, 50);
    let ours = r#"{"method":"GET","path":"/users/7","route_source":"template","status":200}"#;
    assert_eq!(suggestions(ours, "", Options::DEFAULT).left_out.templates, 1);
}

#[test]
fn a_template_for_other_methods_keeps_them() {
    let log = line("/users/7", 200).replace("GET", "PUT").repeat(5);
    let found = suggestions(&log, "routes: { templates: ['GET /users/{id}'] }", Options::DEFAULT);
    assert_eq!(found.pinned[0].template, "PUT /users/{user_id:int}");
}

#[test]
fn a_type_that_does_not_hold_is_left_away_and_equal_templates_are_one() {
    let mut log = line("/points/-5", 200).repeat(3);
    log += &line("/commits/9fceb02d0ae598e95dc970b74767f19372d61af8", 200).repeat(3);
    log += &line("/commits/01ARZ3NDEKTSV4RRFFQ69G5FAV", 200).repeat(4);
    let found = suggestions(&log, "", Options::DEFAULT);
    let told: Vec<_> = found.pinned.iter().map(|it| (it.template.as_str(), it.requests)).collect();
    assert_eq!(told, [("/commits/{commit_id}", 7), ("/points/{point_id}", 3)]);
}

#[test]
fn where_the_order_decides_the_specific_ones_stand_in_front() {
    let mut log = line("/articles/feed", 200).repeat(20);
    for number in 0..150_u8 {
        log += &line(&format!("/articles/{}", spelled(number)), 200);
        log += &line(&format!("/articles/{number}"), 200);
    }
    let found = suggestions(&log, "routes: { precedence: declared }", Options::DEFAULT);
    let templates: Vec<_> = found.pinned.iter().map(|it| it.template.as_str()).collect();
    let expected = ["/articles/feed", "/articles/{article_id:int}", "/articles/{article_slug}"];
    assert_eq!(templates, expected);
}

#[test]
fn what_is_suggested_is_accepted_and_takes_what_it_says() {
    for (name, log) in [
        ("a shop", shop()),
        ("odd paths", odd()),
        ("an operation", line("/v1/items/7:cancel", 200).repeat(4)),
        ("a word with a colon", line("/batch:run/7", 200).repeat(4)),
        ("many", (0..2_000).map(|it| line(&format!("/{}/{it}", it % 7), 200)).collect()),
        ("deep", line(&"/a/7".repeat(60), 200).repeat(3)),
        ("long", line(&format!("/{}", "x".repeat(3_000)), 200).repeat(3)),
        ("nothing", line("/docs", 200)),
    ] {
        for precedence in ["specific", "declared"] {
            let said = format!("routes: {{ precedence: {precedence} }}");
            let found = suggestions(&log, &said, Options { min: 1, ..Options::DEFAULT });
            let block = format!("{found}  precedence: {precedence}\n");
            let read =
                Own::parse(&block).unwrap_or_else(|error| panic!("{name}: {error}\n{block}")).meant;
            let router = Router::new(&read.routes);
            for (number, pinned) in found.pinned.iter().enumerate() {
                let target =
                    router.target(Method::Get, pinned.example.as_bytes(), &mut Scratch::default());
                assert_eq!(target, Target::Template(number), "{name}: {pinned}");
            }
        }
    }
}

#[test]
fn what_clients_send_does_nothing_to_the_block() {
    let told = told(&odd());
    assert!(told.bytes().all(|byte| byte == b'\n' || (b' '..0x7f).contains(&byte)), "{told:?}");
    assert!(told.lines().all(|line| line.len() < 400), "{told}");
}

#[test]
fn more_routes_than_can_be_held_are_counted() {
    let mut log = String::new();
    for number in 0..30_000_u32 {
        let _ = write!(
            log,
            "{}",
            line(&format!("/{}/{}/7", number % 90, spelled_in_words(number)), 200)
        );
    }
    let found = suggestions(&log, "", Options { distinct: 10_000, ..Options::DEFAULT });
    assert!(found.left_out.overflowed > 10_000, "{}", found.left_out.overflowed);
}

#[test]
fn suggestions_for_programs_say_the_same() {
    let json = suggestions(&shop(), "", Options::DEFAULT).as_json();
    assert_eq!(json["requests"], 202);
    assert_eq!(json["suggestions"][0]["template"], "/users/{user_id:int}");
    assert_eq!(json["suggestions"][0]["requests"], 50);
    assert_eq!(json["left_out"]["rare_routes"][0], "/carts/{int}");
    assert_eq!(json["left_out"]["unmatched_requests"], 50);
    assert_eq!(json["unread_lines"]["count"], 0);
}

/// Paths as only scanners and fuzzers send them, of an app that answers them all.
fn odd() -> String {
    let paths = [
        "/a/7#b",
        "//a//7",
        "/a/7/",
        "/a/../7",
        "/%2e/7",
        "/a/%0a/7",
        "/a/\u{1b}[31m/7",
        "/a/{id}",
        "/a/<int:x>/7",
        "/a/:x/7",
        "/a/*/7",
        "/a/**",
        "/a/'\"/7",
        "/a/\u{202e}/7",
        "/a/ b/7",
        "/a/%",
        "/a/: /7",
        "/$x/7",
        "/@me/7",
        "/-/7",
        "/./7",
        "/...",
        "*",
        "/~user/7",
        "/a/%FF/7",
        "/7/7/7",
        "/{int}/7",
        "/a/1.5",
        "/a/-7",
        "/a/007",
        "/a/2024-01-01",
    ];
    paths.iter().map(|path| line(path, 200).repeat(3)).collect()
}

/// A word of letters only, another for each number.
fn spelled(number: u8) -> String {
    let letter = |nibble: u8| char::from(b'a' + nibble);
    ["a", &letter(number >> 4).to_string(), &letter(number & 15).to_string(), "word"].concat()
}

fn spelled_in_words(number: u32) -> String {
    number.to_le_bytes().map(spelled).concat()
}
