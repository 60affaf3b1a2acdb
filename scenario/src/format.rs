//! What a scenario file may say, as types. Each key is documented where it is declared.
//!
//! Nothing here runs a scenario, and what the types cannot hold is refused in [`super::load`].

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use super::exchange::{Answer, Request};
use crate::script::Script;

/// One configuration, what happens to it, and what must come of it.
///
/// ```yaml
/// - name: a header that is added reaches the upstream
///   script: { request_headers: ["add request x-a 1"] }
///   steps:
///     - request: { path: /a }
///   expect: ["x-a 1"]
/// ```
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// A sentence, unique in its file.
    pub name: String,
    /// Where the question comes from, for the reader.
    #[serde(default)]
    pub about: Option<String>,
    /// The module, as statements for each callback. Without it, the module is the Sightline filter.
    #[serde(default, deserialize_with = "callbacks")]
    pub script: Option<Callbacks>,
    /// The plugin's configuration: a mapping arrives as a `Struct`, text as a `StringValue`.
    #[serde(default)]
    pub configuration: Option<Value>,
    /// What the plugin is called.
    #[serde(default)]
    pub plugin: Names,
    /// The VM that the plugin is in.
    #[serde(default)]
    pub vm: Machine,
    /// What Envoy does once the module has failed.
    #[serde(default)]
    pub policy: Policy,
    /// Whether pausing at headers lets the body come on: the plugin's
    /// `allow_on_headers_stop_iteration`.
    #[serde(default)]
    pub stop_iteration: bool,
    /// Other plugins in the same process, each on a listener of its own.
    #[serde(default)]
    pub also: Vec<Also>,
    /// The number of worker threads.
    #[serde(default = "one")]
    pub workers: u32,
    /// Who the Envoy is.
    #[serde(default)]
    pub node: Node,
    /// Which way the listeners' traffic goes.
    #[serde(default)]
    pub direction: Direction,
    /// The listeners' `filter_metadata`, by namespace.
    #[serde(default)]
    pub listener_metadata: Map<String, Value>,
    /// The connection manager's keys that differ from the template's.
    #[serde(default)]
    pub manager: Manager,
    /// The clusters that callouts can reach, besides `app`. One that is not here is missing.
    #[serde(default)]
    pub clusters: BTreeMap<String, Cluster>,
    /// Routes before the one that sends everything to `app`.
    #[serde(default)]
    pub routes: Vec<Route>,
    /// Leaves out the route that sends everything to `app`.
    #[serde(default)]
    pub only_routes: bool,
    /// HTTP filters before the plugin.
    #[serde(default)]
    pub before: Option<Before>,
    /// What a filter between the plugin and the router does.
    #[serde(default)]
    pub after: Option<After>,
    /// After how many seconds what belongs to a replaced configuration ends: its connections, and
    /// then its root contexts. Ten minutes if nothing is said.
    #[serde(default, with = "super::bytes::optional_time")]
    pub drain: Option<Duration>,
    /// How many bytes Envoy holds back of a body, before it answers 413 or 500: the listener's
    /// `per_connection_buffer_limit_bytes`. A mebibyte if nothing is said.
    #[serde(default)]
    pub buffer_limit: Option<u32>,
    /// What happens, in this order.
    pub steps: Vec<Step>,
    /// Filter state that the transcript shows for each request, by the names that the module gave.
    #[serde(default)]
    pub state: Vec<String>,
    /// Stats of Envoy's own that the transcript shows, by their whole names.
    #[serde(default)]
    pub stats: Vec<String>,
    /// Each of these is part of some line of the transcript.
    #[serde(default)]
    pub expect: Vec<String>,
    /// None of these is part of any line of the transcript.
    #[serde(default)]
    pub absent: Vec<String>,
    /// Why it cannot be run on an Envoy.
    #[serde(default)]
    pub not_on_envoy: Option<String>,
    /// Why it cannot be run on the harness.
    #[serde(default)]
    pub not_on_harness: Option<String>,
    /// Headers that the transcript leaves out, in lower case. Every one left out is one not compared.
    #[serde(default)]
    pub ignore: Vec<String>,
}

