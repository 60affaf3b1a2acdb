//! Runs a scenario on the harness, and tells what it saw in the same words as the runner on Envoy.
//!
//! What both do with a request around the module is said twice, here and in [`super::envoy`], and a
//! difference between the two is a difference in every transcript.

use std::time::Duration;

use serde_json::Value;
use sightline_cli::FILTER;
use sightline_host::{
    Budget, Cluster, Direction, Failure, HeaderMap, Host, Level, Manager, Message, Module, Outcome,
    Plugin, PluginId, Policy, Route, Stat, StreamId, World,
};

use super::exchange::Fields;
use super::format::{Also, Bad, Before, Callbacks, Earlier};
use super::observed::{self, Event, Exchange, Observed, Thread, What};
use super::{Answer, Leaves, Protocol, Request, Reset, Scenario, Step, format};
use crate::script::Script;

/// How long the app waits with an answer, so that what is to happen before it does.
const MOMENT: Duration = Duration::from_millis(10);

/// A client that hears nothing for this long goes away.
const PATIENCE: Duration = Duration::from_secs(2);

/// Why a scenario cannot be run here at all.
pub type Error = Box<dyn std::error::Error + Send + Sync>;

/// Runs it.
pub fn run(scenario: &Scenario) -> Result<Observed, Error> {
    Ok(play(scenario)?.finish())
}

/// Runs it, and tells what its modules cost.
pub fn cost(scenario: &Scenario) -> Result<Budget, Error> {
    Ok(play(scenario)?.host.budget().clone())
}

fn play(scenario: &Scenario) -> Result<Run<'_>, Error> {
    let mut run = Run {
        scenario,
        host: Host::empty(world(scenario)),
        plugins: Vec::new(),
        observed: Observed::default(),
    };
    let first = first_plugin(scenario, scenario.configuration.as_ref())?;
    run.observed.started = run.load(first) && run.load_others()?;
    if run.observed.started {
        run.steps(&scenario.steps)?;
    }
    Ok(run)
}

struct Run<'a> {
    scenario: &'a Scenario,
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
            let plugin = plugin(self.scenario, also, also.configuration.as_ref())?;
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
                    let plugin = first_plugin(self.scenario, configuration.as_ref())?;
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
            self.observed.exchanges[place] = exchange(self.scenario, request, outcome);
        }
        Ok(())
    }

    fn begin(&mut self, request: &Request, wait: Duration) -> Result<(usize, StreamId), Failure> {
        let wait = wait + meanwhile(&request.meanwhile);
        let built = build(self.scenario, request, wait).through(self.plugins[request.plugin]);
        let place = self.observed.exchanges.len();
        self.observed.exchanges.push(Exchange::default());
        Ok((place, self.host.begin(built)?))
    }

    fn finish(mut self) -> Observed {
        self.observed.events = events(&self.host);
        self.observed.callouts = self
            .host
            .callouts()
            .iter()
            .map(|callout| (callout.cluster.clone(), request_seen(&callout.request)))
            .collect();
        self.observed.stats = self.host.stats().all().into_iter().map(stat).collect();
        self.observed.stats.sort();
        self.observed.ports = ports(self.observed.exchanges.len());
        self.observed
    }
}

/// The ports that the harness makes up for listener, application and clients.
fn ports(clients: usize) -> Vec<u16> {
    [10_000, 8_080].into_iter().chain((40_001..).take(clients + 1)).collect()
}

fn world(scenario: &Scenario) -> World {
    let said = &scenario.manager;
    let as_deployed = Manager {
        generate_request_id: said.generate_request_id.unwrap_or(false),
        preserve_external_request_id: said.preserve_external_request_id.unwrap_or(true),
        use_remote_address: said.use_remote_address.unwrap_or(true),
        server_name: said.server_name.clone().unwrap_or_else(|| "envoy".into()),
        idle_timeout: said.idle_timeout.unwrap_or(Duration::from_mins(5)),
        upgrades: vec!["websocket".into()],
        accept_http_10: said.accept_http_10,
        max_request_headers_kb: said.max_request_headers_kb.unwrap_or(60),
        // From loopback's first address, Envoy takes itself for the client.
        client: "127.0.0.2".into(),
        ..Manager::default()
    };
    let mut node = serde_json::json!({"id": scenario.node.id, "cluster": scenario.node.cluster});
    if !scenario.node.metadata.is_empty() {
        node["metadata"] = Value::Object(scenario.node.metadata.clone());
    }
    let world = World::seeded(7)
        .workers(usize::try_from(scenario.workers).unwrap_or(1))
        .node(node)
        .manager(as_deployed)
        .drain(scenario.drain.unwrap_or(Duration::from_mins(10)));
    let limit = scenario.buffer_limit.and_then(|limit| usize::try_from(limit).ok());
    let world = world.most_buffered(limit.unwrap_or(1 << 20));
    scenario.clusters.iter().fold(world, |world, (name, said)| world.cluster(name, cluster(said)))
}

