//! The live view's page in a real Chromium: what people see of what was sent, and what they do with it.

use std::collections::HashSet;
use std::net::SocketAddr;

use serde_json::{Value, json};
use sightline_cli::apps::{App, Framework};
use sightline_cli::live::{Front, Live, Server};
use sightline_core::config;
use sightline_setup::{Checkout, python};
use sightline_tests::{Chromium, Collector, Configuration, Proxy, Request, key};
use tempfile::TempDir;

const ANYWHERE: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);

/// What a client might put into a path, a user agent or an ID, so that whoever looks at it runs or misreads it.
const HOSTILE: &str = "<img src=x onerror=window.hit=1><script>window.hit=1</script>\u{202e}gnp.\u{7}\u{200b}\"'`${hit}";
/// How it is to look.
const HOSTILE_SHOWN: &str = r#"<img src=x onerror=window.hit=1><script>window.hit=1</script>\u202egnp.\u0007\u200b"'`${hit}"#;

const ROWS: &str = "document.querySelectorAll('#routes tbody tr').length";
const FOCUSED: &str = "document.activeElement.innerText";

/// A live view and somebody who looks at it.
struct View {
    live: Live,
    /// Taken away where a test is about its end.
    server: Option<Server>,
    page: Chromium,
    address: SocketAddr,
}

impl View {
    fn of(front: Front) -> Self {
        let live = Live::new(vec![front]);
        let server = Server::start(live.clone(), ANYWHERE).unwrap();
        let address = server.address();
        Self { live, server: Some(server), page: Chromium::start(), address }
    }

    /// Of a service that is not there: what is shown is given to it line by line.
    fn of_lines() -> Self {
        let [listen, app] = [8080, 8000].map(|port| SocketAddr::from(([127, 0, 0, 1], port)));
        let configuration = json!({"routes": {"templates": ["/users/{id}"]}});
        Self::of(Front { service: "shop".into(), listen, app: app.to_string(), configuration })
    }

    /// A request that went well, but for what is said otherwise.
    fn line(&self, otherwise: Value) {
        let mut line = json!({
            "level": "info", "event": "http_request", "service": "shop", "method": "GET",
            "path": "/users/1", "route": "/users/{id}", "route_source": "template", "status": 200,
            "duration_ms": 12.5, "ttfb_ms": 3.25,
        });
        let Value::Object(otherwise) = otherwise else { panic!("{otherwise} is no object") };
        line.as_object_mut().unwrap().extend(otherwise);
        self.live.line(line.to_string().as_bytes());
    }

    /// The same with IDs that end with this number.
    fn numbered(&self, number: u32, otherwise: Value) {
        let mut ids = json!({
            "request_id": format!("request-{number:04}"), "trace_id": format!("{:032x}", 0xabc0_0000 + number),
            "span_id": format!("{:016x}", 0xdef0_0000 + number),
        });
        let Value::Object(otherwise) = otherwise else { panic!("{otherwise} is no object") };
        ids.as_object_mut().unwrap().extend(otherwise);
        self.line(ids);
    }

    /// Opens the page with what stands behind the `#`.
    fn open(&self, what: &str) {
        self.page.open(&format!("http://{}/{what}", self.address));
    }

    fn text(&self, selector: &str) -> String {
        let found =
            self.page.run(&format!("return document.querySelector({selector:?})?.innerText"));
        found.as_str().unwrap_or_else(|| panic!("no {selector}")).to_owned()
    }

    /// Waits until the text of this element contains another.
    fn says(&self, selector: &str, text: &str) {
        let found = format!("document.querySelector({selector:?})?.innerText.includes({text:?})");
        self.page.wait_for(&found);
    }

    /// How often the page has asked for the figures, so many milliseconds from now.
    fn polls_after(&self, milliseconds: u32) -> Value {
        self.page.run("window.began = performance.now()");
        self.page.wait_for(&format!("performance.now() > window.began + {milliseconds}"));
        let all = "performance.getEntriesByType('resource')";
        self.page.run(&format!("return {all}.filter(it => it.name.endsWith('/api/live')).length"))
    }

