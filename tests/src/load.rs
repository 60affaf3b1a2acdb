//! Heavy traffic of all sorts, from which nothing may be missed or counted twice.
//!
//! Clients and app are as plain as can be, so that most of the machine is left for Envoy: some ten thousand
//! requests a second on two cores. What a message means is looked at only as far as it takes to find the
//! next one; for that there is [`crate::Upstream`] and [`crate::Request`].

mod app;
mod http1;
mod http2;
mod mix;

use std::io;
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};
use sightline_cli::bootstrap::Bootstrap;
use sightline_cli::wait;

use crate::Nobody;
use app::App;
use mix::{Play, Way};

/// As many as a client takes at a time.
const BATCH: usize = 100;
/// How often a client tries to get an answer to any of a batch.
const TRIES: usize = 10;
/// How long a client waits for an answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// All that it takes: what is asked, and an app that answers.
pub struct Load {
    requests: usize,
    begun: AtomicUsize,
    connections: AtomicUsize,
    app: App,
    nobody: Nobody,
}

/// Where clients come in, and where each is counted.
struct Door<'a> {
    proxy: SocketAddr,
    connections: &'a AtomicUsize,
}

impl Load {
    /// For so many requests. Some few are sent twice, where Envoy closes a connection before it answers.
    pub fn new(requests: usize) -> Self {
        let (app, nobody) = (App::start(), Nobody::anywhere());
        let (begun, connections) = (AtomicUsize::new(0), AtomicUsize::new(0));
        Self { requests, begun, connections, app, nobody }
    }

    /// What Envoy needs to know for it: the app, and routes that end in each way that there is.
    pub fn shape(&self, bootstrap: Bootstrap) -> Bootstrap {
        let mut bootstrap = bootstrap.upstream(self.app.address());
        for route in routes() {
            bootstrap = bootstrap.route(route);
        }
        bootstrap.patch(|document| {
            let clusters = document["static_resources"]["clusters"].as_array_mut();
            let clusters = clusters.expect("the template has clusters");
            clusters
                .extend([cluster("refused", Some(self.nobody.address())), cluster("empty", None)]);
            let manager = document.pointer_mut(MANAGER).expect("the template has it");
            // A client that waits for the end of a connection is not to wait a second.
            manager["delayed_close_timeout"] = json!("0.02s");
            // The last route takes all but these paths, which then have none.
            let routes = manager.pointer_mut(ROUTES).and_then(Value::as_array_mut);
            let last =
                routes.and_then(|routes| routes.last_mut()).expect("the template has a route");
            last["match"]["headers"] = json!([{
                "name": ":path", "string_match": {"prefix": "/nowhere"}, "invert_match": true,
            }]);
        })
    }

    /// Sends all of them, from so many clients at once, each with a few connections.
    pub fn run(&self, proxy: SocketAddr, clients: usize) {
        let door = Door { proxy, connections: &self.connections };
        thread::scope(|scope| {
            for _ in 0..clients {
                scope.spawn(|| self.drive(&door));
            }
        });
    }

    /// Waits until so many have been sent, or are about to be.
    pub fn wait_for(&self, part: usize) {
        let enough = || (self.begun.load(Ordering::SeqCst) >= part).then_some(());
        wait::until("requests", Duration::from_mins(2), enough)
            .unwrap_or_else(|late| panic!("{late}"));
    }

    /// How many connections its clients have opened. Envoy may see the last of them after the client has gone.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// How many came to the app that the filter is to ignore.
    pub fn ignored(&self) -> usize {
        self.app.ignored()
    }

    fn drive(&self, proxy: &Door<'_>) {
        let mut connection = None;
        loop {
            let first = self.begun.fetch_add(BATCH, Ordering::SeqCst);
            if first >= self.requests {
                return;
            }
            let plays = (first..self.requests.min(first + BATCH)).map(mix::play);
            let (piped, others): (Vec<_>, Vec<_>) =
                plays.partition(|play| matches!(play.way, Way::Pipelined | Way::Last));
            let (streams, alone): (Vec<_>, Vec<_>) =
                others.into_iter().partition(|play| matches!(play.way, Way::Stream { .. }));
            for piped in piped.chunk_by(|before, _| before.way == Way::Pipelined) {
                persist(piped, |left| http1::pipeline(&mut connection, proxy, left));
            }
            persist(&streams, |left| http2::converse(proxy, left));
            for play in alone {
                http1::alone(proxy, play);
            }
        }
    }
}

impl Door<'_> {
    fn connect(&self) -> io::Result<TcpStream> {
        let stream = TcpStream::connect(self.proxy)?;
        self.connections.fetch_add(1, Ordering::SeqCst);
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(stream)
    }
}

/// Until all are answered. A connection may end before, when Envoy drains it.
fn persist(mut left: &[&Play], mut ask: impl FnMut(&[&Play]) -> io::Result<usize>) {
    let mut tries = 0;
    while !left.is_empty() {
        let answered = ask(left);
        tries = if matches!(answered, Ok(1..)) { 0 } else { tries + 1 };
        assert!(tries < TRIES, "{:?} is not answered: {answered:?}", left[0]);
        left = &left[answered.unwrap_or(0).min(left.len())..];
    }
}

const MANAGER: &str = "/static_resources/listeners/0/filter_chains/0/filters/0/typed_config";
const ROUTES: &str = "/route_config/virtual_hosts/0/routes";

fn routes() -> Vec<Value> {
    let direct = |path: &str, status: u16| {
        json!({
            "match": {"path": path},
            "direct_response": {"status": status, "body": {"inline_string": "Envoy says so"}},
        })
    };
    let to = |path: &str, cluster: &str| json!({"match": {"prefix": path}, "route": {"cluster": cluster, "timeout": "0s"}});
    let mut slow = to("/slow", "app");
    slow["route"]["timeout"] = json!("0.02s");
    let mut flaky = to("/flaky", "app");
    flaky["route"]["retry_policy"] = json!({
        "retry_on": "5xx,reset", "num_retries": 2,
        "retry_back_off": {"base_interval": "0.001s", "max_interval": "0.002s"},
    });
    let (refused, empty) = (to("/refused", "refused"), to("/empty", "empty"));
    vec![direct("/direct", 200), direct("/gone", 410), refused, empty, slow, flaky]
}

fn cluster(name: &str, host: Option<SocketAddr>) -> Value {
    let endpoint = |host: SocketAddr| {
        let address = json!({"address": host.ip().to_string(), "port_value": host.port()});
        json!({"endpoint": {"address": {"socket_address": address}}})
    };
    let endpoints: Vec<_> = host.map(endpoint).into_iter().collect();
    json!({
        "name": name, "type": "STATIC", "connect_timeout": "1s",
        "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": endpoints}]},
    })
}
