//! What a request costs in crossings between Envoy and the module. The dearest are calls that hand bytes
//! back, because Envoy enters the module once more to have memory for them.
//!
//! A change here is a change of the price that every user pays: it is made on purpose or not at all.

use std::time::Duration;

use sightline_host::{Request, Response};

use crate::filter;

/// The second request of a host: by then every series is defined.
fn budget(configuration: &str, request: &Request) -> String {
    let mut host = filter(configuration);
    host.request(request.clone()).unwrap();
    host.request(request.clone()).unwrap().budget.to_string()
}

fn with_id_and_trace() -> Request {
    let traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    Request::get("/").header("x-request-id", "abc").header("traceparent", traceparent)
}

#[test]
fn a_request_that_brings_its_id() {
    insta::assert_snapshot!(budget("", &with_id_and_trace()), @"
    entries
      proxy_on_context_create 1
      proxy_on_delete 1
      proxy_on_log 1
      proxy_on_memory_allocate 6
      proxy_on_request_headers 1
      proxy_on_response_headers 1
    hostcalls
      clock_time_get 3
      proxy_get_header_map_pairs 2
      proxy_get_property 4
      proxy_increment_metric 1
      proxy_record_metric 1
      proxy_replace_header_map_value 2
      proxy_set_property 1
    bytes to the module 472, from it 674
    allocations for the host 6, 400 bytes
    ");
}

#[test]
fn a_request_that_brings_nothing() {
    insta::assert_snapshot!(budget("", &Request::get("/")), @"
    entries
      proxy_on_context_create 1
      proxy_on_delete 1
      proxy_on_log 1
      proxy_on_memory_allocate 6
      proxy_on_request_headers 1
      proxy_on_response_headers 1
    hostcalls
      clock_time_get 3
      proxy_get_header_map_pairs 2
      proxy_get_property 4
      proxy_increment_metric 1
      proxy_record_metric 1
      proxy_replace_header_map_value 3
      proxy_set_property 1
    bytes to the module 371, from it 752
    allocations for the host 6, 299 bytes
    ");
}

#[test]
fn a_request_that_an_earlier_filter_answers() {
    let request = Request::get("/").answered_before_us(Response::new(401));
    insta::assert_snapshot!(budget("", &request), @"
    entries
      proxy_on_context_create 1
      proxy_on_delete 1
      proxy_on_log 1
      proxy_on_memory_allocate 6
    hostcalls
      clock_time_get 3
      proxy_get_header_map_pairs 2
      proxy_get_property 6
      proxy_increment_metric 1
      proxy_record_metric 1
      proxy_set_property 1
    bytes to the module 389, from it 611
    allocations for the host 6, 317 bytes
    ");
}

#[test]
fn a_request_that_nobody_answers() {
    let request =
        Request::get("/").answered(Response::silence()).abandoned_after(Duration::from_secs(1));
    insta::assert_snapshot!(budget("", &request), @"
    entries
      proxy_on_context_create 1
      proxy_on_delete 1
      proxy_on_log 1
      proxy_on_memory_allocate 8
      proxy_on_request_headers 1
    hostcalls
      clock_time_get 2
      proxy_get_header_map_pairs 2
      proxy_get_header_map_value 1
      proxy_get_property 6
      proxy_increment_metric 1
      proxy_record_metric 1
      proxy_replace_header_map_value 2
      proxy_set_property 1
    bytes to the module 434, from it 859
    allocations for the host 8, 346 bytes
    ");
}

#[test]
fn identity_alone() {
    let configuration = r#"{"metrics": {"stats": false}, "access_log": {"property": false}}"#;
    insta::assert_snapshot!(budget(configuration, &with_id_and_trace()), @"
    entries
      proxy_on_context_create 1
      proxy_on_delete 1
      proxy_on_log 1
      proxy_on_memory_allocate 2
      proxy_on_request_headers 1
      proxy_on_response_headers 1
    hostcalls
      clock_time_get 3
      proxy_get_header_map_pairs 2
      proxy_replace_header_map_value 2
    bytes to the module 402, from it 81
    allocations for the host 2, 362 bytes
    ");
}
