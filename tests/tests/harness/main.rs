//! The filter on the host harness: in milliseconds, with clocks and randomness in the test's hand.
//!
//! What is found here holds in Envoy as far as the harness behaves as Envoy does; what matters to a user
//! is tested in Envoy too.

mod behaviour;
mod budget;
mod export;
mod export_budget;
mod hostile_metrics;
mod metrics;
mod metrics_export;
mod scenarios;

use serde_json::Value;
use sightline_cli::FILTER;
use sightline_host::{Host, Manager, Module, Outcome, Plugin, World};

/// A host with the filter under this configuration.
fn filter(configuration: &str) -> Host {
    filter_in(World::seeded(7), configuration)
}

fn filter_in(world: World, configuration: &str) -> Host {
    Host::new(world.manager(as_deployed()), plugin(configuration)).unwrap()
}

fn plugin(configuration: &str) -> Plugin {
    let module = Module::new(FILTER).expect("the finished filter is a proxy-wasm module");
    Plugin::new(&module).configuration(configuration)
}

/// The connection manager as `envoy/bootstrap.yaml` sets it.
fn as_deployed() -> Manager {
    Manager {
        generate_request_id: false,
        preserve_external_request_id: true,
        use_remote_address: true,
        upgrades: vec!["websocket".into()],
        accept_http_10: true,
        ..Manager::default()
    }
}

/// The access-log line that the filter left.
fn line(outcome: &Outcome) -> Value {
    serde_json::from_slice(&outcome.state["wasm.sightline_log"]).unwrap()
}
