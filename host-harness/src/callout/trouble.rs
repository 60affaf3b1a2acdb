//! What Envoy answers to a call where the cluster gives no answer.

use super::{Kind, Said};
use crate::{HeaderMap, Message, grpc, refusal};

/// Why a cluster gives no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// It has no host.
    NoHost,
    /// Its host refuses connections.
    Refused,
    /// Its host cuts the call off.
    Reset,
    /// The module's time is over.
    TimedOut,
    /// The request cannot be sent, for this reason.
    Unsendable(String),
}

impl Trouble {
    /// What keeps a request from being sent, if anything does.
    pub(super) fn of(request: &HeaderMap) -> Option<Self> {
        refusal::unsendable(request).map(Self::Unsendable)
    }

    fn status(&self) -> u16 {
        if *self == Self::TimedOut { 504 } else { 503 }
    }

    fn body(&self, kind: Kind) -> String {
        let reason = match self {
            Self::NoHost => return "no healthy upstream".into(),
            Self::TimedOut => return "upstream request timeout".into(),
            Self::Unsendable(problem) => return problem.clone(),
            Self::Refused => "remote connection failure",
            // HTTP/1 can only close its connection.
            Self::Reset if kind == Kind::Http => "connection termination",
            Self::Reset => "remote reset",
        };
        format!("upstream connect error or disconnect/reset before headers. reset reason: {reason}")
    }

    /// Envoy's response code details, where nothing of an answer had come.
    fn details(&self) -> String {
        match self {
            Self::NoHost => "no_healthy_upstream".into(),
            Self::TimedOut => "response_timeout".into(),
            Self::Refused => {
                "upstream_reset_before_response_started{remote_connection_failure|delayed_connect_error:_Connection_refused}".into()
            }
            Self::Reset => "upstream_reset_before_response_started{remote_reset}".into(),
            Self::Unsendable(problem) => refusal::details_of_unsendable(problem),
        }
    }

    /// Envoy's response code details, where an answer had begun.
    pub(super) fn details_after_headers(&self) -> &'static str {
        match self {
            Self::TimedOut => "response_timeout",
            _ => "upstream_reset_after_response_started{remote_reset}",
        }
    }

    /// The answer to a request of HTTP.
    pub(super) fn answer(&self, request: &HeaderMap) -> Message {
        if grpc::is_grpc(request) {
            return Message {
                headers: self.headers(Kind::Http),
                whole: true,
                ..Message::default()
            };
        }
        let body = self.body(Kind::Http);
        let headers = HeaderMap::from_iter([
            (":status", self.status().to_string()),
            ("content-length", body.len().to_string()),
            ("content-type", "text/plain".into()),
        ]);
        let is_head = request.get(":method") == Some(b"HEAD");
        let body = if is_head { Vec::new() } else { body.into_bytes() };
        Message { headers, body, trailers: None, whole: true }
    }

    /// The answer to a request of gRPC, which has nothing but headers.
    fn headers(&self, kind: Kind) -> HeaderMap {
        HeaderMap::from_iter([
            (":status", "200".to_owned()),
            ("content-type", "application/grpc".into()),
            ("grpc-status", super::grpc::UNAVAILABLE.to_string()),
            ("grpc-message", self.body(kind)),
        ])
    }

    /// What a module is told of a call of gRPC.
    pub(crate) fn said(&self, kind: Kind) -> [Said; 3] {
        let message = format!("{}{{{}}}", self.body(kind), self.details());
        let close = Said::close(super::grpc::UNAVAILABLE, message);
        [Said::initial(HeaderMap::new()), Said::trailing(self.headers(kind)), close]
    }
}
