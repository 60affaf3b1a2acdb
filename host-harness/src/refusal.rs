//! Requests that no filter is asked about, because the codec cannot read them or the connection
//! manager does not want them. A filter only hears of them when they are logged.

use crate::request::Protocol;
use crate::stream::{Flag, Reply};
use crate::{HeaderMap, Manager};

/// The fields that a request in HTTP/1 may have at most, the host among them.
const MOST_FIELDS: usize = 100;

/// An answer to a request that goes no further.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) reply: Reply,
    /// Whether the request was read: if not, nobody knows its headers.
    pub(crate) is_read: bool,
}

/// Why a request goes no further, if it does not.
pub(crate) fn of(request: &HeaderMap, protocol: Protocol, manager: &Manager) -> Option<Refusal> {
    let unread = protocol.ends_apart().then(|| by_codec(request, protocol, manager)).flatten();
    let reply = match unread {
        Some(reply) => return Some(Refusal { reply, is_read: false }),
        None => by_manager(request)?,
    };
    Some(Refusal { reply, is_read: true })
}

/// An absolute URL is taken apart, as HTTP/1 demands of a server.
pub(crate) fn take_apart(request: &mut HeaderMap) {
    let Some((authority, path)) = request.get(":path").and_then(parts_of_url) else { return };
    let (authority, path) = (authority.to_vec(), path.to_vec());
    request.overwrite(":authority", authority);
    request.overwrite(":path", if path.is_empty() { b"/".to_vec() } else { path });
}

/// Host and path of a URL, if it is one.
pub(crate) fn parts_of_url(url: &[u8]) -> Option<(&[u8], &[u8])> {
    let rest = url.strip_prefix(b"http://").or_else(|| url.strip_prefix(b"https://"))?;
    Some(rest.split_at(rest.iter().position(|byte| *byte == b'/').unwrap_or(rest.len())))
}

fn by_codec(request: &HeaderMap, protocol: Protocol, manager: &Manager) -> Option<Reply> {
    let path = request.get(":path").unwrap_or(b"*");
    let is_pseudo = |name: &[u8]| name.starts_with(b":");
    let fields = || request.iter().filter(|(name, _)| *name == b":authority" || !is_pseudo(name));
    let size: usize = fields().map(|(name, value)| name.len() + value.len()).sum();
    let most = usize::try_from(manager.max_request_headers_kb).unwrap_or(usize::MAX);
    let too_large = path.len() + size > most.saturating_mul(1024);
    let is_path = path.starts_with(b"/") || path == b"*" || parts_of_url(path).is_some();
    let names_are_tokens = fields().all(|(name, _)| is_pseudo(name) || is_token(name));
    let is_token_method = request.get(":method").is_none_or(is_token);
    let two_lengths =
        request.get("content-length").is_some() && request.get("transfer-encoding").is_some();
    let (status, text, details) = if fields().count() > MOST_FIELDS {
        (431, "Request Header Fields Too Large", "http1.too_many_headers")
    } else if too_large {
        (431, "Request Header Fields Too Large", "http1.headers_too_large")
    } else if request.iter().any(|(_, value)| has_control(value)) {
        (400, "Bad Request", "http1.invalid_characters")
    } else if !is_path || !names_are_tokens || !is_token_method {
        (400, "Bad Request", "http1.codec_error")
    } else if two_lengths {
        (400, "Bad Request", "http1.content_length_and_chunked_not_allowed")
    } else if protocol == Protocol::Http10 && !manager.accept_http_10 {
        (426, "Upgrade Required", "low_version")
    } else {
        return None;
    };
    Some(Reply::new(status, text, details).flagged(Flag::DownstreamProtocolError))
}

fn by_manager(request: &HeaderMap) -> Option<Reply> {
    // Only CONNECT has no path, and may have none.
    let path = request.get(":path").unwrap_or(b"/");
    let is_whole = parts_of_url(path).is_some();
    let (status, details) = if request.get(":authority").is_none() && !is_whole {
        (400, "missing_host_header")
    } else if !path.starts_with(b"/") && !is_whole {
        (404, "absolute_path_rejected")
    } else if path.contains(&b'#') {
        (400, "path_normalization_failed")
    } else {
        return None;
    };
    Some(Reply::new(status, "", details))
}

/// What keeps a request from being written to whoever it goes to, an application or a callout's
/// cluster; the router of both is the same.
pub(crate) fn unsendable(request: &HeaderMap) -> Option<String> {
    request.iter().find_map(|(name, value)| {
        let text = String::from_utf8_lossy(name);
        // A name without any letter has no wrong one.
        if !name.is_empty() && !is_token(name.strip_prefix(b":").unwrap_or(name)) {
            Some(format!("invalid header name: {text}"))
        } else if has_control(value) {
            Some(format!("invalid header value for: {text}"))
        } else {
            None
        }
    })
}

/// Envoy's response code details for that.
pub(crate) fn details_of_unsendable(problem: &str) -> String {
    format!("filter_removed_required_request_headers{{{}}}", problem.replace(' ', "_"))
}

/// Whether a name is one that HTTP allows.
pub(crate) fn is_token(name: &[u8]) -> bool {
    let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    !name.is_empty() && name.iter().all(allowed)
}

/// Whether a value has bytes that may not stand in one.
pub(crate) fn has_control(value: &[u8]) -> bool {
    value.iter().any(|byte| byte.is_ascii_control() && *byte != b'\t')
}
