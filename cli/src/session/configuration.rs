//! The filter's configuration as the session runs it: what the user said, and what the live view needs.
//!
//! Merged as a tree, before it means anything, so that what is refused is refused by the core, for the
//! same reasons as everywhere. Each setting of the user's that does not act here is told.

use serde_json::{Map, Value, json};
use sightline_core::config;

use super::Failed;
use crate::bootstrap::COLLECTOR;

/// The name of a service that nobody has named.
pub(super) const UNNAMED: &str = "app";

/// How many spans of a worker wait to be sent: those of two seconds of very much traffic.
const QUEUE: u32 = 20_000;

/// What is the case here whatever was said, and why.
const FIXED: [(&str, &str, &str); 4] = [
    ("access_log", "property", "the lines that are shown come by it"),
    ("access_log", "format", "the lines are read as JSON"),
    ("access_log", "success_ratio", "every request is shown"),
    ("access_log", "drop", "whole lines are read"),
];

/// A configuration that the filter will take.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Merged {
    pub(super) service: String,
    pub(super) configuration: Value,
    /// What was said and does not act, a sentence each.
    pub(super) notes: Vec<String>,
}

/// Adds what the session needs. A name in the configuration counts for more than `service`.
pub(super) fn merge(said: &Value, service: Option<&str>) -> Result<Merged, Failed> {
    interpret(said)?;
    let mut tree = match said {
        Value::Object(entries) => entries.clone(),
        _ => Map::new(),
    };
    let mut notes = Vec::new();
    for (name, key, why) in FIXED {
        notes.extend(fix(section(&mut tree, name), (name, key), why));
    }
    notes.extend(export(&mut tree));
    notes.extend(endpoint(&tree));
    default(section(&mut tree, "sampling"), "ratio", json!(1));
    let name = default(section(&mut tree, "service"), "name", json!(service.unwrap_or(UNNAMED)));
    let service = name.as_str().unwrap_or(UNNAMED).to_owned();
    let configuration = Value::Object(tree);
    interpret(&configuration)?;
    Ok(Merged { service, configuration, notes })
}

/// Whether a service can be called that.
pub fn is_service_name(name: &str) -> bool {
    interpret(&json!({"service": {"name": name}})).is_ok()
}

fn interpret(tree: &Value) -> Result<(), Failed> {
    config::read(tree.to_string().as_bytes()).map(drop).map_err(Failed::Refused)
}

/// A section to write into. One that is no map was refused before.
fn section<'a>(tree: &'a mut Map<String, Value>, name: &str) -> &'a mut Map<String, Value> {
    let section = tree.entry(name).or_insert(Value::Null);
    if !section.is_object() {
        *section = Value::Object(Map::new());
    }
    match section {
        Value::Object(entries) => entries,
        _ => unreachable!("it has just been made one"),
    }
}

/// Sets what is fixed, and tells if something else was said.
fn fix(section: &mut Map<String, Value>, (name, key): (&str, &str), why: &str) -> Option<String> {
    let fixed = match key {
        "property" => json!(true),
        "format" => json!("json"),
        "success_ratio" => json!(1),
        _ => json!([]),
    };
    let said = section.insert(key.to_owned(), fixed.clone())?;
    let is_same = said.is_null() || said == fixed || said == json!(1.0);
    (!is_same).then(|| format!("{name}.{key}: {said} does not act here, because {why}."))
}

/// Spans go to the receiver, soon after they have ended.
fn export(tree: &mut Map<String, Value>) -> Option<String> {
    let ours = json!({"cluster": COLLECTOR, "interval": "1s", "queue": QUEUE});
    let said = tree.insert("export".to_owned(), ours)?;
    let cluster = said.get("cluster")?.as_str()?;
    Some(format!(
        "export: spans go to the live view, and not to the cluster {cluster:?}, which is not there."
    ))
}

