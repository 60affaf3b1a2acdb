//! A shopper: looks around, puts things into a cart, and mostly buys them.

use serde_json::{Value, json};

use super::client::Client;
use crate::http::Message;

const LEAVES: [&str; 9] = [
    "assam",
    "darjeeling",
    "earl-grey",
    "genmaicha",
    "jasmine",
    "lapsang",
    "oolong",
    "rooibos",
    "sencha",
];
const SIZES: [&str; 3] = ["50g", "100g", "250g"];
const CATEGORIES: [&str; 4] = ["black", "green", "others", "coffee"];

pub(super) fn errand(client: &mut Client) -> Option<()> {
    browse(client)?;
    if client.dice.percent(75) { buy(client) } else { Some(()) }
}

fn browse(client: &mut Client) -> Option<()> {
    let shop = client.fronts().shop;
    client.get(shop, "/")?;
    let page = client.dice.between(1, 3);
    client.get(shop, format!("/api/products?page={page}"))?;
    for _ in 0..client.dice.between(1, 3) {
        look_at(client)?;
    }
    match client.dice.below(4) {
        0 => {
            let leaf = client.dice.pick(&LEAVES);
            client.get(shop, format!("/search?q={leaf}"))?;
        }
        1 => {
            let category = client.dice.pick(&CATEGORIES);
            client.get(shop, format!("/api/categories/{category}"))?;
        }
        2 => {
            let day = client.dice.day();
            client.get(shop, format!("/deals/{day}"))?;
        }
        _ => {}
    }
    Some(())
}

fn look_at(client: &mut Client) -> Option<()> {
    let shop = client.fronts().shop;
    let product = product(client);
    client.get(shop, format!("/api/products/{product}"))?;
    client.get(shop, format!("/images/products/{product}/large.webp"))?;
    if client.dice.percent(40) {
        client.get(shop, format!("/api/products/{product}/reviews"))?;
    }
    Some(())
}

fn buy(client: &mut Client) -> Option<()> {
    let shop = client.fronts().shop;
    let cart = client.json(shop, "POST", "/api/carts", &json!({}))?;
    let cart = format!("/api/carts/{}", id_in(&cart)?);
    for _ in 0..client.dice.between(1, 3) {
        let product = product(client);
        // Somebody always wants none of it, which is no quantity.
        let quantity = if client.dice.percent(6) { 0 } else { client.dice.between(1, 5) };
        let item = json!({"quantity": quantity});
        client.json(shop, "PUT", format!("{cart}/items/{product}"), &item)?;
    }
    client.get(shop, &cart)?;
    if client.dice.percent(20) {
        let product = product(client);
        client.json(shop, "DELETE", format!("{cart}/items/{product}"), &json!({}))?;
    }
    check_out(client, &cart)
}

fn check_out(client: &mut Client, cart: &str) -> Option<()> {
    let shop = client.fronts().shop;
    let path = format!("{cart}/checkout");
    let payment = if client.dice.percent(8) { "voucher" } else { "card" };
    let order = json!({"user_id": client.dice.between(1, 5_050), "payment": payment});
    let answer = client.json(shop, "POST", &path, &order)?;
    if client.dice.percent(12) {
        // A double click.
        client.json(shop, "POST", &path, &order)?;
    }
    let number = body_of(&answer).get("order").and_then(Value::as_u64);
    let number = number.unwrap_or_else(|| client.dice.between(1, 9_999));
    client.get(shop, format!("/api/orders/{number}")).map(drop)
}

/// A product of the catalogue, but for a few that are no longer in it.
fn product(client: &mut Client) -> String {
    let leaf = if client.dice.percent(4) { "pu-erh" } else { client.dice.pick(&LEAVES) };
    format!("{leaf}-{}", client.dice.pick(&SIZES))
}

fn id_in(answer: &Message) -> Option<String> {
    body_of(answer)["id"].as_str().map(str::to_owned)
}

fn body_of(answer: &Message) -> Value {
    serde_json::from_slice(&answer.body).unwrap_or_default()
}
