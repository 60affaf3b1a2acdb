//! What scripts become, and what is said of those that are none. That Envoy runs them is shown in
//! `tests/tests/`.

use sightline_host::{Host, Module, Plugin, Request, World};

use super::*;

fn script(callback: &str, statements: &[&str]) -> Script {
    let statements = statements.iter().map(|text| (*text).to_owned()).collect();
    Script { callbacks: BTreeMap::from([(callback.to_owned(), statements)]) }
}

/// What is wrong with the module of a script that also knows the ids of its contexts.
fn written(callback: &str, statements: &[&str]) -> Result<(), String> {
    let mut script = script(callback, statements);
    script.callbacks.entry("context_create".to_owned()).or_default();
    let module = script.compile().map_err(|error| error.to_string())?;
    wasmparser::validate(&module).map(drop).map_err(|error| error.to_string())
}

#[test]
fn every_callback_is_exported_as_the_host_calls_it() {
    for callback in CALLBACKS {
        let text = script(callback.name, &[]).wat().unwrap();
        assert!(text.contains(&format!("(export \"{}\")", callback.export)), "{}", callback.name);
        assert_eq!(written(callback.name, &["log info a", "return"]), Ok(()), "{}", callback.name);
    }
}

#[test]
fn every_statement_makes_a_module() {
    for statement in EVERY_STATEMENT {
        let statements = [PREPARED, &[*statement]].concat();
        assert_eq!(written("request_headers", &statements), Ok(()), "{statement}");
    }
    for form in form::FORMS {
        let is_there = EVERY_STATEMENT.iter().any(|text| text.split(' ').next() == Some(form.name));
        assert!(is_there, "EVERY_STATEMENT lacks `{}`", form.usage());
    }
}

#[test]
fn a_host_offers_all_that_is_imported_and_calls_all_that_is_exported() {
    let mut script = script("request_headers", &[PREPARED, EVERY_STATEMENT].concat());
    for callback in CALLBACKS {
        script.callbacks.entry(callback.name.to_owned()).or_default();
    }
    Module::new(script.compile().unwrap()).unwrap();
}

