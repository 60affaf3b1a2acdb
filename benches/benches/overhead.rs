//! What Sightline costs in a real Envoy, beside what Envoy's own means for the same would cost.
//!
//! So far the access log: what the line costs where Envoy's own logger writes it, above the same filter that
//! writes none; and what a line of the same fields costs above an Envoy without a filter, where its
//! own JSON logger writes it.

use std::path::PathBuf;
use std::{env, fs};

use serde_json::{Value, json};
use sightline_benches::CHROME;
use sightline_benches::overhead::{Cores, Path, Table, Variant};
use sightline_benches::rounds::{self, Contender, Times};
use sightline_cli::bootstrap::{Bootstrap, Configuration};
use sightline_setup::Checkout;

const MANAGER: &str = "/static_resources/listeners/0/filter_chains/0/filters/0/typed_config";

/// How much is measured.
#[derive(Clone, Copy)]
struct Effort {
    rounds: usize,
    /// In each round, of each variant.
    requests: usize,
    /// After as many, V8 has compiled all that is called often.
    warm_up: usize,
}

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let name = arguments.iter().find(|argument| !argument.starts_with('-'));
    if name.is_some_and(|name| !"overhead/log".contains(name.as_str())) {
        return;
    }
    // Without this it is a test that all of it runs.
    let effort = if arguments.iter().any(|argument| argument == "--bench") {
        Effort { rounds: 15, requests: 4_800, warm_up: 10_000 }
    } else {
        Effort { rounds: 1, requests: 100, warm_up: 100 }
    };
    let binary = Checkout::find().and_then(|checkout| sightline_setup::envoy::find(&checkout));
    let binary = binary.unwrap_or_else(|error| panic!("{error}"));
    let cores = Cores::divide();
    let tables = Path::ALL.map(|(path, title)| {
        let table = log(&binary, path, title, &cores, effort);
        println!("{table}");
        table.to_string()
    });
    keep("overhead-log.txt", &tables.join("\n"));
}

/// Leaves what was measured where the others leave it.
fn keep(name: &str, text: &str) {
    let Some(directory) = env::var_os("CRITERION_HOME").map(PathBuf::from) else { return };
    let kept = fs::create_dir_all(&directory).and_then(|()| fs::write(directory.join(name), text));
    if let Err(error) = kept {
        eprintln!("{}: {error}", directory.display());
    }
}

/// What a line costs, Envoy's own and ours.
fn log(binary: &std::path::Path, path: Path, title: &str, cores: &Cores, effort: Effort) -> Table {
    let start = |shape: fn(Bootstrap) -> Bootstrap| {
        let mut variant = Variant::start(binary, path, &CHROME, cores, shape);
        variant.ask(effort.warm_up);
        variant
    };
    let mut variants = [bare, native, silent, unasked, ours, ours_by_cel].map(start);
    let lines = [&variants[1], &variants[4]].map(Variant::line);
    let contenders = variants.each_mut().map(|variant| {
        Contender::timed(|| {
            let took = variant.ask(effort.requests);
            variant.empty_log();
            took
        })
    });
    let times = rounds::take(effort.rounds, contenders);
    let notes = notes(&times);
    let [bare, native, silent, unasked, ours, by_cel] = times;
    let mut table = Table::new(
        format!("access log, {title}: {} rounds of {} requests", effort.rounds, effort.requests),
        vec![
            ("no filter, no log", bare),
            ("no filter, Envoy's own JSON", native),
            ("Sightline, no line", silent),
            ("Sightline, its line without properties", unasked),
            ("Sightline, its line", ours),
            ("Sightline, its line, if CEL finds one", by_cel),
        ],
    );
    table.note(cores.in_words());
    for line in lines {
        table.note(format!("{} bytes: {line}", line.len()));
    }
    for note in notes {
        table.note(note);
    }
    table
}

