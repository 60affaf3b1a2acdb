//! A root context: reads its configuration once, and says no to a wrong one.

use sightline_core::{Place, Plan, config};

use crate::abi;

/// Compiles the configuration that the host holds ready now. What is wrong with it goes to the host's
/// log, a line for each problem.
pub(crate) fn configure() -> Option<Plan> {
    match config::read(&abi::plugin_configuration()) {
        Ok(settings) => Some(Plan::new(&settings, &place())),
        Err(problems) => {
            for problem in problems.iter() {
                abi::log_error(&format!("sightline: configuration refused: {problem}"));
            }
            None
        }
    }
}

/// Asked once for each configuration: a property is dear, and a place does not move.
fn place() -> Place {
    Place {
        service_name: abi::environment_variable("OTEL_SERVICE_NAME"),
        cluster: abi::node_cluster(),
    }
}
