//! What the benches measure with: heads of requests as they come in the wild.
//!
//! The benches themselves are in `benches/`.

pub mod allocations;
pub mod catalogue;
pub mod flood;
pub mod overhead;
pub mod report;
pub mod rounds;
mod silent;

pub use silent::Silent;

use sightline_core::Pair;

/// A browser's request, as Envoy hands it over.
pub const REQUEST: [Pair<'static>; 10] = [
    (b":authority", b"shop.example.com"),
    (b":path", b"/api/v1/users/123456/orders?limit=20"),
    (b":method", b"GET"),
    (b":scheme", b"https"),
    (b"user-agent", b"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)"),
    (b"accept", b"application/json"),
    (b"x-forwarded-for", b"203.0.113.7"),
    (b"x-forwarded-proto", b"https"),
    (b"x-request-id", b"6c41b4ca-90c1-4a9e-a6a1-b1a9d1b9a0d3"),
    (b"traceparent", b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
];

/// Its response.
pub const RESPONSE: [Pair<'static>; 5] = [
    (b":status", b"200"),
    (b"content-type", b"application/json"),
    (b"content-length", b"431"),
    (b"server", b"uvicorn"),
    (b"x-envoy-upstream-service-time", b"3"),
];

/// A GET by Chrome, as it goes over the wire, in a trace that is not sampled.
pub const CHROME: [Pair<'static>; 11] = [
    (b":authority", b"shop.example.com"),
    (b":path", b"/api/v1/users/123456/orders?limit=20&after=2026-11-21"),
    (b":method", b"GET"),
    (b":scheme", b"http"),
    (
        b"user-agent",
        b"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
    ),
    (b"accept", b"application/json"),
    (b"accept-encoding", b"gzip, deflate, br, zstd"),
    (b"accept-language", b"en-GB,en;q=0.9"),
    (b"referer", b"https://shop.example.com/account"),
    (b"x-request-id", b"6c41b4ca-90c1-4a9e-a6a1-b1a9d1b9a0d3"),
    (b"traceparent", b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"),
];
