//! Which requests are scrapes, and how they are answered; and that all others fare as if there were no endpoint.

use sightline_host::{Cluster, Host, Message, Protocol, Request, Response, World};

use super::{ACTIVE, COUNT, TICK, configuration, page, scrape, serve, shop};
use crate::{filter, filter_in};

const TEXT: &[u8] = b"text/plain; version=0.0.4; charset=utf-8";
const OPENMETRICS: &[u8] = b"application/openmetrics-text; version=1.0.0; charset=utf-8";

fn answer(host: &mut Host, request: Request) -> Message {
    host.request(request).unwrap().client.unwrap()
}

#[test]
fn a_read_of_its_path_is_a_scrape_and_no_app_hears_of_it() {
    for (method, path, protocol) in [
        ("GET", "/metrics", Protocol::Http11),
        ("HEAD", "/metrics", Protocol::Http11),
        ("GET", "/metrics?", Protocol::Http11),
        ("GET", "/metrics?name[]=a?b", Protocol::Http11),
        ("GET", "http://app.test/metrics", Protocol::Http11),
        ("GET", "/metrics", Protocol::Http2),
        ("HEAD", "/metrics", Protocol::Http3),
    ] {
        let mut host = shop("", "");
        let outcome = host.request(Request::new(method, path).protocol(protocol)).unwrap();
        let what = format!("{method} {path} {protocol:?}");
        assert!(outcome.upstream.is_none(), "{what}: {outcome}");
        let answer = outcome.client.as_ref().unwrap();
        assert_eq!(answer.status(), Some(200), "{what}");
        assert_eq!(answer.get("content-type"), Some(TEXT), "{what}");
        assert_eq!(answer.get("cache-control"), Some(&b"no-store"[..]), "{what}");
        assert_eq!(outcome.details.as_deref(), Some("sightline_metrics"), "{what}");
        assert!(outcome.state.is_empty(), "{what}: {outcome}");
    }
}

