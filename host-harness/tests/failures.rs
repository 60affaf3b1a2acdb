//! What happens when a module misbehaves: it never takes the host down, and the failure says what
//! happened.

mod guest;

use guest::{configured, guest, loaded, on, text, world};
use sightline_host::{Failure, Host, Module, Plugin, Request, Trap};

#[test]
fn a_trap_tells_where_why_how_and_what_was_logged() {
    let body = format!(
        "(func $deep_down unreachable) {}",
        on("log", "(drop (call $log (i32.const 4) 'last words')) (call $deep_down)")
    );
    let mut host = configured(&body);
    let trap = trap(host.request(Request::get("/")).unwrap_err());
    assert_eq!(trap.entry, "proxy_on_log");
    assert_eq!(trap.cause, "wasm trap: wasm `unreachable` instruction executed");
    assert!(trap.backtrace[0].ends_with("!deep_down"), "{:?}", trap.backtrace);
    assert!(trap.backtrace[1].ends_with("!proxy_on_log"), "{:?}", trap.backtrace);
    assert_eq!(trap.log[0].text, "last words");
    assert!(trap.to_string().ends_with("\nIt had logged:\n  [error] last words"), "{trap}");
}

#[test]
fn rusts_names_are_readable_in_a_backtrace() {
    let name = "_ZN9sightline6filter4dive17h0123456789abcdefE";
    let mut host = configured(&format!(
        "(func ${name} unreachable) {}",
        on("log", &format!("(call ${name})"))
    ));
    let trap = trap(host.request(Request::get("/")).unwrap_err());
    assert!(trap.backtrace[0].contains("sightline::filter::dive"), "{:?}", trap.backtrace);
}

#[test]
fn a_vm_that_trapped_is_not_entered_again() {
    let mut host = configured(&on("request_headers", "unreachable"));
    assert!(matches!(host.request(Request::get("/")), Err(Failure::Trapped(_))));
    // Without a policy the first trap is told; after it, traffic fares as it does by default.
    let after = host.request(Request::get("/")).unwrap();
    assert_eq!(after.client.unwrap().status(), Some(503));
    assert_eq!(host.budget().entries("proxy_on_request_headers"), 1);
    assert_eq!(host.traps().len(), 1);
}

#[test]
fn a_trap_is_told_whatever_runs_meanwhile() {
    let ticking = on("configure", "(drop (call $tick_period (i32.const 5)))");
    let rows = [
        ("a stream", on("delete", "unreachable"), "proxy_on_delete"),
        ("a timer", ticking + &on("tick", "unreachable"), "proxy_on_tick"),
    ];
    for (name, body, entry) in rows {
        let mut host = configured(&body);
        let told = host.request(Request::get("/")).err();
        let told = told.or(host.advance(std::time::Duration::from_millis(5)).err());
        assert_eq!(trap(told.expect(name)).entry, entry, "{name}");
    }
}

#[test]
fn a_module_that_loops_for_ever_ends_with_a_message() {
    let rows = [
        ("alone", "(loop $again (br $again))"),
        ("over headers", "(loop $again (drop (call $add (i32.const 0) 'a' 'b')) (br $again))"),
        (
            "over randomness",
            "(loop $again (drop (call $random (i32.const 0) (i32.const 65536))) (br $again))",
        ),
        (
            "over all pairs",
            "(loop $again (drop (call $add (i32.const 0) 'a' 'b'))
              (global.set $heap (i32.const 32768))
              (drop (call $pairs (i32.const 0) (i32.const 0) (i32.const 4))) (br $again))",
        ),
        ("over the log", "(loop $again (drop (call $log (i32.const 2) 'a')) (br $again))"),
        (
            "over all its memory",
            "(loop $again (drop (call $log (i32.const 2) (i32.const 0) (i32.const 65536))) (br $again))",
        ),
    ];
    for (name, code) in rows {
        let mut host = configured(&on("request_headers", code));
        let trap = trap(host.request(Request::get("/")).unwrap_err());
        assert!(trap.cause.contains("it loops for ever"), "{name}: {}", trap.cause);
    }
}

