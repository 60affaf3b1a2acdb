//! Does the schema for editors say what the filter says? A validator that is not ours reads the schema.
//!
//! It may take more than the filter does, and each such row says why; it refuses what the filter takes only where
//! a number stands in quotes, which nobody would write.

use std::io::Write as _;
use std::process::{Command, Stdio};

use sightline_core::config;
use sightline_setup::{Checkout, python};

/// Who takes a configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Taken {
    /// The filter and the schema.
    Both,
    /// Neither.
    None,
    /// Only the schema: what is wrong cannot be said in one.
    Schema,
    /// Only the filter.
    Filter,
}

use Taken::{Both, Filter, None, Schema};

const TABLE: &[(&str, &str, Taken)] = &[
    ("nothing", "null", Both),
    ("an empty map", "{}", Both),
    ("a list", "[]", None),
    ("an unknown key", r#"{"acces_log": {}}"#, None),
    ("an unknown key further in", r#"{"trace": {"mod": "own"}}"#, None),
    (
        "sections without a value",
        r#"{"trace": null, "metrics": {"otlp": null, "endpoint": null}}"#,
        Both,
    ),
    ("keys without a value", r#"{"sampling": {"ratio": null, "parent": null}}"#, Both),
    ("a choice", r#"{"trace": {"mode": "own"}}"#, Both),
    ("no such choice", r#"{"trace": {"mode": "mine"}}"#, None),
    ("a switch", r#"{"metrics": {"stats": false}}"#, Both),
    ("a switch as a text", r#"{"metrics": {"stats": "false"}}"#, None),
    ("a ratio", r#"{"sampling": {"ratio": 1}}"#, Both),
    ("more than all", r#"{"sampling": {"ratio": 1.01}}"#, None),
    ("less than none", r#"{"sampling": {"ratio": -0.01}}"#, None),
    (
        "a ratio in quotes, as Envoy's YAML makes of one",
        r#"{"sampling": {"ratio": "0.5"}}"#,
        Filter,
    ),
    ("a whole number", r#"{"routes": {"limit": 10000}}"#, Both),
    ("one too many", r#"{"routes": {"limit": 10001}}"#, None),
    ("one too few", r#"{"routes": {"limit": 0}}"#, None),
    ("half a number", r#"{"routes": {"limit": 1.5}}"#, None),
    ("a time span", r#"{"export": {"timeout": "250ms"}}"#, Both),
    ("no unit", r#"{"export": {"timeout": "250"}}"#, None),
    ("a number for a time span", r#"{"export": {"timeout": 5}}"#, None),
    ("no time", r#"{"export": {"timeout": "0s"}}"#, None),
    ("longer than a day", r#"{"export": {"timeout": "25h"}}"#, Schema),
    (
        "an interval",
        r#"{"export": {"cluster": "a"}, "metrics": {"otlp": {"interval": "1000ms"}}}"#,
        Both,
    ),
    (
        "too short an interval",
        r#"{"export": {"cluster": "a"}, "metrics": {"otlp": {"interval": "999ms"}}}"#,
        None,
    ),
    ("no collector", r#"{"metrics": {"otlp": {}}}"#, Schema),
    ("a name", r#"{"service": {"name": "shop 1"}}"#, Both),
    ("a number for a name", r#"{"service": {"name": 1}}"#, None),
    ("an empty name", r#"{"service": {"name": ""}}"#, None),
    ("a name of blanks", r#"{"service": {"name": "  "}}"#, None),
    ("a name in lines", r#"{"service": {"name": "a\nb"}}"#, None),
    ("what is nearly the end of a label", r#"{"service": {"name": "a;b;c"}}"#, Both),
    ("the end of a label in a name", r#"{"service": {"name": "a;.;b"}}"#, None),
    ("attributes", r#"{"service": {"attributes": {"a.b": "c"}}}"#, Both),
    ("attributes that are no texts", r#"{"service": {"attributes": {"a": 1}}}"#, None),
    ("a header", r#"{"request_id": {"header": "X-Correlation-ID"}}"#, Both),
    ("no header", r#"{"request_id": {"header": "a b"}}"#, None),
    ("a header that is taken", r#"{"request_id": {"header": "host"}}"#, None),
    ("the same, spelt otherwise", r#"{"request_id": {"header": "Host"}}"#, Schema),
    ("headers", r#"{"export": {"headers": {"Authorization": "Bearer a"}}}"#, Both),
    ("no name of a header", r#"{"export": {"headers": {"a b": "c"}}}"#, None),
    ("a header's value in lines", r#"{"export": {"headers": {"a": "b\nc"}}}"#, None),
    (
        "a header that the exporter sets",
        r#"{"export": {"headers": {"content-type": "c"}}}"#,
        Schema,
    ),
    (
        "templates",
        r#"{"routes": {"templates": ["/a", {"path": "/b/{c}", "slow": "1s", "ignore": ["log"]}]}}"#,
        Both,
    ),
    ("no path", r#"{"routes": {"templates": [{"name": "a"}]}}"#, None),
    ("a path that is nothing", r#"{"routes": {"templates": [{"path": null}]}}"#, None),
    ("no template", r#"{"routes": {"templates": [7]}}"#, None),
    ("nothing in a list", r#"{"routes": {"templates": [null]}}"#, None),
    (
        "an unknown key of a template",
        r#"{"routes": {"templates": [{"path": "/a", "slw": "1s"}]}}"#,
        None,
    ),
    ("a template that cannot be read", r#"{"routes": {"templates": ["/{a"]}}"#, Schema),
    ("one template for a list", r#"{"routes": {"templates": "/a"}}"#, None),
    ("buckets", r#"{"metrics": {"buckets": [0.1, 1]}}"#, Both),
    ("no buckets", r#"{"metrics": {"buckets": []}}"#, Both),
    ("a bucket of nothing", r#"{"metrics": {"buckets": [0, 1]}}"#, None),
    ("buckets in disorder", r#"{"metrics": {"buckets": [1, 0.1]}}"#, Schema),
    ("an endpoint", r#"{"metrics": {"endpoint": {"port": 9464, "path": "/m"}}}"#, Both),
    ("an endpoint without a port", r#"{"metrics": {"endpoint": {}}}"#, None),
    ("a path with a query", r#"{"metrics": {"endpoint": {"port": 1, "path": "/m?a"}}}"#, None),
    ("a prefix", r#"{"export": {"path_prefix": "/otlp"}}"#, Both),
    ("no prefix", r#"{"export": {"path_prefix": "otlp"}}"#, None),
    (
        "a custom metric",
        r#"{"metrics": {"custom": [{"name": "a", "kind": "counter", "method": "post", "unit": "EUR",
        "value": {"response_header": "x-a"}, "labels": {"b": {"request_header": "x-b", "allow": ["c"]}}}]}}"#,
        Both,
    ),
    ("a custom metric without a name", r#"{"metrics": {"custom": [{"kind": "counter"}]}}"#, None),
    ("a custom metric without a kind", r#"{"metrics": {"custom": [{"name": "a"}]}}"#, None),
    ("a name in capitals", r#"{"metrics": {"custom": [{"name": "A", "kind": "counter"}]}}"#, None),
    (
        "a method",
        r#"{"metrics": {"custom": [{"name": "a", "kind": "counter", "method": "PATCH"}]}}"#,
        Both,
    ),
    (
        "no method",
        r#"{"metrics": {"custom": [{"name": "a", "kind": "counter", "method": "FETCH"}]}}"#,
        None,
    ),
    (
        "a secret header",
        r#"{"metrics": {"custom": [{"name": "a", "kind": "counter", "value": {"request_header": "cookie"}}]}}"#,
        None,
    ),
    (
        "a label without texts",
        r#"{"metrics": {"custom": [{"name": "a", "kind": "counter", "labels": {"b": {"request_header": "c"}}}]}}"#,
        None,
    ),
    (
        "a label that is Prometheus's",
        r#"{"metrics": {"custom": [{"name": "a", "kind": "counter",
        "labels": {"le": {"request_header": "c", "allow": ["d"]}}}]}}"#,
        None,
    ),
    (
        "a label without a header",
        r#"{"metrics": {"custom": [{"name": "a", "kind": "counter", "labels": {"b": {"allow": ["c"]}}}]}}"#,
        Schema,
    ),
    (
        "a histogram of nothing",
        r#"{"metrics": {"custom": [{"name": "a", "kind": "histogram"}]}}"#,
        Schema,
    ),
    ("fields", r#"{"access_log": {"drop": ["user_agent"]}}"#, Both),
    ("a field that must stay", r#"{"access_log": {"drop": ["request_id"]}}"#, None),
    ("what is published", r#"{"publish": ["route", "span_id"]}"#, Both),
    ("what cannot be published", r#"{"publish": ["path"]}"#, None),
];

#[test]
fn the_schema_says_what_the_filter_says() {
    let verdicts = verdicts();
    assert_eq!(verdicts.len(), TABLE.len(), "the validator ended early; its messages are above");
    for ((name, said, taken), verdict) in TABLE.iter().zip(&verdicts) {
        let by_filter = config::read(said.as_bytes());
        let found = match (by_filter.is_ok(), verdict == "ok") {
            (true, true) => Both,
            (false, false) => None,
            (false, true) => Schema,
            (true, false) => Filter,
        };
        let told = by_filter.err().map(|problems| problems.to_string());
        assert_eq!(found, *taken, "{name}: {said}\nthe schema: {verdict}\nthe filter: {told:?}");
    }
}

/// What the validator says of each row.
fn verdicts() -> Vec<String> {
    let checkout = Checkout::find().unwrap();
    let mut child = Command::new(python::interpreter(&checkout).unwrap())
        .arg("-B")
        .arg(checkout.root().join("tests/apps/check_schema.py"))
        .arg(checkout.root().join("docs/configuration.schema.json"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    for (_, said, _) in TABLE {
        let _ = writeln!(input, "{}", said.replace('\n', " "));
    }
    drop(input);
    let output = child.wait_with_output().unwrap();
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}
