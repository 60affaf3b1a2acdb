//! The life of root contexts: creation, configuration, ticks, end.

mod guest;

use guest::{configured, guest, on, texts};
use sightline_host::{Failure, Level, Plugin, Request, Vm, World};

/// Says which status the plugin's configuration has now, and shows it.
const SHOW_CONFIGURATION: &str = "(call $say (call $buffer (i32.const 7) (i32.const 0) (i32.const 99) (i32.const 0) (i32.const 4))) (call $show)";

#[test]
fn a_root_is_created_started_and_configured() {
    let body = on("context_create", "(call $say (local.get $id)) (call $say (local.get $root))")
        + &on("vm_start", "(call $say (local.get $size))")
        + &on("configure", "(call $say (local.get $size))");
    let mut vm = Vm::new(&guest(&body), World::seeded(1).vm_configuration("12")).unwrap();
    vm.configure(Plugin::new("12345")).unwrap();
    assert_eq!(texts(&vm), ["1", "0", "2", "5"]);
}

#[test]
fn roots_and_streams_share_one_count_and_the_newest_root_serves() {
    let mut vm = configured(&on(
        "context_create",
        "(call $say (local.get $id)) (call $say (local.get $root))",
    ));
    vm.request(Request::get("/")).unwrap();
    vm.configure(Plugin::new("")).unwrap();
    vm.request(Request::get("/")).unwrap();
    assert_eq!(texts(&vm), ["1", "0", "2", "1", "3", "0", "4", "3"]);
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
    let mut vm = Vm::new(&guest(&body), World::seeded(1)).unwrap();
    vm.configure(Plugin::new("text")).unwrap();
    vm.tick().unwrap();
    assert_eq!(texts(&vm), ["0", "text", "1", "", "0", "text", "1", ""]);
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
        let mut vm =
            Vm::new(&guest(&on("vm_start", &code)), World::seeded(1).vm_configuration("abcd"))
                .unwrap();
        vm.configure(Plugin::new("")).unwrap();
        assert_eq!(texts(&vm).join(" "), expected, "{name}");
    }
}

#[test]
fn a_refusal_carries_what_the_module_logged() {
    for entry in ["proxy_on_configure", "proxy_on_vm_start"] {
        let code = "(drop (call $log (i32.const 4) 'no such key')) (return (i32.const 0))";
        let callback = entry.strip_prefix("proxy_on_").unwrap();
        let mut vm = Vm::new(&guest(&on(callback, code)), World::seeded(1)).unwrap();
        let failure = vm.configure(Plugin::new("x")).unwrap_err();
        let expected = format!(
            "The module refused: {entry} returned 0.\nIt had logged:\n  [error] no such key"
        );
        assert_eq!(failure.to_string(), expected);
        assert_eq!(vm.request(Request::get("/")).unwrap_err(), Failure::NoRoot, "{entry}");
    }
}

#[test]
fn the_root_of_before_serves_on_when_a_new_one_is_refused() {
    let mut vm = configured(&on("configure", "(return (i32.eqz (local.get $size)))"));
    assert!(vm.configure(Plugin::new("bad")).is_err());
    assert!(vm.request(Request::get("/")).is_ok());
}

#[test]
fn a_root_ticks_once_it_has_set_a_period() {
    let body = on("configure", "(drop (call $tick_period (local.get $size)))")
        + &on("tick", "(call $say (local.get $id))");
    let mut vm = Vm::new(&guest(&body), World::seeded(1)).unwrap();
    let still = vm.configure(Plugin::new("")).unwrap();
    let ticking = vm.configure(Plugin::new("12345")).unwrap();
    vm.tick().unwrap();
    vm.tick().unwrap();
    assert_eq!((vm.tick_period(still), vm.tick_period(ticking)), (None, Some(5)));
    assert_eq!(texts(&vm), ["2", "2"]);
}

#[test]
fn a_stream_sets_its_roots_timer() {
    let body = on("request_headers", "(drop (call $tick_period (i32.const 7)))")
        + &on("tick", "(call $say (local.get $id))");
    let mut vm = configured(&body);
    vm.request(Request::get("/")).unwrap();
    vm.tick().unwrap();
    assert_eq!(texts(&vm), ["1"]);
}

#[test]
fn a_root_ends_at_once_or_when_it_says_that_it_is_done() {
    let tick = on("configure", "(drop (call $tick_period (i32.const 1)))")
        + &on("delete", "(drop (call $log (i32.const 2) 'deleted'))");
    let rows = [
        ("no wish", String::new(), true, vec!["deleted"]),
        ("ready", on("done", ""), true, vec!["deleted"]),
        (
            "not ready, then done",
            on("done", "(call $say (call $done)) (return (i32.const 0))")
                + &on("tick", "(call $say (call $done))"),
            false,
            vec!["1", "0", "deleted"],
        ),
        (
            "never ready",
            on("done", "(return (i32.const 0))") + &on("tick", "(call $say (local.get $id))"),
            false,
            vec!["1", "1"],
        ),
    ];
    for (name, callbacks, at_once, expected) in rows {
        let mut vm = Vm::new(&guest(&(tick.clone() + &callbacks)), World::seeded(1)).unwrap();
        let root = vm.configure(Plugin::new("")).unwrap();
        assert_eq!(vm.shut_down(root), Ok(at_once), "{name}");
        vm.tick().unwrap();
        vm.tick().unwrap();
        assert_eq!(texts(&vm), expected, "{name}");
        assert_eq!(vm.request(Request::get("/")).unwrap_err(), Failure::NoRoot, "{name}");
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
    let mut vm =
        Vm::new(&guest(&on("configure", code)), World::seeded(1).log_level(Level::Error)).unwrap();
    vm.configure(Plugin::new("")).unwrap();
    assert_eq!(texts(&vm), ["a trace", "0", "2", "0", "4"]);
    assert_eq!(vm.log()[0].level, Level::Trace);
}
