//! Plugins come, change and go: several in one VM, a configuration that is replaced under live
//! requests, and the end.

mod guest;

use std::time::Duration;

use guest::{guest, loaded, on, said, texts, word, world};
use sightline_host::{Direction, Host, Plugin, Request, Response};

const SECOND: Duration = Duration::from_secs(1);

/// Logs a word and the context's id in one line: a letter for the callback and a digit.
fn mark(letter: char) -> String {
    format!(
        "(i32.store8 (i32.const 600) (i32.const {})) (i32.store8 (i32.const 601) (i32.add (i32.const 48) (local.get $id)))
         (drop (call $log (i32.const 2) (i32.const 600) (i32.const 2)))",
        u32::from(letter)
    )
}

/// A plugin that marks its configuration, requests, responses and ends.
fn marking(then_done: &str) -> Plugin {
    let body = on("configure", &mark('c'))
        + &on("request_headers", &mark('q'))
        + &on("response_headers", &mark('r'))
        + &on("tick", &mark('t'))
        + &on("done", &(mark('d') + then_done))
        + &on("delete", &mark('x'));
    Plugin::new(&guest(&body))
}

fn slow() -> Request {
    Request::get("/").answered(Response::new(200).after(SECOND))
}

/// A host whose listeners wait for their last request, and no longer.
fn draining(plugin: Plugin) -> Host {
    Host::new(world().drain(Duration::ZERO), plugin).unwrap()
}

#[test]
fn a_configuration_is_replaced_under_live_requests() {
    let mut host = draining(marking(""));
    let old = host.begin(slow()).unwrap();
    host.replace(host.plugin(), marking("").configuration("new")).unwrap();
    let new = host.begin(slow()).unwrap();
    host.finish(old).unwrap();
    host.finish(new).unwrap();
    // The old root ends with its last stream, and the VM stays.
    assert_eq!(texts(&host).join(" "), "c1 q2 c3 q4 r2 d2 x2 d1 x1 r4 d4 x4");
    assert_eq!(host.vm_count(), 2);
}

#[test]
fn what_is_replaced_has_its_time_to_end() {
    let replaced = |drain: Duration, request: Request| {
        let mut host = Host::new(world().drain(drain), marking("")).unwrap();
        let old = host.begin(request).unwrap();
        host.replace(host.plugin(), marking("").configuration("new")).unwrap();
        let outcome = host.finish(old).unwrap();
        let before = texts(&host).join(" ");
        host.advance(10 * SECOND).unwrap();
        (outcome.client.and_then(|it| it.status()), before, texts(&host).join(" "))
    };
    let ended = "c1 q2 c3 r2 d2 x2";
    let rows = [
        ("in time", 5 * SECOND, Some(200), ended, "c1 q2 c3 r2 d2 x2 d1 x1"),
        ("too late", SECOND / 2, None, "c1 q2 c3 d2 x2", "c1 q2 c3 d2 x2 d1 x1"),
        ("with time left", 600 * SECOND, Some(200), ended, ended),
    ];
    for (name, drain, status, at_once, later) in rows {
        let (seen, before, after) = replaced(drain, slow());
        assert_eq!(seen, status, "{name}");
        assert_eq!(before.strip_suffix(" d1 x1").unwrap_or(&before), at_once, "{name}");
        assert_eq!(after, later, "{name}");
    }
}

#[test]
fn a_replaced_configuration_without_requests_ends_at_once() {
    let mut host = draining(marking(""));
    host.replace(host.plugin(), marking("").configuration("new")).unwrap();
    assert_eq!(texts(&host).join(" "), "c1 c2 d1 x1");
}

#[test]
fn the_same_configuration_again_changes_nothing() {
    let mut host = draining(marking(""));
    host.replace(host.plugin(), marking("")).unwrap();
    host.request(Request::get("/")).unwrap();
    assert_eq!(texts(&host).join(" "), "c1 q2 r2 d2 x2");
}

#[test]
fn another_vm_configuration_is_another_vm() {
    let mut host = draining(marking(""));
    host.replace(host.plugin(), marking("").vm_configuration("new")).unwrap();
    host.request(Request::get("/")).unwrap();
    // Both count from one.
    assert_eq!(texts(&host).join(" "), "c1 c1 d1 x1 q2 r2 d2 x2");
    assert_eq!(host.vm_count(), 2, "the old one is gone");
}

