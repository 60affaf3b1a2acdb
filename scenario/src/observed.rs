//! What a host saw of a scenario, before it is told as text. Either host fills it in, so that both
//! tell it the same way.

use super::exchange::Fields;

/// All that is seen of one run.
#[derive(Clone, Debug, Default)]
pub struct Observed {
    /// Whether the host took the scenario's first configuration.
    pub started: bool,
    /// By request, in the order in which they began.
    pub exchanges: Vec<Exchange>,
    /// For each replaced configuration, in their order, whether the host took it.
    pub configurations: Vec<bool>,
    /// What the modules logged, and where they failed, as far as possible in the order of time.
    pub events: Vec<Event>,
    /// Calls that reached a cluster, in the order of their arrival there, with the cluster's name.
    pub callouts: Vec<(String, Message)>,
    /// Stats, in the order of their names.
    pub stats: Vec<Stat>,
    /// Ports that were free by chance, and stand for no number in particular.
    pub ports: Vec<u16>,
}

/// What is seen of one request.
#[derive(Clone, Debug, Default)]
pub struct Exchange {
    /// What the app saw: nothing, or the request, once for each try.
    pub upstream: Vec<Message>,
    /// What the client saw before the answer.
    pub informational: Vec<Message>,
    /// What the client saw; none if it got no head.
    pub client: Option<Message>,
    /// The line that the filter left in the filter state `wasm.sightline_log`.
    pub line: Option<String>,
    /// Filter state, by the module's names for it, as the scenario asks for it.
    pub state: Vec<(String, Option<String>)>,
}

/// A request or an answer, as far as it came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Message {
    /// The head: first `:method`, `:path` and `:authority`, or `:status`, then the fields in their
    /// order with names in lower case.
    pub head: Fields,
    /// The body without its framing.
    pub body: Vec<u8>,
    /// The trailers.
    pub trailers: Fields,
    /// Whether it broke off.
    pub cut: bool,
}

/// Something that happened in a VM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Which thread's VM.
    pub thread: Thread,
    /// What.
    pub what: What,
}

/// A thread of the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Thread {
    /// The one that takes configurations, with the throw-away VM that tries them.
    Main,
    /// A worker, counted from 1 in the order in which they are first heard of.
    Worker(usize),
}

/// What happened in a VM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// The module logged.
    Says {
        /// The level's name, as Envoy writes it: `trace`, `debug`, `info`, `warning`, `error`,
        /// `critical`.
        level: String,
        /// The plugin's name, root id and VM id, each if it has one, with blanks between them.
        plugin: String,
        /// The text.
        text: String,
    },
    /// This function failed, and with it the VM.
    Fails(String),
}

/// A stat, and what it says.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stat {
    /// It only grows.
    Counter(String, u64),
    /// It is set.
    Gauge(String, u64),
    /// Values by how many they are, and their sum.
    Histogram(String, u64, u64),
}
