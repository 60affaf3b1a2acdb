//! Whole files, and what is told of them.

use super::*;

fn told(text: &str) -> String {
    check(Source::new("a.yaml", text)).tell(Paint::Plain)
}

/// What stands above each caret's line, and what is above the caret itself.
fn marked(text: &str) -> Vec<(String, String)> {
    let checked = check(Source::new("a.yaml", text));
    let of = |finding: &Finding| {
        let at = finding.at.clone().unwrap_or(0..0);
        (finding.path.clone(), text.get(at).unwrap_or("not at a character").to_owned())
    };
    checked.findings().iter().map(of).collect()
}

/// One Wasm filter of Envoy's, with these lines for its configuration.
fn envoy(name: &str, configuration: &str) -> String {
    let lines = indented(configuration, 8);
    format!(
        "http_filters:\n  - name: {name}\n    typed_config:\n      \"@type\": \
         type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm\n      config:\n{lines}"
    )
}

fn any(kind: &str, value: &str) -> String {
    let kind = format!("\"@type\": type.googleapis.com/google.protobuf.{kind}");
    format!("configuration:\n  {kind}\n  value: {value}\n")
}

#[test]
fn a_problem_is_told_with_its_line_and_a_caret() {
    let text = "request_id: { formt: uuid4, echo: \"maybe\" }\nroutes:\n  templates:\n    - /users/{id:itn}\n";
    let expected = "\
a.yaml:1:15: error: request_id.formt: no such key; known here: header, inbound, format, echo; did you mean `format`?
  1 | request_id: { formt: uuid4, echo: \"maybe\" }
    |               ^^^^^
a.yaml:1:35: error: request_id.echo: \"maybe\" stands here, expected true or false
  1 | request_id: { formt: uuid4, echo: \"maybe\" }
    |                                   ^^^^^^^
a.yaml:4:18: error: routes.templates[0]: \"/users/{id:itn}\" stands here; at character 12, unknown converter `itn`: \
for one of your own, write a regular expression, `{id:[0-9]+}`; did you mean `int`?
  4 |     - /users/{id:itn}
    |                  ^^^
";
    assert_eq!(told(text), expected);
}

#[test]
fn what_is_wrong_is_marked_wherever_it_stands() {
    for (name, text, path, mark) in [
        ("a value", "sampling: { ratio: 2 }", "sampling.ratio", "2"),
        ("a key", "sampling: { raito: 2 }", "sampling.raito", "raito"),
        ("JSON", "{\n\t\"sampling\": {\"ratio\": 2}\n}", "sampling.ratio", "2"),
        ("a byte-order mark", "\u{feff}service: { nam: a }", "service.nam", "nam"),
        ("lines of Windows", "service:\r\n  nam: a\r\n", "service.nam", "nam"),
        ("said twice", "trace: {}\nservice: {}\n\"trace\": {}", "trace", "\"trace\""),
        ("missing", "metrics: { endpoint: {} }", "metrics.endpoint.port", "endpoint"),
        ("an anchor", "trace: &t { mod: own }\nsampling: {}", "trace.mod", "mod"),
        ("a merge", "trace:\n  <<: { mode: ow }", "trace.mode", "ow"),
        ("an escape", "routes: { templates: [\"/\\u0061/{\"] }", "routes.templates[0]", "{"),
        ("in lines", "routes:\n  templates:\n    - >-\n      /a/{\n", "routes.templates[0]", "{"),
        ("beyond ASCII", "service: { 'näme': ü }", "service.näme", "'näme'"),
        ("a dot", "service: { attributes: { a.b: 3 } }", "service.attributes.a.b", "3"),
        ("a section", "metrics:\n  - 1\n", "metrics", "- 1"),
    ] {
        assert_eq!(marked(text), [(path.to_owned(), mark.to_owned())], "{name}");
    }
}

#[test]
fn each_of_three_equal_keys_but_the_first_is_marked() {
    let checked = check(Source::new("a", "trace: {}\ntrace: {}\ntrace: {}\n"));
    let lines = checked.findings().iter().map(|finding| finding.at.clone().unwrap().start / 10);
    assert_eq!(lines.collect::<Vec<_>>(), [1, 2]);
}

#[test]
fn blocks_are_found_in_what_envoy_reads() {
    let wrong = "{ sampling: { ratio: 2 } }";
    let json = "'{\"sampling\": {\"ratio\": 2}}'";
    let block = "|\n    {\n      \"sampling\": {\n        \"ratio\": 2\n      }\n    }";
    let code = "vm_config: { code: { local: { filename: /etc/sightline.wasm } } }\n";
    let typed = envoy("sightline", &any("Struct", wrong))
        .replace("@type\": type.googleapis.com/envoy", "@type\": type.googleapis.com/xds.type.v3.TypedStruct\n      type_url: \"type.googleapis.com/envoy")
        .replace("v3.Wasm\n      config:", "v3.Wasm\"\n      value:\n       config:");
    for (name, text) in [
        ("a Struct", envoy("sightline", &any("Struct", wrong))),
        ("a text", envoy("sightline", &any("StringValue", json))),
        ("a text in lines", envoy("sightline", &any("StringValue", block))),
        ("by its root", envoy("a", &format!("root_id: sightline\n{}", any("Struct", wrong)))),
        ("by its name", envoy("a", &format!("name: my-Sightline\n{}", any("Struct", wrong)))),
        ("by its module", envoy("a", &format!("{code}{}", any("Struct", wrong)))),
        ("a TypedStruct", typed),
    ] {
        let expected = [("sampling.ratio".to_owned(), "2".to_owned())];
        assert_eq!(marked(&text), expected, "{name}: {text}");
    }
    let json = envoy("sightline", &any("Struct", wrong));
    let json: serde_json::Value = serde_saphyr::from_str(&json).unwrap();
    assert_eq!(marked(&json.to_string()), [("sampling.ratio".to_owned(), "2".to_owned())], "JSON");
}

#[test]
fn words_say_to_envoy_what_they_say_to_envoy() {
    for (name, value, problems) in [
        ("a fraction is a text", "{ service: { version: 1.5 }, sampling: { ratio: 0.5 } }", 0),
        ("on is true", "{ service: { name: on } }", 1),
        ("a merge is a key", "{ trace: { <<: { mode: own } } }", 1),
    ] {
        let checked = check(Source::new("a", envoy("sightline", &any("Struct", value))));
        assert_eq!(checked.findings().len(), problems, "{name}: {}", checked.tell(Paint::Plain));
    }
}

#[test]
fn what_does_not_reach_the_filter_is_told() {
    for (name, configuration, expected) in [
        ("no type", "configuration:\n  value: {}\n".to_owned(), "no \"@type\" stands here"),
        ("bytes", any("BytesValue", "e30="), "google.protobuf.BytesValue stands here, which the filter cannot read"),
        (
            "keys beside the value",
            "configuration:\n  \"@type\": type.googleapis.com/google.protobuf.Struct\n  trace: {}\n".to_owned(),
            "`trace` stands here, expected",
        ),
        ("YAML as a text", any("StringValue", "|\n    trace: { mode: own }"), "YAML stands here as a text"),
        ("broken JSON", any("StringValue", "'{\"trace\": }'"), "neither JSON (no value at line 1 column 11)"),
        ("a map as a text", any("StringValue", "{ trace: {} }"), "expected JSON as a text"),
    ] {
        let told = told(&envoy("sightline", &configuration));
        assert!(told.contains(expected), "{name}: {told}");
        assert_eq!(told.matches("error:").count(), 1, "{name}: {told}");
    }
}

#[test]
fn blocks_are_found_in_manifests() {
    let plugin = "apiVersion: extensions.istio.io/v1alpha1\nkind: WasmPlugin\nmetadata: { name: sightline }\nspec:\n  pluginConfig: { trace: { mod: own } }\n";
    let policy = "apiVersion: gateway.envoyproxy.io/v1alpha1\nkind: EnvoyExtensionPolicy\nspec:\n  wasm:\n    - { name: other, config: { a: 1 } }\n    - name: b\n      code: { image: { url: example.com/Sightline } }\n      config: { trace: { mod: own } }\n";
    let filter = format!(
        "apiVersion: networking.istio.io/v1alpha3\nkind: EnvoyFilter\nspec:\n  configPatches:\n    - patch:\n        value:\n{}",
        indented(&envoy("sightline", &any("Struct", "{ trace: { mod: own } }")), 10)
    );
    let list = format!("apiVersion: v1\nkind: List\nitems:\n  -\n{}", indented(plugin, 4));
    let map = |key: &str, text: &str| {
        format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {{ name: a }}\ndata:\n  {key}: |\n{}",
            indented(text, 4)
        )
    };
    let bootstrap =
        envoy("sightline", &any("StringValue", "|\n    {\n      \"trace\": { \"mod\": 1 } }"));
    for (name, text) in [
        ("Istio", plugin.to_owned()),
        ("Envoy Gateway", policy.to_owned()),
        ("an EnvoyFilter", filter),
        ("a list", list),
        ("the second document", format!("a: 1\n---\n{plugin}")),
        ("a ConfigMap with ours", map("sightline.yaml", "trace:\n  mod: own\n")),
        ("a ConfigMap with an Envoy", map("envoy.yaml", &bootstrap)),
        ("a ConfigMap with a manifest", map("all.yaml", plugin)),
    ] {
        let expected: Vec<&str> = marked(&text).iter().map(|_| "mod").collect();
        let marks: Vec<String> =
            marked(&text).into_iter().map(|(_, mark)| mark.trim_matches('"').to_owned()).collect();
        assert_eq!(marks, expected, "{name}: {text}");
        assert_eq!(marks.len(), 1, "{name}: {}", told(&text));
    }
}

fn indented(text: &str, by: usize) -> String {
    let lines: Vec<String> = text.lines().map(|line| format!("{:by$}{line}\n", "")).collect();
    lines.concat()
}

#[test]
fn good_files_are_counted() {
    let good = envoy("sightline", &any("Struct", "{ trace: { mode: own } }"));
    let scripts = "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: sightline }\ndata:\n  run.sh: |\n    echo 'sightline: {'\n  sightline.yaml: |\n    trace: {}\n";
    for (name, text, configurations) in [
        ("nothing", "", 1),
        ("a comment", "# all as by default\n", 1),
        ("null", "null", 1),
        ("an empty map", "{}", 1),
        ("a mark", "---\n...\n", 1),
        ("one block", &good, 1),
        ("two blocks", &format!("{good}---\n{good}"), 2),
        ("no configuration", &envoy("sightline", "name: a\n"), 1),
        ("a script beside it", scripts, 1),
        ("the template that users copy", crate::bootstrap::TEMPLATE, 1),
    ] {
        let checked = check(Source::new("a", text));
        assert!(checked.is_good(), "{name}: {}", checked.tell(Paint::Plain));
        assert_eq!(checked.configurations(), configurations, "{name}");
    }
    assert_eq!(told(""), "ok a.yaml: 1 configuration\n");
}

#[test]
fn a_file_without_a_configuration_says_so() {
    for (name, text, expected) in [
        ("something else", "services: 1\nimage: a\n", "error: "),
        ("a list", "- a\n", "a.yaml: error: no configuration of Sightline in it; expected"),
        ("a word", "hello", "a.yaml: error: no configuration of Sightline in it; expected"),
        ("other keys", "foo: 1\n", "a.yaml: error: no configuration of Sightline in it; expected"),
        ("Kubernetes", "apiVersion: v1\nkind: Service\nmetadata: {}\n", "no configuration"),
        ("another filter", &envoy("lua", "name: x\n"), "only one of another Wasm filter"),
    ] {
        let told = told(text);
        assert!(told.contains(expected), "{name}: {told}");
        assert!(!told.contains("ok "), "{name}: {told}");
    }
}

#[test]
fn what_is_no_yaml_has_a_place() {
    for (name, text, place) in [
        ("an open list", "a: 1\nb: [1,\n", "a.yaml:2:4: error: no YAML: "),
        ("a tab", "trace:\n\tmode: own\n", "a.yaml:2:2: error: no YAML: "),
        ("no such anchor", "trace: *t\n", "a.yaml:1:8: error: no YAML: "),
        ("an alias to itself", "trace: &t [*t]\n", "a.yaml:1:12: error: no YAML: "),
        ("a key that is a map", "? { a: 1 }\n: b\n", "a.yaml:1:3: error: no YAML: "),
        (
            "too deep",
            &format!("trace: {}{}", "[".repeat(210), "]".repeat(210)),
            "a.yaml:1:207: error: no YAML: too many",
        ),
    ] {
        let told = told(text);
        assert!(told.starts_with(place), "{name}: {told}");
    }
}

#[test]
fn aliases_cannot_make_much_of_little() {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for number in 1..12 {
        let earlier = vec![format!("*a{}", number - 1); 10].join(", ");
        writeln!(text, "a{number}: &a{number} [{earlier}]").unwrap();
    }
    assert!(told(&text).contains("no YAML: aliases make too much of this"), "{}", told(&text));
}

#[test]
fn hostile_bytes_do_nothing_to_a_terminal() {
    let told = told("service: { \"\\e[31m\\u202e\": 1, '\u{202e}': 2 }");
    let is_quiet = |letter: char| letter == '\n' || !letter.is_control() && letter != '\u{202e}';
    assert!(told.chars().all(is_quiet), "{told:?}");
}

#[test]
fn a_large_file_is_read() {
    let mut text = "routes:\n  templates:\n".to_owned();
    for number in 0..30_000 {
        writeln!(text, "    - /a/long/path/of/a/route/of/this/service/number{number}/{{id}}")
            .unwrap();
    }
    let checked = check(Source::new("a", text));
    assert_eq!(checked.findings().len(), 1, "{:?}", checked.findings());
    assert_eq!(checked.findings()[0].message, "30000 entries, expected at most 20000");
}

#[test]
fn of_very_many_problems_some_are_told() {
    let unknown: Vec<String> = (0..2_000).map(|number| format!("k{number}: 1\n")).collect();
    let text = format!("trace: {{ mod: own }}\n{}", unknown.concat());
    let checked = check(Source::new("a", text));
    assert_eq!(checked.findings().len(), 501);
    let told = checked.tell(Paint::Plain);
    assert!(told.contains("a:1:1: error: 1501 more problems like these"), "{told}");
}

#[test]
fn a_warning_is_told_and_is_no_failure() {
    let text = "access_log:\n  request_headers: [accept, cookie]\n";
    let checked = check(Source::new("a", text));
    assert!(checked.is_good());
    let told = checked.tell(Paint::Plain);
    assert!(
        told.starts_with(
            "a:2:29: warning: access_log.request_headers[1]: cookie is never captured"
        ),
        "{told}"
    );
    assert!(told.ends_with("\nok a: 1 configuration\n"), "{told}");
}

#[test]
fn colours_are_only_where_they_are_wanted() {
    let checked = check(Source::new("a", "trace: { mod: own }"));
    assert!(!checked.tell(Paint::Plain).contains('\u{1b}'));
    assert!(checked.tell(Paint::Coloured).contains("\u{1b}[1;31merror\u{1b}[0m"));
}

#[test]
fn programs_get_one_array() {
    let files = [("a", "trace: { mod: own }"), ("b", ""), ("c", "foo: 1")];
    let checked = files.map(|(name, text)| check(Source::new(name, text)));
    let read: serde_json::Value = serde_json::from_str(&json(&checked)).unwrap();
    let expected = serde_json::json!({
        "file": "a", "line": 1, "column": 10, "path": "trace.mod", "severity": "error",
        "message": "no such key; known here: mode, inbound, response, baggage", "nearest": "mode",
    });
    assert_eq!(read[0], expected);
    assert_eq!((&read[1]["file"], &read[1]["line"]), (&"c".into(), &1.into()));
    assert_eq!(read.as_array().map(Vec::len), Some(2));
    assert_eq!(json(&[]), "[]\n");
}

/// The next of a row of numbers that is the same every time.
fn next(state: &mut u64, below: usize) -> usize {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    usize::try_from(*state >> 33).unwrap() % below.max(1)
}

/// What YAML and JSON are made of, and what they are not.
const FRAGMENTS: [&str; 32] = [
    "\"",
    "'",
    "|\n",
    ">-\n",
    "\n",
    "\r\n",
    "  ",
    "\t",
    "- ",
    ": ",
    "{",
    "}",
    "[",
    "]",
    ",",
    "&a ",
    "*a",
    "!!int ",
    "<<",
    "---\n",
    "\\u00e9",
    "\\",
    "é",
    "😀",
    "\u{feff}",
    "# ",
    "? ",
    "%",
    "0x",
    "1e9",
    "\u{0}",
    "sightline",
];

#[test]
fn whatever_stands_in_a_file_is_told_of_at_a_place() {
    let configuration = "|\n    {\n      \"trace\": { \"mode\": \"ow\\u006e\" } }";
    let text = envoy("sightline", &any("StringValue", configuration));
    let map =
        "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: sightline }\ndata:\n  a.yaml: |\n";
    let own =
        "request_id: { echo: maybe }\nroutes:\n  templates: [\"/\\u0061/{\", '/b''{', /c/{d:e}]\n";
    let files = [own.to_owned(), format!("{map}{}", indented(&text, 4)), text];
    let mut state = 8;
    for _ in 0..400 {
        for file in &files {
            let mut changed = file.clone();
            for _ in 0..=next(&mut state, 3) {
                let near = next(&mut state, changed.len());
                let at = (near..=changed.len()).find(|at| changed.is_char_boundary(*at)).unwrap();
                let until = at + next(&mut state, 2);
                let until = if changed.is_char_boundary(until) { until } else { at };
                changed.replace_range(at..until, FRAGMENTS[next(&mut state, FRAGMENTS.len())]);
            }
            let checked = check(Source::new("a", changed.as_str()));
            for finding in checked.findings() {
                let at = finding.at.clone().unwrap_or(0..0);
                assert!(changed.get(at).is_some(), "{finding:?} in {changed:?}");
            }
            assert_eq!(
                checked.tell(Paint::Plain).contains("error: "),
                !checked.is_good(),
                "{changed:?}"
            );
        }
    }
}
