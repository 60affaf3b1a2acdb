//! What docs/metrics.md shows is so: configurations are accepted, the samples come out of the filter, every metric
//! has the names, type, unit and labels that the code gives it, and queries ask for nothing that there is not.
//!
//! That the page's listener works in a real Envoy, and its queries in a real Prometheus, is tested elsewhere.

mod names;
mod promql;
mod served;

use serde_json::Value as Tree;
use sightline_cli::generate::Configuration;
use sightline_cli::generate::bootstrap::{Deployment, bootstrap};
use sightline_core::config::{Settings, interpret};
use sightline_core::red::Decimal;
use sightline_core::{Place, Plan};

use crate::page::{self, Item, codes, first_code};
use crate::text;

const PAGE: &str = "docs/metrics.md";
const TEMPLATE: &str = "envoy/bootstrap.yaml";

/// What the comments can say.
const MARKERS: [&str; 15] = [
    "configuration",
    "cost",
    "istio",
    "labels",
    "listener",
    "metrics",
    "page",
    "refused",
    "requests",
    "scrape",
    "setting",
    "stats",
    "streams",
    "tags",
    "values",
];

const MANAGER: &str = "/filter_chains/0/filters/0/typed_config";
const FILTER: &str = "/http_filters/0/typed_config/config";

fn items() -> Vec<(Option<&'static str>, Item)> {
    page::items(PAGE, &MARKERS)
}

fn rows(marker: &str) -> Vec<Vec<String>> {
    page::rows(&items(), marker)
}

/// The bodies of all blocks with this comment.
fn blocks(marker: &str) -> Vec<String> {
    let marked = items().into_iter().filter(|(it, _)| *it == Some(marker));
    let blocks = marked.filter_map(|(_, item)| match item {
        Item::Block(_, body) => Some(body),
        Item::Table(_) => None,
    });
    blocks.collect()
}

fn block(marker: &str) -> String {
    let [block] = <[String; 1]>::try_from(blocks(marker)).expect("one block with this comment");
    block
}

fn tree(yaml: &str) -> Tree {
    serde_saphyr::from_str(yaml).unwrap_or_else(|error| panic!("{PAGE}: {error}\n{yaml}"))
}

fn settings(yaml: &str) -> Settings {
    let read = interpret(&page::said(PAGE, yaml));
    read.unwrap_or_else(|problems| panic!("{PAGE}: {problems}\n{yaml}"))
}

fn template() -> Tree {
    tree(&text(TEMPLATE))
}

#[test]
fn every_configuration_of_the_page_is_accepted() {
    let all = ["configuration", "setting"].map(blocks).concat();
    assert!(all.len() >= 4, "only {} configurations were found", all.len());
    for said in all {
        assert_eq!(settings(&said).warnings(), [], "{said}");
    }
}

/// The listener that is to be pasted, and the configuration of the filter in it.
fn listener() -> (Tree, Settings) {
    let listener = tree(&block("listener"))["listeners"][0].clone();
    let manager = listener.pointer(MANAGER).unwrap();
    let said = manager.pointer(FILTER).unwrap()["configuration"]["value"].to_string();
    (listener, settings(&said))
}

#[test]
fn the_listener_of_the_page_has_the_endpoints_port_and_the_filter_of_the_template() {
    let (listener, settings) = listener();
    let endpoint = Plan::new(&settings, &Place::default()).metrics.endpoint.unwrap();
    let address = &listener["address"]["socket_address"];
    assert_eq!(address["port_value"], endpoint.port);
    let manager = listener.pointer(MANAGER).unwrap();
    let whole = template();
    let deployed = &whole["static_resources"]["listeners"][0];
    let deployed = deployed.pointer(MANAGER).unwrap();
    for part in ["name", "failure_policy", "vm_config"] {
        let at = format!("{FILTER}/{part}");
        assert_eq!(manager.pointer(&at), deployed.pointer(&at), "{PAGE}: not as in {TEMPLATE}");
    }
    assert_eq!(manager["http_filters"][1], deployed["http_filters"][1], "{PAGE}: the router");
    let routes = manager.pointer("/route_config/virtual_hosts/0/routes").unwrap();
    assert_eq!(routes[0]["direct_response"]["status"], 404, "and for all else there is nothing");
    let first = settings_of_the_first_example();
    assert_eq!(settings, first, "{PAGE}: the listener has another configuration than the page");
}