fn cluster(said: &format::Cluster) -> Cluster {
    match said.conduct() {
        Some(answer) => {
            let response = response(&answer, "GET", false).after(answer.after);
            // HTTP/2 has no such header.
            let gone = said.http2.then_some("transfer-encoding");
            Cluster::answering(gone.into_iter().fold(response, sightline_host::Response::without))
        }
        None if said.empty => Cluster::empty(),
        None => Cluster::refusing(),
    }
}

fn first_plugin(scenario: &Scenario, configuration: Option<&Value>) -> Result<Plugin, Error> {
    let said = Also {
        script: scenario.script.clone(),
        plugin: scenario.plugin.clone(),
        vm: scenario.vm.clone(),
        ..Also::default()
    };
    plugin(scenario, &said, configuration)
}

fn plugin(
    scenario: &Scenario,
    said: &Also,
    configuration: Option<&Value>,
) -> Result<Plugin, Error> {
    let script = said.script.as_ref().or(scenario.script.as_ref());
    let module = script.map_or_else(|| Ok(Module::new(FILTER)?), module)?;
    let plugin = Plugin::new(&module)
        .name(&said.plugin.name)
        .root_id(&said.plugin.root_id)
        .vm_id(&said.vm.id)
        .vm_configuration(said.vm.configuration.clone().unwrap_or_default())
        .policy(match scenario.policy {
            format::Policy::Closed => Policy::FailClosed,
            format::Policy::Open => Policy::FailOpen,
            format::Policy::Reload => Policy::FailReload,
        })
        .direction(match scenario.direction {
            format::Direction::Unspecified => Direction::Unspecified,
            format::Direction::Inbound => Direction::Inbound,
            format::Direction::Outbound => Direction::Outbound,
        })
        .listener_metadata(Value::Object(scenario.listener_metadata.clone()));
    let plugin = match configuration {
        None | Some(Value::Null) => plugin,
        Some(Value::String(text)) => plugin.configuration(text.as_str()),
        Some(tree) => plugin.structured(tree),
    };
    let plugin =
        said.vm.environment.iter().fold(plugin, |it, (name, value)| it.variable(name, value));
    Ok(if scenario.stop_iteration { plugin.may_stop_iteration() } else { plugin })
}

fn module(callbacks: &Callbacks) -> Result<Module, Error> {
    let script = Script { callbacks: callbacks.clone() };
    Ok(Module::new(script.compile()?)?)
}

/// How long the steps take that are done before a request is answered.
fn meanwhile(steps: &[Step]) -> Duration {
    steps.iter().map(|step| if let Step::Advance(time) = step { *time } else { MOMENT }).sum()
}

fn build(scenario: &Scenario, said: &Request, wait: Duration) -> sightline_host::Request {
    let request = sightline_host::Request::new(&said.method, &*said.path)
        .authority(&*said.authority)
        .timeout(Duration::ZERO)
        .protocol(match said.protocol {
            Protocol::Http10 => sightline_host::Protocol::Http10,
            Protocol::Http11 => sightline_host::Protocol::Http11,
            Protocol::Http2 => sightline_host::Protocol::Http2,
            Protocol::Http3 => sightline_host::Protocol::Http3,
        });
    let request =
        said.headers.iter().fold(request, |it, (name, value)| it.header(&**name, &**value));
    let request = said.body.iter().fold(request, |it, chunk| it.chunk(&**chunk));
    let request =
        said.trailers.iter().fold(request, |it, (name, value)| it.trailer(&**name, &**value));
    let upgrades = said.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case(b"upgrade"));
    let request = if upgrades || breaks_off(said) { request.unfinished() } else { request };
    // What translates into HTTP/2 sends the end by itself.
    let request = if said.protocol == Protocol::Http2 { request.end_apart() } else { request };
    let request = match scenario.after {
        Some(after) => request.aborted_after_us(after.abort),
        None => request,
    };
    answer(scenario, said, routed(scenario, said, request), wait)
}

/// Whether less of a body comes than its length says.
fn breaks_off(said: &Request) -> bool {
    let length = said.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case(b"content-length"));
    let length = length.and_then(|(_, value)| str::from_utf8(value).ok()?.parse().ok());
    length.is_some_and(|length: usize| length > said.body.iter().map(|chunk| chunk.len()).sum())
}

