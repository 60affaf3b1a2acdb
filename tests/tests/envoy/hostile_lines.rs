//! Bytes that nobody should send, in every place that a line shows, over HTTP/1.1 and HTTP/2, in every format: each
//! line is one line, reads back as what was sent, and has nothing in it that acts on whoever looks at it.

mod http2;

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use serde_json::{Value, json};
use sightline_cli::wait;
use sightline_tests::{
    Answer, Bootstrap, Collector, Configuration, Message, Proxy, Request, Upstream,
};

use crate::log_ways::read::{self, Flat};

/// What is in the names of the place that lines are from.
const PLACE: &str = "a\"b\\c\n{\"level\":\"info\"} x=y \u{1b}[31m\u{202e}\u{2028}\u{85}\u{feff}ß";

/// Values, each for every place.
fn corpus() -> Vec<Vec<u8>> {
    let every_byte = (0x80..=0xff).collect::<Vec<u8>>();
    let visible = (0x21..=0x7e).collect::<Vec<u8>>();
    let texts: [&[u8]; 18] = [
        b"\" ,\"status\":200",
        b"\",\"level\":\"info\",\"x\":\"",
        b"\\\",\"status\":200,\"a\":\"\\",
        b"\\u0022\\n\\",
        b"a=b c=d level=info",
        b"\"quoted\" a=\"b\"",
        b"\xff\xfe caf\xe9",
        b"\xc0\xaf\xc1\xbf\xe0\x80\xaf\xf0\x80\x80\xaf",
        b"\xed\xa0\x80\xed\xbf\xbf",
        b"\xf4\x90\x80\x80\xf8\x88\x80\x80\x80",
        b"\xe2\x82",
        "\u{202e}txt.exe\u{2066}\u{2069}\u{200f}".as_bytes(),
        "a\u{2028}b\u{2029}c\u{85}d\u{9b}31m".as_bytes(),
        "\u{feff}\u{200b}\u{2060}\u{ad}\u{e0041}\u{fff9}".as_bytes(),
        "e\u{301}🙂👩‍👩‍👧ß日".as_bytes(),
        b"${jndi:ldap://x/a}%0a%1b%00{{7*7}}<script>",
        b"\t tab\tand  blanks \t",
        b"",
    ];
    let mut values: Vec<_> = texts.iter().map(|text| text.to_vec()).collect();
    values.extend([every_byte, visible]);
    for longest in [1_024, 2_048] {
        for character in ["x", "ß", "日", "🙂"] {
            for more in 0..2 {
                let begin = "a".repeat(longest % character.len() + more);
                let count = (longest - begin.len()) / character.len();
                // Up to the border, and over it.
                for count in [count, count + 1] {
                    values.push([&*begin, &character.repeat(count)].concat().into_bytes());
                }
            }
        }
        values.push([&*b"a".repeat(longest - 1), b"\xff\xff\xffz"].concat());
    }
    values
}

/// The requests for one value: in fields, in the target, and in what Envoy itself looks at.
fn requests(value: &[u8]) -> Vec<Vec<(Vec<u8>, Vec<u8>)>> {
    let whole = |path: &[u8], more: &[(&str, &[u8])]| {
        let mut fields = vec![
            (b":method".to_vec(), b"GET".to_vec()),
            (b":scheme".to_vec(), b"http".to_vec()),
            (b":authority".to_vec(), b"shop.test".to_vec()),
            (b":path".to_vec(), path.to_vec()),
        ];
        for (name, value) in more {
            fields.retain(|(known, _)| known != name.as_bytes());
            fields.push((name.as_bytes().to_vec(), value.to_vec()));
        }
        fields
    };
    let member = [b"tenant=".as_slice(), value].concat();
    let target = [b"/p/", value, b"?q=", value].concat();
    let mut requests = vec![
        whole(b"/fields", &[("user-agent", value), ("x-tenant", value), ("x-echo", value)]),
        whole(&target, &[]),
    ];
    // Long ones and single bytes are nothing that these would treat apart.
    if (4..300).contains(&value.len()) {
        let context: &[(&str, &[u8])] =
            &[("baggage", &member), ("x-forwarded-for", value), ("x-request-id", value)];
        requests.push(whole(b"/context", context));
        requests.push(whole(b"/method", &[(":method", value)]));
        requests.push(whole(b"/host", &[(":authority", value)]));
    }
    requests
}

/// The same over HTTP/1.1.
fn http1(fields: &[(Vec<u8>, Vec<u8>)]) -> Request {
    let of = |name: &str| {
        let found = fields.iter().find(|(known, _)| known == name.as_bytes());
        found.map(|(_, value)| value.as_slice()).unwrap_or_default()
    };
    let mut request = Request::new(of(":method"), of(":path")).field("host", of(":authority"));
    for (name, value) in fields.iter().filter(|(name, _)| !name.starts_with(b":")) {
        request = request.field(name, value);
    }
    request
}

