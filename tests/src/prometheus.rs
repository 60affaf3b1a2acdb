//! A real Prometheus, which scrapes what it is told to and answers queries, and its promtool.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write as _;
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use sightline_cli::leash::Leash;
use sightline_cli::wait;
use sightline_setup::{Checkout, prometheus};
use tempfile::TempDir;

use crate::Request;

const CONFIGURATION: &str = "prometheus.json";
const DATA: &str = "data";
const LOG: &str = "prometheus.log";
/// What stands in its log before the address it was given.
const LISTENS: &str = "msg=\"Listening on\" address=";

/// How long it may take to start, and what is waited for to be scraped.
const SOON: Duration = Duration::from_secs(30);

/// The labels of a series, its name among them as `__name__`.
pub type Labels = BTreeMap<String, String>;

/// A running Prometheus that scrapes once a second. Dropped, it is killed; dropped by a failing test, it
/// shows its log first.
pub struct Prometheus {
    address: SocketAddr,
    _leash: Leash,
    // After the leash, so that the folder goes when nobody writes into it any more.
    dir: TempDir,
}

/// How the scrapes of a target go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The job that it was given for.
    pub job: String,
    /// `up`, `down`, or `unknown` before the first scrape.
    pub health: String,
    /// What was wrong with the last scrape; empty if nothing was.
    pub last_error: String,
}

/// An exemplar that it keeps.
#[derive(Clone, Debug, PartialEq)]
pub struct KeptExemplar {
    /// The labels of the series that it is an example of.
    pub series: Labels,
    /// Its own labels.
    pub labels: Labels,
    /// What was measured.
    pub value: f64,
}

impl Prometheus {
    /// Starts one that scrapes these: for each its job, where it listens, and the path.
    pub fn start(targets: &[(&str, SocketAddr, &str)]) -> Self {
        let dir = tempfile::tempdir().expect("a folder for temporary files");
        let file = dir.path().join(CONFIGURATION);
        fs::write(&file, configuration(targets).to_string())
            .expect("a folder just made is writable");
        let mut leash = launch(&dir);
        let address = leash.until("Prometheus to listen", SOON, || listening(&log(&dir)));
        let address = address.unwrap_or_else(|silence| panic!("{silence}\n{}", log(&dir)));
        let prometheus = Self { address, _leash: leash, dir };
        let is_ready = || Request::get("/-/ready").send(address).is_ok_and(|it| it.status() == 200);
        let ready = wait::until("Prometheus to be ready", SOON, || is_ready().then_some(()));
        ready.unwrap_or_else(|late| panic!("{late}"));
        prometheus
    }

    /// What a query gives now: the series, each with its value.
    pub fn query(&self, promql: &str) -> Vec<(Labels, f64)> {
        let data = self.ask("/api/v1/query", &[("query", promql)]);
        match data["resultType"].as_str() {
            Some("scalar") => vec![(Labels::new(), number(&data["result"][1]))],
            Some("vector") => list(&data["result"])
                .iter()
                .map(|series| (labels(&series["metric"]), number(&series["value"][1])))
                .collect(),
            other => panic!("{promql} gives a {other:?}, which has not one value for each series"),
        }
    }

    /// What a query gives as soon as this is true of it.
    pub fn wait_for(
        &self,
        promql: &str,
        is_it: impl Fn(&[(Labels, f64)]) -> bool,
    ) -> Vec<(Labels, f64)> {
        let look = || Some(self.query(promql)).filter(|found| is_it(found));
        wait::until(promql, SOON, look).unwrap_or_else(|late| {
            panic!("{late}; it gives {:#?} from {:#?}", self.query(promql), self.targets())
        })
    }

    /// The exemplars of the last hour that it keeps for the series of a query.
    pub fn exemplars(&self, promql: &str) -> Vec<KeptExemplar> {
        let now = number(&json!(self.query("time()")[0].1.to_string()));
        let (start, end) = ((now - 3_600.0).to_string(), (now + 60.0).to_string());
        let asked = [("query", promql), ("start", &start), ("end", &end)];
        let data = self.ask("/api/v1/query_exemplars", &asked);
        let of_series = |series: &Value| {
            let kept = list(&series["exemplars"]).iter().map(|exemplar| KeptExemplar {
                series: labels(&series["seriesLabels"]),
                labels: labels(&exemplar["labels"]),
                value: number(&exemplar["value"]),
            });
            kept.collect::<Vec<_>>()
        };
        list(&data).iter().flat_map(of_series).collect()
    }

