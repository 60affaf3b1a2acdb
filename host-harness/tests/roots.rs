//! The life of root contexts: creation, configuration, ticks, end.

mod guest;

use std::time::Duration;

use guest::{configured, guest, loaded, on, texts, word, world};
use sightline_host::{Failure, Host, Level, Plugin, Request};

const MILLISECOND: Duration = Duration::from_millis(1);

/// Says which status the plugin's configuration has now, and shows it.
const SHOW_CONFIGURATION: &str = "(call $say (call $buffer (i32.const 7) (i32.const 0) (i32.const 99) (i32.const 0) (i32.const 4))) (call $show)";

#[test]
fn a_root_is_created_started_and_configured() {
    let body = on("context_create", "(call $say (local.get $id)) (call $say (local.get $root))")
        + &on("vm_start", "(call $say (local.get $size))")
        + &on("configure", "(call $say (local.get $size))");
    let plugin = Plugin::new(&guest(&body)).vm_configuration("12").configuration("12345");
    assert_eq!(texts(&loaded(plugin)), ["1", "0", "2", "5"]);
}

#[test]
fn roots_and_streams_share_one_count_and_the_newest_root_serves() {
    let say = "(call $say (local.get $id)) (call $say (local.get $root))";
    let plugin = Plugin::new(&guest(&on("context_create", say)));
    let mut host = loaded(plugin.clone());
    host.request(Request::get("/")).unwrap();
    host.replace(host.plugin(), plugin.configuration("new")).unwrap();
    host.request(Request::get("/")).unwrap();
    assert_eq!(texts(&host), ["1", "0", "2", "1", "3", "0", "4", "3"]);
}

#[test]
fn the_plugins_configuration_can_be_read_in_creation_and_configuration_only() {
    let afresh = format!("(i32.store (i32.const 4) (i32.const 0)) {SHOW_CONFIGURATION}");
    let body = on("context_create", SHOW_CONFIGURATION)
        + &on("vm_start", &afresh)
        + &on(
            "configure",
            &format!("{SHOW_CONFIGURATION} (drop (call $tick_period (i32.const 5)))"),
        )
        + &on("tick", &afresh);
    let mut host = loaded(Plugin::new(&guest(&body)).configuration("text"));
    host.advance(5 * MILLISECOND).unwrap();
    assert_eq!(texts(&host), ["0", "text", "1", "", "0", "text", "1", ""]);
}

#[test]
fn a_buffer_is_read_in_parts() {
    let rows = [
        ("the middle", 6, 1, 2, "0 bc"),
        ("more than there is", 6, 2, 99, "0 cd"),
        ("behind the end", 6, 9, 1, "0 "),
        ("nothing", 6, 0, 0, "0 "),
        ("all that a number holds", 6, 2, -1, "0 cd"),
        ("a body that is not there", 0, 0, 9, "0 "),
        ("a callout's response that is not there", 4, 0, 9, "1 "),
        ("a buffer that no ABI has", 9, 0, 9, "2 "),
    ];
    for (name, kind, start, most, expected) in rows {
        let code = format!(
            "(call $say (call $buffer (i32.const {kind}) (i32.const {start}) (i32.const {most}) (i32.const 0) (i32.const 4)))
             (call $show)"
        );
        let plugin = Plugin::new(&guest(&on("vm_start", &code))).vm_configuration("abcd");
        assert_eq!(texts(&loaded(plugin)).join(" "), expected, "{name}");
    }
}

#[test]
fn a_refusal_carries_what_the_module_logged() {
    for entry in ["proxy_on_configure", "proxy_on_vm_start"] {
        let code = "(drop (call $log (i32.const 4) 'no such key')) (return (i32.const 0))";
        let callback = entry.strip_prefix("proxy_on_").unwrap();
        let failure = Host::new(world(), Plugin::new(&guest(&on(callback, code)))).unwrap_err();
        let expected = format!(
            "The module refused: {entry} returned 0.\nIt had logged:\n  [error] no such key"
        );
        assert_eq!(failure.to_string(), expected);
    }
}

