//! What docs/traces.md and docs/request-id.md show is so: configurations are accepted, Envoy's parts are those
//! of the template and of what the command generates, and the tables hold for the code.
//!
//! What Envoy itself does to headers and IDs is tested in a real one.

use std::collections::BTreeSet;

use serde_json::Value as Tree;
use sightline_cli::generate::Configuration;
use sightline_cli::generate::bootstrap::{Deployment, bootstrap};
use sightline_core::config::{Settings, interpret, reference};
use sightline_core::otlp::{Envelope, Resource, Signal, write_span};
use sightline_core::red::family;
use sightline_core::route::{Route, Scratch, Source};
use sightline_core::sampling::Budget;
use sightline_core::{
    Direction, Edit, ErrorType, Exchange, Flags, Moment, Monotonic, Observation, Place, Plan, Rng,
    Sampler, Tracing, Wall, Witness, red,
};
use sightline_tests::{Collector, Request};

use crate::page::{self, Item, codes, first_code};
use crate::text;

const TRACES: &str = "docs/traces.md";
const REQUEST_IDS: &str = "docs/request-id.md";

/// What the comments can say.
const MARKERS: [&str; 7] = [
    "attributes",
    "cluster",
    "error types",
    "headers -> trace, tracestate",
    "ratio -> tracestate",
    "setting",
    "stats",
];

const NOW: Moment = Moment { wall: Wall(0), monotonic: Monotonic(0) };

fn items() -> Vec<(Option<&'static str>, Item)> {
    page::items(TRACES, &MARKERS)
}

fn rows(marker: &str) -> Vec<Vec<String>> {
    page::rows(&items(), marker)
}

/// Those in YAML, each with its comment.
fn blocks(page: &str) -> Vec<(Option<&'static str>, String)> {
    let items = page::items(page, &MARKERS).into_iter();
    let blocks = items.filter_map(|(marker, item)| match item {
        Item::Block(language, body) if language == "yaml" => Some((marker, body)),
        Item::Block(..) | Item::Table(_) => None,
    });
    blocks.collect()
}

/// Whether this is a configuration of the filter, and not a part of Envoy's.
fn is_ours(yaml: &str) -> bool {
    let reference = reference();
    let defaults = reference.split("```").nth(1).unwrap();
    let key = yaml.lines().next().and_then(|line| line.split_once(':')).unwrap().0;
    defaults.lines().any(|line| line.split_once(':').is_some_and(|(known, _)| known == key))
}

fn tree(yaml: &str) -> Tree {
    serde_saphyr::from_str(yaml).unwrap_or_else(|error| panic!("{error}\n{yaml}"))
}

fn settings(yaml: &str) -> Settings {
    let read = interpret(&page::said(TRACES, yaml));
    read.unwrap_or_else(|problems| panic!("{TRACES}: {problems}\n{yaml}"))
}

#[test]
fn every_configuration_of_the_pages_is_accepted() {
    let mut checked = 0;
    for (_, block) in [TRACES, REQUEST_IDS].into_iter().flat_map(blocks) {
        if is_ours(&block) {
            assert_eq!(settings(&block).warnings(), [], "{block}");
            checked += 1;
        }
    }
    assert!(checked >= 7, "only {checked} configurations were found");
}

#[test]
fn every_cluster_of_the_page_is_the_one_that_is_generated() {
    let blocks = blocks(TRACES);
    let mut checked = 0;
    for pair in blocks.windows(2) {
        let [(Some("cluster"), ours), (None, envoys)] = pair else { continue };
        let shown = &tree(envoys)["clusters"][0];
        let at = "/load_assignment/endpoints/0/lb_endpoints/0/endpoint/address/socket_address";
        let at = shown.pointer(at).unwrap();
        let otlp = format!("{}:{}", at["address"].as_str().unwrap(), at["port_value"]);
        let deployment = Deployment { otlp: Some(otlp.parse().unwrap()), ..Deployment::default() };
        let whole = bootstrap(&Configuration::parse(ours).unwrap(), &deployment).unwrap();
        let whole = tree(&whole);
        let clusters = whole["static_resources"]["clusters"].as_array().unwrap();
        let written = clusters.iter().find(|it| it["name"] == shown["name"]).unwrap();
        assert_eq!(shown, written, "{TRACES}: left is what the page shows");
        checked += 1;
    }
    assert_eq!(checked, 2, "over HTTP and over gRPC");
}

