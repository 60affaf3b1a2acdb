//! Foreign functions: what they answer, and what declared properties and known objects are like, as
//! it was seen in Envoy 1.40.

mod guest;

use guest::{configured, guest, on, outcome, said, texts, world};
use sightline_host::{Host, Plugin, Request};

/// Code that calls a function and logs the status, the result, and its length.
fn call(name: &str, argument: &str) -> String {
    format!(
        "(i64.store (i32.const 0) (i64.const 0))
         (call $say (call $foreign '{name}' '{argument}' (i32.const 8) (i32.const 12)))
         (i32.store (i32.const 0) (i32.load (i32.const 8)))
         (i32.store (i32.const 4) (i32.load (i32.const 12))) (call $show)"
    )
}

/// Code that sets a property and logs the status.
fn set(name: &str, value: &str) -> String {
    format!("(call $say (call $set_property '{name}' '{value}'))")
}

/// Code that reads a property and logs the status and what was read.
fn get(path: &str) -> String {
    format!(
        "(i64.store (i32.const 0) (i64.const 0))
         (call $say (call $property '{path}' (i32.const 0) (i32.const 4))) (call $show)"
    )
}

/// A field of text in a message of protocol buffers, as WebAssembly text writes it.
fn field(number: u8, text: &str) -> String {
    format!("\\{:02x}\\{:02x}{text}", number << 3 | 2, text.len())
}

fn in_request(code: &str) -> String {
    said(&outcome(&on("request_headers", code), Request::get("/")))
}

#[test]
fn functions_answer_as_envoys_do() {
    let junk = "\\ff";
    let rows = [
        ("no such function", "nope", "", "1 "),
        ("no name", "", "", "1 "),
        ("the route cache", "clear_route_cache", "", "0 "),
        ("the route cache with words", "clear_route_cache", "xx", "0 "),
        ("what is not compressed", "uncompress", "junk", "3 "),
        ("nothing", "uncompress", "", "3 "),
        ("what is cut short", "uncompress", "x\\9c\\cbH\\cd\\c9\\c9\\07\\00\\06,", "3 "),
        (
            "what is compressed",
            "uncompress",
            "x\\9c\\cbH\\cd\\c9\\c9\\07\\00\\06,\\02\\15",
            "0 hello",
        ),
        (
            "with something behind it",
            "uncompress",
            "x\\9c\\cbH\\cd\\c9\\c9\\07\\00\\06,\\02\\15xx",
            "0 hello",
        ),
        ("a declaration", "declare_property", &field(1, "p"), "0 "),
        ("a declaration without a name", "declare_property", "", "0 "),
        ("a malformed declaration", "declare_property", junk, "2 "),
        ("a name that is no text", "declare_property", "\\0a\\02\\ff\\fe", "2 "),
        ("state without a name", "set_envoy_filter_state", "", "1 "),
        ("malformed state", "set_envoy_filter_state", junk, "2 "),
        ("an expression", "expr_create", "request.path", "1 "),
        ("no number of an expression", "expr_evaluate", "a", "2 "),
        ("an unknown expression", "expr_evaluate", "\\00\\00\\00\\00", "1 "),
        ("deleting none", "expr_delete", "", "2 "),
        ("deleting an unknown one", "expr_delete", "\\4d\\00\\00\\00", "0 "),
    ];
    for (name, function, argument, expected) in rows {
        assert_eq!(in_request(&call(function, argument)), expected, "{name}");
    }
}

#[test]
fn signatures_are_answered_as_for_keys_of_no_use() {
    let junk = "\\ff";
    let hash = field(1, "sha256");
    let keyed = |hash: &str| field(1, hash) + &field(2, "k");
    let rows = [
        ("no key to sign with", "sign", hash.as_str(), "2 "),
        ("no signing argument", "sign", "", "2 "),
        ("two keys to sign with", "sign", &(keyed("sha256") + &field(4, "k")), "2 "),
        ("no key to verify with", "verify_signature", &hash, "2 "),
        ("malformed verification", "verify_signature", junk, "2 "),
        ("an unknown hash", "sign", &keyed("md5"), "0 \u{1a}\u{15}md5 is not supported."),
        (
            "an unknown hash again",
            "verify_signature",
            &keyed("md5"),
            "0 \u{12}\u{15}md5 is not supported.",
        ),
        (
            "a key of no use",
            "sign",
            &keyed("sha256"),
            "0 \u{1a}=Invalid key type: private key required for signing operation.",
        ),
        (
            "a key of no use again",
            "verify_signature",
            &keyed("SHA512"),
            "0 \u{12}#Failed to initialize digest verify.",
        ),
    ];
    for (name, function, argument, expected) in rows {
        assert_eq!(in_request(&call(function, argument)), expected, "{name}");
    }
}

#[test]
fn what_is_compressed_comes_back() {
    let code = "(drop (call $foreign 'compress' 'to be or not to be or not to be' (i32.const 8) (i32.const 12)))
        (call $say (call $foreign 'uncompress' (i32.load (i32.const 8)) (i32.load (i32.const 12)) (i32.const 16) (i32.const 20)))
        (i32.store (i32.const 0) (i32.load (i32.const 16))) (i32.store (i32.const 4) (i32.load (i32.const 20)))
        (call $show) (call $say (i32.lt_u (i32.load (i32.const 12)) (i32.const 31)))";
    assert_eq!(in_request(code), "0 to be or not to be or not to be 1");
}