/// What the app does, and the client.
fn answer(
    scenario: &Scenario,
    said: &Request,
    request: sightline_host::Request,
    wait: Duration,
) -> sightline_host::Request {
    let answered = response(&said.upstream, &said.method, false);
    let answered = answered.after(wait + said.upstream.after);
    let answered = match (&said.upstream.upgrade, said.body.first()) {
        (Some(_), Some(first)) => answered.pause(MOMENT).chunk(&**first).then_reset(),
        _ => answered,
    };
    let request = match said.leaves {
        Some(Leaves::BeforeAnswer) => {
            let arrived = meanwhile(&said.meanwhile) + MOMENT / 10;
            request.answered(sightline_host::Response::silence()).hung_up_after(arrived)
        }
        Some(Leaves::InAnswer) => {
            let begun = Answer { body: Vec::new(), ..said.upstream.clone() };
            let begun = response(&begun, &said.method, true).after(wait + said.upstream.after);
            request.answered(begun.then_silence()).hung_up_after(wait + MOMENT)
        }
        None => {
            let again = (0..retries(scenario, said)).map(|_| answered.clone());
            let pauses = said.upstream.pause * u32::try_from(said.upstream.body.len()).unwrap_or(0);
            let request = request.hung_up_after(wait + said.upstream.after + pauses + PATIENCE);
            again.fold(request.answered(answered.clone()), sightline_host::Request::then_answered)
        }
    };
    match &scenario.before {
        Some(Before::Word(Earlier::Deny)) => request.answered_before_us(
            sightline_host::Response::new(403)
                .body("RBAC: access denied")
                .header("content-type", "text/plain")
                .details("rbac_access_denied_matched_policy[none]"),
        ),
        _ => request,
    }
}

/// `goes_on` if the server does not end it.
fn response(said: &Answer, method: &str, goes_on: bool) -> sightline_host::Response {
    use sightline_host::Response;
    if said.silent {
        return Response::silence();
    }
    if said.reset == Some(Reset::Before) {
        return Response::reset();
    }
    let head = Response::new(if said.upgrade.is_some() { 101 } else { said.status });
    let head = said.informational.iter().fold(head, |it, first| {
        let headers: Vec<_> =
            first.headers.iter().map(|(name, value)| (&**name, &**value)).collect();
        it.informational(first.status, &headers)
    });
    let head = match &said.upgrade {
        Some(protocol) => head.header("connection", "Upgrade").header("upgrade", protocol),
        None => head,
    };
    let head = said.headers.iter().fold(head, |it, (name, value)| it.header(&**name, &**value));
    let goes_on = goes_on || said.reset.is_some();
    let response = framed(head, said, method, goes_on);
    let response = if said.early { response.early() } else { response };
    if said.reset.is_some() { response.then_reset() } else { response }
}

/// With the framing that the scripted server puts on the wire, and what it frames.
fn framed(
    head: sightline_host::Response,
    said: &Answer,
    method: &str,
    goes_on: bool,
) -> sightline_host::Response {
    let chunks = said.chunks();
    let empty = chunks.is_empty() && said.trailers.is_empty();
    let bodiless = method == "HEAD" || matches!(said.status, 204 | 304) || said.upgrade.is_some();
    let says_length =
        said.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case(b"content-length"));
    if bodiless {
        return head;
    }
    let head = match (says_length, empty && !goes_on) {
        (true, _) => head,
        (false, true) => head.header("content-length", "0"),
        (false, false) => head.header("transfer-encoding", "chunked"),
    };
    let with_body = chunks.iter().enumerate().fold(head, |it, (index, chunk)| {
        if index > 0 { it.pause(said.pause).chunk(chunk) } else { it.chunk(chunk) }
    });
    said.trailers.iter().fold(with_body, |it, (name, value)| it.trailer(&**name, &**value))
}

fn route_of<'a>(scenario: &'a Scenario, said: &Request) -> Option<&'a format::Route> {
    let path = String::from_utf8_lossy(&said.path).into_owned();
    let bare = path.split('?').next().unwrap_or_default().to_owned();
    scenario.routes.iter().find(|route| match (&route.path, &route.prefix) {
        (Some(whole), _) => *whole == bare,
        (None, Some(start)) => path.starts_with(start.as_str()),
        (None, None) => false,
    })
}

/// How many more attempts there may be.
fn retries(scenario: &Scenario, said: &Request) -> u32 {
    route_of(scenario, said).map_or(0, |route| route.retries + u32::from(route.follows))
}

fn routed(
    scenario: &Scenario,
    said: &Request,
    request: sightline_host::Request,
) -> sightline_host::Request {
    let Some(route) = route_of(scenario, said) else {
        return if scenario.only_routes { request.route(Route::Missing) } else { request };
    };
    let to = match (&route.direct, &route.redirect, &route.cluster, route.upstream) {
        (Some(direct), ..) => {
            Route::Direct(direct.status, direct.body.clone().unwrap_or_default().into_bytes())
        }
        (None, Some(redirect), ..) => {
            let authority = String::from_utf8_lossy(&said.authority).into_owned();
            let host = redirect.host.clone().unwrap_or(authority);
            let path = String::from_utf8_lossy(&said.path).into_owned();
            let path = redirect.path.clone().unwrap_or(path);
            Route::Redirect(format!("http://{host}{path}"))
        }
        (None, None, Some(cluster), _) if cluster != "app" => Route::MissingCluster,
        (None, None, _, Some(Bad::Refuse)) => Route::Refused,
        (None, None, _, Some(Bad::Empty)) => Route::NoHost,
        (None, None, _, None) => Route::Upstream,
    };
    let request = request.route(to).timeout(route.timeout.unwrap_or_default());
    let name = route.name.as_deref().unwrap_or_default();
    let request = request.named_route(name, Value::Object(route.metadata.clone()));
    if route.follows { request.followed() } else { request }
}