#[test]
fn the_connection_manager_of_the_page_is_that_of_the_template() {
    let template = tree(&text("envoy/bootstrap.yaml"));
    let at = "/static_resources/listeners/0/filter_chains/0/filters/0/typed_config";
    let manager = template.pointer(at).unwrap();
    let blocks = blocks(REQUEST_IDS);
    let envoys: Vec<_> = blocks.iter().filter(|(_, block)| !is_ours(block)).collect();
    let [(_, block)] = envoys.as_slice() else { panic!("{REQUEST_IDS}: {envoys:?}") };
    for (field, value) in tree(block).as_object().unwrap() {
        assert_eq!(&manager[field], value, "{REQUEST_IDS}: {field}");
    }
}

/// What became of one request's context.
fn passed(plan: &Plan, traceparents: &[&str], tracestates: &[&str]) -> (String, Option<String>) {
    let parents = traceparents.iter().map(|value| ("traceparent", *value));
    let states = tracestates.iter().map(|value| ("tracestate", *value));
    let pairs: Vec<_> = parents.chain(states).collect();
    let exchange = begin(plan, &pairs);
    let mut state = tracestates.first().map(|&state| state.to_owned());
    let mut trace = String::new();
    exchange.edit_request(plan, |edit| match edit {
        Edit::Set(b"tracestate", value) => state = Some(String::from_utf8(value.to_vec()).unwrap()),
        Edit::Remove(b"tracestate") => state = None,
        Edit::Set(b"traceparent", value) => {
            let value = String::from_utf8(value.to_vec()).unwrap();
            let joined = traceparents.iter().any(|it| it.get(2..36) == value.get(2..36));
            trace.push_str(if joined { "joined" } else { "started" });
            trace.push_str(if value.ends_with(['1', '3']) { ", sampled" } else { "" });
        }
        _ => {}
    });
    (trace, state)
}

fn begin(plan: &Plan, pairs: &[(&str, &str)]) -> Exchange {
    let pairs = pairs.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes()));
    let mut rng = Rng::from_seed([7; 32]);
    Exchange::begin(pairs, NOW, &mut rng, &mut Scratch::default(), plan, Tracing::Own)
}

#[test]
fn every_context_of_the_page_goes_on_as_it_says() {
    let mut plan = Plan::new(&Settings::default(), &Place::default());
    let mut checked = 0;
    for (marker, item) in items() {
        match (marker, item) {
            // It holds for the tables behind it.
            (Some("setting"), Item::Block(_, body)) => {
                plan = Plan::new(&settings(&body), &Place::default());
            }
            (Some("headers -> trace, tracestate"), Item::Table(rows)) => {
                for row in rows {
                    let (trace, state) = passed(&plan, &codes(&row[0]), &codes(&row[1]));
                    assert_eq!(trace, row[2], "{row:?}");
                    assert_eq!(state.as_deref(), codes(&row[3]).first().copied(), "{row:?}");
                    checked += 1;
                }
            }
            _ => {}
        }
    }
    assert!(checked >= 18, "only {checked} rows were found");
}

#[test]
fn every_ratio_of_the_page_has_its_threshold() {
    let rows = rows("ratio -> tracestate");
    assert!(rows.len() >= 6, "{rows:?}");
    for row in rows {
        let sampler = Sampler::with_ratio(first_code(&row[0]).parse().unwrap());
        assert_eq!(sampler.tracestate(), first_code(&row[1]).as_bytes(), "{row:?}");
    }
}

/// A host on whose side nothing went wrong.
struct Host;

impl Witness for Host {
    fn peer(&self) -> Option<Box<[u8]>> {
        Some(b"192.0.2.1:4711".as_slice().into())
    }

    fn protocol(&self) -> Option<Box<[u8]>> {
        Some(b"HTTP/2".as_slice().into())
    }
}

/// The observation of this request with this answer, handed to `look`.
fn observe<T>(
    plan: &Plan,
    request: &[(&str, &str)],
    response: &[(&str, &str)],
    look: impl FnOnce(&Observation<'_>) -> T,
) -> T {
    let mut exchange = begin(plan, request);
    if !response.is_empty() {
        let pairs = response.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes()));
        exchange.respond(pairs, NOW.monotonic, plan);
    }
    let route = Route { name: "/users/{int}", source: Source::Typed };
    let a_second_later = Monotonic(NOW.monotonic.0 + 1_000_000_000);
    look(&exchange.finish(a_second_later, route, plan, &mut Budget::default(), &Host))
}

