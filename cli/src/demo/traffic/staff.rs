//! Those who have an account, and those who work in the back office.

use serde_json::json;

use super::client::Client;
use crate::http::Request;

const HANDLES: [&str; 4] = ["ada-lovelace", "tea-lover", "sen-no-rikyu", "night-owl"];
const MODELS: [&str; 3] = ["shop/product", "shop/supplier", "auth/user"];

/// Logs in and looks after an account.
pub(super) fn member(client: &mut Client) -> Option<()> {
    let accounts = client.fronts().accounts;
    log_in(client)?;
    let user = format!("/users/{}", client.dice.between(1, 5_100));
    client.get(accounts, &user)?;
    let avatar = Request::get(format!("{user}/avatar"));
    // Most have it from the last time.
    let is_fresh = client.dice.percent(60);
    let avatar = if is_fresh { avatar.field("if-none-match", etag(&user)) } else { avatar };
    client.send(accounts, avatar)?;
    client.get(accounts, format!("{user}/addresses"))?;
    match client.dice.below(8) {
        0 => _ = client.json(accounts, "PATCH", &user, &json!({"name": "Ada"}))?,
        1 => {
            let address = client.dice.uuid();
            client.get(accounts, format!("{user}/addresses/{address}"))?;
        }
        2 => {
            let day = client.dice.day();
            client.get(accounts, format!("{user}/logins/{day}"))?;
        }
        3 => {
            let name = client.dice.hex(3);
            client.get(accounts, format!("/by-email/{name}@example.org"))?;
        }
        4 => {
            let (handle, number) = (client.dice.pick(&HANDLES), client.dice.below(90));
            client.get(accounts, format!("/profiles/{handle}-{number}"))?;
        }
        5 => {
            let number = client.dice.between(1, 5_000);
            client.send(accounts, Request::new("HEAD", format!("/u/{number}")))?;
        }
        6 => sign_up(client)?,
        _ => {
            let export = client.dice.uuid();
            client.get(accounts, format!("/exports/{export}"))?;
        }
    }
    Some(())
}

/// The accounts tag an avatar with the number of its user.
fn etag(user: &str) -> String {
    format!("\"{}\"", user.trim_start_matches("/users/"))
}

fn log_in(client: &mut Client) -> Option<()> {
    let accounts = client.fronts().accounts;
    let password = if client.dice.percent(10) { "coffee" } else { "tea" };
    let said = if client.dice.percent(3) {
        json!({"password": password})
    } else {
        json!({"user": client.dice.hex(4), "password": password})
    };
    client.json(accounts, "POST", "/login", &said)?;
    let session = client.dice.hex(32);
    client.get(accounts, format!("/sessions/{session}")).map(drop)
}

fn sign_up(client: &mut Client) -> Option<()> {
    let accounts = client.fronts().accounts;
    let who = if client.dice.percent(40) { "taken".to_owned() } else { client.dice.hex(4) };
    let said = json!({"email": format!("{who}@example.org")});
    client.json(accounts, "POST", "/users", &said).map(drop)
}

/// Sees to invoices and reports.
pub(super) fn clerk(client: &mut Client) -> Option<()> {
    let office = client.fronts().backoffice;
    let is_staff = !client.dice.percent(10);
    let with =
        |request: Request| if is_staff { request.field("cookie", "staff=yes") } else { request };
    if client.dice.percent(30) {
        client.get(office, "/staff/login/")?;
        client.send(office, Request::post("/staff/login/").body("user=ada"))?;
    }
    client.send(office, with(Request::get("/staff/")))?;
    let (model, key) = (client.dice.pick(&MODELS), client.dice.between(1, 400));
    client.send(office, with(Request::get(format!("/staff/{model}/"))))?;
    client.send(office, with(Request::get(format!("/staff/{model}/{key}/change/"))))?;
    for _ in 0..client.dice.between(1, 4) {
        paperwork(client)?;
    }
    Some(())
}

fn paperwork(client: &mut Client) -> Option<()> {
    let office = client.fronts().backoffice;
    let path = match client.dice.below(10) {
        0 | 1 => format!("/invoices/{}/", client.dice.between(1, 92_000)),
        2 => format!("/invoices/{}/pdf/", client.dice.between(1, 90_000)),
        3 => format!("/invoices/{}/", client.dice.uuid()),
        4 => format!("/customers/{}-{}/", client.dice.pick(&HANDLES), client.dice.below(30)),
        // Without the slash, which Django adds by a redirect.
        5 => format!("/reports/{}/{}", client.dice.between(2024, 2026), client.dice.between(1, 12)),
        6 => {
            format!("/reports/{}/{}/", client.dice.between(2024, 2026), client.dice.between(1, 12))
        }
        7 => {
            format!("/reports/{}-q{}/", client.dice.between(2024, 2026), client.dice.between(1, 4))
        }
        8 => format!(
            "/archive/{}/letters/{}.txt",
            client.dice.between(2019, 2026),
            client.dice.hex(2)
        ),
        _ => return report(client),
    };
    client.get(office, path).map(drop)
}

/// A table, and a job that turns out to have ended.
fn report(client: &mut Client) -> Option<()> {
    let office = client.fronts().backoffice;
    client.get(office, "/reports/sales-by-leaf.csv")?;
    client.send(office, Request::post("/jobs/").body("report=sales"))?;
    let job = client.dice.uuid();
    client.get(office, format!("/jobs/{job}/"))?;
    client.send(office, Request::new("DELETE", format!("/jobs/{job}/"))).map(drop)
}