#[test]
fn the_listener_of_the_page_is_the_one_that_is_generated() {
    let configuration = Configuration::parse(&blocks("setting")[0]).unwrap();
    let written = tree(&bootstrap(&configuration, &Deployment::default()).unwrap());
    let (shown, _) = listener();
    assert_eq!(shown, written["static_resources"]["listeners"][1], "left is {PAGE}");
}

fn settings_of_the_first_example() -> Settings {
    settings(blocks("setting").first().unwrap())
}

#[test]
fn the_scrape_job_of_the_page_asks_where_the_endpoint_is() {
    let (_, settings) = listener();
    let endpoint = Plan::new(&settings, &Place::default()).metrics.endpoint.unwrap();
    let job = &tree(&block("scrape"))["scrape_configs"][0];
    assert_eq!(job["metrics_path"].as_str().unwrap().as_bytes(), endpoint.path);
    let target = job["static_configs"][0]["targets"][0].as_str().unwrap();
    let port = target.rsplit_once(':').unwrap().1;
    assert_eq!(port, endpoint.port.to_string());
}

#[test]
fn every_tag_of_the_page_is_that_of_the_template_and_in_istios_list() {
    let (shown, deployed) = (tree(&block("tags")), template());
    assert_eq!(shown["stats_config"], deployed["stats_config"], "left is {PAGE}");
    let tags = shown["stats_config"]["stats_tags"].as_array().unwrap();
    let tags: Vec<_> = tags.iter().map(|tag| tag["tag_name"].as_str().unwrap()).collect();
    let istio = tree(&block("istio"));
    let list = &istio["metadata"]["annotations"]["sidecar.istio.io/extraStatTags"];
    assert_eq!(list.as_str().unwrap().split(',').collect::<Vec<_>>(), tags);
}

#[test]
fn every_value_of_the_page_counts_as_it_says() {
    let rows = rows("values");
    assert!(rows.len() >= 10, "{rows:?}");
    for row in rows {
        let mut counted = Vec::new();
        match Decimal::parse(first_code(&row[0]).as_bytes()) {
            Some(amount) => amount.write(&mut counted),
            None => counted.extend_from_slice(b"invalid"),
        }
        assert_eq!(String::from_utf8(counted).unwrap(), row[1].replace('`', ""), "{row:?}");
    }
}

#[test]
fn every_refusal_of_the_page_is_said() {
    let rows = rows("refused");
    assert!(rows.len() >= 4, "{rows:?}");
    for row in rows {
        let said = format!("metrics: {{custom: [{}]}}", first_code(&row[0]));
        let problems = interpret(&page::said(PAGE, &said)).expect_err(&said).to_string();
        assert!(problems.contains(first_code(&row[1])), "{row:?}: {problems}");
    }
}

#[test]
fn the_limits_of_the_page_are_those_that_there_are() {
    let limit = |said: &str| Plan::new(&settings(said), &Place::default()).metrics.series_limit;
    let limits = ["routes: {limit: 1}", "routes: {limit: 201}", "routes: {limit: 10000}", "{}"];
    assert_eq!(limits.map(limit), [2_000, 2_010, 20_000, 2_000]);
    let page = text(PAGE).split_whitespace().collect::<Vec<_>>().join(" ");
    for sentence in [
        "**ten for each route**",
        "never fewer than 2,000 and never more than 20,000. With the defaults it is 2,000",
        "at most 32 custom metrics, each with at most 8 labels of at most 100 texts that make at most 1,000 series",
    ] {
        assert!(page.contains(sentence), "{PAGE} does not say “{sentence}”");
    }
}