#[test]
fn the_error_types_of_the_page_are_those_that_there_are() {
    let plan = Plan::new(&Settings::default(), &Place::default());
    let mut known = BTreeSet::new();
    known.extend((0..64).filter_map(|bit| Flags(1 << bit).reason()));
    let reason_of = |response: &[(&str, &str)]| {
        let request = [("content-type", "application/grpc")];
        observe(&plan, &request, response, |observation| match observation.error_type() {
            Some(ErrorType::Reason(reason)) => Some(reason),
            Some(ErrorType::Status(_)) | None => None,
        })
    };
    known.extend(reason_of(&[]));
    for code in 0..20 {
        known.extend(reason_of(&[(":status", "200"), ("grpc-status", &code.to_string())]));
    }
    let rows = rows("error types");
    let listed: BTreeSet<_> = rows.iter().map(|row| first_code(&row[0])).collect();
    assert_eq!(listed, known, "left is {TRACES}, right the code");
    assert_eq!(listed.len(), rows.len(), "each once");
}

/// The names of all attributes that spans of this direction can have.
fn attributes(direction: Direction) -> BTreeSet<String> {
    let said = "{sampling: {ratio: 0, keep_slower_than: 1ms}, export: {cluster: otel}, \
                trace: {baggage: [tenant]}}";
    let plan = Plan::new(&settings(said), &Place::default());
    let request = [
        (":method", "BREW"),
        (":scheme", "https"),
        (":authority", "shop.test:8443"),
        (":path", "/users/7?a=b"),
        ("content-type", "application/grpc"),
        ("user-agent", "curl"),
        ("baggage", "tenant=acme"),
    ];
    let response = [(":status", "200"), ("grpc-status", "13")];
    let mut items = Vec::new();
    observe(&plan, &request, &response, |observation| {
        write_span(observation, direction, &plan, &mut items);
    });
    let mut message = Vec::new();
    Envelope::new(&Resource::default()).wrap(&items, &mut message);
    let collector = Collector::start();
    let sent =
        Request::post("/v1/traces").field("content-type", "application/x-protobuf").body(message);
    sent.send(collector.address()).unwrap();
    let spans = collector.wait_for(1);
    spans[0].span.attributes.iter().map(|attribute| attribute.key.clone()).collect()
}

#[test]
fn the_attributes_of_the_page_are_those_of_spans() {
    let rows = rows("attributes");
    for (column, direction) in [(2, Direction::Inbound), (3, Direction::Outbound)] {
        let listed = rows.iter().filter(|row| row[column] == "yes");
        let listed: BTreeSet<_> = listed.map(|row| first_code(&row[0]).to_owned()).collect();
        assert_eq!(listed, attributes(direction), "left is {TRACES}: {direction:?}");
    }
}

/// The name of a stat without its labels, and the names of these.
fn taken_apart(stat: &str) -> (String, BTreeSet<String>) {
    let mut parts: Vec<_> = stat.split(";.;").collect();
    let name = parts.pop().unwrap().to_owned();
    let labels = parts.iter().map(|part| part.split_once("=.=").unwrap().0.to_owned());
    (name, labels.collect())
}

#[test]
fn the_stats_of_the_page_are_those_that_there_are() {
    let known = [
        red::counter(&family::SPANS, &["sampled"]),
        red::counter(&family::EXPORTED, &["traces"]),
        red::counter(&family::DROPPED, &["traces", "expired"]),
        red::export_waiting(Signal::Traces),
        red::counter(&family::BATCHES, &["traces", "ok"]),
    ]
    .map(|stat| taken_apart(&stat));
    let rows = rows("stats");
    let listed: Vec<_> = rows.iter().map(|row| first_code(&row[0])).collect();
    assert_eq!(listed, known.each_ref().map(|(name, _)| name.as_str()));
    let template = text("envoy/bootstrap.yaml");
    for (row, (name, labels)) in rows.iter().zip(&known) {
        for label in labels {
            assert!(codes(&row[1]).contains(&label.as_str()), "{TRACES}: {name} {label}");
            let tag = format!(r"({label}=\.=(.*?);\.;)");
            assert!(template.contains(&tag), "the template makes no label {label} of {name}");
        }
    }
    let others = ["sightline_http_requests_total"];
    let page = text(TRACES);
    for stat in codes(&page).into_iter().filter(|code| code.starts_with("sightline_")) {
        assert!(listed.contains(&stat) || others.contains(&stat), "{TRACES}: there is no {stat}");
    }
}

#[test]
fn the_numbers_of_the_page_are_the_defaults() {
    let page = text(TRACES).split_whitespace().collect::<Vec<_>>().join(" ");
    let defaults = Settings::default();
    assert_eq!((defaults.export.queue.as_usize(), defaults.sampling.ratio.as_f64()), (2_048, 0.05));
    for sentence in ["with the default of 2,048", "`0.05`, the default", "One trace in twenty"] {
        assert!(page.contains(sentence), "{TRACES} does not say “{sentence}”");
    }
}
