//! Filter state: what modules put into it under names of their own, and the objects that Envoy
//! itself knows the names of, which a module sets by `set_envoy_filter_state`.
//!
//! The objects are those of Envoy 1.40 that were found to be settable there; `envoy.bool` is not in
//! 1.36. An object is kept here as the text that Envoy writes in an access log.

use std::net::{IpAddr, SocketAddr};

/// What Envoy makes of the bytes under a name that it knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Object {
    Text,
    /// A number that is no larger.
    Number(u64),
    Bool,
    /// True is `true`, and all else is false.
    Flag,
    /// An address without a port.
    Ip,
    /// An address with a port.
    Address,
    /// Something that takes any bytes and does not tell them.
    Unreadable,
}

const OBJECTS: [(&str, Object); 17] = [
    ("envoy.bool", Object::Bool),
    ("envoy.filters.listener.original_dst.local_ip", Object::Address),
    ("envoy.filters.listener.original_dst.remote_ip", Object::Address),
    ("envoy.hashable_string", Object::Text),
    ("envoy.network.application_protocols", Object::Unreadable),
    ("envoy.network.ip", Object::Ip),
    ("envoy.network.network_namespace", Object::Text),
    ("envoy.network.transport_socket.original_dst_address", Object::Address),
    ("envoy.network.upstream_server_name", Object::Text),
    ("envoy.network.upstream_subject_alt_names", Object::Text),
    ("envoy.ratelimit.hits_addend", Object::Number(u32::MAX as u64)),
    ("envoy.string", Object::Text),
    ("envoy.tcp_proxy.cluster", Object::Text),
    ("envoy.tcp_proxy.disable_tunneling", Object::Flag),
    ("envoy.tcp_proxy.per_connection_idle_timeout_ms", Object::Number(u64::MAX)),
    ("envoy.upstream.dynamic_host", Object::Text),
    ("envoy.upstream.dynamic_port", Object::Number(u32::MAX as u64)),
];

/// The name under which a module's own state is.
pub(crate) fn of_modules(name: &[u8]) -> Vec<u8> {
    [b"wasm.", name].concat()
}

/// What Envoy knows to be under this name.
pub(crate) fn object(name: &[u8]) -> Option<Object> {
    OBJECTS.iter().find(|(known, _)| known.as_bytes() == name).map(|(_, object)| *object)
}

impl Object {
    /// The object as text, unless the bytes are no such object.
    pub(crate) fn parse(self, text: &str) -> Option<String> {
        Some(match self {
            Self::Text | Self::Unreadable => text.to_owned(),
            Self::Number(most) => {
                let number: u64 = text.trim_ascii().parse().ok()?;
                (number <= most).then(|| number.to_string())?
            }
            Self::Bool => truth(text)?.to_string(),
            Self::Flag => (text == "true").to_string(),
            Self::Ip => SocketAddr::new(text.parse::<IpAddr>().ok()?, 0).to_string(),
            Self::Address => text.parse::<SocketAddr>().ok()?.to_string(),
        })
    }
}

fn truth(text: &str) -> Option<bool> {
    let is = |words: [&str; 5]| words.iter().any(|word| word.eq_ignore_ascii_case(text));
    if is(["true", "t", "yes", "y", "1"]) {
        return Some(true);
    }
    is(["false", "f", "no", "n", "0"]).then_some(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_are_what_envoy_makes_of_their_bytes() {
        let rows = [
            ("envoy.string", "x", Some("x")),
            ("envoy.bool", "True", Some("true")),
            ("envoy.bool", "0", Some("false")),
            ("envoy.bool", "x", None),
            ("envoy.tcp_proxy.disable_tunneling", "x", Some("false")),
            ("envoy.tcp_proxy.disable_tunneling", "true", Some("true")),
            ("envoy.ratelimit.hits_addend", " 5 ", Some("5")),
            ("envoy.ratelimit.hits_addend", "4294967296", None),
            ("envoy.upstream.dynamic_port", "70000", Some("70000")),
            ("envoy.tcp_proxy.per_connection_idle_timeout_ms", "4294967296", Some("4294967296")),
            ("envoy.tcp_proxy.per_connection_idle_timeout_ms", "-1", None),
            ("envoy.network.ip", "1.2.3.4", Some("1.2.3.4:0")),
            ("envoy.network.ip", "::1", Some("[::1]:0")),
            ("envoy.network.ip", "1.2.3.4:80", None),
            ("envoy.filters.listener.original_dst.local_ip", "1.2.3.4:80", Some("1.2.3.4:80")),
            ("envoy.filters.listener.original_dst.local_ip", "1.2.3.4", None),
        ];
        for (name, text, expected) in rows {
            let parsed = object(name.as_bytes()).unwrap().parse(text);
            assert_eq!(parsed.as_deref(), expected, "{name} {text}");
        }
    }
}
