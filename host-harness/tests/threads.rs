//! Several threads: the main one, workers, the canary, and what their VMs share.

mod guest;

use std::time::Duration;

use guest::{guest, on, said, texts_of, word, world};
use sightline_host::{Fault, Host, Plugin, Request, Response};

const TICK: Duration = Duration::from_millis(5);
const SECOND: Duration = Duration::from_secs(1);

fn workers(count: usize, body: &str) -> Host {
    Host::new(world().workers(count), Plugin::new(&guest(body)))
        .unwrap_or_else(|failure| panic!("{failure}"))
}

/// What a request to this worker makes the module log.
fn said_on(host: &mut Host, worker: usize, request: Request) -> String {
    said(&host.request(request.on_worker(worker)).unwrap_or_else(|failure| panic!("{failure}")))
}

#[test]
fn a_plugin_is_tried_by_a_canary_and_then_lives_on_every_thread() {
    let body =
        on("configure", &format!("{} (drop (call $tick_period (i32.const 5)))", word("configure")))
            + &on("tick", &word("tick"))
            + &on("done", &word("done"))
            + &on("request_headers", &word("request"));
    let mut host = workers(2, &body);
    assert_eq!(host.vm_count(), 3);
    assert_eq!(
        [0, 1, 2].map(|thread| texts_of(&host, thread).len()),
        [2, 1, 1],
        "the canary is on the main thread"
    );
    host.advance(TICK).unwrap();
    said_on(&mut host, 0, Request::get("/"));
    // The canary does not tick, and nobody tells it of its end.
    assert_eq!(texts_of(&host, 0), ["configure", "configure", "tick"]);
    assert_eq!(texts_of(&host, 1), ["configure", "tick", "request", "done"]);
    assert_eq!(texts_of(&host, 2), ["configure", "tick"]);
    assert!(host.log().iter().take(2).all(|line| line.thread == 0), "the main thread is the first");
}

#[test]
fn each_worker_has_its_own_memory_and_its_own_count_of_contexts() {
    let count = "(i32.store (i32.const 100) (i32.add (i32.load (i32.const 100)) (i32.const 1)))
                 (call $say (local.get $id)) (call $say (i32.load (i32.const 100)))";
    let mut host = workers(2, &on("request_headers", count));
    let rows = [(0, "2 1"), (0, "3 2"), (1, "2 1"), (0, "4 3"), (1, "3 2")];
    for (worker, expected) in rows {
        assert_eq!(said_on(&mut host, worker, Request::get("/")), expected, "worker {worker}");
    }
}

#[test]
fn workers_share_data_and_see_who_was_first() {
    let get = "(i32.store (i32.const 4) (i32.const 0)) (call $say (call $shared_data 'k' (i32.const 0) (i32.const 4) (i32.const 8))) (call $show)";
    let set = |value: &str, number: &str| {
        format!("(call $say (call $set_shared_data 'k' '{value}' {number}))")
    };
    let body = on("request_headers", get)
        + &on("request_trailers", &set("a", "(i32.const 0)"))
        + &on("response_headers", &(set("b", "(i32.load (i32.const 8))") + get))
        + &on("log", "(call $say (i32.load (i32.const 8)))");
    let mut host = workers(2, &body);
    // The value, its number, and who changed it: worker 0 makes it, worker 1 changes it in between.
    let slow = Request::get("/").answered(Response::new(200).after(SECOND));
    assert_eq!(host.shared_data("", "k"), None);
    assert_eq!(said_on(&mut host, 0, Request::get("/").trailer("a", "b")), "1  0 0 0 b 2");
    let first = host.begin(slow.on_worker(0)).unwrap();
    assert_eq!(said_on(&mut host, 1, Request::get("/")), "0 b 0 0 b 3");
    assert_eq!(said(&host.finish(first).unwrap()), "0 b 8 0 b 3");
    assert_eq!(host.shared_data("", "k"), Some((&b"b"[..], 3)));
    assert_eq!(host.shared_data("other", "k"), None);
}

