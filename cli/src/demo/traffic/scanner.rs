//! A scanner: tries what other people's software is known to leave open.

use super::client::Client;
use crate::http::Request;

const USER_AGENT: &str = "Mozilla/5.0 zgrab/0.x";

const PATHS: [&str; 16] = [
    "/wp-login.php",
    "/.env",
    "/.git/config",
    "/phpmyadmin/index.php",
    "/actuator/env",
    "/cgi-bin/.%2e/.%2e/.%2e/bin/sh",
    "/../../../etc/passwd",
    "/static/..%2f..%2f..%2fetc%2fpasswd",
    "/solr/admin/info/system?wt=json",
    "/users/1%27%20OR%20%271%27=%271",
    "/api/products/%3Cscript%3Ealert(1)%3C/script%3E",
    "/%E2%80%AEgnp.exe",
    "/vendor/phpunit/phpunit/src/Util/PHP/eval-stdin.php",
    "/backup.zip",
    "//evil.example/%2f..",
    "/index.php?s=/Index/%5Cthink%5Capp/invokefunction",
];

const METHODS: [&str; 5] = ["TRACE", "PROPFIND", "OPTIONS", "DEBUG", "get"];

/// Long enough to be cut wherever it is written.
const LONG: usize = 5_000;

pub(super) fn errand(client: &mut Client) -> Option<()> {
    client.call_itself(USER_AGENT);
    let fronts = client.fronts().all();
    let front = *client.dice.pick(&fronts.each_ref());
    for _ in 0..client.dice.between(3, 8) {
        let path = client.dice.pick(&PATHS);
        client.get(front, path)?;
    }
    let method = client.dice.pick(&METHODS);
    client.send(front, Request::new(method, "/"))?;
    if client.dice.percent(50) {
        client.get(front, format!("/{}", "a".repeat(LONG)))?;
    }
    Some(())
}
