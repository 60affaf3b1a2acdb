//! A stream: one request and its response, as far as they have come past our filter.
//!
//! This is state only. How it moves is in `passage` (what both directions have in common), `router`
//! (where requests go), `client` (where responses go), `reply` (what Envoy answers by itself) and
//! `end`.

mod client;
mod end;
mod follow;
mod passage;
mod reply;
mod router;

pub(crate) use reply::Reply;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::time::Duration;

use serde_json::Value;

use crate::host::time::Deadline;
use crate::piece::Piece;
use crate::request::Protocol;
use crate::vm::VmRef;
use crate::{Budget, HeaderMap, Line, Message, Outcome, Request, Response, Route, World};

/// Which way something goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    Request,
    Response,
}

/// One request and its response.
#[derive(Debug)]
pub(crate) struct Stream {
    pub(crate) worker: usize,
    pub(crate) filter: Option<Filter>,
    pub(crate) request: Half,
    pub(crate) response: Half,
    pub(crate) info: Info,
    /// What `proxy_set_property` set, under the names that filter state has.
    pub(crate) state: BTreeMap<Vec<u8>, Vec<u8>>,
    /// The names in it that cannot be set again.
    pub(crate) fixed: BTreeSet<Vec<u8>>,
    /// The properties that the module has declared for this stream, which has no effect.
    pub(crate) declared: BTreeMap<Vec<u8>, bool>,
    pub(crate) plan: Plan,
    pub(crate) saw: Saw,
    /// The module is being entered for a callback of this way: a local reply must wait.
    pub(crate) within: Option<Way>,
    pub(crate) prepared: Option<Reply>,
    /// Envoy answered by itself, so nothing of the request goes any further.
    pub(crate) aborted: bool,
    /// Only while the module is told to log.
    pub(crate) logging: bool,
    /// No event finds it any more.
    pub(crate) over: bool,
    pub(crate) log: Vec<Line>,
    pub(crate) budget: Budget,
}

/// Our filter on a stream.
#[derive(Debug)]
pub(crate) struct Filter {
    /// Which of the host's plugins it is an instance of.
    pub(crate) version: usize,
    /// None where there was no VM to be had, and the policy is to fail closed.
    pub(crate) vm: Option<VmRef>,
    pub(crate) root: u32,
    pub(crate) context: u32,
    /// Whether the module knows of the stream.
    pub(crate) created: bool,
    pub(crate) destroyed: bool,
    /// The stream was answered with 503 because the module trapped.
    pub(crate) failed: bool,
}

/// One way of a stream, at our filter.
#[derive(Debug, Default)]
pub(crate) struct Half {
    pub(crate) headers: Option<HeaderMap>,
    pub(crate) trailers: Option<HeaderMap>,
    /// What the filter manager holds back.
    pub(crate) held: Option<Vec<u8>>,
    /// The piece of the body that the module is shown, or was last shown and did not let go.
    pub(crate) passing: Option<Vec<u8>>,
    /// The module has let the stream go on, and has no hold of the piece any more.
    pub(crate) piece_is_gone: bool,
    /// Whether the module may see these now.
    pub(crate) shows_headers: bool,
    pub(crate) shows_trailers: bool,
    /// The module wants the body whole: it is shown what is held, and not the piece.
    pub(crate) buffering: bool,
    /// The piece that the module is shown, or was last shown, is the last of all.
    pub(crate) last_piece: bool,
    pub(crate) stop: Stop,
    /// What is held back behind the headers must not be more than may be buffered.
    pub(crate) limited: bool,
    pub(crate) headers_passed: bool,
    pub(crate) ended: bool,
    /// How many bytes of body have come.
    pub(crate) bytes: u64,
}

/// How the filter has stopped a way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Stop {
    #[default]
    No,
    /// Pieces of the body are still shown to the filter.
    Single,
    /// Nothing is shown to the filter until it lets all go on, and then from itself on.
    All,
}

/// What is known about a stream beside its headers.
#[derive(Debug)]
pub(crate) struct Info {
    pub(crate) protocol: Protocol,
    pub(crate) started_wall: u64,
    pub(crate) started: u64,
    /// Known once all is over.
    pub(crate) duration: Option<Duration>,
    pub(crate) code: Option<u16>,
    pub(crate) details: Option<String>,
    pub(crate) flags: u64,
    pub(crate) attempts: u32,
    /// Who the client is, as far as Envoy believes it. Known once the request has come.
    pub(crate) source: Option<SocketAddr>,
    /// When a host of the application's cluster was chosen.
    pub(crate) chosen: Option<u64>,
    /// When all of the request had passed our filter.
    pub(crate) asked: Option<u64>,
    /// There is a connection to that host.
    pub(crate) connected: bool,
    /// When the last of the answer had come from that host.
    pub(crate) answered: Option<u64>,
    /// How many bytes of body were sent to the client.
    pub(crate) sent: u64,
}

