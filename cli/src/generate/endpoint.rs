//! Where somebody listens: `HOST:PORT`. Whether anybody does is not asked.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;
use std::{error, fmt};

/// A host and a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// The host.
    pub host: Host,
    /// The port. Never 0.
    pub port: u16,
}

/// A machine, as it is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Host {
    /// By its address.
    Address(IpAddr),
    /// By a name that is looked up.
    Name(String),
}

/// What was written is no endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotAnEndpoint(String);

impl Endpoint {
    /// A port of this machine.
    pub fn local(port: u16) -> Self {
        Self { host: Host::Address(Ipv4Addr::LOCALHOST.into()), port }
    }

    /// Whether a connection there comes to whoever listens on this address.
    pub fn is_served_by(&self, listener: SocketAddr) -> bool {
        let Host::Address(host) = self.host else { return false };
        let everywhere = listener.ip().is_unspecified() && host.is_loopback();
        self.port == listener.port() && (host == listener.ip() || everywhere)
    }
}

impl FromStr for Endpoint {
    type Err = NotAnEndpoint;

    fn from_str(text: &str) -> Result<Self, NotAnEndpoint> {
        let read = || {
            let (host, port) = text.rsplit_once(':')?;
            let port = port.parse().ok().filter(|&port| port != 0)?;
            Some(Self { host: Host::read(host)?, port })
        };
        read().ok_or_else(|| NotAnEndpoint(text.to_owned()))
    }
}

impl Host {
    fn read(text: &str) -> Option<Self> {
        if let Some(address) = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            return address.parse::<Ipv6Addr>().ok().map(|address| Self::Address(address.into()));
        }
        if let Ok(address) = text.parse::<Ipv4Addr>() {
            return Some(Self::Address(address.into()));
        }
        let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
        let is_name =
            text.bytes().all(is_letter) && text.bytes().any(|byte| byte.is_ascii_alphabetic());
        is_name.then(|| Self::Name(text.to_owned()))
    }
}

impl From<SocketAddr> for Endpoint {
    fn from(address: SocketAddr) -> Self {
        Self { host: Host::Address(address.ip()), port: address.port() }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            Host::Address(IpAddr::V6(address)) => write!(f, "[{address}]:{}", self.port),
            Host::Address(IpAddr::V4(address)) => write!(f, "{address}:{}", self.port),
            Host::Name(name) => write!(f, "{name}:{}", self.port),
        }
    }
}

/// As it stands in Envoy's configuration, without the port.
impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => address.fmt(f),
            Self::Name(name) => f.write_str(name),
        }
    }
}

impl fmt::Display for NotAnEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "`{}` is no host and port: write them as in 127.0.0.1:8000, [::1]:8000 or app:8000",
            self.0
        )
    }
}

impl error::Error for NotAnEndpoint {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_names_are_read_and_told_as_written() {
        for text in ["127.0.0.1:8000", "[::1]:1", "app:65535", "a.b-c_d.svc:80", "1password:80"] {
            assert_eq!(
                text.parse::<Endpoint>().map(|endpoint| endpoint.to_string()),
                Ok(text.to_owned())
            );
        }
        assert!(matches!("10.0.0.1:1".parse::<Endpoint>().unwrap().host, Host::Address(_)));
        assert!(matches!("localhost:1".parse::<Endpoint>().unwrap().host, Host::Name(_)));
    }

    #[test]
    fn anything_else_is_refused_with_the_value_and_the_form() {
        for text in [
            "",
            "app",
            "app:",
            ":80",
            "app:0",
            "app:65536",
            "::1:80",
            "1.2.3:4",
            "a b:80",
            "a\n:1",
            "[app]:1",
            "http://a:80",
        ] {
            let refused = text.parse::<Endpoint>().expect_err(text).to_string();
            assert!(refused.starts_with(&format!("`{text}` is no host and port: ")), "{refused}");
        }
    }

    #[test]
    fn who_serves_an_endpoint() {
        for (endpoint, listener, expected) in [
            ("127.0.0.1:8080", "0.0.0.0:8080", true),
            ("127.0.0.1:8080", "[::]:8080", true),
            ("127.0.0.1:8080", "127.0.0.1:8080", true),
            ("127.0.0.1:8080", "127.0.0.1:8081", false),
            ("127.0.0.1:8080", "10.0.0.1:8080", false),
            ("10.0.0.2:8080", "0.0.0.0:8080", false),
            ("app:8080", "0.0.0.0:8080", false),
        ] {
            let served =
                endpoint.parse::<Endpoint>().unwrap().is_served_by(listener.parse().unwrap());
            assert_eq!(served, expected, "{endpoint} by {listener}");
        }
    }
}