#[test]
fn a_root_that_is_not_ready_goes_on_until_it_is_done() {
    let done_at_tick = "(if (i32.load (i32.const 700)) (then (call $say (call $done))))";
    let body = on("configure", "(drop (call $tick_period (i32.const 5)))")
        + &on("tick", &(mark('t') + done_at_tick))
        + &on(
            "done",
            &(mark('d')
                + "(if (i32.eq (local.get $id) (i32.const 1)) (then (i32.store (i32.const 700) (i32.const 1)) (return (i32.const 0))))"),
        )
        + &on("delete", &mark('x'));
    let mut host = loaded(Plugin::new(&guest(&body)));
    let live = host
        .begin(Request::get("/").answered(Response::new(200).after(Duration::from_millis(7))))
        .unwrap();
    host.remove(host.plugin()).unwrap();
    assert_eq!(texts(&host), [""; 0], "a request is under way");
    host.finish(live).unwrap();
    host.advance(SECOND).unwrap();
    assert_eq!(texts(&host).join(" "), "t1 d2 x2 d1 t1 0 x1");
    assert_eq!(host.vm_count(), 0);
}

#[test]
fn a_stream_cannot_say_that_it_is_not_ready() {
    let mut host = loaded(marking("(return (i32.const 0))"));
    host.request(Request::get("/")).unwrap();
    assert_eq!(texts(&host).join(" "), "c1 q2 r2 d2 x2");
}

#[test]
fn what_decides_whether_plugins_share_a_vm_and_a_root() {
    let first = || marking("").configuration("a").name("n").root_id("r");
    let rows = [
        ("all the same", first(), 2, "c1 q2"),
        ("another configuration", first().configuration("b"), 2, "c1 c2 q3"),
        ("another name", first().name("m"), 2, "c1 c2 q3"),
        ("another root id", first().root_id("s"), 2, "c1 c2 q3"),
        ("another direction", first().direction(Direction::Inbound), 2, "c1 c2 q3"),
        ("another VM id", first().vm_id("v"), 4, "c1 c1 q2"),
        ("another VM configuration", first().vm_configuration("v"), 4, "c1 c1 q2"),
        ("another environment", first().variable("A", "1"), 2, "c1 q2"),
        (
            "another module",
            Plugin::new(&guest(&on("configure", &mark('c')))).configuration("a"),
            4,
            "c1 c1",
        ),
    ];
    for (name, second, vms, expected) in rows {
        let mut host = loaded(first());
        let second = host.load(second).unwrap();
        host.request(Request::get("/").through(second)).unwrap();
        assert_eq!(host.vm_count(), vms, "{name}");
        let texts = texts(&host);
        let begun: Vec<_> =
            texts.iter().filter(|text| text.starts_with(['c', 'q'])).copied().collect();
        assert_eq!(begun.join(" "), expected, "{name}");
    }
}

#[test]
fn a_line_of_the_log_names_its_plugin() {
    let plugin = || Plugin::new(&guest(&on("request_headers", &word("line"))));
    let rows = [
        ("nothing", plugin(), ""),
        ("a name", plugin().name("n"), "n"),
        ("everything", plugin().name("n").root_id("r").vm_id("v"), "n r v"),
    ];
    for (name, plugin, expected) in rows {
        let outcome = loaded(plugin).request(Request::get("/")).unwrap();
        assert_eq!(
            (said(&outcome).as_str(), outcome.log[0].plugin.as_str()),
            ("line", expected),
            "{name}"
        );
    }
}

#[test]
fn one_plugin_goes_and_the_other_stays() {
    let mut host = loaded(marking(""));
    let second = host.load(marking("").configuration("second")).unwrap();
    host.remove(host.plugin()).unwrap();
    assert_eq!(texts(&host).join(" "), "c1 c2 d1 x1");
    let outcome = host.request(Request::get("/").through(second)).unwrap();
    assert_eq!(said(&outcome), "q3 r3 d3 x3");
}

#[test]
fn a_process_that_stops_asks_every_root_to_end() {
    let mut host = loaded(marking(""));
    host.load(marking("").configuration("second")).unwrap();
    host.stop().unwrap();
    assert_eq!(texts(&host).join(" "), "c1 c2 d1 x1 d2 x2");
    // The canaries of both, each the first root of its VM, and then the two roots.
    assert_eq!(guest::texts_of(&host, 0).join(" "), "c1 c1 c1 c2 d1 x1 d2 x2");
    assert_eq!(host.vm_count(), 0);
}

#[test]
fn a_host_without_plugins_lets_everything_through_and_keeps_the_log_of_a_failure() {
    let mut host = Host::empty(world());
    let body = on("configure", &format!("{} (return (i32.const 0))", word("no")));
    assert!(host.load(Plugin::new(&guest(&body))).is_err());
    // The canary alone was asked.
    assert_eq!((guest::texts_of(&host, 0), host.vm_count()), (vec!["no"], 0));
}
