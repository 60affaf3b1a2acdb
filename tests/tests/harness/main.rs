//! The filter on the host harness: in milliseconds, with clocks and randomness in the test's hand.
//!
//! What is found here holds in Envoy as far as the harness behaves as Envoy does; what matters to a user
//! is tested in Envoy too.

mod behaviour;
mod budget;

use std::sync::LazyLock;

use serde_json::Value;
use sightline_cli::FILTER;
use sightline_host::{Module, Outcome, Plugin, Vm, World};

/// Compiled once for all tests of this process.
static MODULE: LazyLock<Module> =
    LazyLock::new(|| Module::new(FILTER).expect("the finished filter is a proxy-wasm module"));

/// A VM with the filter under this configuration.
fn filter(configuration: &str) -> Vm {
    filter_in(World::seeded(7), configuration)
}

fn filter_in(world: World, configuration: &str) -> Vm {
    let mut vm = Vm::new(&MODULE, world).unwrap();
    vm.configure(Plugin::new(configuration)).unwrap();
    vm
}

/// The access-log line that the filter left.
fn line(outcome: &Outcome) -> Value {
    serde_json::from_slice(&outcome.state["wasm.sightline_log"]).unwrap()
}