    /// Its targets.
    pub fn targets(&self) -> Vec<Target> {
        let data = self.ask("/api/v1/targets", &[("state", "active")]);
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let told = list(&data["activeTargets"]).iter().map(|target| Target {
            job: text(&target["labels"]["job"]),
            health: text(&target["health"]),
            last_error: text(&target["lastError"]),
        });
        told.collect()
    }

    /// Waits until each target has been scraped once, and fails if one of them could not be.
    pub fn has_scraped_all(&self) {
        let asked = || {
            let targets = self.targets();
            targets.iter().all(|target| target.health != "unknown").then_some(targets)
        };
        let targets = wait::until("the first scrapes", SOON, asked).unwrap_or_else(|late| {
            panic!("{late}");
        });
        let ill: Vec<_> = targets.iter().filter(|target| target.health != "up").collect();
        assert!(ill.is_empty(), "{ill:#?}");
    }

    fn ask(&self, path: &str, parameters: &[(&str, &str)]) -> Value {
        let form: Vec<_> =
            parameters.iter().map(|(name, value)| format!("{name}={}", percent(value))).collect();
        let path = format!("{path}?{}", form.join("&"));
        let answer =
            Request::get(&path).send(self.address).unwrap_or_else(|error| panic!("{error}"));
        let text = answer.text();
        assert_eq!(answer.status(), 200, "{parameters:?}: {text}");
        let mut said: Value =
            serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
        said["data"].take()
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- Prometheus's log ---\n{}", log(&self.dir));
        }
    }
}

/// What promtool has to say against this text, if anything. It knows the text format of Prometheus, not
/// `OpenMetrics`.
pub fn promtool_check(text: &str) -> Result<(), String> {
    let mut promtool = Command::new(programs().promtool);
    promtool.args(["check", "metrics"]);
    promtool.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = promtool.spawn().expect("promtool runs, for it was set up");
    let mut stdin = child.stdin.take().expect("its stdin was asked for");
    // It reads all before it says anything. One that ends early says why.
    let _ = stdin.write_all(text.as_bytes());
    drop(stdin);
    let output = child.wait_with_output().expect("a child can be waited for");
    let said = [output.stdout, output.stderr].concat();
    if output.status.success() && said.is_empty() {
        return Ok(());
    }
    Err(format!("{}: {}", output.status, String::from_utf8_lossy(&said)))
}

fn programs() -> prometheus::Prometheus {
    Checkout::find()
        .and_then(|checkout| prometheus::find(&checkout))
        .unwrap_or_else(|error| panic!("{error}"))
}

fn configuration(targets: &[(&str, SocketAddr, &str)]) -> Value {
    let jobs: Vec<_> = targets
        .iter()
        .map(|(job, address, path)| {
            json!({
                "job_name": job,
                "metrics_path": path,
                "static_configs": [{"targets": [address.to_string()]}],
            })
        })
        .collect();
    json!({"global": {"scrape_interval": "1s", "scrape_timeout": "1s"}, "scrape_configs": jobs})
}

fn launch(dir: &TempDir) -> Leash {
    let log = File::create(dir.path().join(LOG)).expect("a folder just made is writable");
    let output = log.try_clone().expect("a file can be shared");
    let with = |command: &mut Command| {
        command
            .current_dir(dir.path())
            .arg(format!("--config.file={CONFIGURATION}"))
            .arg(format!("--storage.tsdb.path={DATA}"))
            .arg("--web.listen-address=127.0.0.1:0")
            .arg("--enable-feature=exemplar-storage")
            .stdout(output)
            .stderr(log);
    };
    Leash::start(&programs().server, with).unwrap_or_else(|error| panic!("{error}"))
}

fn log(dir: &TempDir) -> String {
    fs::read_to_string(dir.path().join(LOG)).unwrap_or_default()
}

fn listening(log: &str) -> Option<SocketAddr> {
    let (_, rest) = log.split_once(LISTENS)?;
    rest.split_once('\n')?.0.trim().parse().ok()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn labels(value: &Value) -> Labels {
    let all = value.as_object().into_iter().flatten();
    all.map(|(name, value)| (name.clone(), value.as_str().unwrap_or_default().to_owned())).collect()
}

/// Prometheus writes them as text, so that NaN and the infinities have a form.
fn number(value: &Value) -> f64 {
    let text = value.as_str().unwrap_or_default();
    text.parse().unwrap_or_else(|error| panic!("{value}: {error}"))
}

fn percent(text: &str) -> String {
    let byte = |byte: u8| {
        if byte.is_ascii_alphanumeric() {
            char::from(byte).to_string()
        } else {
            format!("%{byte:02X}")
        }
    };
    text.bytes().map(byte).collect()
}