/// What is sent in `x-echo` comes back as `x-answer`, and a status that there is not if so asked.
fn answer(request: &Message) -> Answer {
    let status = if request.path() == "/999" { 999 } else { 200 };
    match request.all("x-echo").first() {
        Some(value) => Answer::new(status).field("x-answer", value).body(""),
        None => Answer::new(status).body(""),
    }
}

/// What can be configured is without controls.
fn place(format: &str) -> String {
    if format == "json" { PLACE.replace(char::is_control, " ") } else { PLACE.to_owned() }
}

/// In each format the place has its names from somewhere else.
fn shaped(bootstrap: Bootstrap, format: &str) -> Bootstrap {
    let said = place(format);
    let attributes = json!({"k8s.pod.name": said, "k8s.namespace.name": said});
    let (service, environment) = match format {
        "json" => (json!({"name": said, "attributes": attributes}), json!({})),
        "ecs" => {
            let environment =
                json!({"OTEL_SERVICE_NAME": PLACE, "POD_NAME": PLACE, "POD_NAMESPACE": PLACE});
            (json!({}), environment)
        }
        _ => (json!({}), json!({})),
    };
    let configuration = json!({
        "service": service,
        "trace": {"baggage": ["tenant"]},
        "access_log": {
            "stdout": true, "otlp": true, "format": format,
            "request_headers": ["x-tenant"], "response_headers": ["x-answer"],
        },
        "export": {"cluster": "collector", "interval": "100ms"},
    });
    let bootstrap = bootstrap.patch(|document| {
        let labels = json!({"service.istio.io/canonical-name": PLACE});
        let metadata = json!({"NAME": PLACE, "NAMESPACE": PLACE, "LABELS": labels});
        document["node"] = json!({"id": "node", "cluster": "cluster", "metadata": metadata});
        // What Envoy refuses it would otherwise close a second later.
        let manager = "/static_resources/listeners/0/filter_chains/0/filters/0/typed_config";
        document.pointer_mut(manager).unwrap()["delayed_close_timeout"] = json!("0.001s");
    });
    bootstrap
        .vm("environment_variables", json!({"key_values": environment}))
        .configuration(Configuration::Struct(configuration))
}

/// As a line shows it: as text, and cut on a character's border.
fn shown(value: &[u8], longest: usize) -> String {
    let text = String::from_utf8_lossy(value);
    if value.len() <= longest && text.len() <= longest {
        return text.into_owned();
    }
    let mut shown = String::new();
    for character in text.chars() {
        if shown.len() + character.len_utf8() > longest {
            break;
        }
        shown.push(character);
    }
    shown + "…"
}

struct Names {
    span: &'static str,
    service: &'static str,
    pod: &'static str,
    namespace: &'static str,
    agent: &'static str,
    path: &'static str,
    query: &'static str,
    method: &'static str,
    client: &'static str,
    headers: &'static str,
}

const OURS: Names = Names {
    span: "span_id",
    service: "service",
    pod: "pod",
    namespace: "namespace",
    agent: "user_agent",
    path: "path",
    query: "query",
    method: "method",
    client: "client_ip",
    headers: "headers",
};
const ECS: Names = Names {
    span: "span.id",
    service: "service.name",
    pod: "orchestrator.resource.name",
    namespace: "orchestrator.namespace",
    agent: "user_agent.original",
    path: "url.path",
    query: "url.query",
    method: "http.request.method",
    client: "client.ip",
    headers: "sightline.headers",
};

/// What the line of a request says is what the app was sent, and what it answered.
fn assert_reads_back(line: &Flat, seen: &Message, names: &Names, from: &str) {
    // HTTP/2 keeps blanks around a value, and HTTP/1.1 to the app does not.
    let said = |name: &str| line.get(name).map(|value| value.trim_matches([' ', '\t']).to_owned());
    let sent = |name: &str| seen.all(name).first().map(|value| shown(value, 1_024));
    let target: Vec<_> = seen.first_line.splitn(2, |&byte| byte == b' ').collect();
    let target = target[1].strip_suffix(b" HTTP/1.1").unwrap();
    let target = target.split(|&byte| byte == b'#').next().unwrap();
    let (path, query) = match target.iter().position(|&byte| byte == b'?') {
        Some(at) => (&target[..at], &target[at + 1..]),
        None => (target, &target[..0]),
    };
    assert_eq!(said(names.path), Some(shown(path, 2_048)));
    assert_eq!(said(names.query), Some(shown(query, 2_048)).filter(|query| !query.is_empty()));
    assert_eq!(said(names.method).as_deref(), Some(seen.method()));
    assert_eq!(said(names.agent), sent("user-agent").filter(|agent| !agent.is_empty()));
    let header = |side: &str, name: &str| said(&format!("{}.{side}.{name}", names.headers));
    assert_eq!(header("request", "x-tenant"), sent("x-tenant"));
    assert_eq!(header("response", "x-answer"), sent("x-echo"));
    assert!(said(names.client).unwrap().parse::<IpAddr>().is_ok());
    let place = [names.service, names.pod, names.namespace].map(said);
    assert_eq!(place, [(); 3].map(|()| Some(from.to_owned())));
}