#[test]
fn shared_data_is_that_of_a_vm_id_and_goes_with_its_last_vm() {
    let body = on("configure", "(drop (call $set_shared_data 'k' 'v' (i32.const 0)))");
    let plugin = Plugin::new(&guest(&body));
    let mut host = Host::new(world(), plugin.clone().vm_id("one")).unwrap();
    let second = host.load(plugin.vm_id("two")).unwrap();
    assert!(host.shared_data("one", "k").is_some() && host.shared_data("two", "k").is_some());
    host.remove(second).unwrap();
    assert!(host.shared_data("one", "k").is_some() && host.shared_data("two", "k").is_none());
}

#[test]
fn an_empty_key_and_an_empty_value_are_as_good_as_any() {
    let code = "(call $say (call $set_shared_data '' '' (i32.const 0)))
                (i32.store (i32.const 0) (i32.const 9)) (i32.store (i32.const 4) (i32.const 9))
                (call $say (call $shared_data '' (i32.const 0) (i32.const 4) (i32.const 8)))
                (call $say (i32.load (i32.const 0))) (call $say (i32.load (i32.const 4)))";
    assert_eq!(
        said_on(&mut workers(1, &on("request_headers", code)), 0, Request::get("/")),
        "0 0 0 0"
    );
}

/// Registers the queue when configured, puts an item in with each request, and takes one out when
/// told, saying what it is.
fn queue() -> String {
    let take = "(call $say (local.get $token)) (i32.store (i32.const 4) (i32.const 0))
                (call $say (call $dequeue (local.get $token) (i32.const 0) (i32.const 4))) (call $show)";
    on(
        "configure",
        "(drop (call $register_queue 'q' (i32.const 100))) (return (i32.ne (local.get $size) (i32.const 3)))",
    ) + &on("request_headers", "(call $say (call $enqueue (i32.load (i32.const 100)) 'item'))")
        + &on("log", &word("log"))
        + &on("queue_ready", take)
}

#[test]
fn whoever_registered_a_queue_last_gets_it_all() {
    let mut host = workers(2, &queue());
    let before = host.log().len();
    assert_eq!(said_on(&mut host, 0, Request::get("/")), "0 log");
    host.advance(Duration::ZERO).unwrap();
    assert_eq!((texts_of(&host, 0).len(), before), (0, 0));
    assert_eq!(texts_of(&host, 1), ["0", "log"]);
    assert_eq!(texts_of(&host, 2), ["1", "0", "item"]);
}

#[test]
fn a_canary_that_is_refused_keeps_the_queue_from_the_workers() {
    let plugin = Plugin::new(&guest(&queue()));
    let mut host = Host::new(world().workers(2), plugin.clone()).unwrap();
    assert!(host.replace(host.plugin(), plugin.configuration("bad")).is_err());
    said_on(&mut host, 0, Request::get("/"));
    host.advance(Duration::ZERO).unwrap();
    // It is gone; the main thread's VM has a root of the same number, and gets what was meant for it.
    assert_eq!(texts_of(&host, 0), ["1", "0", "item"]);
    assert_eq!(texts_of(&host, 2), [""; 0]);
}

#[test]
fn the_module_is_left_before_a_queues_reader_is_told() {
    let enqueue = "(drop (call $enqueue (i32.load (i32.const 100)) 'a')) (drop (call $enqueue (i32.load (i32.const 100)) 'b'))";
    let take = "(i32.store (i32.const 4) (i32.const 0))
                (call $say (call $dequeue (local.get $token) (i32.const 0) (i32.const 4))) (call $show)";
    let body = on("configure", "(drop (call $register_queue 'q' (i32.const 100)))")
        + &on("request_headers", &format!("{enqueue} {}", word("left")))
        + &on("queue_ready", &take.repeat(2));
    let mut host = workers(1, &body);
    host.request(Request::get("/").answered(Response::new(200).after(SECOND))).unwrap();
    // Once for each item, though both are gone the second time.
    assert_eq!(texts_of(&host, 1), ["left", "0", "a", "0", "b", "7", "", "7", ""]);
}