#[test]
fn a_module_that_recurses_for_ever_traps() {
    let mut host =
        configured(&format!("(func $deeper (call $deeper)) {}", on("log", "(call $deeper)")));
    let trap = trap(host.request(Request::get("/")).unwrap_err());
    assert_eq!(trap.cause, "wasm trap: call stack exhausted");
}

#[test]
fn a_module_may_not_call_everything_while_it_starts_or_allocates() {
    let start = |code: &str| format!("(func (export \"_initialize\") {code})");
    let rows = [
        ("the log", start("(drop (call $log (i32.const 2) 'a'))"), true),
        ("randomness", start("(drop (call $random (i32.const 0) (i32.const 8)))"), true),
        ("a metric", start("(drop (call $define (i32.const 0) 'm' (i32.const 0)))"), false),
        ("a header", start("(drop (call $remove (i32.const 0) 'm'))"), false),
    ];
    for (name, body, allowed) in rows {
        match Host::new(world(), Plugin::new(&guest(&body))) {
            Ok(_) => assert!(allowed, "{name}"),
            Err(failure) => {
                let trap = trap(failure);
                assert!(
                    !allowed && trap.cause.starts_with("restricted_callback: "),
                    "{name}: {trap}"
                );
            }
        }
    }
}

#[test]
fn an_allocator_may_log_and_read_clocks_and_no_more() {
    let rows = [
        ("the log", "(drop (call $log (i32.const 2) 'a'))", true),
        ("a clock", "(drop (call $clock (i32.const 0) (i64.const 0) (i32.const 64)))", true),
        ("randomness", "(drop (call $random (i32.const 0) (i32.const 8)))", false),
    ];
    for (name, code, allowed) in rows {
        let body = on(
            "request_headers",
            "(drop (call $get (i32.const 0) ':path' (i32.const 0) (i32.const 4)))",
        );
        let (inside, around) = (format!("{code} (global.get $heap)\n"), "(global.get $heap)\n");
        let text =
            text(&format!("{body} (func $texts {code})")).replacen(around, &placed(&inside), 1);
        let mut host = loaded(Plugin::new(&Module::new(text).unwrap()));
        assert_eq!(host.request(Request::get("/")).is_ok(), allowed, "{name}");
    }
}

#[test]
fn a_start_function_that_traps_is_a_failure() {
    let plugin = Plugin::new(&guest("(func $start unreachable) (start $start)"));
    assert_eq!(trap(Host::new(world(), plugin).unwrap_err()).entry, "its start function");
}

#[test]
fn a_hostcall_before_there_is_a_module_finds_no_memory() {
    let body = "(global $status (mut i32) (i32.const 9))
        (func $start (global.set $status (call $clock (i32.const 0) (i64.const 0) (i32.const 0)))) (start $start)";
    let body = format!("{body} {}", on("configure", "(call $say (global.get $status))"));
    assert_eq!(guest::texts(&configured(&body)), ["21"]);
}

#[test]
fn memory_ends_at_a_gibibyte() {
    let body = on(
        "configure",
        "(call $say (i32.eq (memory.grow (i32.const 16384)) (i32.const -1)))
                                (call $say (i32.eq (memory.grow (i32.const 16)) (i32.const -1)))",
    );
    assert_eq!(guest::texts(&configured(&body)), ["1", "0"]);
}

fn trap(failure: Failure) -> Trap {
    match failure {
        Failure::Trapped(trap) => trap,
        other => panic!("expected a trap: {other}"),
    }
}

/// A body's texts are placed before this, so code that is put in afterwards says where its own is.
fn placed(code: &str) -> String {
    code.replace("'a'", "(i32.const 0) (i32.const 1)")
}
