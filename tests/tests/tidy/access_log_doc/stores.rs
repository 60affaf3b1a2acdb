//! What the page on the access log has for log stores names fields that there are: labels and queries of Loki, and
//! mapping, shipper and queries of Elasticsearch. No such store runs here, so this is all that can be seen to.

use std::collections::BTreeSet;

use serde_json::Value as Tree;

use super::{FIELDS, PAGE, blocks, fields};
use crate::text;

/// Words of Loki's language that stand in queries of the page.
const LOGQL: [&str; 7] =
    ["by", "count_over_time", "json", "quantile_over_time", "rate", "sum", "unwrap"];

fn block_of(marker: &str) -> Tree {
    let [block] = <[String; 1]>::try_from(blocks(|it, _| it == Some(marker))).unwrap();
    serde_saphyr::from_str(&block).unwrap_or_else(|error| panic!("{error}\n{block}"))
}

fn written_in(language: &str) -> Vec<String> {
    blocks(|_, it| it == language)
}

/// A query without its texts.
fn without_texts(query: &str) -> String {
    query.split('"').step_by(2).collect::<Vec<_>>().join("\"\"")
}

/// What begins with a small letter and is no duration.
fn names(query: &str) -> BTreeSet<String> {
    let is_of_name =
        |it: char| it.is_ascii_lowercase() || it.is_ascii_digit() || "@_.".contains(it);
    let words = query.split(|it: char| !is_of_name(it));
    words
        .filter(|word| word.starts_with(|it: char| it.is_ascii_lowercase() || it == '@'))
        .map(str::to_owned)
        .collect()
}

/// The keys of the block of Alloy with this name, each of which stands for itself.
fn keys(alloy: &str, block: &str) -> BTreeSet<String> {
    let (_, body) = alloy.split_once(&format!("{block} {{")).unwrap();
    let (_, body) = body.split_once(" = {").unwrap();
    let body = without_texts(body.split_once('}').unwrap().0);
    body.lines().filter_map(|line| Some(line.split_once('=')?.0.trim().to_owned())).collect()
}

#[track_caller]
fn all_of(named: &BTreeSet<String>, known: &BTreeSet<String>, what: &str) {
    let unknown: Vec<_> = named.difference(known).collect();
    assert!(unknown.is_empty(), "{PAGE}: not there: {unknown:?} of {what}");
}

#[test]
fn lokis_pipeline_takes_fields_that_there_are() {
    let (ours, _) = fields();
    let [alloy] = <[String; 1]>::try_from(written_in("alloy")).unwrap();
    let read = keys(&alloy, "stage.json");
    all_of(&read, &ours, "stage.json");
    let kept = ["stage.labels", "stage.structured_metadata"].map(|stage| keys(&alloy, stage));
    let time = BTreeSet::from(["timestamp".to_owned()]);
    assert_eq!(read, &(&kept[0] | &kept[1]) | &time, "what is read is used");
}

#[test]
fn lokis_queries_ask_for_fields_that_there_are() {
    let (ours, _) = fields();
    let [alloy] = <[String; 1]>::try_from(written_in("alloy")).unwrap();
    let labels = keys(&alloy, "stage.labels");
    let metadata = keys(&alloy, "stage.structured_metadata");
    let queries = written_in("logql");
    assert!(queries.len() >= 5, "{queries:?}");
    for query in &queries {
        let mut named = names(&without_texts(query));
        named.retain(|name| !LOGQL.contains(&name.as_str()));
        all_of(&named, &ours, query);
        let (_, streams) = query.split_once('{').unwrap();
        let (streams, filters) = streams.split_once('}').unwrap();
        all_of(&names(&without_texts(streams)), &labels, "labels");
        // What is not taken out of the line here must have been taken out before.
        if !query.contains("| json") {
            all_of(&names(filters.split('=').next().unwrap_or_default()), &metadata, query);
        }
    }
}

#[test]
fn elasticsearchs_mapping_has_each_field_that_the_schema_has_no_name_for() {
    let (_, ecs) = fields();
    let mapping = block_of("mapping");
    let own = &mapping["template"]["mappings"]["properties"]["sightline"]["properties"];
    let mapped: BTreeSet<_> =
        own.as_object().unwrap().keys().map(|name| format!("sightline.{name}")).collect();
    let declared = ecs.into_iter().filter(|name| name.starts_with("sightline."));
    assert_eq!(mapped, declared.collect(), "left is {PAGE}, right {FIELDS}");
}

#[test]
fn elasticsearchs_queries_ask_for_fields_that_there_are() {
    let (_, ecs) = fields();
    let queries = [written_in("kql"), written_in("esql")].concat();
    assert!(queries.len() >= 5, "{queries:?}");
    for query in &queries {
        for line in without_texts(query).lines().filter(|line| !line.starts_with("FROM ")) {
            let (made, rest) = line.split_once(" = ").unwrap_or(("", line));
            let mut named = names(rest);
            // One that a line before has made.
            named.retain(|name| !query.contains(&format!(" {name} = ")));
            all_of(&named, &ecs, query);
            assert!(made.is_empty() || made.starts_with("| STATS "), "{line}");
        }
    }
}

#[test]
fn the_apps_records_get_names_of_the_schema() {
    let (ours, ecs) = fields();
    let filebeat = block_of("filebeat");
    let processors = filebeat["filebeat.inputs"][1]["processors"].as_array().unwrap();
    let renamed = processors.iter().find_map(|it| it["rename"]["fields"].as_array()).unwrap();
    assert!(renamed.len() >= 5, "{renamed:?}");
    let side = |name: &str| -> BTreeSet<String> {
        renamed.iter().map(|field| field[name].as_str().unwrap().to_owned()).collect()
    };
    all_of(&side("from"), &ours, "what is renamed");
    all_of(&side("to"), &ecs, "names given");
    // Each is the same field under both names.
    let declared = text(FIELDS);
    for field in renamed {
        let names = format!("= {}, {};", field["from"], field["to"]);
        assert!(declared.contains(&names), "{FIELDS} has no {names}");
    }
}

#[test]
fn names_are_told_from_words() {
    let told = names(&without_texts(r#"sum by (a_b) (rate({c="d"}[5m])) | E @f.g > 0.5"#));
    let expected = ["@f.g", "a_b", "by", "c", "rate", "sum"].map(str::to_owned);
    assert_eq!(told, expected.into());
}