    /// Neither the page nor the browser has had anything to complain of, and all came from the server.
    fn is_clean(&self) {
        assert_eq!(self.page.console(), [""; 0]);
        let fetched = self.page.run("return performance.getEntries().map(it => it.name)");
        let own = format!("http://{}/", self.address);
        for name in fetched.as_array().unwrap().iter().filter_map(Value::as_str) {
            assert!(name.starts_with(&own) || !name.contains(':'), "{name} was fetched");
        }
    }
}

/// The filter in a real Envoy, before an app that exports spans of its own.
struct Service {
    proxy: Proxy,
    collector: Collector,
    app: App,
    configuration: Value,
    _dir: TempDir,
}

impl Service {
    fn start() -> Self {
        let python = python::interpreter(&Checkout::find().unwrap()).unwrap();
        let collector = Collector::start();
        let dir = tempfile::tempdir().unwrap();
        let app =
            App::start_instrumented(Framework::FastApi, &python, dir.path(), collector.address());
        let app = app.unwrap_or_else(|error| panic!("{error}"));
        let configuration = json!({
            "service": {"name": "shop"}, "sampling": {"ratio": 1}, "routes": {"templates": ["/users/{id}"]},
            "export": {"cluster": "collector", "interval": "200ms"},
        });
        let proxy = Proxy::start(|bootstrap| {
            let bootstrap = bootstrap.upstream(app.address()).collector(collector.address(), false);
            bootstrap.configuration(Configuration::Struct(configuration.clone()))
        });
        Self { proxy, collector, app, configuration, _dir: dir }
    }

    fn front(&self) -> Front {
        Front {
            service: "shop".into(),
            listen: self.proxy.address(),
            app: self.app.address().to_string(),
            configuration: self.configuration.clone(),
        }
    }

    /// Sends it, and waits for its line.
    fn pass(&self, id: &str, path: &str) -> Value {
        self.proxy.send(&Request::get(path).field("x-request-id", id));
        self.proxy.line_of(id)
    }

    /// Hands on all that was written and exported.
    fn tell(&self, live: &Live) {
        for line in self.proxy.raw_access_log().lines() {
            live.line(line.as_bytes());
        }
        for export in self.collector.exports() {
            live.spans(&export);
        }
    }
}

#[test]
fn what_was_sent_is_shown_and_found_with_its_line_its_span_and_its_explanation() {
    let service = Service::start();
    let line = service.pass("shown-user-7", "/users/7?size=2");
    service.pass("shown-boom-1", "/boom");
    let trace = line["trace_id"].as_str().unwrap();
    // The app's own span has the filter's as its parent, and comes some seconds later.
    service.collector.span_where("the filter's span", |span| {
        span.trace_id_hex() == trace && span.parent_hex().is_none()
    });
    service.collector.span_where("the app's span", |span| {
        span.trace_id_hex() == trace && span.parent_hex().as_deref() == line["span_id"].as_str()
    });
    let view = View::of(service.front());
    service.tell(&view.live);
    view.live.in_flight("shop", 7);

    view.open("");
    view.says("#routes tbody", "/users/{id}");
    let row = view.text("#routes tbody tr:has([href*=users])");
    assert!(row.contains("GET") && row.contains("template") && row.contains("ms"), "{row}");
    assert_ne!(view.text("#total-rate"), "0/s");
    assert_eq!(view.text("#total-in-flight"), "7");
    assert_eq!(view.text("#total-requests"), "2");
    assert_eq!(view.text("#total-errors"), "50.0 %");

    view.page.press("2");
    view.says("#requests", "/boom");
    assert!(view.text("#requests").starts_with("500"), "{}", view.text("#requests"));

    view.page.press("/shown-us");
    view.says("#drawer .ids", "shown-user-7");
    view.says("#drawer .ids", trace);
    let drawer = view.text("#drawer");
    for told in
        ["\"path\": \"/users/7\"", "\"status\": 200", "http.response.status_code", "Why this route"]
    {
        assert!(drawer.contains(told), "no {told} in {drawer}");
    }
    assert!(view.text(".explanation ol").contains("/users/{id}"), "{drawer}");
    let own = view.text(".spans");
    assert!(own.contains("GET /users/{id}") && own.contains("app"), "{own}");
    assert!(
        view.page.run("return document.querySelectorAll('.spans .from-app').length") != 0,
        "{own}"
    );
    assert!(
        view.page.run("return document.querySelectorAll('.spans .from-sightline').length") == 1,
        "{own}"
    );
    view.is_clean();
}

