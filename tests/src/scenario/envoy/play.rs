//! The steps of a scenario, played one after the other.

use std::io;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use serde_json::Value;
use sightline_cli::envoy::Envoy;
use sightline_cli::wait;

use super::client::{self, Seen};
use super::places::Way;
use super::shape::Stand;
use super::stage::Stage;
use super::{listener_updates, pace, stats};
use crate::scenario::{Request, Scenario, Step};

/// How long what should happen may take.
const SOON: Duration = Duration::from_secs(5);
/// How long a request that others wait for may take to reach its upstream. One that a module holds
/// up never does.
const ARRIVAL: Duration = Duration::from_secs(1);

/// A run under way.
pub(super) struct Play<'a> {
    pub(super) scenario: &'a Scenario,
    pub(super) stand: &'a Stand,
    pub(super) stage: Arc<Stage>,
    pub(super) envoy: Envoy,
    /// What each client saw, by the number of its request.
    pub(super) clients: Vec<Seen>,
    /// For each replaced configuration, whether Envoy took it.
    pub(super) configurations: Vec<bool>,
}

/// A request that has been sent, and whose client is waiting.
struct UnderWay {
    number: usize,
    client: thread::JoinHandle<Seen>,
}

impl Play<'_> {
    /// Plays these steps while so many requests are under way already.
    pub(super) fn steps(&mut self, steps: &[Step], under_way: usize) -> io::Result<()> {
        for step in steps {
            match step {
                Step::Request(request) => {
                    self.together(std::slice::from_ref(&**request), under_way)?;
                }
                Step::Together(requests) => self.together(requests, under_way)?,
                Step::Advance(time) => pace::pass(*time),
                Step::Configure(configuration) => self.configure(configuration.as_ref())?,
            }
        }
        Ok(())
    }

    /// Waits until no more than so many requests are in Envoy; what they left in modules is gone by
    /// then.
    pub(super) fn settle(&self, under_way: usize) -> io::Result<()> {
        let names = ["http.inbound.downstream_rq_active".to_owned()];
        wait_for("Envoy to be done with a request", || {
            let gauges = stats::gauges(&self.envoy, &names)?;
            Ok(gauges.iter().all(|(_, active)| {
                usize::try_from(*active).is_ok_and(|active| active <= under_way)
            }))
        })
    }

    /// Waits until no cluster has a call to answer.
    pub(super) fn settle_callouts(&self) -> io::Result<()> {
        let clusters = self.scenario.clusters.keys();
        let names: Vec<_> =
            clusters.map(|name| format!("cluster.{name}.upstream_rq_active")).collect();
        wait_for("callouts to be answered", || {
            let gauges = stats::gauges(&self.envoy, &names)?;
            Ok(gauges.iter().all(|(_, active)| *active == 0))
        })
    }

    fn together(&mut self, requests: &[Request], under_way: usize) -> io::Result<()> {
        let mut sent = Vec::new();
        for (index, request) in requests.iter().enumerate() {
            let Request { plugin, protocol, .. } = *request;
            let way = Way { plugin, protocol, lane: under_way + index };
            sent.push(self.send(request, way, requests.len() > 1));
        }
        for (request, UnderWay { number, client }) in requests.iter().zip(sent) {
            if !request.meanwhile.is_empty() {
                self.stage.wait_for_arrival(number, ARRIVAL);
                self.steps(&request.meanwhile, under_way + requests.len())?;
            }
            self.stage.let_answer(number);
            self.clients[number] = client.join().unwrap_or_default();
            self.stage.end(number);
        }
        self.settle(under_way)
    }

    fn send(&mut self, request: &Request, way: Way, and_wait: bool) -> UnderWay {
        let number = self.stage.begin(request);
        self.clients.push(Seen::default());
        let to = self.stand.places.entrance(way);
        let client = thread::spawn({
            let (request, stage) = (request.clone(), Arc::clone(&self.stage));
            move || client::send(&request, number, to, &stage)
        });
        let arrived = || self.stage.has_arrived(number) || client.is_finished();
        if and_wait {
            // One that is held up by a module does not arrive, and the next one goes out all the same.
            let _ = wait::until("a request to arrive", ARRIVAL, || arrived().then_some(()));
        }
        UnderWay { number, client }
    }

    fn configure(&mut self, configuration: Option<&Value>) -> io::Result<()> {
        let version = self.configurations.len() + 1;
        let taken = listener_updates::replace(self, configuration, version)?;
        self.configurations.push(taken);
        Ok(())
    }
}

/// What is waited for in vain shows in the transcript.
fn wait_for(what: &str, mut is_so: impl FnMut() -> io::Result<bool>) -> io::Result<()> {
    let found = wait::until(what, SOON, || match is_so() {
        Ok(false) => None,
        Ok(true) => Some(Ok(())),
        Err(error) => Some(Err(error)),
    });
    found.unwrap_or(Ok(()))
}
