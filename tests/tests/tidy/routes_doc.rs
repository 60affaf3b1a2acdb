//! What docs/routes.md shows is so: its configurations are accepted or refused as it says, and its tables
//! hold for the code.
//!
//! A comment in front of a table or a configuration says how it is to be read, and the test for it is
//! here. What is only prose is not checked, but for its numbers.

use sightline_core::config::{Settings, Value, interpret};
use sightline_core::route::learner::Limits;
use sightline_core::route::segment::LONGEST_WORD;
use sightline_core::route::shape::{MOST_PARTS, Shape, name};
use sightline_core::route::template::{LONGEST_TEMPLATE, MOST_SEGMENTS};
use sightline_core::route::{Alone, Inference, Precedence, Scratch, Templates};
use sightline_core::{Exchange, Method, Moment, Monotonic, Place, Plan, Rng, Tracing, Wall};

use crate::page::{self, Item, codes, first_code};
use crate::text;

const PAGE: &str = "docs/routes.md";

/// What the comments can say. Behind `checked:`, so that nobody reads them as part of the page.
const MARKERS: [&str; 7] = [
    "path -> logged",
    "refused",
    "request -> route",
    "request, answer -> route, source",
    "segment -> kind",
    "template -> takes, does not take",
    "warned of",
];

fn items() -> Vec<(Option<&'static str>, Item)> {
    page::items(PAGE, &MARKERS)
}

fn said(yaml: &str) -> Value {
    page::said(PAGE, yaml)
}

/// Whether this is a configuration of the filter. Envoy's and Istio's are on the page too.
fn is_ours(yaml: &str) -> bool {
    ["routes:", "publish:"].iter().any(|key| yaml.starts_with(key))
}

/// One worker and the state that it shares with nobody.
struct Worker {
    plan: Plan,
    inference: Inference,
    ledger: Alone,
}

impl Worker {
    fn new(settings: &Settings) -> Self {
        let plan = Plan::new(settings, &Place::default());
        let ledger = Alone::default();
        let inference = Inference::new(plan.router.limits);
        Self { plan, inference, ledger }
    }

    /// The route of `GET /path` with an answer such as `404 from the app`, and its source; none if it is
    /// ignored.
    fn route(&mut self, request: &str, answer: &str) -> Option<(String, &'static str)> {
        let exchange = self.exchange(request, answer);
        let is_from_app = || answer.contains("app");
        let Self { plan, inference, ledger } = self;
        let (route, _) = inference.route_of(&exchange, &plan.router, is_from_app, ledger)?;
        Some((route.name.to_owned(), route.source.as_str()))
    }

    fn exchange(&self, request: &str, answer: &str) -> Exchange {
        let now = Moment { wall: Wall(0), monotonic: Monotonic(0) };
        let (method, path) = first_code(request).split_once(' ').unwrap();
        let mut pairs = vec![(":method", method), (":path", path)];
        if request.contains("preflight") {
            pairs.push(("access-control-request-method", "POST"));
        }
        let pairs = pairs.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes()));
        let mut rng = Rng::from_seed([7; 32]);
        let mut scratch = Scratch::default();
        let mut exchange =
            Exchange::begin(pairs, now, &mut rng, &mut scratch, &self.plan, Tracing::Own);
        let status: String = answer.chars().take_while(char::is_ascii_digit).collect();
        let mut pairs = vec![(":status", status.as_str())];
        if answer.contains("UNIMPLEMENTED") {
            pairs.push(("grpc-status", "12"));
        }
        if !status.is_empty() {
            let pairs = pairs.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes()));
            exchange.respond(pairs, now.monotonic, &self.plan);
        }
        exchange
    }

    /// The path as it is logged.
    fn logged(&self, path: &str) -> String {
        let mut scratch = Scratch::default();
        let target = self.plan.router.target(Method::Get, path.as_bytes(), &mut scratch);
        let redacted = self.plan.router.redacted(target, path.as_bytes(), &mut scratch);
        String::from_utf8(redacted.unwrap_or_else(|| path.into())).unwrap()
    }
}

#[test]
fn every_configuration_means_what_the_page_says() {
    let items = items();
    let mut checked = 0;
    for (number, (marker, item)) in items.iter().enumerate() {
        let Item::Block(language, body) = item else { continue };
        if language != "yaml" {
            continue;
        }
        let read = interpret(&said(body));
        let found = match (*marker, read) {
            (Some("refused"), Err(problems)) => problems.to_string(),
            (Some("warned of"), Ok(settings)) => {
                let warnings = settings.warnings();
                warnings.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
            }
            (None, Ok(settings)) if is_ours(body) => {
                assert_eq!(settings.warnings(), [], "{PAGE}:\n{body}");
                continue;
            }
            (None, Err(_)) if !is_ours(body) => continue,
            (_, read) => panic!("{PAGE}: {marker:?}, but {read:?}\n{body}"),
        };
        checked += 1;
        let Some((_, Item::Block(_, shown))) = items.get(number + 1) else {
            panic!("{PAGE}: no messages behind\n{body}")
        };
        assert_eq!(&found, shown, "{PAGE}: left is what is said of\n{body}");
    }
    assert!(checked >= 3, "only {checked} configurations with messages were found on {PAGE}");
}

