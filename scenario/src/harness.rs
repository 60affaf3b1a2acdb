//! Runs a scenario on the harness, and tells what it saw in the same words as the tests' runner on Envoy.
//!
//! What both do with a request around the module is said twice, here and there, and a
//! difference between the two is a difference in every transcript.

use std::time::Duration;

use sightline_host::{Budget, Failure, Host, Plugin, PluginId, StreamId};

use super::observed::{Exchange, Observed};
use super::{Request, Scenario, Step};

mod said;
mod seen;

/// How long the app waits with an answer, so that what is to happen before it does.
const MOMENT: Duration = Duration::from_millis(10);

/// A client that hears nothing for this long goes away.
const PATIENCE: Duration = Duration::from_secs(2);

/// Why a scenario cannot be run here at all.
pub type Error = Box<dyn std::error::Error + Send + Sync>;

/// What came of a scenario.
#[derive(Clone, Debug)]
pub struct Played {
    /// What was seen.
    pub observed: Observed,
    /// What its modules cost.
    pub cost: Budget,
}

/// Plays it. The filter is the module of those plugins that have no script.
pub fn play(scenario: &Scenario, filter: &[u8]) -> Result<Played, Error> {
    let run = run(scenario, filter)?;
    Ok(Played { cost: run.host.budget().clone(), observed: run.finish() })
}

fn run<'a>(scenario: &'a Scenario, filter: &'a [u8]) -> Result<Run<'a>, Error> {
    let mut run = Run {
        scenario,
        filter,
        host: Host::empty(said::world(scenario)),
        plugins: Vec::new(),
        observed: Observed::default(),
    };
    let first = said::first_plugin(scenario, filter, scenario.configuration.as_ref())?;
    run.observed.started = run.load(first) && run.load_others()?;
    if run.observed.started {
        run.steps(&scenario.steps)?;
    }
    Ok(run)
}

struct Run<'a> {
    scenario: &'a Scenario,
    filter: &'a [u8],
    host: Host,
    plugins: Vec<PluginId>,
    observed: Observed,
}

impl Run<'_> {
    fn load(&mut self, plugin: Plugin) -> bool {
        self.host.load(plugin).map(|id| self.plugins.push(id)).is_ok()
    }

    fn load_others(&mut self) -> Result<bool, Error> {
        for also in &self.scenario.also {
            let plugin =
                said::plugin(self.scenario, self.filter, also, also.configuration.as_ref())?;
            if !self.load(plugin) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn steps(&mut self, steps: &[Step]) -> Result<(), Error> {
        for step in steps {
            match step {
                Step::Request(request) => self.together(std::slice::from_ref(request))?,
                Step::Together(requests) => self.together(requests)?,
                Step::Advance(time) => self.host.advance(*time)?,
                Step::Configure(configuration) => {
                    let plugin =
                        said::first_plugin(self.scenario, self.filter, configuration.as_ref())?;
                    let replaced = self.host.replace(self.plugins[0], plugin);
                    self.observed.configurations.push(replaced.is_ok());
                }
            }
        }
        Ok(())
    }

    /// Every request begins before the first is answered.
    fn together(&mut self, requests: &[Request]) -> Result<(), Error> {
        let begun: Vec<_> = (1..)
            .zip(requests)
            .map(|(turn, request)| self.begin(request, MOMENT * turn))
            .collect::<Result<_, _>>()?;
        for (request, (place, stream)) in requests.iter().zip(begun) {
            self.steps(&request.meanwhile)?;
            let outcome = self.host.finish(stream)?;
            self.observed.exchanges[place] = seen::exchange(self.scenario, request, outcome);
        }
        Ok(())
    }

    fn begin(&mut self, request: &Request, wait: Duration) -> Result<(usize, StreamId), Failure> {
        let wait = wait + said::meanwhile(&request.meanwhile);
        let built =
            said::request(self.scenario, request, wait).through(self.plugins[request.plugin]);
        let place = self.observed.exchanges.len();
        self.observed.exchanges.push(Exchange::default());
        Ok((place, self.host.begin(built)?))
    }

    fn finish(mut self) -> Observed {
        self.observed.events = seen::events(&self.host);
        self.observed.callouts = self
            .host
            .callouts()
            .iter()
            .map(|callout| (callout.cluster.clone(), seen::asked(&callout.request)))
            .collect();
        self.observed.stats = self.host.stats().all().into_iter().map(seen::stat).collect();
        self.observed.stats.sort();
        self.observed.ports = ports(self.observed.exchanges.len());
        self.observed
    }
}

/// The ports that the harness makes up for listener, application and clients.
fn ports(clients: usize) -> Vec<u16> {
    [10_000, 8_080].into_iter().chain((40_001..).take(clients + 1)).collect()
}
