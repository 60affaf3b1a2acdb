//! What Envoy's admin tells about stats.

use std::io;

use serde_json::Value;
use sightline_cli::envoy::Envoy;

use crate::Samples;
use crate::scenario::Scenario;
use crate::scenario::observed::Stat;

/// What the names of all metrics of modules begin with.
const CUSTOM: &str = "wasmcustom.";

/// How a tag stands in a name, as Istio has it.
const TAG_VALUE: &str = "=.=";
const TAG_END: &str = ";.;";

/// The modules' metrics, and those of Envoy's own that the scenario names, in the order of their names.
pub(super) fn read(envoy: &Envoy, scenario: &Scenario) -> io::Result<Vec<Stat>> {
    let wanted =
        |name: &str| name.starts_with(CUSTOM) || scenario.stats.iter().any(|it| it == name);
    let counters = values(envoy, "Counters")?.into_iter().filter(|(name, _)| wanted(name));
    let gauges = values(envoy, "Gauges")?.into_iter().filter(|(name, _)| wanted(name));
    let mut all: Vec<_> = counters.map(|(name, value)| Stat::Counter(name, value)).collect();
    all.extend(gauges.map(|(name, value)| Stat::Gauge(name, value)));
    all.extend(histograms(envoy)?);
    all.sort_unstable();
    Ok(all)
}

/// The values of those gauges whose whole name is one of these.
pub(super) fn gauges(envoy: &Envoy, names: &[String]) -> io::Result<Vec<(String, u64)>> {
    let values = values(envoy, "Gauges")?;
    Ok(values.into_iter().filter(|(name, _)| names.contains(name)).collect())
}

/// The value of a counter; 0 if there is none yet.
pub(super) fn counter(envoy: &Envoy, name: &str) -> io::Result<u64> {
    let values = values(envoy, "Counters")?;
    Ok(values.into_iter().find(|(it, _)| it == name).map_or(0, |(_, value)| value))
}

fn values(envoy: &Envoy, kind: &str) -> io::Result<Vec<(String, u64)>> {
    let page = page(envoy, kind)?;
    let stats = page["stats"].as_array().into_iter().flatten();
    let value = |stat: &Value| Some((stat["name"].as_str()?.to_owned(), stat["value"].as_u64()?));
    Ok(stats.filter_map(value).collect())
}

fn page(envoy: &Envoy, kind: &str) -> io::Result<Value> {
    let text = envoy.admin_get(&format!("/stats?format=json&type={kind}"))?;
    serde_json::from_str(&text).map_err(io::Error::other)
}

/// Their sums are only on the page for Prometheus, which spells names in its own way, and takes tags out of them.
fn histograms(envoy: &Envoy) -> io::Result<Vec<Stat>> {
    let page = page(envoy, "Histograms")?;
    let all = page.pointer("/stats/0/histograms/computed_quantiles").and_then(Value::as_array);
    let names = all.into_iter().flatten().filter_map(|histogram| histogram["name"].as_str());
    let names: Vec<_> = names.filter(|name| name.starts_with(CUSTOM)).collect();
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let samples = Samples::parse(envoy.admin_get("/stats/prometheus?type=Histograms")?);
    let stat = |name: &str| {
        let mut parts: Vec<_> = name.strip_prefix(CUSTOM).unwrap_or(name).split(TAG_END).collect();
        let spelled: String = parts.pop().unwrap_or_default().chars().map(spell).collect();
        let tags: Vec<_> = parts.iter().filter_map(|part| part.split_once(TAG_VALUE)).collect();
        let value = |suffix: &str| whole(samples.sum(&format!("{spelled}_{suffix}"), &tags));
        Stat::Histogram(name.to_owned(), value("count"), value("sum"))
    };
    Ok(names.into_iter().map(stat).collect())
}

fn spell(letter: char) -> char {
    if letter.is_ascii_alphanumeric() { letter } else { '_' }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a sum of whole numbers"
)]
fn whole(value: Option<f64>) -> u64 {
    value.unwrap_or(0.0).round() as u64
}