/// Lines of a log, as soon as there are so many.
fn lines_of(log: impl Fn() -> Vec<String>, count: usize) -> Vec<String> {
    let what = format!("{count} lines");
    wait::until(&what, Duration::from_secs(20), || Some(log()).filter(|it| it.len() >= count))
        .unwrap_or_else(|late| panic!("{late}, only {}", log().len()))
}

fn send_all(to: SocketAddr, values: &[Vec<u8>]) {
    for fields in values.iter().flat_map(|value| requests(value)) {
        // What Envoy refuses to read has no line, and no answer sometimes.
        let _ = http1(&fields).send(to);
        let pairs: Vec<_> = fields.iter().map(|(name, value)| (&name[..], &value[..])).collect();
        http2::ask(to, &pairs);
    }
}

#[test]
fn whatever_is_sent_each_line_is_one_line_and_reads_back() {
    for format in ["json", "ecs", "logfmt"] {
        let names = if format == "ecs" { &ECS } else { &OURS };
        let (collector, upstream) = (Collector::start(), Upstream::answering(answer));
        let proxy = Proxy::start(|bootstrap| {
            let bootstrap = bootstrap.upstream(upstream.address());
            shaped(bootstrap.collector(collector.address(), false), format)
        });
        let mut values = corpus();
        if format == "json" {
            values.extend((1..=255).map(|byte| vec![b'a', byte, b'b']));
        }
        send_all(proxy.address(), &values);
        proxy.send(&Request::get("/999").field("x-request-id", "last"));

        let seen: BTreeMap<String, Message> = upstream
            .requests()
            .into_iter()
            .map(|request| (request.field("traceparent").unwrap()[36..52].to_owned(), request))
            .collect();
        assert!(seen.len() > 200, "{format}: Envoy refuses nearly everything: {}", seen.len());
        let access_log = || proxy.raw_access_log().lines().map(str::to_owned).collect::<Vec<_>>();
        let is_last = || access_log().iter().any(|line| line.contains("/999"));
        wait::until("the last line", Duration::from_secs(20), || is_last().then_some(())).unwrap();
        let mut written = lines_of(access_log, seen.len());
        let mut told = BTreeMap::new();
        for line in &written {
            let flat = read::line(format, line);
            let span = flat[names.span].clone();
            assert_eq!(told.insert(span, flat), None, "{format}: a span twice: {line}");
        }
        for (span, seen) in &seen {
            let line = told.get(span).unwrap_or_else(|| panic!("{format}: no line of {seen:?}"));
            assert_reads_back(line, seen, names, &place(format));
        }
        let status = if format == "ecs" { "http.response.status_code" } else { "status" };
        assert!(told.values().any(|line| line[status] == "999"), "{format}");

        let logged = read::application_log(&proxy, written.len());
        let mut logged: Vec<_> = logged.into_iter().map(|(_, line)| line).collect();
        logged.sort();
        written.sort();
        assert_eq!(logged.len(), written.len(), "{format}: the application log");
        assert_eq!(logged, written, "{format}: the application log");
        // That each was decoded says that its texts are UTF-8.
        lines_of(|| collector.records().iter().map(|_| String::new()).collect(), written.len());
        let dropped = proxy.stats().sum("sightline_dropped_total", &[]).unwrap_or(0.0);
        assert!(dropped < 0.5, "{format}: {dropped} dropped");
    }
}

#[test]
fn baggage_is_shown_decoded_and_harms_no_line() {
    let upstream = Upstream::answering(|_| Answer::new(200).body(""));
    let proxy = Proxy::start(|bootstrap| {
        let configuration = json!({"trace": {"baggage": ["tenant"]}});
        let bootstrap = bootstrap.configuration(Configuration::Struct(configuration));
        bootstrap.upstream(upstream.address())
    });
    let long = "%C3%9F".repeat(600);
    for (number, (member, expected)) in [
        ("%0A%7B%22level%22%3A%22info%22%7D", json!("\n{\"level\":\"info\"}")),
        ("%1B%5B31m%C2%9B%E2%80%AE", json!("\u{1b}[31m\u{9b}\u{202e}")),
        ("%FF%C0%AF", json!("\u{fffd}\u{fffd}\u{fffd}")),
        ("%00%7F", json!("\0\u{7f}")),
        (long.as_str(), json!(format!("{}…", "ß".repeat(512)))),
        ("\"", Value::Null),
    ]
    .into_iter()
    .enumerate()
    {
        let id = format!("id-{number}");
        let request = Request::get("/").field("baggage", format!("tenant={member}"));
        proxy.send(&request.field("x-request-id", &id));
        assert_eq!(proxy.line_of(&id)["baggage"]["tenant"], expected, "{member}");
    }
    let log = proxy.raw_access_log();
    log.lines().for_each(|line| _ = read::line("json", line));
    assert_eq!(log.lines().count(), 6);
}
