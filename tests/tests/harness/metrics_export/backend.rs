//! A collector on the harness that takes metrics as it is told, and remembers what it has taken.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use sightline_host::{Cluster, Message, Response};
use sightline_tests::ReceivedPoint;

/// Clones are the same collector.
#[derive(Clone)]
pub(super) struct Backend {
    protocol: &'static str,
    shared: Arc<Mutex<Shared>>,
}

#[derive(Default)]
struct Shared {
    /// What is done with the next requests. Those behind them are taken.
    script: VecDeque<Does>,
    /// What is done as long as the script says nothing.
    otherwise: Option<Does>,
    taken: Vec<Vec<ReceivedPoint>>,
    /// How long each request was that came, taken or not.
    sizes: Vec<usize>,
}

/// What is done with a request for metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Does {
    Take,
    /// It takes it, and says that it has left out one point.
    TakeInPart,
    /// It takes it, and the answer gets lost.
    TakeInSilence,
    Refuse,
    Fail,
    Reset,
    Hang,
}

impl Backend {
    pub(super) fn new(protocol: &'static str) -> Self {
        Self { protocol, shared: Arc::default() }
    }

    pub(super) fn cluster(&self) -> Cluster {
        let backend = self.clone();
        Cluster::with(move |message| backend.answer(message))
    }

    /// From now on it does so with the next requests.
    pub(super) fn script(&self, script: impl IntoIterator<Item = Does>) {
        self.shared().script.extend(script);
    }

    /// From now on it does so, until it is told otherwise.
    pub(super) fn does(&self, does: Does) {
        self.shared().otherwise = Some(does);
    }

    /// What it has taken, request by request.
    pub(super) fn taken(&self) -> Vec<Vec<ReceivedPoint>> {
        self.shared().taken.clone()
    }

    /// How long each request was that came.
    pub(super) fn sizes(&self) -> Vec<usize> {
        self.shared().sizes.clone()
    }

    /// All points of one metric that it has taken.
    pub(super) fn points(&self, name: &str) -> Vec<ReceivedPoint> {
        self.taken().into_iter().flatten().filter(|point| point.name == name).collect()
    }

    /// How many there were, as a backend adds up what is new: every point once.
    pub(super) fn sum(&self, name: &str) -> u64 {
        self.points(name).iter().filter_map(ReceivedPoint::count).sum()
    }

    /// How many there were, as a backend reads what is of all time: of each series the last point.
    pub(super) fn last(&self, name: &str) -> u64 {
        let mut last = BTreeMap::new();
        for point in self.points(name) {
            last.insert(point.attributes.clone(), point.count().unwrap());
        }
        last.into_values().sum()
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap()
    }

    fn answer(&self, message: &Message) -> Response {
        let path = message.get(":path").unwrap();
        if path.ends_with(b"traces") || path.ends_with(b"TraceService/Export") {
            return self.taking(b"");
        }
        let mut shared = self.shared();
        shared.sizes.push(message.body.len());
        let does = shared.script.pop_front().or(shared.otherwise).unwrap_or(Does::Take);
        if matches!(does, Does::Take | Does::TakeInPart | Does::TakeInSilence) {
            // In gRPC five bytes stand before the message.
            let body = if self.protocol == "grpc" { &message.body[5..] } else { &message.body };
            shared.taken.push(ReceivedPoint::all_in(body));
        }
        let is_grpc = self.protocol == "grpc";
        match does {
            Does::Take => self.taking(b""),
            Does::TakeInPart => self.taking(b"\x0a\x02\x08\x01"),
            Does::Refuse if is_grpc => Response::grpc(3),
            Does::Refuse => Response::new(400),
            Does::Fail if is_grpc => Response::grpc(14),
            Does::Fail => Response::new(503),
            Does::Reset => Response::reset(),
            Does::Hang | Does::TakeInSilence => Response::silence(),
        }
    }

    fn taking(&self, message: &[u8]) -> Response {
        let answer = match self.protocol {
            "grpc" => Response::grpc_message(0, message),
            _ => Response::new(200).body(message),
        };
        answer.after(Duration::from_millis(3))
    }
}