#[test]
fn every_other_request_fares_as_if_there_were_no_endpoint() {
    let on_another_port = configuration("", "").replace("10000", "10001");
    let elsewhere =
        r#"{"service": {"name": "shop"}, "metrics": {"endpoint": {"port": 10000, "path": "/m"}}}"#;
    let here = &configuration("", "");
    for (name, configuration, request) in [
        ("on another port", &on_another_port, Request::get("/metrics")),
        ("a HEAD on another port", &on_another_port, Request::new("HEAD", "/metrics")),
        ("another path", here, Request::get("/metricsx")),
        ("a path below", here, Request::get("/metrics/")),
        ("a path above", here, Request::get("/")),
        ("in capitals", here, Request::get("/METRICS")),
        ("with two slashes", here, Request::get("//metrics")),
        ("encoded", here, Request::get("/%6detrics")),
        ("only in the query", here, Request::get("/?/metrics")),
        ("not the path that is configured", &elsewhere.to_owned(), Request::get("/metrics")),
        ("POST", here, Request::new("POST", "/metrics").body("a")),
        ("OPTIONS", here, Request::new("OPTIONS", "/metrics")),
        ("lower case", here, Request::new("get", "/metrics")),
        ("no method", here, Request::get("/metrics").without(":method")),
        ("no path", here, Request::get("/").without(":path")),
    ] {
        let request = request
            .header("x-request-id", "mine")
            .header("accept", "application/openmetrics-text")
            .answered(Response::new(418).header("x-app", "here").body("the app's"));
        let mut without = filter(r#"{"service": {"name": "shop"}}"#);
        let expected = without.request(request.clone()).unwrap();
        let found = filter(configuration).request(request).unwrap();
        assert_ne!(found.details.as_deref(), Some("sightline_metrics"), "{name}: {found}");
        assert_eq!(format!("{:?}", found.upstream), format!("{:?}", expected.upstream), "{name}");
        assert_eq!(format!("{:?}", found.client), format!("{:?}", expected.client), "{name}");
        assert_eq!(found.client.unwrap().get("x-request-id"), Some(&b"mine"[..]), "{name}");
        let ignored = found.state.is_empty() && expected.state.is_empty();
        let line = |state: &std::collections::BTreeMap<String, Vec<u8>>| {
            state.get("wasm.sightline_log").map(|line| String::from_utf8(line.clone()).unwrap())
        };
        assert!(ignored || line(&found.state) == line(&expected.state), "{name}");
    }
}

#[test]
fn a_head_says_how_long_the_page_is_and_has_none() {
    let mut host = shop("", "");
    serve(&mut host, 0, 9);
    for accept in ["text/plain", "application/openmetrics-text"] {
        let [head, get] = ["HEAD", "GET"].map(|method| {
            answer(&mut host, Request::new(method, "/metrics").header("accept", accept))
        });
        assert!(head.body.is_empty() && get.body.len() > 2_000, "{accept}");
        let length = get.body.len().to_string();
        for name in ["content-length", "content-type", "cache-control"] {
            assert_eq!(head.get(name), get.get(name), "{accept}: {name}");
        }
        assert_eq!(get.get("content-length"), Some(length.as_bytes()), "{accept}");
    }
}

#[test]
fn the_format_is_the_one_that_is_asked_for() {
    let mut host = shop("", "");
    serve(&mut host, 0, 1);
    let prometheus = "application/openmetrics-text;version=1.0.0;q=0.5,\
                      text/plain;version=0.0.4;q=0.3,*/*;q=0.2";
    for (accept, kind) in [
        (None, TEXT),
        (Some("*/*"), TEXT),
        (Some("text/plain"), TEXT),
        (Some("text/html,application/xml;q=0.9,*/*;q=0.8"), TEXT),
        (Some("application/openmetrics-text; version=1.0.0"), OPENMETRICS),
        (Some(prometheus), OPENMETRICS),
        (Some("application/json"), TEXT),
        (Some("\u{fffd};;q=q,"), TEXT),
    ] {
        let request = Request::get("/metrics");
        let request = accept.into_iter().fold(request, |it, accept| it.header("accept", accept));
        let outcome = host.request(request).unwrap();
        assert_eq!(outcome.client.as_ref().unwrap().get("content-type"), Some(kind), "{accept:?}");
        let page = page(&outcome);
        assert_eq!(page.ends_with("\n# EOF\n"), kind == OPENMETRICS, "{accept:?}: {page}");
        assert_eq!(page.contains("# UNIT "), kind == OPENMETRICS, "{accept:?}: {page}");
        assert!(page.contains(COUNT) && page.ends_with('\n'), "{accept:?}: {page}");
    }
}

#[test]
fn a_scrape_carries_its_id_and_leaves_no_trace() {
    let collector = Cluster::answering(Response::new(200));
    let more =
        r#", "sampling": {"ratio": 1}, "export": {"cluster": "collector", "interval": "1s"}"#;
    let world = World::seeded(7).workers(4).cluster("collector", collector);
    let mut host = filter_in(world, &configuration("", more));
    host.advance(TICK * 2).unwrap();
    // How often pages were asked for is not to be seen on the next; the first one changes nothing either.
    let first = scrape(&mut host, 0).names_with("").join("\n");
    let stats = host.stats().to_string();
    for number in 0..40 {
        let request = Request::get("/metrics").on_worker(number % 4);
        let minted = answer(&mut host, request.clone());
        assert_eq!(minted.get("x-request-id").map(<[u8]>::len), Some(36));
        let kept = answer(&mut host, request.header("x-request-id", "mine"));
        assert_eq!(kept.get("x-request-id"), Some(&b"mine"[..]));
    }
    host.advance(TICK * 3).unwrap();
    assert_eq!(host.stats().to_string(), stats);
    assert!(host.callouts().is_empty(), "no span of a scrape is exported");
    let page = scrape(&mut host, 3);
    assert_eq!(page.names_with("").join("\n"), first);
    assert_eq!((page.sum(COUNT, &[]), page.sum(ACTIVE, &[])), (None, None));
}

#[test]
fn a_path_of_its_own_is_a_scrape_whatever_is_ignored() {
    let said = r#"{"metrics": {"endpoint": {"port": 10000, "path": "/internal/stats"}}, "routes": {"ignore": []}}"#;
    let mut host = filter(said);
    let outcome = host.request(Request::get("/internal/stats?x")).unwrap();
    assert!(page(&outcome).contains("sightline_build_info"));
    assert!(outcome.state.is_empty() && outcome.upstream.is_none());
    let outcome = host.request(Request::get("/metrics")).unwrap();
    assert!(outcome.upstream.is_some() && !outcome.state.is_empty());
}
