//! Each way out by itself, none at all, and log records that a collector does not take at once.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use sightline_cli::otlp::{Export, Signal};
use sightline_cli::wait;
use sightline_tests::{Answer, Collector, Configuration, Proxy, Request, Upstream};

use super::{SOON, access_log, read};

const EXPORTED: &str = "sightline_exported_total";
const DROPPED: &str = "sightline_dropped_total";
const LOGS: (&str, &str) = ("signal", "logs");

struct Stand {
    proxy: Proxy,
    collector: Collector,
    _app: Upstream,
}

impl Stand {
    fn start(protocol: &str, access_log: &Value, export: &Value) -> Self {
        let collector = Collector::start();
        let app = Upstream::answering(|_| Answer::new(200).body("hi"));
        let mut all = json!({"cluster": "collector", "protocol": protocol, "interval": "100ms"});
        all.as_object_mut().unwrap().extend(export.as_object().unwrap().clone());
        let configuration =
            json!({"sampling": {"ratio": 1}, "access_log": access_log, "export": all});
        let proxy = Proxy::start(|bootstrap| {
            bootstrap
                .upstream(app.address())
                .collector(collector.address(), protocol == "grpc")
                .configuration(Configuration::Struct(configuration))
        });
        Self { proxy, collector, _app: app }
    }

    fn send(&self, ids: impl IntoIterator<Item = String>) {
        for id in ids {
            assert_eq!(self.proxy.send(&Request::get("/").field("x-request-id", id)).status(), 200);
        }
    }

    /// What a stat says of logs, in whole numbers.
    fn count(&self, name: &str, labels: &[(&str, &str)]) -> usize {
        let value = self.proxy.stats().sum(name, &[&[LOGS], labels].concat()).unwrap_or(0.0);
        format!("{value:.0}").parse().unwrap()
    }

    /// The IDs of all records that the collector has taken.
    fn taken(&self) -> BTreeSet<String> {
        let records = self.collector.records();
        let id = |value: &Value| value.as_str().unwrap().to_owned();
        records.iter().map(|it| id(it.attribute("sightline.request_id"))).collect()
    }
}

fn ids(count: usize) -> impl Iterator<Item = String> {
    (0..count).map(|number| format!("id-{number}"))
}

#[test]
fn each_way_works_without_the_others() {
    for (property, stdout, otlp) in
        [(true, false, false), (false, true, false), (false, false, true), (false, false, false)]
    {
        let ways = json!({"property": property, "stdout": stdout, "otlp": otlp});
        let stand = Stand::start("http", &ways, &json!({}));
        stand.send(ids(2));
        // Whatever is to come by another way has come by then.
        stand.collector.wait_for(2);
        if otlp {
            ids(2).for_each(|id| _ = stand.collector.record_of(&id));
        }
        let written = access_log(&stand.proxy, if property { 2 } else { 0 });
        assert_eq!(written.len(), if property { 2 } else { 0 }, "{ways}: {written:#?}");
        let logged = read::application_log(&stand.proxy, if stdout { 2 } else { 0 });
        assert_eq!(logged.len(), if stdout { 2 } else { 0 }, "{ways}: {logged:#?}");
        assert_eq!(stand.collector.records().len(), if otlp { 2 } else { 0 }, "{ways}");
        let is_of_logs = |export: &Export| matches!(export.signal, Signal::Logs(_));
        assert_eq!(stand.collector.exports().iter().any(|it| is_of_logs(it)), otlp, "{ways}");
    }
}

#[test]
fn records_wait_for_a_collector_that_is_away_as_long_as_there_is_room() {
    let only = json!({"property": false, "otlp": true});
    for (protocol, export, has_room) in
        [("http", json!({}), true), ("grpc", json!({"queue": 1, "batch": 1}), false)]
    {
        let mut stand = Stand::start(protocol, &only, &export);
        stand.send(["before".to_owned()]);
        stand.collector.record_of("before");
        stand.proxy.settles_at(1.0, EXPORTED, &[LOGS]);
        stand.collector.stop();
        stand.send(ids(10));
        stand.collector.restart();
        wait::until("every record to be accounted for", SOON, || {
            (stand.count(EXPORTED, &[]) + stand.count(DROPPED, &[]) >= 11).then_some(())
        })
        .unwrap();
        let (exported, dropped) = (stand.count(EXPORTED, &[]), stand.count(DROPPED, &[]));
        assert_eq!(exported + dropped, 11, "{protocol}: {dropped} dropped");
        assert_eq!(dropped == 0, has_room, "{protocol}: {dropped} dropped");
        let taken = stand.taken();
        assert_eq!(taken.len(), exported, "{protocol}: {taken:?}");
        assert!(!has_room || ids(10).all(|id| taken.contains(&id)), "{taken:?}");
        let full = stand.count(DROPPED, &[("reason", "queue_full")]);
        assert_eq!(full, dropped, "{protocol}");
    }
}
