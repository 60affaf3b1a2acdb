//! What Envoy's access logs tell: the filter state of each request, and what the translators did.

use std::collections::HashMap;
use std::path::Path;

use serde_json::{Map, Value, json};

use crate::scenario::Scenario;

/// The filter state in which the Sightline filter leaves its line.
const LINE: &str = "sightline_log";
const TRANSLATOR_LOG: &str = "translator.log";

/// How Envoy's details of a response begin if it came from where the translator sent the request,
/// as far as it came.
const ANSWERED: [&str; 3] =
    ["via_upstream", "upstream_reset_after_response_started", "downstream_"];

/// The format for the plugins' listeners.
pub(super) fn format(scenario: &Scenario) -> Value {
    let state = scenario.state.iter().map(|name| (name.clone(), filter_state(name)));
    json!({"json_format": {
        "port": "%DOWNSTREAM_DIRECT_REMOTE_PORT%",
        "line": filter_state(LINE),
        "state": state.collect::<Map<_, _>>(),
    }})
}

fn filter_state(name: &str) -> Value {
    json!(format!("%FILTER_STATE(wasm.{name}:PLAIN)%"))
}

/// The access log of translators.
pub(super) fn of_translator() -> Value {
    json!({
        "name": "envoy.access_loggers.file",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog",
            "path": TRANSLATOR_LOG,
            "log_format": {"json_format": {
                "port": "%DOWNSTREAM_DIRECT_REMOTE_PORT%",
                "onwards": "%UPSTREAM_LOCAL_ADDRESS%",
                "details": "%RESPONSE_CODE_DETAILS%",
            }},
        },
    })
}

/// What the access logs tell, as far as they are written.
#[derive(Debug, Default)]
pub(super) struct Access {
    /// By the client's port.
    requests: HashMap<u16, Told>,
    /// What translators did, by the client's port.
    translations: HashMap<u16, Translation>,
}

/// What is told of one request.
#[derive(Clone, Debug, Default)]
pub(super) struct Told {
    pub(super) line: Option<String>,
    pub(super) state: Vec<(String, Option<String>)>,
}

#[derive(Clone, Copy, Debug)]
struct Translation {
    /// The port from which the translator went on.
    onwards: u16,
    /// Whether the answer came from there, and not from the translator itself.
    answered: bool,
}

impl Access {
    /// Reads the log of the plugins' listeners and that of the translators.
    pub(super) fn read(log: &str, dir: &Path, scenario: &Scenario) -> Self {
        let translators = std::fs::read_to_string(dir.join(TRANSLATOR_LOG)).unwrap_or_default();
        Self {
            requests: entries(log).filter_map(|entry| told(&entry, scenario)).collect(),
            translations: entries(&translators).filter_map(|entry| translation(&entry)).collect(),
        }
    }

    /// What is told of the request of a client with this port.
    pub(super) fn of(&self, client: u16) -> Option<&Told> {
        let port = self.translations.get(&client).map_or(client, |it| it.onwards);
        self.requests.get(&port)
    }

    /// Whether a translator answered this client by itself, because it got no answer.
    pub(super) fn is_made_up(&self, client: u16) -> bool {
        self.translations.get(&client).is_some_and(|it| !it.answered)
    }

    /// The ports of translators.
    pub(super) fn ports(&self) -> impl Iterator<Item = u16> {
        self.translations.values().map(|it| it.onwards)
    }
}

/// The whole lines.
fn entries(log: &str) -> impl Iterator<Item = Value> {
    let whole = log.split_inclusive('\n').filter(|line| line.ends_with('\n'));
    whole.filter_map(|line| serde_json::from_str(line).ok())
}

fn told(entry: &Value, scenario: &Scenario) -> Option<(u16, Told)> {
    let state = scenario.state.iter().map(|name| (name.clone(), text(&entry["state"][name])));
    let told = Told { line: text(&entry["line"]), state: state.collect() };
    port(&entry["port"]).map(|port| (port, told))
}

fn translation(entry: &Value) -> Option<(u16, Translation)> {
    let onwards = text(&entry["onwards"])
        .and_then(|address| address.rsplit_once(':').and_then(|(_, port)| port.parse().ok()));
    let answered = entry["details"]
        .as_str()
        .is_some_and(|details| ANSWERED.iter().any(|beginning| details.starts_with(beginning)));
    Some((port(&entry["port"])?, Translation { onwards: onwards.unwrap_or(0), answered }))
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

/// A port is a number or text, as the version likes it.
fn port(value: &Value) -> Option<u16> {
    let number = value.as_u64().and_then(|port| port.try_into().ok());
    number.or_else(|| value.as_str()?.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::parse;

    const LOG: &str = r#"{"port":"1001","line":"{}","state":{"a":"x"}}
{"port":1002,"line":null,"state":{"a":null}}
{"port":2001,"line":"half"#;
    const TRANSLATORS: &str = r#"{"port":"3001","onwards":"127.0.0.2:1002","details":"via_upstream"}
{"port":"3002","onwards":"127.0.0.2:9","details":"upstream_reset_before_response_started{x}"}
{"port":"3003","onwards":null,"details":"upstream_reset_after_response_started{x}"}
"#;

    #[test]
    fn requests_are_found_by_the_ports_of_their_clients() {
        let text = "- name: a\n  state: [a]\n  steps: [request: {}]\n";
        let scenario = parse(text, Path::new("a.yaml")).unwrap().remove(0);
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join(TRANSLATOR_LOG), TRANSLATORS).unwrap();
        let access = Access::read(LOG, dir.path(), &scenario);
        let state = |port| access.of(port).map(|told| told.state[0].1.clone());
        for (name, port, expected, made_up) in [
            ("straight", 1001, Some(Some("x".to_owned())), false),
            ("half written", 2001, None, false),
            ("translated", 3001, Some(None), false),
            ("made up", 3002, None, true),
            ("cut", 3003, None, false),
        ] {
            assert_eq!((state(port), access.is_made_up(port)), (expected, made_up), "{name}");
        }
    }
}
