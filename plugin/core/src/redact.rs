//! What is kept out of lines and spans: secret parameters of a query, parts of an address.
//!
//! Secret parameters of a *route* are in `route/`, because only templates know where they are.

use std::net::{IpAddr, Ipv4Addr};

use crate::config::{Redact, RedactedAddress, Text};
use crate::head::Kept;
use crate::percent;

/// What stands in the place of a secret.
pub(crate) const REDACTED: &[u8] = b"REDACTED";

/// What is to be kept out.
#[derive(Clone, Debug)]
pub struct Redaction {
    /// Names of the query, in lower case.
    query: Vec<Vec<u8>>,
    /// Names of headers, in lower case.
    headers: Vec<String>,
    address: RedactedAddress,
}

impl Redaction {
    /// Takes what was configured.
    pub fn new(settings: &Redact) -> Self {
        let lower = |name: &Text| name.as_str().to_ascii_lowercase().into_bytes();
        Self {
            query: settings.query.0.iter().map(lower).collect(),
            headers: settings
                .headers
                .0
                .iter()
                .map(|name| name.as_str().to_ascii_lowercase())
                .collect(),
            address: settings.client_ip,
        }
    }

    /// Whether a header with this name may be captured.
    pub(crate) fn captures(&self, name: &[u8]) -> bool {
        !self.headers.iter().any(|header| header.as_bytes().eq_ignore_ascii_case(name))
    }

    /// A header's value as it may be shown.
    pub(crate) fn value<'a>(&self, value: &'a [u8]) -> std::borrow::Cow<'a, [u8]> {
        std::borrow::Cow::Borrowed(value)
    }

    /// A query without the values of secret parameters, and no longer than `longest`. A parameter begins
    /// behind `&`, or behind `;` as some frameworks have it. A secret ends at `&` only: better to hide too
    /// much than half of it.
    pub(crate) fn query(&self, query: &[u8], longest: usize) -> Kept {
        let mut kept = Vec::with_capacity(query.len().min(longest));
        let mut rest = query;
        while !rest.is_empty() && kept.len() <= longest {
            let (name, behind) = split_at_any(rest, b"=&;");
            kept.extend_from_slice(name);
            rest = behind;
            if let Some(value) = behind.strip_prefix(b"=") {
                let secret = self.is_secret(name);
                let (value, behind) = split_at_any(value, if secret { b"&" } else { b"&;" });
                kept.push(b'=');
                kept.extend_from_slice(if secret { REDACTED } else { value });
                rest = behind;
            }
            if let Some((&separator, behind)) = rest.split_first() {
                kept.push(separator);
                rest = behind;
            }
        }
        Kept::of(kept, longest)
    }

    /// The address as it may be shown.
    pub(crate) fn address(&self, address: IpAddr) -> Option<IpAddr> {
        match (self.address, address.to_canonical()) {
            (RedactedAddress::None, _) => Some(address),
            (RedactedAddress::Drop, _) => None,
            (RedactedAddress::Truncate, IpAddr::V4(address)) => {
                Some(Ipv4Addr::from_bits(address.to_bits() & !0xff).into())
            }
            (RedactedAddress::Truncate, IpAddr::V6(address)) => {
                let network = address.to_bits() & !(u128::MAX >> 48);
                Some(std::net::Ipv6Addr::from_bits(network).into())
            }
        }
    }

    /// The name as an app reads it, decoded, in any case.
    fn is_secret(&self, name: &[u8]) -> bool {
        let decoded = || percent::Decoded::new(name).map(|byte| byte.to_ascii_lowercase());
        self.query.iter().any(|secret| decoded().eq(secret.iter().copied()))
    }
}

/// Before the first of these bytes, and from it on.
fn split_at_any<'a>(text: &'a [u8], ends: &[u8]) -> (&'a [u8], &'a [u8]) {
    let end = text.iter().position(|byte| ends.contains(byte)).unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;

    fn redaction(said: &str) -> Redaction {
        let said = format!(r#"{{"access_log": {{"redact": {said}}}}}"#);
        Redaction::new(&config::read(said.as_bytes()).unwrap().access_log.redact)
    }

    #[test]
    fn values_of_secret_parameters_are_left_out() {
        let redaction = redaction("{}");
        for (query, expected) in [
            ("", ""),
            ("a=b", "a=b"),
            ("token=x", "token=REDACTED"),
            ("a=b&token=x&c=d", "a=b&token=REDACTED&c=d"),
            ("TOKEN=x", "TOKEN=REDACTED"),
            ("%74o%6Ben=x", "%74o%6Ben=REDACTED"),
            ("x-amz-signature=ab%20c", "x-amz-signature=REDACTED"),
            ("a=b;token=x", "a=b;token=REDACTED"),
            ("token=x;y&a=b", "token=REDACTED&a=b"),
            ("token=a=b", "token=REDACTED"),
            ("token=", "token=REDACTED"),
            ("token", "token"),
            ("token&a=b", "token&a=b"),
            ("=x&&;=", "=x&&;="),
            ("tokens=x&xtoken=y", "tokens=x&xtoken=y"),
            ("token=x&token=y", "token=REDACTED&token=REDACTED"),
        ] {
            let kept = redaction.query(query.as_bytes(), 100);
            assert_eq!(String::from_utf8(kept.bytes).unwrap(), expected, "{query}");
        }
    }

    #[test]
    fn a_list_of_ones_own_replaces_the_default() {
        let redaction = redaction(r#"{"query": ["Session Key"]}"#);
        let kept = redaction.query(b"session%20key=x&token=y", 100);
        assert_eq!(kept.bytes, b"session%20key=REDACTED&token=y");
    }

    #[test]
    fn what_is_cut_shows_no_secret() {
        let query = format!("a={}&token=secret", "x".repeat(50));
        for longest in 0..query.len() + 10 {
            let kept = redaction("{}").query(query.as_bytes(), longest);
            assert!(kept.bytes.len() <= longest, "{longest}");
            assert!(!kept.bytes.windows(3).any(|part| part == b"sec"), "{longest}");
            assert_eq!(kept.cut, longest < query.len() + 2, "{longest}");
        }
    }

    #[test]
    fn addresses_are_shown_as_far_as_they_may_be() {
        for (said, address, expected) in [
            ("none", "192.0.2.77", Some("192.0.2.77")),
            ("none", "::ffff:192.0.2.77", Some("::ffff:192.0.2.77")),
            ("drop", "192.0.2.77", None),
            ("truncate", "192.0.2.77", Some("192.0.2.0")),
            ("truncate", "::ffff:192.0.2.77", Some("192.0.2.0")),
            ("truncate", "2001:db8:1:2:3:4:5:6", Some("2001:db8:1::")),
        ] {
            let redaction = redaction(&format!(r#"{{"client_ip": "{said}"}}"#));
            let shown = redaction.address(address.parse().unwrap());
            assert_eq!(shown.map(|it| it.to_string()).as_deref(), expected, "{said} {address}");
        }
    }
}