#[test]
fn every_request_of_the_page_has_its_route() {
    let mut worker = Worker::new(&Settings::default());
    let mut checked = 0;
    for (marker, item) in items() {
        match (marker, item) {
            // It holds for the tables behind it.
            (None, Item::Block(language, body)) if language == "yaml" && is_ours(&body) => {
                worker = Worker::new(&interpret(&said(&body)).unwrap());
            }
            (Some("request -> route"), Item::Table(rows)) => {
                for row in rows {
                    let found = worker.route(&row[0], "200 from the app").map(|(route, _)| route);
                    let expected = codes(&row[1]).first().map(|&route| route.to_owned());
                    assert_eq!(found, expected, "{PAGE}: {row:?}");
                    checked += 1;
                }
            }
            (Some("request, answer -> route, source"), Item::Table(rows)) => {
                for row in rows {
                    let found = worker.route(&row[0], &row[1]);
                    let expected = Some((first_code(&row[2]).to_owned(), first_code(&row[3])));
                    assert_eq!(found, expected, "{PAGE}: {row:?}");
                    checked += 1;
                }
            }
            (Some("path -> logged"), Item::Table(rows)) => {
                for row in rows {
                    assert_eq!(worker.logged(first_code(&row[0])), first_code(&row[1]), "{PAGE}");
                    checked += 1;
                }
            }
            _ => {}
        }
    }
    assert!(checked > 60, "only {checked} requests were found on {PAGE}");
}

#[test]
fn every_template_of_the_page_takes_what_it_says() {
    let mut checked = 0;
    for row in tables("template -> takes, does not take") {
        for template in codes(&row[0]) {
            let said = [template.to_owned()];
            let templates = Templates::compile(&said, Precedence::Specific)
                .unwrap_or_else(|problems| panic!("{PAGE}: {template}: {}", problems[0]));
            for (cell, expected) in [(&row[2], Some(0)), (&row[3], None)] {
                for path in codes(cell) {
                    let found =
                        templates.find(Method::Get, path.as_bytes(), &mut Scratch::default());
                    assert_eq!(found, expected, "{PAGE}: {template} and {path}");
                    checked += 1;
                }
            }
        }
    }
    assert!(checked > 100, "only {checked} paths were found on {PAGE}");
}

#[test]
fn every_segment_of_the_page_has_its_kind() {
    let mut checked = 0;
    for row in tables("segment -> kind") {
        for segment in codes(&row[1]) {
            let kept = row[0] == "stays";
            let expected = if kept { segment } else { first_code(&row[0]) };
            let route = name(Shape::of(format!("/{segment}").as_bytes()).parts());
            assert_eq!(route, format!("/{expected}"), "{PAGE}: {segment}");
            checked += 1;
        }
    }
    assert!(checked > 40, "only {checked} segments were found on {PAGE}");
}

/// The rows of all tables with this comment.
fn tables(marker: &str) -> Vec<Vec<String>> {
    page::rows(&items(), marker)
}

#[test]
fn the_numbers_of_the_page_are_those_of_the_code() {
    let page = text(PAGE).split_whitespace().collect::<Vec<_>>().join(" ");
    let limits = Plan::new(&Settings::default(), &Place::default()).router.limits;
    let Some(Limits { routes, children: Some(children) }) = limits else { panic!("{limits:?}") };
    let table = [
        format!("at most {routes} inferred routes"),
        format!("more than {children} different words"),
        format!("of more than {LONGEST_WORD} bytes"),
        format!("at most {MOST_PARTS} segments"),
        format!("at most {LONGEST_TEMPLATE} bytes"),
        format!("at most {MOST_SEGMENTS} segments"),
    ];
    for sentence in table {
        assert!(page.contains(&sentence), "{PAGE} does not say “{sentence}”");
    }
}

#[test]
fn words_collapse_and_heavy_ones_stay_as_the_page_says() {
    let mut worker = Worker::new(&Settings::default());
    let article = |number: u8| {
        let letters = [b'a' + number / 26, b'a' + number % 26];
        format!("`GET /articles/about-{}`", String::from_utf8_lossy(&letters))
    };
    let mut ask = |request: &str| worker.route(request, "200 from the app").unwrap();
    for _ in 0..16 {
        ask("`GET /articles/feed`");
    }
    for number in 0..99 {
        assert_eq!(ask(&article(number)).1, "typed", "{number}: the 100th word is still one");
    }
    let collapsed = ("/articles/{str}".to_owned(), "learned");
    assert_eq!(ask(&article(99)), collapsed, "the 101st is too many");
    assert_eq!(ask(&article(0)), collapsed, "and takes the others along");
    assert_eq!(ask("`GET /articles/feed`").0, "/articles/feed", "but not the heavy one");
}