/// What the test said that happens around the filter.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) before: Option<Response>,
    /// A filter between ours and the router answers with this status.
    pub(crate) aborted: Option<u16>,
    pub(crate) route: Route,
    /// The route's name and metadata, where they are not those of the topology.
    pub(crate) named: Option<(String, Value)>,
    pub(crate) attempts: VecDeque<Response>,
    pub(crate) timeout: Option<Duration>,
    /// What the client has still to send.
    pub(crate) asking: VecDeque<Piece>,
    /// What the application has still to send.
    pub(crate) answering: VecDeque<Piece>,
    /// Counts the attempts, so that an event of an earlier one finds nothing to do.
    pub(crate) attempt: u32,
    pub(crate) answer_begun: bool,
    /// What waits for a connection to the application.
    pub(crate) sending: Option<Message>,
    /// The last attempt is not the first.
    pub(crate) retried: bool,
    /// The answer is that of a filter before ours.
    pub(crate) past_filter: bool,
    /// Envoy follows the next redirect by itself.
    pub(crate) follows: bool,
    /// The client that goes away ends its connection, and not only its stream.
    pub(crate) hangs_up: bool,
    /// The client has more to say, and has to wait.
    pub(crate) client_waits: bool,
    /// So has the application.
    pub(crate) app_waits: bool,
    /// The connection ends with this answer.
    pub(crate) closes: bool,
    /// The client asked for another protocol, and may have it.
    pub(crate) upgrade: bool,
    /// Moments at which somebody does not wait any longer.
    pub(crate) deadlines: BTreeMap<Deadline, u64>,
}

/// What others saw.
#[derive(Debug, Default)]
pub(crate) struct Saw {
    /// Once for each attempt.
    pub(crate) upstream: Vec<Message>,
    pub(crate) client: Option<Message>,
    /// The client was sent headers twice, and cannot read what comes after the first.
    pub(crate) garbled: bool,
    pub(crate) informational: Vec<HeaderMap>,
    /// The filter state when Envoy's own access loggers looked at it.
    pub(crate) state: BTreeMap<Vec<u8>, Vec<u8>>,
}

impl Stream {
    pub(crate) fn new(request: Request, filter: Option<Filter>, world: &World) -> Self {
        let asking = request.pieces();
        Self {
            worker: request.worker,
            filter,
            request: Half::default(),
            response: Half::default(),
            info: Info::new(request.protocol, world),
            state: BTreeMap::new(),
            fixed: BTreeSet::new(),
            declared: BTreeMap::new(),
            plan: Plan {
                before: request.before,
                aborted: request.aborted,
                follows: request.follows,
                hangs_up: request.hangs_up,
                client_waits: false,
                app_waits: false,
                closes: false,
                route: request.route,
                named: request.named,
                attempts: request.attempts,
                timeout: request.timeout,
                asking,
                answering: VecDeque::new(),
                attempt: 0,
                answer_begun: false,
                sending: None,
                retried: false,
                past_filter: false,
                upgrade: false,
                deadlines: BTreeMap::new(),
            },
            saw: Saw::default(),
            within: None,
            prepared: None,
            aborted: false,
            logging: false,
            over: false,
            log: Vec::new(),
            budget: Budget::default(),
        }
    }

    pub(crate) fn half(&mut self, way: Way) -> &mut Half {
        match way {
            Way::Request => &mut self.request,
            Way::Response => &mut self.response,
        }
    }

    /// The first moment at which somebody does not wait any longer.
    pub(crate) fn first_deadline(&self) -> Option<(u64, Deadline)> {
        self.plan.deadlines.iter().map(|(deadline, at)| (*at, *deadline)).min()
    }

    /// What came of it.
    pub(crate) fn outcome(mut self) -> Outcome {
        let text = |name: Vec<u8>| String::from_utf8_lossy(&name).into_owned();
        Outcome {
            upstream: self.saw.upstream.pop(),
            earlier_attempts: self.saw.upstream,
            client: self.saw.client,
            informational: self.saw.informational,
            state: self.saw.state.into_iter().map(|(name, value)| (text(name), value)).collect(),
            details: self.info.details,
            flags: self.info.flags,
            log: self.log,
            budget: self.budget,
        }
    }
}

impl Info {
    fn new(protocol: Protocol, world: &World) -> Self {
        Self {
            protocol,
            started_wall: world.wall(),
            started: world.monotonic(),
            duration: None,
            code: None,
            details: None,
            flags: 0,
            attempts: 0,
            source: None,
            chosen: None,
            asked: None,
            connected: false,
            answered: None,
            sent: 0,
        }
    }

    pub(crate) fn flag(&mut self, flag: Flag) {
        self.flags |= 1 << flag as u64;
    }

    /// Why the response is what it is, unless something said so before.
    pub(crate) fn explain(&mut self, details: &str) {
        self.details.get_or_insert_with(|| details.to_owned());
    }
}

/// Envoy's response flags, by the number of their bit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flag {
    NoHealthyUpstream = 1,
    UpstreamRequestTimeout = 2,
    UpstreamConnectionFailure = 5,
    UpstreamConnectionTermination = 6,
    NoRoute = 8,
    FaultInjected = 10,
    DownstreamConnectionTermination = 14,
    UpstreamRetryLimitExceeded = 15,
    StreamIdleTimeout = 16,
    DownstreamProtocolError = 18,
    UpstreamProtocolError = 23,
    NoCluster = 24,
    DownstreamRemoteReset = 28,
}

impl Half {
    /// What the module is shown of the body, if anything.
    pub(crate) fn body(&self) -> Option<&Vec<u8>> {
        if self.buffering { self.held.as_ref() } else { self.piece() }
    }

    /// The same, to change.
    pub(crate) fn body_mut(&mut self) -> Option<&mut Vec<u8>> {
        let gone = self.piece_is_gone;
        if self.buffering { self.held.as_mut() } else { self.passing.as_mut().filter(|_| !gone) }
    }

    /// The piece that the module is shown, or was last shown and still has a hold of.
    pub(crate) fn piece(&self) -> Option<&Vec<u8>> {
        self.passing.as_ref().filter(|_| !self.piece_is_gone)
    }

    pub(crate) fn hold(&mut self, piece: &[u8]) {
        self.held.get_or_insert_default().extend_from_slice(piece);
    }
}