fn exchange(scenario: &Scenario, request: &Request, outcome: Outcome) -> Exchange {
    let text = |bytes: &Vec<u8>| String::from_utf8_lossy(bytes).into_owned();
    let state =
        |name: &String| (name.clone(), outcome.state.get(&format!("wasm.{name}")).map(text));
    let client = outcome.client.filter(|_| request.leaves != Some(Leaves::BeforeAnswer));
    let upgraded = request.upstream.upgrade.is_some();
    // A request that asks for another protocol has no body, and the app keeps none of what comes after.
    let asks = request.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case(b"upgrade"));
    let attempts = outcome.earlier_attempts.iter().chain(&outcome.upstream).map(request_seen);
    let heads =
        |seen: observed::Message| observed::Message { body: Vec::new(), cut: false, ..seen };
    Exchange {
        upstream: attempts.map(|seen| if asks { heads(seen) } else { seen }).collect(),
        informational: outcome
            .informational
            .iter()
            .map(|headers| observed::Message { head: fields(headers), ..Default::default() })
            .collect(),
        client: client.map(|message| {
            let cut = !message.whole && request.leaves.is_none() && !upgraded;
            observed::Message { cut, ..seen(&message) }
        }),
        line: outcome.state.get("wasm.sightline_log").map(text),
        state: scenario.state.iter().map(state).collect(),
    }
}

/// A request as HTTP/1 has it: without a scheme, and with its pseudo-headers in one order.
fn request_seen(message: &Message) -> observed::Message {
    let mut seen = seen(message);
    let rank = |name: &[u8]| match name {
        b":method" => 0,
        b":path" => 1,
        b":authority" => 2,
        _ => 3,
    };
    seen.head.retain(|(name, _)| **name != *b":scheme");
    seen.head.sort_by_key(|(name, _)| rank(name));
    seen
}

fn seen(message: &Message) -> observed::Message {
    observed::Message {
        head: fields(&message.headers),
        body: message.body.clone(),
        trailers: message.trailers.as_ref().map(fields).unwrap_or_default(),
        cut: !message.whole,
    }
}

fn fields(map: &HeaderMap) -> Fields {
    map.iter().map(|(name, value)| (name.to_vec().into(), value.to_vec().into())).collect()
}

/// Lines and traps, in the order of time.
fn events(host: &Host) -> Vec<Event> {
    let mut workers = Vec::new();
    let mut thread = |number: usize| {
        if number == 0 {
            return Thread::Main;
        }
        let known = workers.iter().position(|known| *known == number);
        Thread::Worker(
            1 + known.unwrap_or_else(|| {
                workers.push(number);
                workers.len() - 1
            }),
        )
    };
    let mut traps = host.traps().iter().peekable();
    let mut events = Vec::new();
    for (index, line) in host.log().iter().enumerate() {
        while let Some(trap) = traps.next_if(|trap| trap.lines_before <= index) {
            events
                .push(Event { thread: thread(trap.thread), what: What::Fails(trap.entry.into()) });
        }
        let (level, plugin, text) =
            (level(line.level).into(), line.plugin.clone(), line.text.clone());
        events
            .push(Event { thread: thread(line.thread), what: What::Says { level, plugin, text } });
    }
    events.extend(
        traps.map(|trap| Event {
            thread: thread(trap.thread),
            what: What::Fails(trap.entry.into()),
        }),
    );
    events
}

/// As Envoy writes it.
fn level(level: Level) -> &'static str {
    match level {
        Level::Trace => "trace",
        Level::Debug => "debug",
        Level::Info => "info",
        Level::Warn => "warning",
        Level::Error => "error",
        Level::Critical => "critical",
    }
}

fn stat((name, stat): (String, Stat)) -> observed::Stat {
    let name = format!("wasmcustom.{name}");
    match stat {
        Stat::Counter(value) => observed::Stat::Counter(name, value),
        Stat::Gauge(value) => observed::Stat::Gauge(name, value),
        Stat::Histogram(samples) => {
            let count = u64::try_from(samples.len()).unwrap_or(u64::MAX);
            observed::Stat::Histogram(name, count, samples.iter().sum())
        }
    }
}
