//! What the demo's clients ask for: what goes well, what does not, what takes a while, and callers
//! with and without a request ID and a trace of their own.

use crate::http::Request;

/// To be sent in this order, over and over.
pub(super) fn requests() -> Vec<Request> {
    vec![
        Request::get("/"),
        Request::get("/users/7"),
        Request::get("/users/42?verbose=1")
            .field("x-request-id", "9d1f2e1c-6f3b-4a55-9f5e-0c8a4f1b7d21"),
        Request::post("/orders")
            .field("content-type", "application/json")
            .body(r#"{"item": "tea", "count": 2}"#),
        Request::get("/users/404"),
        Request::get("/slow?ms=300"),
        Request::get("/users/1001")
            .field("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
            .field("tracestate", "shop=1"),
        Request::get("/boom"),
        Request::get("/no/such/page"),
        Request::get("/users/abc")
            .field("x-request-id", "mobile-7731")
            .field("user-agent", "shop-app/3.1"),
    ]
}