#[test]
fn the_log_tells_what_a_host_did() {
    let statements = [
        "get request x-a",
        "get request x-b",
        "quiet add request x-b \"t\\xffo\\\"\"",
        "get request x-b",
        "2: pause",
        "set_pairs request :path=/ x-c=",
        "pairs request",
        "at 2: property plugin_name",
        "at 3: property plugin_name",
        "end: log_level",
        "grow 1",
        "environ",
        "print text",
    ];
    let module = Module::new(script("request_headers", &statements).compile().unwrap()).unwrap();
    let mut host = Host::new(World::seeded(1), Plugin::new(&module).name("p")).unwrap();
    let outcome = host.request(Request::get("/").header("x-a", "1")).unwrap();
    let log: Vec<&str> = outcome.log.iter().map(|line| line.text.as_str()).collect();
    insta::assert_snapshot!(log.join("\n"), @r#"
    request_headers(2, 7, 1)
    get request x-a = 0 "1"
    get request x-b = 1
    get request x-b = 0 "t\xffo\x22"
    set_pairs request :path=/ x-c= = 0
    pairs request = 0 [":path" "/", "x-c" ""]
    at 2: property plugin_name = 0 "p"
    end: log_level = 0 2
    grow 1 = 0 257
    environ = 0 ""
    text
    print text = 0 4
    "#);
}

#[test]
fn guards_stand_before_a_statement_in_any_order() {
    for statement in ["2: pause", "at 3: end: pause", "quiet 1: now", "1: quiet now", "quiet now"] {
        assert_eq!(written("request_headers", &[statement]), Ok(()), "{statement}");
    }
}

#[test]
fn only_what_a_script_needs_is_imported() {
    let imports = |statements: &[&str]| {
        let module = script("request_headers", statements).compile().unwrap();
        let mut names = Vec::new();
        for payload in wasmparser::Parser::new(0).parse_all(&module) {
            if let wasmparser::Payload::ImportSection(section) = payload.unwrap() {
                names.extend(section.into_imports().map(|import| import.unwrap().name.to_owned()));
            }
        }
        names
    };
    let always = ["proxy_log", "environ_sizes_get", "environ_get", "proc_exit"];
    assert_eq!(imports(&["pause"]), always);
    assert_eq!(imports(&["done", "done"]), [&["proxy_done"], &always[..]].concat());
}

#[test]
fn a_module_without_an_allocator_of_its_own_has_one() {
    for (callback, malloc, other) in
        [("tick", true, false), ("malloc", true, false), ("memory_allocate", false, true)]
    {
        let text = script(callback, &[]).wat().unwrap();
        assert_eq!(text.contains("(export \"malloc\""), malloc, "{callback}");
        assert_eq!(text.contains("(export \"proxy_on_memory_allocate\""), other, "{callback}");
    }
}

#[test]
fn a_callback_tells_of_itself_and_of_each_statement() {
    let text = script("log", &["2: property a \"b\\n\"", "quiet remove response x"]).wat().unwrap();
    let (_, body) = text.split_once("(func $proxy_on_log ").unwrap();
    insta::assert_snapshot!(body, @r#"
    (export "proxy_on_log") (param i32)  (local $status i32)
    (global.set $calls_log (i32.add (global.get $calls_log) (i32.const 1)))
    (global.set $stream (local.get 0))
    (call $begin (i32.const 64) (i32.const 4))
    (call $number (i64.extend_i32_u (local.get 0)))
    (call $put (i32.const 41)) (call $end)
    ;; 2: property a "b\n"
    (if (i32.eq (global.get $calls_log) (i32.const 2)) (then
    (call $clear_slots)
    (local.set $status (call $proxy_get_property (i32.const 68) (i32.const 4) (i32.const 8) (i32.const 16)))
    (call $begin (i32.const 72) (i32.const 22))
    (call $number (i64.extend_i32_u (local.get $status)))
    (if (i32.eqz (local.get $status)) (then
    (call $put (i32.const 32)) (call $bytes (i32.load (i32.const 8)) (i32.load (i32.const 16)))
    ))
    (call $end)
    ))
    ;; quiet remove response x
    (call $clear_slots)
    (local.set $status (call $proxy_remove_header_map_value (i32.const 2) (i32.const 94) (i32.const 1)))
    )
    (export "malloc" (func $allocate))
    (global $calls_log (mut i32) (i32.const 0))
    )
    "#);
}

#[test]
fn a_statement_may_be_a_mapping_of_yaml() {
    let yaml = r#"{ tick: [now, 2: now, at 3: "end: now"], log: [] }"#;
    let read: Script = serde_saphyr::from_str(yaml).unwrap();
    let expected = ["now", "2: now", "at 3: end: now"].map(str::to_owned).to_vec();
    let callbacks = BTreeMap::from([("tick".to_owned(), expected), ("log".to_owned(), vec![])]);
    assert_eq!(read, Script { callbacks });
    let error = serde_saphyr::from_str::<Script>("tick: [{ 1: now, 2: now }]").unwrap_err();
    assert!(error.to_string().contains("one statement to a line"), "{error}");
}

#[test]
fn what_is_wrong_is_named_with_what_would_be_right() {
    for (callback, statement, expected) in WRONG {
        let error = script(callback, &[statement]).wat().unwrap_err();
        let place = format!("script, callback `{callback}`, statement `{statement}`: ");
        let text = error.to_string();
        let problem = text.strip_prefix(&place).unwrap_or_else(|| panic!("{text}"));
        assert!(problem.starts_with(expected), "{statement}:\n {problem}\n {expected}");
    }
    let error = script("request_header", &[]).wat().unwrap_err().to_string();
    let expected = "script, callback `request_header`: `request_header` is no callback; \
                    did you mean `request_headers`? (known: initialize, ";
    assert!(error.starts_with(expected), "{error}");
}

