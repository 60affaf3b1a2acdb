//! An Envoy that finds its listener in a file, so that the filter's configuration can be replaced under way.

use std::fs;
use std::time::Duration;

use serde_json::{Value, json};
use sightline_cli::bootstrap::Bootstrap;
use sightline_cli::wait;
use tempfile::TempDir;

use crate::Proxy;

const FILE: &str = "listeners.json";
const MANAGER: &str = "/filter_chains/0/filters/0/typed_config";
/// Counted once for each worker.
const TAKEN: &str = "envoy_listener_manager_listener_create_success";
const SOON: Duration = Duration::from_secs(20);

/// The file, and the listener that it began with.
pub struct Discovery {
    dir: TempDir,
    listener: Value,
    workers: u32,
}

impl Discovery {
    /// For an Envoy with so many workers.
    pub fn new(workers: u32) -> Self {
        let dir = tempfile::tempdir().expect("a folder for temporary files");
        Self { dir, listener: Value::Null, workers }
    }

    /// Takes the first listener out of the bootstrap and into the file. What shapes it comes before this.
    pub fn put_into(&mut self, bootstrap: Bootstrap) -> Bootstrap {
        bootstrap.patch(|document| {
            let listeners = document["static_resources"]["listeners"].as_array_mut();
            self.listener = listeners.expect("the template has a list of them").remove(0);
            self.listener["@type"] = json!("type.googleapis.com/envoy.config.listener.v3.Listener");
            self.write(&self.listener);
            document["node"] = json!({"id": "node", "cluster": "shop"});
            document["dynamic_resources"]["lds_config"] = json!({
                "resource_api_version": "V3",
                "path_config_source": {"path": self.dir.path().join(FILE)},
            });
        })
    }

    /// Replaces the filter's configuration, and waits until all workers have the new one.
    pub fn replace(&self, proxy: &Proxy, configuration: &Value) {
        let taken = || proxy.stats().sum(TAKEN, &[]).unwrap_or(0.0);
        let before = taken();
        let mut listener = self.listener.clone();
        let manager = listener.pointer_mut(MANAGER).expect("the template has it");
        let filters = manager["http_filters"].as_array_mut().into_iter().flatten();
        for ours in filters.filter(|filter| filter["name"] == "sightline") {
            ours["typed_config"]["config"]["configuration"] = json!({
                "@type": "type.googleapis.com/google.protobuf.Struct", "value": configuration,
            });
        }
        self.write(&listener);
        let all_have = || (taken() >= before + f64::from(self.workers)).then_some(());
        let late = wait::until("Envoy to take a configuration", SOON, all_have);
        late.unwrap_or_else(|late| panic!("{late}:\n{}", proxy.log()));
    }

    /// In one step, as Envoy wants it.
    fn write(&self, listener: &Value) {
        let (aside, file) = (self.dir.path().join("next"), self.dir.path().join(FILE));
        let text = json!({"resources": [listener]}).to_string();
        let written = fs::write(&aside, text).and_then(|()| fs::rename(aside, file));
        written.expect("a folder just made is writable");
    }
}
