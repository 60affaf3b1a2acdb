//! What is kept out of lines and spans: secret parameters, names and passwords in URLs, certain headers,
//! parts of an address.
//!
//! How a secret is found in a text is in `redact/search.rs`. Secret parameters of a *route* are in `route/`,
//! because only templates know where they are.

mod search;

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr};

use crate::config::{Redact, RedactedAddress, Token};
use crate::head::Kept;

use search::{Names, may_hold, split_at_any};

/// What stands in the place of a secret.
pub(crate) const REDACTED: &[u8] = b"REDACTED";

/// Headers in which proxies say where a client is, or who.
const ADDRESS_HEADERS: [&str; 13] = [
    "cf-connecting-ip",
    "cf-connecting-ipv6",
    "fastly-client-ip",
    "forwarded",
    "true-client-ip",
    "x-client-ip",
    "x-cluster-client-ip",
    "x-envoy-external-address",
    "x-envoy-peer-metadata",
    "x-forwarded",
    "x-forwarded-for",
    "x-original-forwarded-for",
    "x-real-ip",
];

/// What is to be kept out.
#[derive(Clone, Debug)]
pub struct Redaction {
    names: Names,
    headers: Vec<Token>,
    address: RedactedAddress,
}

impl Redaction {
    /// Takes what was configured.
    pub fn new(settings: &Redact) -> Self {
        Self {
            names: Names::new(&settings.query.0),
            headers: settings.headers.0.clone(),
            address: settings.client_ip,
        }
    }

    /// Whether the values of a header may be kept. Where addresses may not be shown whole, those may not in
    /// which proxies write them.
    pub fn captures(&self, name: &[u8]) -> bool {
        let is = |other: &str| other.as_bytes().eq_ignore_ascii_case(name);
        let shows_addresses = self.address == RedactedAddress::None;
        !self.headers.iter().any(|secret| is(secret.as_str()))
            && (shows_addresses || !ADDRESS_HEADERS.into_iter().any(is))
    }

    /// A query without secrets, and no longer than `longest`.
    ///
    /// A secret ends at `&` only, although some frameworks have `;` between parameters too, and although what
    /// holds it may go on behind it: better to hide too much than half of it.
    pub(crate) fn query(&self, query: &[u8], longest: usize) -> Kept {
        let mut kept = Vec::with_capacity(query.len().min(longest));
        let mut rest = query;
        while !rest.is_empty() && kept.len() <= longest {
            let (piece, behind) = split_at_any(rest, b"&");
            let shown = self.secret_in(piece).and_then(|at| piece.get(..at));
            kept.extend_from_slice(shown.unwrap_or(piece));
            kept.extend_from_slice(shown.map_or(b"", |_| REDACTED));
            rest = behind;
            if let Some((&separator, behind)) = rest.split_first() {
                kept.push(separator);
                rest = behind;
            }
        }
        Kept::of(kept, longest)
    }

    /// A path without secrets: the name and the password of a URL in it, and matrix parameters
    /// (`/a;token=x`). From the first one on nothing is shown, because nobody knows where it ends: what looks
    /// like the next segment can be a part of a URL's query.
    pub(crate) fn path<'a>(&self, path: &'a [u8]) -> Cow<'a, [u8]> {
        self.value(path)
    }

    /// A value of a header or of baggage, shown up to the first secret in it.
    pub(crate) fn value<'a>(&self, value: &'a [u8]) -> Cow<'a, [u8]> {
        if !may_hold(value) {
            return Cow::Borrowed(value);
        }
        match self.names.first_secret(value).and_then(|at| value.get(..at)) {
            Some(shown) => Cow::Owned([shown, REDACTED].concat()),
            None => Cow::Borrowed(value),
        }
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

    /// Where the secret of one piece of a query begins. Nearly all of them are a plain name and a plain
    /// value, and are not looked at twice.
    fn secret_in(&self, piece: &[u8]) -> Option<usize> {
        let (name, value) = split_at_any(piece, b"=");
        let is_plain = !name.iter().any(|byte| b"%@".contains(byte));
        match value.split_first() {
            Some((_, value)) if is_plain && !may_hold(value) => {
                self.names.has(name).then_some(name.len() + 1)
            }
            None if is_plain => None,
            _ => self.names.first_secret(piece),
        }
    }
}

#[cfg(test)]
mod tests;