#[test]
fn nothing_yet_tells_what_to_do_and_the_first_request_appears() {
    let view = View::of_lines();
    view.open("");
    view.says("#nothing-yet", "curl http://127.0.0.1:8080/");
    view.numbered(1, json!({}));
    view.says("#routes tbody", "/users/{id}");
    assert_eq!(view.text("#total-requests"), "1");
    view.is_clean();
}

#[test]
fn all_can_be_done_with_the_keyboard() {
    let view = View::of_lines();
    for number in 0..9 {
        view.numbered(number, json!({"duration_ms": number}));
    }
    view.numbered(10, json!({"path": "/a", "route": "/a"}));
    view.open("");
    view.page.wait_for(&format!("{ROWS} === 2"));
    view.page.press("j");
    assert_eq!(view.page.wait_for(FOCUSED), "GET /users/{id}");
    view.page.press(key::DOWN);
    assert_eq!(view.page.wait_for(FOCUSED), "GET /a");
    view.page.press(&format!("{}{}", key::UP, key::ENTER));
    view.says("#filter", "GET /users/{id}");
    view.page.wait_for("document.activeElement.closest('#requests') && document.activeElement.innerText.includes('8.00 ms')");
    view.page.press(&format!("j{}", key::ENTER));
    view.says("#drawer .ids", "request-0007");
    view.page.press(key::ESCAPE);
    view.page.wait_for("document.querySelector('#drawer').hidden");
    view.says("#filter", "GET /users/{id}");
    view.page.press(key::ESCAPE);
    view.page.wait_for("document.querySelector('#filter').hidden");
    assert_eq!(view.page.wait_for(FOCUSED), "GET /users/{id}");

    view.page.press("?");
    view.page.wait_for("document.querySelector('#keys').open");
    view.page.press(key::ESCAPE);
    view.page.wait_for("!document.querySelector('#keys').open");
    view.page.press("4");
    view.page.wait_for(
        "document.querySelector('#tab-inferred').getAttribute('aria-selected') === 'true'",
    );
    view.page.press("t");
    view.page.wait_for("document.documentElement.dataset.theme === 'light'");
    view.page.press(" ");
    view.says("#pause", "Go on");
    view.is_clean();
}

#[test]
fn neither_a_page_that_is_held_still_nor_one_that_nobody_sees_asks_for_anything() {
    let seen: fn(&Chromium, bool) = |page, seen| {
        page.run(&format!(
            "Object.defineProperty(document, 'hidden', {{value: {}, configurable: true}});
             document.dispatchEvent(new Event('visibilitychange'))",
            !seen
        ));
    };
    let held: fn(&Chromium, bool) = |page, _| page.press(" ");
    let view = View::of_lines();
    for (number, (way, shows)) in [("held", held), ("unseen", seen)].into_iter().enumerate() {
        view.numbered(0, json!({}));
        view.open("");
        view.says("#total-requests", &(2 * number + 1).to_string());
        shows(&view.page, false);
        // One that was under way may still end.
        let before = view.polls_after(1_500);
        view.numbered(1, json!({}));
        assert_eq!(view.polls_after(2_500), before, "{way}");
        assert_eq!(view.text("#total-requests"), (2 * number + 1).to_string(), "{way}");
        shows(&view.page, true);
        view.says("#total-requests", &(2 * number + 2).to_string());
    }
    view.is_clean();
}