#[test]
fn a_queue_is_found_by_its_name() {
    let resolve = |vm_id: &str, name: &str| {
        format!(
            "(call $say (call $resolve_queue '{vm_id}' '{name}' (i32.const 200))) (call $say (i32.load (i32.const 200)))"
        )
    };
    let register = |name: &str| {
        format!(
            "(call $say (call $register_queue '{name}' (i32.const 200))) (call $say (i32.load (i32.const 200)))"
        )
    };
    let rows = [
        ("the first", register("a"), "0 1"),
        ("the second", register("b"), "0 2"),
        ("the same again", register("a"), "0 1"),
        ("by name", resolve("", "b"), "0 2"),
        ("by id and name", resolve("v", "a"), "0 1"),
        ("no such id", resolve("w", "a"), "1 1"),
        ("no such name", resolve("", "c"), "1 1"),
        (
            "no such token to read",
            "(call $say (call $dequeue (i32.const 9) (i32.const 0) (i32.const 4)))".into(),
            "1",
        ),
        (
            "nothing to read",
            "(call $say (call $dequeue (i32.const 1) (i32.const 0) (i32.const 4)))".into(),
            "7",
        ),
        ("no such token to write", "(call $say (call $enqueue (i32.const 9) 'x'))".into(), "1"),
        ("nothing to write", "(call $say (call $enqueue (i32.const 1) ''))".into(), "0"),
        (
            "nothing that was written",
            "(call $say (call $dequeue (i32.const 1) (i32.const 0) (i32.const 4)))".into(),
            "0",
        ),
    ];
    let calls: String = rows.iter().map(|(_, call, _)| call.as_str()).collect();
    let plugin = Plugin::new(&guest(&on("request_headers", &calls))).vm_id("v");
    let mut host = Host::new(world(), plugin).unwrap();
    let expected: Vec<_> = rows.iter().map(|(_, _, expected)| *expected).collect();
    assert_eq!(said_on(&mut host, 0, Request::get("/")), expected.join(" "));
}

#[test]
fn a_lost_worker_takes_its_requests_along_and_comes_back_empty() {
    let body = on(
        "request_headers",
        "(call $say (local.get $id)) (drop (call $set_shared_data 'k' 'v' (i32.const 0)))",
    ) + &on("configure", &word("configure"))
        + &on("log", &word("log"))
        + &on("done", &word("done"));
    let mut host = workers(2, &body);
    let slow = || Request::get("/").answered(Response::new(200).after(SECOND));
    let lost = host.begin(slow().on_worker(0)).unwrap();
    let kept = host.begin(slow().on_worker(1)).unwrap();
    host.lose_worker(0).unwrap();
    let lost = host.outcome(lost).expect("a request that is cut is over");
    assert_eq!((said(&lost).as_str(), lost.client), ("2", None));
    assert_eq!(host.finish(kept).unwrap().client.unwrap().status(), Some(200));
    assert_eq!(said_on(&mut host, 0, Request::get("/")), "2 log done");
    assert_eq!(texts_of(&host, 1), ["configure", "2", "configure", "2", "log", "done"]);
    assert_eq!(host.vm_count(), 3);
    assert!(host.shared_data("", "k").is_some());
}

#[test]
fn a_tick_that_is_missed_is_not_made_up_for() {
    let body =
        on("configure", "(drop (call $tick_period (i32.const 5)))") + &on("tick", &word("tick"));
    let mut host = workers(1, &body);
    // Every tick of every thread counts.
    host.fault(Fault::miss_tick().nth(3).times(2));
    host.advance(4 * TICK).unwrap();
    assert_eq!([0, 1].map(|thread| texts_of(&host, thread).len()), [3, 3]);
}
