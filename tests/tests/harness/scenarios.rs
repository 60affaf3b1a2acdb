//! Every scenario on the harness alone: fast, and without an Envoy.

use sightline_tests::scenario::suite;

#[test]
fn every_scenario_has_what_it_expects() {
    for topic in suite::topics() {
        suite::run_on_harness(&topic);
    }
}
