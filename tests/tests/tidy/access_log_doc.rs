//! What docs/access-log.md shows is so: the fields and their names, configurations, Envoy's logger, the prices, and what
//! log stores are told of fields.
//!
//! What becomes of each request, and what stands in the app's own log, is tested in a real Envoy.

mod stores;

use std::collections::BTreeSet;

use serde_json::Value as Tree;
use sightline_cli::FILTER;
use sightline_core::config::{Settings, interpret};
use sightline_core::log::Field;
use sightline_host::{Host, Module, Plugin, Request, World};

use crate::page::{self, Item, codes, first_code};
use crate::text;

const PAGE: &str = "docs/access-log.md";
const FIELDS: &str = "plugin/core/src/log/field.rs";

/// What the comments can say. Some are for the tests in a real Envoy.
const MARKERS: [&str; 20] = [
    "cases",
    "configuration",
    "correlate.py",
    "cost",
    "fields",
    "filebeat",
    "gunicorn's own",
    "jq errors",
    "jq p95",
    "jq request",
    "jq trace",
    "line",
    "logger",
    "logging.json",
    "mapping",
    "record",
    "start asgi",
    "start wsgi",
    "structlog",
    "text",
];

/// Our names of the fields, and those of the Elastic Common Schema, in their order.
fn declared() -> Vec<(String, String)> {
    let declared = text(FIELDS);
    let declared = declared.lines().filter_map(|line| {
        let (_, names) = line.strip_suffix("\";")?.split_once(" = \"")?;
        names.split_once("\", \"").map(|(ours, ecs)| (ours.to_owned(), ecs.to_owned()))
    });
    let declared: Vec<_> = declared.collect();
    assert_eq!(declared.len(), Field::DROPPABLE.len() + 3, "{FIELDS}: {declared:?}");
    declared
}

fn fields() -> (BTreeSet<String>, BTreeSet<String>) {
    declared().into_iter().unzip()
}

fn blocks(is_it: impl Fn(Option<&str>, &str) -> bool) -> Vec<String> {
    let items = page::items(PAGE, &MARKERS).into_iter();
    let blocks = items.filter_map(|(marker, item)| match item {
        Item::Block(language, body) if is_it(marker, &language) => Some(body),
        Item::Block(..) | Item::Table(_) => None,
    });
    blocks.collect()
}

fn rows(marker: &str) -> Vec<Vec<String>> {
    page::rows(&page::items(PAGE, &MARKERS), marker)
}

fn settings(yaml: &str) -> Settings {
    let read = interpret(&page::said(PAGE, yaml));
    read.unwrap_or_else(|problems| panic!("{PAGE}: {problems}\n{yaml}"))
}

#[test]
fn every_field_is_on_the_page_in_its_place() {
    let named =
        |row: &Vec<String>| (first_code(&row[0]).to_owned(), first_code(&row[1]).to_owned());
    let rows = rows("fields");
    assert_eq!(rows.iter().map(named).collect::<Vec<_>>(), declared());
    let sources =
        ["attributes", "log_record"].map(|it| text(format!("plugin/core/src/otlp/{it}.rs")));
    let sources = sources.concat() + &text("plugin/core/src/place.rs");
    for name in rows.iter().flat_map(|row| codes(&row[2])) {
        assert!(sources.contains(&format!("\"{name}\"")), "{PAGE}: no record has {name}");
    }
}

#[test]
fn the_line_of_the_page_is_one() {
    let [line] = <[String; 1]>::try_from(blocks(|it, _| it == Some("line"))).unwrap();
    let read: serde_json::Map<String, Tree> = serde_json::from_str(&line).unwrap();
    let place = |name: &str| line.find(&format!("\"{name}\":"));
    let declared = declared();
    let places: Vec<_> = declared.iter().filter_map(|(name, _)| place(name)).collect();
    assert!(places.is_sorted(), "{PAGE}: the fields have another order");
    for name in read.keys() {
        assert!(declared.iter().any(|(known, _)| known == name), "{PAGE}: there is no {name}");
    }
}

#[test]
fn every_configuration_of_the_page_is_accepted() {
    let blocks = blocks(|it, _| it == Some("configuration"));
    assert!(blocks.len() >= 2);
    for block in blocks {
        settings(&block);
    }
}

#[test]
fn the_logger_of_the_page_is_that_of_the_template() {
    let [logger] = <[String; 1]>::try_from(blocks(|it, _| it == Some("logger"))).unwrap();
    let logger: Tree = serde_saphyr::from_str(&logger).unwrap();
    let template: Tree = serde_saphyr::from_str(&text("envoy/bootstrap.yaml")).unwrap();
    let manager = "/static_resources/listeners/0/filter_chains/0/filters/0/typed_config";
    assert_eq!(logger["access_log"], template.pointer(manager).unwrap()["access_log"]);
}

#[test]
fn every_price_of_the_page_is_what_is_paid() {
    let rows = rows("cost");
    assert!(rows.len() >= 8, "{rows:?}");
    let module = Module::new(FILTER).unwrap();
    for row in rows {
        let mut said: Tree =
            serde_saphyr::from_str(&format!("access_log: {}", first_code(&row[0]))).unwrap();
        // What metrics ask for is their own price.
        said["metrics"] = serde_json::json!({"stats": false});
        let plugin = Plugin::new(&module).configuration(said.to_string());
        let mut host = Host::new(World::seeded(7), plugin).unwrap();
        let request = Request::get("/").header("x-forwarded-for", "192.0.2.1");
        let mut price = || {
            let budget = host.request(request.clone()).unwrap().budget;
            let handed = budget.hostcalls("proxy_set_property") + budget.hostcalls("proxy_log");
            [budget.hostcalls("proxy_get_property"), handed]
        };
        let (_, paid) = (price(), price());
        assert_eq!(row[1..], paid.map(|calls| calls.to_string()), "{PAGE}: {row:?}");
    }
}