/// Callback, statement, and how the sentence about it begins.
const WRONG: &[(&str, &str, &str)] = &[
    ("log", "", "there is no statement"),
    ("log", "2:", "there is no statement"),
    ("log", "gett request a", "`gett` is no statement; did you mean `get`? (known: log, log_level"),
    ("log", "frobnicate", "`frobnicate` is no statement (known: log, "),
    ("log", "get requst a", "`requst` is no header map; did you mean `request`? (known: request, "),
    ("log", "get", "MAP is missing (usage: get MAP NAME)"),
    ("log", "get request", "NAME is missing (usage: get MAP NAME)"),
    ("log", "get request a b", "`b` is a word too many (usage: get MAP NAME)"),
    ("log", "property", "ELEMENT ... is missing (usage: property ELEMENT ...)"),
    ("log", "log info \"a", "the quote before `a` is not closed"),
    ("log", "log loud a", "`loud` is no log level (known: trace, debug, info, warn, error, "),
    ("log", "tick soon", "`soon` is no number (usage: tick MS)"),
    ("log", "tick 4294967296", "`4294967296` is not between -2147483648 and 4294967295"),
    ("log", "add request a", "VALUE is missing (usage: add MAP NAME VALUE)"),
    ("log", "set_pairs request a", "`a` is no NAME=VALUE (usage: set_pairs MAP NAME=VALUE ...)"),
    ("log", "set_pairs request -- a=b", "`--` is a word too many"),
    ("log", "increment a 1", "nothing in the script defines `a`: write `define counter a`"),
    ("log", "dequeue a", "nothing in the script finds `a`: write `register_queue a`"),
    ("log", "grpc_close", "nothing in the script makes a call: write one, or a token"),
    ("log", "set_shared k v last", "`last` is the cas of the last `shared`, and there is none"),
    ("log", "set_shared k v first", "`first` is no number, nor `last` (usage: set_shared KEY"),
    ("log", "effective root", "nothing tells the root's id: give the script `configure: []`"),
    ("tick", "effective stream", "nothing tells a stream's id"),
    ("log", "effective saved", "nothing in the script saves an id: write `save_context`"),
    ("log", "effective me", "`me` is no number, nor `root`, `stream` or `saved`"),
    ("initialize", "save_context", "`initialize` is for no context"),
    ("initialize", "at 1: log info a", "`initialize` is for no context: drop `at`"),
    ("log", "at one: log info a", "write `at ID: STATEMENT`"),
    ("log", "end: log info a", "`log` is not told of an end"),
    ("log", "pause", "`log` returns nothing: write `return`"),
    ("log", "return 1", "`log` returns nothing: write `return`"),
];

/// What has to be remembered for the statements below.
const PREPARED: &[&str] =
    &["define counter a", "register_queue q", "grpc_stream c s m", "shared k", "save_context"];

const EVERY_STATEMENT: &[&str] = &[
    "log info text",
    "log 9 text",
    "log_level",
    "get request x-a",
    "pairs 77",
    "size response",
    "add request x-a \"\\xff\"",
    "replace response x-a b",
    "remove request x-a",
    "set_pairs request :path=/a x-b=\"two words\" x-c=",
    "set_pairs request",
    "set_pairs_raw request \"\\x00\"",
    "buffer request_body 0 4294967295",
    "buffer_status foreign",
    "set_buffer response_body 0 100 new",
    "property request path",
    "property_number request size",
    "property_pairs request headers",
    "set_property a b",
    "respond 403 details body -1 x-a=b",
    "continue request",
    "close 7",
    "define gauge b",
    "increment a -1",
    "increment 77 9223372036854775807",
    "record a 18446744073709551615",
    "metric a",
    "shared k",
    "set_shared k v last",
    "set_shared k v 0",
    "register_queue q",
    "resolve_queue vm q",
    "enqueue q v",
    "dequeue 77",
    "http_call c 100 body :path=/ -- x-t=1",
    "http_call c 100 \"\"",
    "grpc_call c s m message 100 x-a=b",
    "grpc_stream c s m",
    "grpc_send message 1",
    "grpc_send message 0 77",
    "grpc_close",
    "grpc_cancel 77",
    "status",
    "tick 100",
    "now",
    "effective root",
    "effective stream",
    "effective saved",
    "effective 1",
    "save_context",
    "done",
    "foreign name argument",
    "clock 0",
    "random 16",
    "environ",
    "print text",
    "eprint text",
    "exit 3",
    "grow 1",
    "trap",
    "loop",
    "recurse",
    "return",
    "return 3",
    "pause",
    "refuse",
];
