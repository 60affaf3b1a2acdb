//! The status codes of gRPC.

const NAMES: [&str; 17] = [
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
];

/// The name of a code. Those that there are not count as `UNKNOWN`, as the protocol has it.
pub(crate) fn name(code: u32) -> &'static str {
    let known = usize::try_from(code).ok().and_then(|code| NAMES.get(code));
    known.copied().unwrap_or("UNKNOWN")
}

/// Whether the code says that the server failed: what OpenTelemetry has a server's span be an error for.
pub(crate) fn is_servers_fault(code: u32) -> bool {
    matches!(
        name(code),
        "UNKNOWN"
            | "DEADLINE_EXCEEDED"
            | "UNIMPLEMENTED"
            | "INTERNAL"
            | "UNAVAILABLE"
            | "DATA_LOSS"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_have_names_and_some_are_the_servers_fault() {
        for (code, expected, fault) in [
            (0, "OK", false),
            (2, "UNKNOWN", true),
            (5, "NOT_FOUND", false),
            (12, "UNIMPLEMENTED", true),
            (16, "UNAUTHENTICATED", false),
            (17, "UNKNOWN", true),
            (u32::MAX, "UNKNOWN", true),
        ] {
            assert_eq!((name(code), is_servers_fault(code)), (expected, fault), "{code}");
        }
    }
}
