//! Why a request is not taken as an export, whatever it came over.

use std::fmt;

use super::LONGEST;

/// What is wrong with a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// Nothing is at that path.
    Path(String),
    /// It is not a POST.
    Method,
    /// The content type, or that there is none.
    ContentType(Option<String>),
    /// A compression that is not known.
    Coding(String),
    /// gRPC over HTTP/1.1.
    Version,
    /// The message is longer than any may be.
    TooLarge,
    /// The bytes are not what they are said to be.
    Malformed(String),
}

impl Refusal {
    /// The bytes are not what they are said to be, because of `why`.
    pub(super) fn malformed(why: &impl ToString) -> Self {
        Self::Malformed(why.to_string())
    }

    /// As HTTP has it.
    pub(super) fn status(&self) -> u16 {
        match self {
            Self::Path(_) => 404,
            Self::Method => 405,
            Self::ContentType(_) | Self::Coding(_) => 415,
            Self::Version => 505,
            Self::TooLarge => 413,
            Self::Malformed(_) => 400,
        }
    }

    /// As gRPC has it.
    pub(super) fn code(&self) -> u32 {
        match self {
            Self::Malformed(_) | Self::ContentType(_) | Self::Method => 3,
            Self::TooLarge => 8,
            Self::Path(_) | Self::Coding(_) | Self::Version => 12,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => write!(out, "nothing takes OTLP at {path}"),
            Self::Method => out.write_str("OTLP comes in a POST"),
            Self::ContentType(Some(found)) => {
                write!(out, "OTLP is taken as application/x-protobuf or over gRPC, not as {found}")
            }
            Self::ContentType(None) => {
                out.write_str("OTLP needs a content-type: application/x-protobuf")
            }
            Self::Coding(found) => {
                write!(out, "messages may be compressed by gzip, not by {found}")
            }
            Self::Version => out.write_str("gRPC needs HTTP/2"),
            Self::TooLarge => {
                write!(out, "the message is longer than {} MiB, plain or compressed", LONGEST >> 20)
            }
            Self::Malformed(why) => write!(out, "the message cannot be read: {why}"),
        }
    }
}