#[test]
fn results_go_where_the_module_wants_them() {
    let nothing = "x\\9c\\03\\00\\00\\00\\00\\01";
    let rows = [
        ("nowhere", "compress", "x".to_owned(), "(i32.const 0) (i32.const 0)", "0 77 78"),
        ("the length alone", "compress", "x".to_owned(), "(i32.const 0) (i32.const 12)", "0 77 9"),
        ("out of memory", "compress", "x".to_owned(), "(i32.const -1) (i32.const 12)", "6 77 78"),
        (
            "the length out of memory",
            "clear_route_cache",
            String::new(),
            "(i32.const 8) (i32.const -1)",
            "6 0 78",
        ),
        ("none", "clear_route_cache", String::new(), "(i32.const 8) (i32.const 12)", "0 0 0"),
        (
            "none after a failure",
            "uncompress",
            "junk".to_owned(),
            "(i32.const 8) (i32.const 12)",
            "3 0 0",
        ),
        (
            "not touched by no function",
            "nope",
            String::new(),
            "(i32.const 8) (i32.const 12)",
            "1 77 78",
        ),
        (
            "allocated although empty",
            "uncompress",
            nothing.to_owned(),
            "(i32.const 8) (i32.const 12)",
            "0 32768 0",
        ),
    ];
    for (name, function, argument, places, expected) in rows {
        let code = format!(
            "(i32.store (i32.const 8) (i32.const 77)) (i32.store (i32.const 12) (i32.const 78))
             (call $say (call $foreign '{function}' '{argument}' {places}))
             (call $say (i32.load (i32.const 8))) (call $say (i32.load (i32.const 12)))"
        );
        assert_eq!(in_request(&code), expected, "{name}");
    }
}

#[test]
fn a_property_that_its_root_declared_read_only_is_set_once() {
    let read_only = |name: &str| call("declare_property", &(field(1, name) + "\\10\\01"));
    let configure =
        read_only("once") + &read_only("once") + &call("declare_property", &field(1, "often"));
    let rows = [
        ("once", set("once", "1") + &set("once", "2") + &get("once"), "0 2 0 1"),
        ("once, to nothing", set("once", "") + &set("once", "2") + &get("once"), "0 2 0 "),
        ("often", set("often", "1") + &set("often", "2") + &get("often"), "0 0 0 2"),
        (
            "by the stream, in vain",
            read_only("late") + &set("late", "1") + &set("late", "2"),
            "0  0 0",
        ),
        ("by the stream, twice", read_only("late") + &read_only("late"), "0  2 "),
    ];
    for (name, code, expected) in rows {
        let body = on("configure", &configure) + &on("request_headers", &code);
        let mut host = Host::new(world(), Plugin::new(&guest(&body))).unwrap();
        assert_eq!(texts(&host), ["0", "", "2", "", "0", ""]);
        assert_eq!(said(&host.request(Request::get("/")).unwrap()), expected, "{name}");
    }
}

#[test]
fn objects_that_envoy_knows_are_set_and_read() {
    let state = |name: &str, value: &str| {
        call("set_envoy_filter_state", &(field(1, name) + &field(2, value)))
            + &get(&format!("filter_state\\00{name}"))
    };
    let address = "envoy.filters.listener.original_dst.local_ip";
    let rows = [
        ("a text", state("envoy.string", "x"), "0  0 x"),
        ("a truth", state("envoy.bool", "T"), "0  0 true"),
        ("no truth", state("envoy.bool", "x"), "2  1 "),
        ("a number", state("envoy.ratelimit.hits_addend", "07"), "0  0 7"),
        ("a number that is too large", state("envoy.ratelimit.hits_addend", "4294967296"), "2  1 "),
        ("an IP", state("envoy.network.ip", "1.2.3.4"), "0  0 1.2.3.4:0"),
        ("what cannot be read", state("envoy.network.application_protocols", "h2"), "0  1 "),
        ("what nobody knows", state("nope", "x"), "1  1 "),
        ("a module's own", state("wasm.x", "x"), "1  1 "),
        ("not at the top", state("envoy.string", "x") + &get("envoy.string"), "0  0 x 1 "),
        (
            "an address",
            state(address, "1.2.3.4:80") + &get(&format!("filter_state\\00{address}\\00ip")),
            "0  0 \0\0\0\0 0 1.2.3.4",
        ),
    ];
    for (name, code, expected) in rows {
        assert_eq!(in_request(&code), expected, "{name}");
    }
}

#[test]
fn roots_have_no_filter_state() {
    let text = field(1, "envoy.string") + &field(2, "x");
    let code = call("set_envoy_filter_state", &text) + &call("clear_route_cache", "");
    assert_eq!(texts(&configured(&on("configure", &code))).join(" "), "1  0 ");
}

#[test]
fn the_effective_context_counts_for_state_but_not_for_declarations() {
    let text = field(1, "envoy.string") + &field(2, "x");
    let declare = call("declare_property", &(field(1, "p") + "\\10\\01"));
    let code = "(drop (call $effective (i32.const 1)))".to_owned()
        + &call("set_envoy_filter_state", &text)
        + &declare
        + "(drop (call $effective (i32.const 0)))"
        + &declare
        + &set("p", "1")
        + &set("p", "2");
    assert_eq!(in_request(&code), "1  0  2  0 0");
}
