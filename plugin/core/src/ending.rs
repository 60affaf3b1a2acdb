//! How a request ended, as far as only the host can know: why there was no proper answer.

/// What a host says of a request that is over. Only what was asked for is there.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ending {
    /// Why the proxy answered itself, or cut the exchange short.
    pub flags: Flags,
    /// The status of a gRPC call, from the trailers.
    pub grpc_status: Option<u32>,
    /// The address and the port of the connection's other end, as the host writes them.
    pub peer: Option<Box<[u8]>>,
    /// The protocol, `HTTP/1.1`, as the host writes it.
    pub protocol: Option<Box<[u8]>>,
    /// The address and the port of the upstream that was chosen last.
    pub upstream: Option<Box<[u8]>>,
    /// Why the response is what it is, in the host's words.
    pub details: Option<Box<[u8]>>,
    /// The size of the request's body, as its head says, else as far as it came.
    pub request_bytes: Option<u64>,
    /// The size of the response's body, as far as it was sent.
    pub response_bytes: Option<u64>,
}

/// What only the host knows once a request is over. Each question has its price, so none is asked for
/// nothing. What a host does not know is left as it is here.
pub trait Witness {
    /// The response flags.
    fn flags(&self) -> Flags {
        Flags::default()
    }

    /// The status of a gRPC call, in the trailers.
    fn grpc_status(&self) -> Option<u32> {
        None
    }

    /// The address and the port of the connection's other end.
    fn peer(&self) -> Option<Box<[u8]>> {
        None
    }

    /// The protocol.
    fn protocol(&self) -> Option<Box<[u8]>> {
        None
    }

    /// The address and the port of the upstream that was chosen last.
    fn upstream(&self) -> Option<Box<[u8]>> {
        None
    }

    /// Why the response is what it is.
    fn details(&self) -> Option<Box<[u8]>> {
        None
    }

    /// The size of the request's body.
    fn request_bytes(&self) -> Option<u64> {
        None
    }

    /// The size of the response's body.
    fn response_bytes(&self) -> Option<u64> {
        None
    }
}

/// Envoy's response flags, a bit for each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags(pub u64);

/// Flags that name why something failed, the most telling first, by the number of their bit. Names are
/// Envoy's own.
const REASONS: [(u32, &str); 26] = [
    (2, "upstream_request_timeout"),
    (22, "duration_timeout"),
    (16, "stream_idle_timeout"),
    (19, "upstream_max_stream_duration_reached"),
    (1, "no_healthy_upstream"),
    (26, "dns_resolution_failed"),
    (5, "upstream_connection_failure"),
    (6, "upstream_connection_termination"),
    (4, "upstream_remote_reset"),
    (3, "local_reset"),
    (7, "upstream_overflow"),
    (23, "upstream_protocol_error"),
    (8, "no_route_found"),
    (24, "no_cluster_found"),
    (25, "overload_manager"),
    (27, "drop_overload"),
    (29, "unconditional_drop_overload"),
    (10, "fault_injected"),
    (11, "rate_limited"),
    (13, "rate_limit_service_error"),
    (12, "unauthorized_external_service"),
    (17, "invalid_envoy_request_headers"),
    (18, "downstream_protocol_error"),
    (14, "downstream_connection_termination"),
    (28, "downstream_remote_reset"),
    (15, "upstream_retry_limit_exceeded"),
];

/// Envoy's short names of all flags, in the order of their bits.
const NAMES: [&str; 30] = [
    "LH", "UH", "UT", "LR", "UR", "UF", "UC", "UO", "NR", "DI", "FI", "RL", "UAEX", "RLSE", "DC",
    "URX", "SI", "IH", "DPE", "UMSDR", "RFCF", "NFCF", "DT", "UPE", "NC", "OM", "DF", "DO", "DR",
    "UDO",
];

impl Flags {
    /// The client was gone before it had all of the answer.
    const CLIENT_GONE: u64 = 1 << 14 | 1 << 28;
    /// The answer was cut short by anybody else: timeouts, resets, errors of the protocol.
    const CUT_SHORT: u64 =
        1 << 2 | 1 << 3 | 1 << 4 | 1 << 6 | 1 << 16 | 1 << 19 | 1 << 22 | 1 << 23;

