//! Headers that figures are taken from.

use super::section::section;
use super::{Leaf, Path, Problem, Token, Value, require};

/// The name of a header to take a figure from. Invariant: a lower-case token of RFC 9110, and no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderSource(String);

/// Whose head it stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    /// The request's.
    Request,
    /// The response's.
    Response,
}

/// A header of one of the two heads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Source {
    /// Whose head.
    pub(crate) side: Side,
    /// Its name, in lower case.
    pub(crate) header: String,
}

section! {
    /// Where the value of a custom metric comes from.
    pub struct ValueSettings {
        /// The header of the response that holds it.
        response_header: Option<HeaderSource> = None,
        /// The header of the request that holds it: whatever a client says is believed.
        request_header: Option<HeaderSource> = None,
    }
}

impl HeaderSource {
    /// Headers that are credentials. Metrics are read by more people than may know them.
    const SECRET: [&str; 5] =
        ["authorization", "cookie", "proxy-authorization", "set-cookie", "x-api-key"];
}

impl Side {
    /// Its name.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Response => "response",
        }
    }
}

impl Source {
    /// The one that is said, if exactly one is.
    pub(crate) fn of(
        response: Option<&HeaderSource>,
        request: Option<&HeaderSource>,
    ) -> Option<Self> {
        let (side, HeaderSource(header)) = match (response, request) {
            (Some(header), None) => (Side::Response, header),
            (None, Some(header)) => (Side::Request, header),
            _ => return None,
        };
        Some(Self { side, header: header.clone() })
    }

    /// Whether this header is meant.
    pub(crate) fn is(&self, side: Side, name: &[u8]) -> bool {
        self.side == side && self.header.as_bytes() == name
    }
}

impl ValueSettings {
    /// The header that is meant.
    pub(crate) fn source(&self) -> Option<Source> {
        Source::of(self.response_header.as_ref(), self.request_header.as_ref())
    }

    /// Tells if that is none, or more than one.
    pub(super) fn check(&self, at: &Path<'_>, problems: &mut Vec<Problem>) {
        check_sources(self.response_header.as_ref(), self.request_header.as_ref(), at, problems);
    }
}

/// Tells if there is not exactly one of both.
pub(super) fn check_sources(
    response: Option<&HeaderSource>,
    request: Option<&HeaderSource>,
    at: &Path<'_>,
    problems: &mut Vec<Problem>,
) {
    if response.is_some() && request.is_some() {
        let message = "both response_header and request_header stand here, expected one of them";
        problems.push(Problem::new(at, message));
    }
    require(response.or(request).is_some(), at, "response_header or request_header", problems);
}

/// Tells if the header that is meant must not be shown anywhere.
pub(super) fn check_secret(
    source: Option<Source>,
    secret: &[Token],
    at: &Path<'_>,
    problems: &mut Vec<Problem>,
) {
    let Some(Source { header, .. }) = source else { return };
    if secret.iter().any(|secret| secret.as_str().eq_ignore_ascii_case(&header)) {
        let message = format!(
            "{header:?} stands here, which access_log.redact.headers keeps secret; expected another header"
        );
        problems.push(Problem::new(at, message));
    }
}

impl Leaf for HeaderSource {
    fn takes() -> String {
        format!("the name of a header, but none of {}", Self::SECRET.join(", "))
    }

    fn parse(said: &Value) -> Option<Self> {
        let Token(name) = Token::parse(said)?;
        let name = name.to_ascii_lowercase();
        (!Self::SECRET.contains(&name.as_str())).then_some(Self(name))
    }

    fn show(&self) -> String {
        self.0.clone()
    }
}
