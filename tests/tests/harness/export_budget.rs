//! What a request costs where spans are exported, in crossings between Envoy and the module. What sending
//! costs is paid at ticks.

use sightline_host::{Cluster, Request, Response, World};

use crate::filter_in;

/// The second request of a host with a dead collector, with this ratio.
fn budget(ratio: &str, request: &Request) -> String {
    let world = World::seeded(7).cluster("collector", Cluster::refusing());
    let configuration =
        format!(r#"{{"sampling": {{"ratio": {ratio}}}, "export": {{"cluster": "collector"}}}}"#);
    let mut host = filter_in(world, &configuration);
    host.request(request.clone()).unwrap();
    host.request(request.clone()).unwrap().budget.to_string()
}

#[test]
fn a_request_that_is_not_sampled() {
    insta::assert_snapshot!(budget("0", &Request::get("/")), @"
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
fn a_request_that_is_sampled() {
    insta::assert_snapshot!(budget("1", &Request::get("/")), @"
    entries
      proxy_on_context_create 1
      proxy_on_delete 1
      proxy_on_log 1
      proxy_on_memory_allocate 8
      proxy_on_request_headers 1
      proxy_on_response_headers 1
    hostcalls
      clock_time_get 3
      proxy_get_header_map_pairs 2
      proxy_get_property 6
      proxy_increment_metric 1
      proxy_record_metric 1
      proxy_replace_header_map_value 4
      proxy_set_property 1
    bytes to the module 410, from it 804
    allocations for the host 8, 322 bytes
    ");
}

#[test]
fn a_request_that_failed_and_is_kept_for_it() {
    let request = Request::get("/").answered(Response::new(500));
    insta::assert_snapshot!(budget("0", &request), @"
    entries
      proxy_on_context_create 1
      proxy_on_delete 1
      proxy_on_log 1
      proxy_on_memory_allocate 9
      proxy_on_request_headers 1
      proxy_on_response_headers 1
    hostcalls
      clock_time_get 3
      proxy_get_header_map_pairs 2
      proxy_get_property 7
      proxy_increment_metric 1
      proxy_record_metric 1
      proxy_replace_header_map_value 3
      proxy_set_property 1
    bytes to the module 430, from it 853
    allocations for the host 9, 334 bytes
    ");
}

#[test]
fn a_call_over_grpc_that_is_sampled() {
    let request = Request::new("POST", "/shop.Shop/Buy").header("content-type", "application/grpc");
    let request = request.answered(Response::grpc_message(0, b""));
    insta::assert_snapshot!(budget("1", &request), @"
    entries
      proxy_on_context_create 1
      proxy_on_delete 1
      proxy_on_log 1
      proxy_on_memory_allocate 9
      proxy_on_request_headers 1
      proxy_on_response_headers 1
    hostcalls
      clock_time_get 3
      proxy_get_header_map_pairs 3
      proxy_get_property 6
      proxy_increment_metric 1
      proxy_record_metric 1
      proxy_replace_header_map_value 4
      proxy_set_property 1
    bytes to the module 534, from it 863
    allocations for the host 9, 438 bytes
    ");
}