#[test]
fn the_root_of_before_serves_on_when_a_new_one_is_refused() {
    let body = on("configure", "(return (i32.eqz (local.get $size)))")
        + &on("request_headers", "(call $say (local.get $id))");
    let plugin = Plugin::new(&guest(&body));
    let mut host = loaded(plugin.clone());
    let refused = host.replace(host.plugin(), plugin.configuration("bad"));
    assert!(matches!(refused, Err(Failure::Refused { entry: "proxy_on_configure", .. })));
    host.request(Request::get("/")).unwrap();
    assert_eq!(texts(&host), ["2"]);
}

#[test]
fn a_root_ticks_once_it_has_set_a_period() {
    let body = on("configure", "(drop (call $tick_period (local.get $size)))")
        + &on("tick", "(call $say (local.get $id))");
    let plugin = Plugin::new(&guest(&body));
    let mut host = loaded(plugin.clone());
    host.load(plugin.configuration("12345")).unwrap();
    host.advance(4 * MILLISECOND).unwrap();
    assert_eq!(texts(&host), [""; 0]);
    host.advance(6 * MILLISECOND).unwrap();
    assert_eq!(texts(&host), ["2", "2"]);
}

#[test]
fn a_timer_can_be_set_anew_and_stopped() {
    let set = |milliseconds: u32| format!("(drop (call $tick_period (i32.const {milliseconds})))");
    let rows = [
        ("set anew with every tick", set(5), set(3), 4),
        ("stopped at the first tick", set(5), set(0), 1),
        ("stopped before it ticked", set(5) + &set(0), String::new(), 0),
        ("set twice", set(2) + &set(7), String::new(), 2),
    ];
    for (name, at_first, at_tick, ticks) in rows {
        let body = on("configure", &at_first) + &on("tick", &(word("tick") + &at_tick));
        let mut host = configured(&body);
        host.advance(15 * MILLISECOND).unwrap();
        assert_eq!(texts(&host).len(), ticks, "{name}");
    }
}

#[test]
fn a_stream_sets_its_roots_timer() {
    let body = on("request_headers", "(drop (call $tick_period (i32.const 7)))")
        + &on("tick", "(call $say (local.get $id))");
    let mut host = configured(&body);
    host.request(Request::get("/")).unwrap();
    host.advance(7 * MILLISECOND).unwrap();
    assert_eq!(texts(&host), ["1"]);
}

#[test]
fn a_root_ends_at_once_or_when_it_says_that_it_is_done() {
    let tick = on("configure", "(drop (call $tick_period (i32.const 1)))")
        + &on("delete", &word("deleted"));
    let rows = [
        ("no wish", String::new(), vec!["deleted"]),
        ("ready", on("done", ""), vec!["deleted"]),
        (
            "not ready, then done",
            on("done", "(call $say (call $done)) (return (i32.const 0))")
                + &on("tick", "(call $say (call $done))"),
            vec!["1", "0", "deleted"],
        ),
        (
            "never ready",
            on("done", "(return (i32.const 0))") + &on("tick", "(call $say (local.get $id))"),
            vec!["1", "1"],
        ),
    ];
    for (name, callbacks, expected) in rows {
        let mut host = configured(&(tick.clone() + &callbacks));
        host.remove(host.plugin()).unwrap();
        host.advance(2 * MILLISECOND).unwrap();
        assert_eq!(texts(&host), expected, "{name}");
        assert_eq!(guest::texts_of(&host, 0), expected, "{name}, on the main thread");
        let passed = host.request(Request::get("/")).unwrap();
        assert_eq!(passed.client.unwrap().status(), Some(200), "{name}");
        assert_eq!(passed.budget.fuel(), 0, "{name}");
    }
}

#[test]
fn proxy_done_without_being_asked_is_not_found() {
    assert_eq!(texts(&configured(&on("configure", "(call $say (call $done))"))), ["1"]);
}

#[test]
fn the_log_keeps_level_and_text_whatever_the_level_told() {
    let code = "(call $say (call $log (i32.const 0) 'a trace')) (call $say (call $log (i32.const 6) 'no level'))
                (call $say (call $log_level (i32.const 0))) (call $say (i32.load (i32.const 0)))";
    let plugin = Plugin::new(&guest(&on("configure", code)));
    let host = Host::new(world().log_level(Level::Error), plugin).unwrap();
    assert_eq!(texts(&host), ["a trace", "0", "2", "0", "4"]);
    assert_eq!(host.log()[0].level, Level::Trace);
}
