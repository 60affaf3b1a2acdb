//! How an export is answered: well, badly or not at all.

use std::time::Duration;

use super::Protocol;
use super::proto::collector::trace::v1::{ExportTracePartialSuccess, ExportTraceServiceResponse};
use prost::Message as _;

/// What an exporter is to see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// All of it was taken.
    Accepted,
    /// All but so many items were taken.
    Partial {
        /// As many as that were not, or as few: a collector may talk nonsense.
        rejected: i64,
        /// Why not.
        message: String,
    },
    /// An HTTP status, header fields and no body, over gRPC too; a 500 if they cannot be sent.
    Status(u16, Vec<(String, String)>),
    /// A gRPC code and what it is about; over HTTP the status that stands for the code.
    Grpc(u32, String),
    /// Success, with these bytes where the answer's message should be.
    Nonsense(Vec<u8>),
    /// Nothing ever, until the other side gives up.
    Silence,
    /// The whole connection is reset.
    Reset,
    /// The other reply, after this time.
    After(Duration, Box<Self>),
}

impl Reply {
    /// A bare HTTP status.
    pub fn status(status: u16) -> Self {
        Self::Status(status, Vec::new())
    }

    /// This reply, after a time.
    #[must_use]
    pub fn after(self, time: Duration) -> Self {
        Self::After(time, Box::new(self))
    }

    /// Of so many items, how many this takes on in the eyes of whoever sent them.
    pub fn accepts(&self, protocol: Protocol, items: usize) -> usize {
        match self {
            Self::Accepted | Self::Nonsense(_) | Self::Grpc(0, _) => items,
            Self::Partial { rejected, .. } => {
                items.saturating_sub(usize::try_from(*rejected).unwrap_or(0))
            }
            Self::Status(200..=299, _) if protocol == Protocol::Http => items,
            Self::Status(..) | Self::Grpc(..) | Self::Silence | Self::Reset => 0,
            Self::After(_, reply) => reply.accepts(protocol, items),
        }
    }
}

/// The message that tells of a partial success.
pub(super) fn partial(rejected: i64, message: &str) -> Vec<u8> {
    // Those of logs and metrics are the same on the wire.
    let partial =
        ExportTracePartialSuccess { rejected_spans: rejected, error_message: message.to_owned() };
    ExportTraceServiceResponse { partial_success: Some(partial) }.encode_to_vec()
}