/// What the line alone costs, and the ratio.
fn notes([bare, native, silent, unasked, ours, by_cel]: &[Times; 6]) -> [String; 4] {
    let native = native.minus(bare).quartiles()[1];
    let say = |what: &str, line: Times| {
        let [low, median, high] = line.quartiles().map(|it| it / 1_000.0);
        let ratio = median * 1_000.0 / native;
        format!("{what}: {median:.2} µs ({low:.2} to {high:.2}), {ratio:.2} times Envoy's own")
    };
    [
        format!("Envoy's own line: {:.2} µs", native / 1_000.0),
        say("our line without properties", unasked.minus(silent)),
        say("our line", ours.minus(silent)),
        say("our line, if CEL finds one", by_cel.minus(silent)),
    ]
}

fn bare(bootstrap: Bootstrap) -> Bootstrap {
    bootstrap.without_sightline().patch(|document| manager(document)["access_log"] = json!([]))
}

/// The fields of our line that Envoy can tell, and texts as long for the others.
fn native(bootstrap: Bootstrap) -> Bootstrap {
    let fields = json!({
        "timestamp": "%START_TIME(%Y-%m-%dT%H:%M:%S.%6fZ)%",
        "level": "info",
        "event": "http_request",
        "service": "shop",
        "request_id": "%REQ(X-REQUEST-ID)%",
        "trace_id": "%REQ(TRACEPARENT):32%",
        "span_id": "00f067aa0ba902b7",
        "parent_span_id": "00f067aa0ba902b7",
        "trace_flags": "00",
        "sampled": false,
        "method": "%REQ(:METHOD)%",
        "scheme": "%REQ(:SCHEME)%",
        "host": "%REQ(:AUTHORITY)%",
        "path": "%PATH(NQ:PATH)%",
        "query": "%QUERY_PARAM(limit)%",
        "route": ROUTE,
        "route_source": "template",
        "status": "%RESPONSE_CODE%",
        "duration_ms": "%DURATION%",
        "ttfb_ms": "%RESPONSE_DURATION%",
        "request_bytes": "%BYTES_RECEIVED%",
        "response_bytes": "%BYTES_SENT%",
        "protocol": "%PROTOCOL%",
        "client_ip": "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%",
        "user_agent": "%REQ(USER-AGENT)%",
        "upstream": "%UPSTREAM_HOST%",
    });
    bootstrap.without_sightline().patch(|document| {
        let log = &mut manager(document)["access_log"][0];
        log["filter"] = Value::Null;
        log["typed_config"]["log_format"] = json!({"json_format": fields});
    })
}

fn silent(bootstrap: Bootstrap) -> Bootstrap {
    let bootstrap = bootstrap.patch(|document| manager(document)["access_log"] = json!([]));
    bootstrap.configuration(configuration(&json!({"property": false})))
}

/// Without the fields that take a question to the host each: what is left is writing, and handing over.
fn unasked(bootstrap: Bootstrap) -> Bootstrap {
    let asked = ["protocol", "request_bytes", "response_bytes", "upstream"];
    unfiltered(bootstrap).configuration(configuration(&json!({"drop": asked})))
}

fn ours(bootstrap: Bootstrap) -> Bootstrap {
    unfiltered(bootstrap).configuration(configuration(&json!({})))
}

/// As `envoy/bootstrap.yaml` has it, so that a request without a line is left out.
fn ours_by_cel(bootstrap: Bootstrap) -> Bootstrap {
    bootstrap.configuration(configuration(&json!({})))
}

fn unfiltered(bootstrap: Bootstrap) -> Bootstrap {
    bootstrap.patch(|document| manager(document)["access_log"][0]["filter"] = Value::Null)
}

const ROUTE: &str = "/api/v1/users/{id}/orders";

/// The defaults, with the route said, so that it is the same where the app is not asked.
fn configuration(access_log: &Value) -> Configuration {
    Configuration::Struct(json!({
        "service": {"name": "shop"},
        "routes": {"templates": [ROUTE]},
        "access_log": access_log,
    }))
}

fn manager(document: &mut Value) -> &mut Value {
    document.pointer_mut(MANAGER).expect("the template has a connection manager")
}