/// Statements of a script module, by callback.
pub type Callbacks = BTreeMap<String, Vec<String>>;

/// What a plugin is called.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Names {
    /// The plugin's name: `sightline` if nothing else is said.
    pub name: String,
    /// Its root id: empty if nothing else is said.
    pub root_id: String,
}

/// The VM of a plugin. Plugins with the same id, configuration and module share it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Machine {
    /// Its id, which is also the name space of shared data and queues.
    pub id: String,
    /// Its configuration, which reaches the module as these bytes.
    pub configuration: Option<String>,
    /// Environment variables for the module.
    pub environment: BTreeMap<String, String>,
}

/// What Envoy does with requests once the module has failed.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Policy {
    /// It refuses them.
    #[default]
    Closed,
    /// It leaves the module out.
    Open,
    /// It starts the module anew.
    Reload,
}

/// Another plugin, on a listener of its own that is otherwise like the first.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Also {
    /// As [`Scenario::script`]; without it, the module is that of the first plugin.
    #[serde(deserialize_with = "callbacks")]
    pub script: Option<Callbacks>,
    /// As [`Scenario::configuration`].
    pub configuration: Option<Value>,
    /// As [`Scenario::plugin`].
    pub plugin: Names,
    /// As [`Scenario::vm`].
    pub vm: Machine,
}

/// Who the Envoy is.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Node {
    /// `node` if nothing else is said.
    pub id: String,
    /// `cluster` if nothing else is said.
    pub cluster: String,
    /// Its metadata.
    pub metadata: Map<String, Value>,
}

/// Which way a listener's traffic goes.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// Nobody says.
    #[default]
    Unspecified,
    /// To the app.
    Inbound,
    /// From the app.
    Outbound,
}

/// Keys of the connection manager. What is absent is as in the template.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Manager {
    /// Whether Envoy mints a request ID.
    pub generate_request_id: Option<bool>,
    /// Whether Envoy keeps a request ID that a client sent.
    pub preserve_external_request_id: Option<bool>,
    /// Whether the client's address is that of its connection.
    pub use_remote_address: Option<bool>,
    /// Whether requests in HTTP/1.0 are served; without it they are told to upgrade, with 426.
    pub accept_http_10: bool,
    /// What Envoy says in the header `server`.
    pub server_name: Option<String>,
    /// How long no byte of a stream may move: `stream_idle_timeout`.
    #[serde(with = "super::bytes::optional_time")]
    pub idle_timeout: Option<Duration>,
    /// How many KiB of headers a request may have; 60 if nothing is said.
    pub max_request_headers_kb: Option<u32>,
}

/// A cluster for callouts, of one endpoint unless it is `empty`. One of `answer`, `refuse`,
/// `silent`, `reset` and `empty` is said.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Cluster {
    /// The endpoint answers each call so.
    pub answer: Option<Answer>,
    /// Nobody listens at the endpoint.
    pub refuse: bool,
    /// The endpoint takes calls and never answers.
    pub silent: bool,
    /// The endpoint resets the connection once it has a call.
    pub reset: bool,
    /// There is no endpoint.
    pub empty: bool,
    /// The endpoint speaks HTTP/2, as gRPC needs it.
    pub http2: bool,
}

/// A route, by a whole path or by the beginning of one, and one thing that it does; without that it
/// sends to `app`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Route {
    /// For this path.
    pub path: Option<String>,
    /// For paths that begin so.
    pub prefix: Option<String>,
    /// What the route is called.
    pub name: Option<String>,
    /// The route's `filter_metadata`, by namespace.
    pub metadata: Map<String, Value>,
    /// Envoy answers so by itself.
    pub direct: Option<Direct>,
    /// Envoy sends the client elsewhere.
    pub redirect: Option<Redirect>,
    /// To the cluster of this name, which need not exist.
    pub cluster: Option<String>,
    /// To a cluster that cannot serve, and that has the name of this word.
    pub upstream: Option<Bad>,
    /// How long the whole answer may take; for ever if nothing is said.
    #[serde(with = "super::bytes::optional_time")]
    pub timeout: Option<Duration>,
    /// How many times Envoy tries again after a 5xx or a reset.
    pub retries: u32,
    /// Envoy follows an answer of 302 by itself, once.
    pub follows: bool,
}