    /// Whether the host has nothing to say that has a name.
    #[inline]
    pub fn is_empty(self) -> bool {
        self.0 & ((1 << NAMES.len()) - 1) == 0
    }

    /// Writes the short names of what is set, `UF,URX`.
    #[inline(never)]
    pub(crate) fn write_names(self, out: &mut Vec<u8>) {
        let set = NAMES.iter().enumerate().filter(|(bit, _)| self.0 >> bit & 1 == 1);
        for (place, (_, name)) in set.enumerate() {
            if place > 0 {
                out.push(b',');
            }
            out.extend_from_slice(name.as_bytes());
        }
    }

    /// The reason in one word, if there is one.
    pub fn reason(self) -> Option<&'static str> {
        REASONS.iter().find(|(bit, _)| self.0 & 1 << bit != 0).map(|(_, name)| *name)
    }

    /// Whether an answer that had begun was not the app's whole answer.
    pub fn cut_short(self) -> bool {
        self.0 & Self::CUT_SHORT != 0
    }

    /// Whether the app's connection was closed, and nothing else is known to be wrong.
    pub fn upstream_closed(self) -> bool {
        self.0 == 1 << 6
    }

    /// Whether the client left.
    pub fn client_gone(self) -> bool {
        self.0 & Self::CLIENT_GONE != 0
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A host that knows nothing.
    pub(crate) struct Nothing;

    impl Witness for Nothing {}

    /// A host that knows everything.
    #[derive(Clone, Default)]
    pub(crate) struct Everything {
        pub(crate) flags: u64,
        pub(crate) details: Vec<u8>,
    }

    impl Witness for Everything {
        fn flags(&self) -> Flags {
            Flags(self.flags)
        }

        fn grpc_status(&self) -> Option<u32> {
            Some(14)
        }

        fn peer(&self) -> Option<Box<[u8]>> {
            Some(b"192.0.2.1:4711".as_slice().into())
        }

        fn protocol(&self) -> Option<Box<[u8]>> {
            Some(b"HTTP/1.1".as_slice().into())
        }

        fn upstream(&self) -> Option<Box<[u8]>> {
            Some(b"10.0.0.7:8000".as_slice().into())
        }

        fn details(&self) -> Option<Box<[u8]>> {
            Some(self.details.as_slice().into())
        }

        fn request_bytes(&self) -> Option<u64> {
            Some(17)
        }

        fn response_bytes(&self) -> Option<u64> {
            Some(18)
        }
    }

    #[test]
    fn flags_have_short_names_in_the_order_of_their_bits() {
        for (bits, names) in
            [(0, ""), (1, "LH"), (1 << 29, "UDO"), (1 << 5 | 1 << 15, "UF,URX"), (1 << 30, "")]
        {
            let mut out = Vec::new();
            Flags(bits).write_names(&mut out);
            assert_eq!(String::from_utf8_lossy(&out), names);
            assert_eq!(Flags(bits).is_empty(), names.is_empty(), "{bits:#x}");
        }
    }

    #[test]
    fn the_most_telling_reason_is_named() {
        for (bits, reason, cut_short, client_gone) in [
            (0, None, false, false),
            (1 << 2, Some("upstream_request_timeout"), true, false),
            (1 << 5 | 1 << 15, Some("upstream_connection_failure"), false, false),
            (1 << 15, Some("upstream_retry_limit_exceeded"), false, false),
            (1 << 6, Some("upstream_connection_termination"), true, false),
            (1 << 14, Some("downstream_connection_termination"), false, true),
            (1 << 28, Some("downstream_remote_reset"), false, true),
            (1 << 9, None, false, false),
            (u64::MAX, Some("upstream_request_timeout"), true, true),
        ] {
            let flags = Flags(bits);
            assert_eq!(
                (flags.reason(), flags.cut_short(), flags.client_gone()),
                (reason, cut_short, client_gone),
                "{bits:#x}"
            );
        }
    }
}