#[test]
fn hostile_texts_are_shown_as_texts() {
    let view = View::of_lines();
    let path = format!("/x/{HOSTILE}");
    let line = json!({"path": path, "route": path, "route_source": "learned", "method": HOSTILE, "status": 500,
                      "error_type": HOSTILE, "flags": HOSTILE, "user_agent": HOSTILE, "stream": HOSTILE,
                      "headers": {"request": {HOSTILE: HOSTILE}}, "__proto__": HOSTILE});
    view.numbered(1, line);
    view.line(
        json!({"service": HOSTILE, "request_id": HOSTILE, "trace_id": HOSTILE, "span_id": HOSTILE}),
    );
    view.live.line(b"\xff<script>window.hit=1</script>\n");
    for tab in ["slowest", "failed", "recent", "inferred"] {
        view.open(&format!("#tab={tab}"));
        view.says("#routes tbody", HOSTILE_SHOWN);
        view.page.wait_for(&format!(
            "document.querySelector('#tab-{tab}').getAttribute('aria-selected') === 'true'"
        ));
    }
    view.open("#tab=failed");
    view.says("#requests", HOSTILE_SHOWN);
    view.page.click("#requests a");
    view.says("#drawer .ids", "request-0001");
    view.says("#drawer .line", &HOSTILE_SHOWN.replace('"', "\\\""));
    view.says("#drawer .spans", HOSTILE_SHOWN);
    view.open("#search=<script>window.hit=1</script>");
    view.says("#drawer", "<script>window.hit=1</script>");
    for broken in [
        "#request=%",
        "#request=%ff%00",
        "#trace=..%2F..%2F&tab=constructor",
        "#route=a",
        "#=&&==",
        "#search=",
    ] {
        view.open(broken);
        view.says("#routes tbody", HOSTILE_SHOWN);
    }
    assert_eq!(view.page.run("return window.hit ?? null"), Value::Null);
    assert_eq!(
        view.page
            .run("return document.querySelectorAll('main script, main img, aside img').length"),
        0
    );
    // The browser notes each answer of 404, here to the trace that no ID names.
    let said = view.page.console();
    let said: Vec<_> = said.iter().filter(|entry| !entry.contains("404")).collect();
    assert!(said.is_empty(), "{said:#?}");
}

#[test]
fn the_inferred_routes_are_copied_as_templates_but_for_those_that_are_not_wanted() {
    let view = View::of_lines();
    for (number, path, route) in [
        (0, "/orders/17", "/orders/{int}"),
        (1, "/orders/18", "/orders/{int}"),
        (2, "/reports/2026-11-22", "/reports/{date}"),
        // No template is spelt so, and there is nothing to copy.
        (3, "/days/1/: #", "/days/{int}/: #"),
    ] {
        view.numbered(number, json!({"path": path, "route": route, "route_source": "typed"}));
    }
    view.page.allow_to_read_the_clipboard();
    view.open("#tab=inferred");
    view.says("#inferred", "/orders/1");
    let both = copied(&view);
    assert_eq!(both.len(), 2, "{both:?}");
    assert!(both[0].starts_with("/orders/{") && both[1].starts_with("/reports/{"), "{both:?}");
    view.page.click("#inferred tbody tr:nth-child(2) input");
    view.page.wait_for("document.querySelectorAll('#inferred input:checked').length === 1");
    assert_eq!(copied(&view), both[..1]);
    view.is_clean();
}

