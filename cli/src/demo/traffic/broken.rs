//! Clients that hang up, send half of it, or send what is no HTTP at all.

use super::client::Client;
use crate::http::Request;

/// More than Envoy takes in headers.
const TOO_MUCH: usize = 70_000;

pub(super) fn errand(client: &mut Client) -> Option<()> {
    let shop = client.fronts().shop;
    match client.dice.below(9) {
        0 | 1 => impatient(client),
        2 => client.hang_up_after(shop, b"GET /api/products HTTP/1.1\r\nhost: shop.exam"),
        3 => client.hang_up_after(
            shop,
            b"POST /api/carts HTTP/1.1\r\nhost: shop.example\r\ncontent-length: 100\r\n\r\n{\"a\"",
        ),
        // The beginning of TLS.
        4 => client.hang_up_after(shop, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
        5 => answered(client, Request::get("/").field("traceparent", "00-not-a-traceparent")),
        6 => answered(client, Request::get("/").field("cookie", "x".repeat(TOO_MUCH))),
        7 => answered(client, Request::get("/api/\x01products")),
        _ => {
            let odd = Request::get("/search?q=th%E9").field("referer", b"caf\xe9 \xff\xfe");
            answered(client, odd.field("x-request-id", b"\xf0\x28\x8c\x28"))
        }
    }
}

/// Does not wait for what takes a while.
fn impatient(client: &mut Client) -> Option<()> {
    let office = client.fronts().backoffice;
    let invoice = client.dice.between(1, 90_000);
    client.hang_up(office, Request::get(format!("/invoices/{invoice}/pdf/")))
}

fn answered(client: &mut Client, request: Request) -> Option<()> {
    let shop = client.fronts().shop;
    client.send(shop, request).map(drop)
}
