//! One client: who it says it is, how it sends, and how what it sends is counted.

use std::io::Write as _;
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::dice::Dice;
use super::{Fronts, World};
use crate::http::{Message, Request};

/// The header by which the filter shows that it has seen a request.
const REQUEST_ID: &str = "x-request-id";

const USER_AGENTS: [&str; 4] = [
    "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/141.0.0.0 Safari/537.36",
    MOBILE_APP,
];

/// It sends a request ID of its own, as the browsers do not.
const MOBILE_APP: &str = "tea-app/3.1 (Android 16)";

/// A client, with its dice.
#[derive(Debug)]
pub(super) struct Client {
    world: Arc<World>,
    pub(super) dice: Dice,
    user_agent: &'static str,
    /// The trace ID, and whether it is sampled, of a client that traces its own steps.
    trace: Option<(String, bool)>,
}

impl Client {
    pub(super) fn of(world: Arc<World>, dice: Dice) -> Self {
        Self { world, dice, user_agent: USER_AGENTS[0], trace: None }
    }

    /// Becomes somebody else, for a new errand.
    pub(super) fn arrive(&mut self) {
        self.user_agent = self.dice.pick(&USER_AGENTS);
        self.trace = None;
        if self.dice.percent(15) {
            self.trace = Some((self.dice.hex(16), self.dice.percent(70)));
        }
    }

    /// Goes by this name until it is somebody else.
    pub(super) fn call_itself(&mut self, user_agent: &'static str) {
        self.user_agent = user_agent;
        self.trace = None;
    }

    pub(super) fn fronts(&self) -> Fronts {
        self.world.fronts
    }

    pub(super) fn is_to_go(&self) -> bool {
        self.world.pace.is_stopped()
    }

    /// Waits for so long; true if it is time to go.
    pub(super) fn pause(&self, time: Duration) -> bool {
        self.world.pace.pause(time)
    }

    pub(super) fn get(&mut self, front: SocketAddr, path: impl AsRef<str>) -> Option<Message> {
        self.send(front, Request::get(path.as_ref()))
    }

    /// Sends JSON by this method.
    pub(super) fn json(
        &mut self,
        front: SocketAddr,
        method: &str,
        path: impl AsRef<str>,
        body: &Value,
    ) -> Option<Message> {
        let request = Request::new(method, path.as_ref());
        let request = request.field("content-type", "application/json");
        self.send(front, request.body(body.to_string()))
    }

    /// Waits for its turn and sends; none if there is no answer, or it is time to go.
    pub(super) fn send(&mut self, front: SocketAddr, request: Request) -> Option<Message> {
        let request = self.introduced(request);
        if !self.world.pace.turn() {
            return None;
        }
        let answer = request.send(front).ok();
        self.count(answer.as_ref());
        answer
    }

    /// Waits for its turn, sends these bytes, and hangs up without listening.
    pub(super) fn hang_up_after(&mut self, front: SocketAddr, bytes: &[u8]) -> Option<()> {
        if !self.world.pace.turn() {
            return None;
        }
        self.count(None);
        let mut stream = TcpStream::connect(front).ok()?;
        stream.write_all(bytes).ok()
    }

    /// The same with a whole request.
    pub(super) fn hang_up(&mut self, front: SocketAddr, request: Request) -> Option<()> {
        let request = self.introduced(request);
        if !self.world.pace.turn() {
            return None;
        }
        self.count(None);
        request.begin(front).map(drop).ok()
    }

    /// Asks each app for its health.
    pub(super) fn probe(&mut self) {
        for front in self.world.fronts.all() {
            let request = Request::get("/healthz").field("user-agent", "kube-probe/1.34");
            if request.send(front).is_ok() {
                self.world.tally.probe();
            } else {
                self.count(None);
            }
        }
    }

    /// Counts what came of a request.
    pub(super) fn count(&self, answer: Option<&Message>) {
        match answer.and_then(|answer| answer.field(REQUEST_ID)) {
            Some(_) => self.world.tally.answered(),
            None => self.world.tally.broken(),
        }
    }

    /// With what the client says about itself.
    fn introduced(&mut self, request: Request) -> Request {
        let mut request = request.field("user-agent", self.user_agent);
        if self.user_agent == MOBILE_APP {
            request = request.field(REQUEST_ID, self.dice.uuid());
        }
        if let Some((trace, is_sampled)) = &self.trace {
            let (span, flags) = (self.dice.hex(8), if *is_sampled { "01" } else { "00" });
            request = request
                .field("traceparent", format!("00-{trace}-{span}-{flags}"))
                .field("tracestate", "tea=app");
        }
        request
    }
}