/// An answer that Envoy gives by itself.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Direct {
    /// Its status.
    pub status: u16,
    /// Its body.
    #[serde(default)]
    pub body: Option<String>,
}

/// Where a client is sent, with status 301 and with these parts of the URL changed.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Redirect {
    /// The host.
    pub host: Option<String>,
    /// The path.
    pub path: Option<String>,
}

/// Why a cluster cannot serve.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Bad {
    /// Nobody listens at its endpoint.
    Refuse,
    /// It has no endpoint.
    Empty,
}

/// HTTP filters before the plugin.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "Value")]
pub enum Before {
    /// One known by its name.
    Word(Earlier),
    /// Any, as Envoy's configuration writes them.
    Filters(Vec<Value>),
}

impl TryFrom<Value> for Before {
    type Error = serde_json::Error;

    fn try_from(said: Value) -> Result<Self, Self::Error> {
        match said {
            Value::Array(filters) => Ok(Self::Filters(filters)),
            word => Earlier::deserialize(word).map(Self::Word),
        }
    }
}

/// A filter before the plugin.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Earlier {
    /// It answers every request with 403 and the body `RBAC: access denied`.
    Deny,
}

/// What a filter between the plugin and the router does.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct After {
    /// It answers with this status and the body `fault filter abort`.
    pub abort: u16,
}

/// One thing that happens.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Step {
    /// A client sends a request, and what comes of it is awaited.
    Request(Box<Request>),
    /// Clients send these one after the other, each once the one before has reached its upstream or
    /// has ended. Then the upstream answers them in the same order, each once the one before has
    /// ended.
    Together(Vec<Request>),
    /// Time passes, at most 2 s.
    Advance(#[serde(with = "super::bytes::time")] Duration),
    /// The first plugin gets another configuration, with the forms of [`Scenario::configuration`];
    /// null is none.
    Configure(Option<Value>),
}

impl Default for Names {
    fn default() -> Self {
        Self { name: "sightline".to_owned(), root_id: String::new() }
    }
}

impl Default for Node {
    fn default() -> Self {
        Self { id: "node".to_owned(), cluster: "cluster".to_owned(), metadata: Map::new() }
    }
}

impl Cluster {
    /// What its endpoint does with a call; `None` if there is none to do anything.
    pub fn conduct(&self) -> Option<Answer> {
        match self {
            Self { silent: true, .. } => Some(Answer::silence()),
            Self { reset: true, .. } => Some(Answer::reset_at_once()),
            Self { refuse: true, .. } | Self { empty: true, .. } => None,
            Self { answer, .. } => Some(answer.clone().unwrap_or_default()),
        }
    }
}

impl Scenario {
    /// Every request, in the order in which they begin.
    pub fn requests(&self) -> Vec<&Request> {
        self.steps.iter().flat_map(Step::requests).collect()
    }

    /// Whether a configuration is replaced.
    pub fn reconfigures(&self) -> bool {
        fn is_one(step: &Step) -> bool {
            matches!(step, Step::Configure(_))
                || step.outer().iter().any(|request| request.meanwhile.iter().any(is_one))
        }
        self.steps.iter().any(is_one)
    }

    /// The headers that a transcript leaves out.
    pub fn leaves_out(&self, header: &str) -> bool {
        self.ignore.iter().any(|name| name == header)
    }
}

impl Step {
    /// Those of this step, without what happens meanwhile.
    pub fn outer(&self) -> &[Request] {
        match self {
            Self::Request(request) => std::slice::from_ref(request),
            Self::Together(requests) => requests,
            Self::Advance(_) | Self::Configure(_) => &[],
        }
    }

    fn requests(&self) -> Vec<&Request> {
        let inner = self.outer().iter().flat_map(|request| &request.meanwhile);
        self.outer().iter().chain(inner.flat_map(Self::requests)).collect()
    }
}

/// As scripts are read anywhere.
fn callbacks<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Callbacks>, D::Error> {
    Script::deserialize(from).map(|script| Some(script.callbacks))
}

fn one() -> u32 {
    1
}