/// The templates that the button copies. The filter accepts them as they are.
fn copied(view: &View) -> Vec<String> {
    view.page.click("#inferred .copy");
    view.says("#inferred .copy", "Copied");
    let text = view.page.run("return navigator.clipboard.readText()");
    let text = text.as_str().unwrap();
    assert_eq!(view.text(".yaml").trim(), text.trim());
    view.says("#inferred .copy", "Copy templates");
    let said: Value = serde_saphyr::from_str(text).unwrap();
    assert!(config::read(said.to_string().as_bytes()).is_ok(), "{text}");
    let templates = said["routes"]["templates"].as_array().unwrap().iter();
    templates.map(|template| template.as_str().unwrap().to_owned()).collect()
}

#[test]
fn of_very_many_routes_the_first_are_shown_until_all_are_asked_for() {
    let view = View::of_lines();
    for number in 0..1_500 {
        let route = format!("/generated/{number}");
        view.numbered(number, json!({"path": route, "route": route}));
    }
    view.open("");
    view.page.wait_for(&format!("{ROWS} === 100"));
    view.says("#show-all", "1,500");
    view.page.click("#show-all");
    view.page.wait_for(&format!("{ROWS} === 1500"));
    view.page.click("#routes thead th button");
    view.page
        .wait_for("document.querySelector('#routes th').getAttribute('aria-sort') === 'ascending'");
    let routes = view.page.run(
        "return [...document.querySelectorAll('#routes tbody .path')].map(it => it.textContent)",
    );
    let routes: Vec<_> =
        routes.as_array().unwrap().iter().filter_map(Value::as_str).map(str::to_owned).collect();
    assert_eq!(routes.len(), routes.iter().collect::<HashSet<_>>().len());
    assert_eq!(routes[0], "/generated/0");
    view.is_clean();
}

#[test]
fn it_is_dark_for_those_who_have_it_dark_and_for_those_who_choose_it() {
    let view = View::of_lines();
    view.numbered(1, json!({}));
    view.open("");
    view.page.wait_for(&format!("{ROWS} === 1"));
    let ground = |dark| {
        view.page.look(1280, 800, dark);
        view.page
            .run("return getComputedStyle(document.body).backgroundColor")
            .as_str()
            .unwrap()
            .to_owned()
    };
    let (light, dark) = (ground(false), ground(true));
    assert_ne!(light, dark);
    view.page.press("t");
    view.page.wait_for("document.documentElement.dataset.theme === 'light'");
    assert_eq!(ground(true), light);
    view.page.press("t");
    view.page.wait_for("document.documentElement.dataset.theme === 'dark'");
    assert_eq!(ground(false), dark);
    for width in [800, 1440] {
        let picture = view.page.screenshot(width, 700, true);
        assert!(picture.starts_with(b"\x89PNG"));
        let size = |at: usize| u32::from_be_bytes(picture[at..at + 4].try_into().unwrap());
        assert_eq!((size(16), size(20)), (width, 700));
        let overflow =
            "document.documentElement.scrollWidth > document.documentElement.clientWidth";
        assert_eq!(view.page.run(&format!("return {overflow}")), false, "{width} is too narrow");
    }
    view.is_clean();
}

#[test]
fn when_the_server_has_gone_it_says_so_until_there_is_one_again() {
    let mut view = View::of_lines();
    view.numbered(1, json!({}));
    view.open("");
    view.page.wait_for(&format!("{ROWS} === 1"));
    view.server = None;
    view.says("#banner", "Sightline has ended.");
    assert_eq!(view.text("#total-requests"), "1", "the last figures stay");
    let another = Server::start(view.live.clone(), view.address).unwrap();
    view.page.wait_for("document.querySelector('#banner').hidden");
    drop(another);
}

#[test]
fn a_trace_without_spans_is_made_of_its_line() {
    let view = View::of_lines();
    view.numbered(1, json!({"status": 503, "flags": "UF"}));
    view.open(&format!("#trace={:032x}", 0xabc0_0001_u32));
    view.says(".spans", "log line");
    view.says("#drawer .facts", "UF");
    view.is_clean();
}