/// A port of its own for scrapes is for a deployment.
fn endpoint(tree: &Map<String, Value>) -> Option<String> {
    let port = tree.get("metrics")?.get("endpoint")?.get("port")?;
    Some(format!(
        "metrics.endpoint: nothing listens on port {port} here; `sightline generate bootstrap` \
         writes that listener."
    ))
}

/// What is said, or else this.
fn default<'a>(section: &'a mut Map<String, Value>, key: &str, value: Value) -> &'a Value {
    let entry = section.entry(key).or_insert(Value::Null);
    if entry.is_null() {
        *entry = value;
    }
    entry
}

#[cfg(test)]
mod tests {
    use super::*;

    fn merged(said: &Value) -> Merged {
        merge(said, Some("shop")).unwrap_or_else(|failed| panic!("{failed}"))
    }

    #[test]
    fn with_nothing_said_it_is_what_the_live_view_needs() {
        for said in [Value::Null, json!({}), json!({"access_log": null, "service": {"name": null}})]
        {
            let Merged { service, configuration, notes } = merged(&said);
            assert_eq!(
                configuration,
                json!({
                    "access_log": {"property": true, "format": "json", "success_ratio": 1, "drop": []},
                    "export": {"cluster": "collector", "interval": "1s", "queue": 20_000},
                    "sampling": {"ratio": 1},
                    "service": {"name": "shop"},
                })
            );
            assert_eq!((service.as_str(), notes), ("shop", Vec::new()), "{said}");
        }
    }

    #[test]
    fn what_was_said_stays() {
        let said = json!({
            "service": {"name": "till", "version": "7"},
            "sampling": {"ratio": 0.25, "keep_errors": false},
            "routes": {"templates": ["/users/{id}"]},
            "access_log": {"request_headers": ["x-tenant"], "format": "json", "success_ratio": 1.0},
        });
        let Merged { service, configuration, notes } = merged(&said);
        assert_eq!((service.as_str(), notes), ("till", Vec::new()));
        for pointer in [
            "/service/version",
            "/sampling/ratio",
            "/sampling/keep_errors",
            "/routes",
            "/access_log/request_headers",
        ] {
            assert_eq!(configuration.pointer(pointer), said.pointer(pointer), "{pointer}");
        }
    }

    #[test]
    fn what_does_not_act_is_told() {
        for (said, told) in [
            (json!({"access_log": {"property": false}}), "access_log.property: false does not"),
            (json!({"access_log": {"format": "ecs"}}), "access_log.format: \"ecs\" does not act"),
            (json!({"access_log": {"success_ratio": 0.1}}), "access_log.success_ratio: 0.1 does"),
            (json!({"access_log": {"drop": ["pod"]}}), "access_log.drop: [\"pod\"] does not act"),
            (json!({"export": {"cluster": "otel", "protocol": "grpc"}}), "the cluster \"otel\""),
            (json!({"metrics": {"endpoint": {"port": 9464}}}), "nothing listens on port 9464"),
        ] {
            let Merged { notes, configuration, .. } = merged(&said);
            assert_eq!(notes.len(), 1, "{notes:?}");
            assert!(notes[0].contains(told), "{notes:?}");
            assert_eq!(configuration["export"]["cluster"], "collector");
            assert_eq!(configuration["access_log"]["format"], "json");
        }
    }

    #[test]
    fn what_is_wrong_is_refused_with_every_problem() {
        let said = json!({"acces_log": {}, "export": {"timeout": "never"}, "access_log": 5});
        let refused = merge(&said, None).unwrap_err().to_string();
        for part in ["acces_log", "export.timeout", "access_log: 5"] {
            assert!(refused.contains(part), "{part}: {refused}");
        }
        assert!(merge(&json!([1]), None).is_err());
    }

    #[test]
    fn a_name_is_what_the_filter_takes_for_one() {
        assert!(is_service_name("shop") && is_service_name("die Küche"));
        assert!(!is_service_name(""));
    }
}
