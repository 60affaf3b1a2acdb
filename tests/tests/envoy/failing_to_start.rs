//! An Envoy that does not start says why, in a sentence.

use std::net::TcpListener;
use std::path::Path;

use serde_json::json;
use sightline_setup::{Checkout, envoy};
use sightline_tests::{Bootstrap, Proxy};

fn failure(binary: &Path, shape: impl FnOnce(Bootstrap) -> Bootstrap) -> String {
    match Proxy::try_start_with(binary, shape) {
        Ok(_) => panic!("Envoy started"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn a_port_in_use_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let told = failure(&Proxy::binary(), |bootstrap| {
        bootstrap.patch(|document| {
            document["admin"]["address"]["socket_address"]["port_value"] = json!(port);
        })
    });
    assert!(told.contains(&port.to_string()) && told.contains("in use"), "{told}");
}

#[test]
fn an_envoy_without_wasm_is_told_in_plain_words() {
    // This build was made without it; the supported ones have it.
    let without = envoy::version(&Checkout::find().unwrap(), "1.38.3").unwrap();
    let told = failure(&without, |bootstrap| bootstrap);
    assert!(told.contains("Wasm runtime"), "{told}");
    assert!(told.contains("1.38.2"), "supported ones are named: {told}");
}

#[test]
fn a_configuration_that_envoy_refuses_is_quoted() {
    let told = failure(&Proxy::binary(), |bootstrap| {
        bootstrap.patch(|document| document["no_such_field"] = json!(1))
    });
    assert!(told.contains("no_such_field"), "{told}");
}

#[test]
fn a_program_that_is_no_envoy_is_told() {
    let told = failure(Path::new("/bin/false"), |bootstrap| bootstrap);
    assert!(told.contains("exit status: 1"), "{told}");
    let told = failure(Path::new("/no/such/envoy"), |bootstrap| bootstrap);
    assert!(told.contains("/no/such/envoy"), "{told}");
}
