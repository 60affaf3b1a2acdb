//! Requests that are made to fill Envoy's memory: whatever they say, there are no more stats and series than the plan
//! allows, and each request is in one of them.

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};
use sightline_cli::wait;
use sightline_core::Rng;
use sightline_tests::{Configuration, Endpoint, Proxy, Samples};

const REQUESTS: usize = 100_000;
/// After so many there are as many series as there may be.
const FIRST: usize = 30_000;
const CLIENTS: usize = 8;
/// What one client sends before it reads the answers.
const BATCH: usize = 50;
const WORKERS: u32 = 2;
const SOON: Duration = Duration::from_secs(30);
/// As `Plan` has it for a configuration that says nothing of routes: as many with routes, and as many without.
const SERIES: usize = 2 * 2_000;
/// Series without method and status.
const FEW_MORE: usize = 50;
/// What Envoy itself may take meanwhile: buffers, and what its allocator keeps.
const SLACK: u64 = 16 << 20;

const COUNT: &str = "http_server_request_duration_seconds_count";
const TOTAL: &str = "sightline_http_requests_total";

/// What an Envoy holds.
#[derive(Debug)]
struct Held {
    /// Lines of its stats that are ours.
    stats: usize,
    allocated: u64,
    /// Series on the filter's own page.
    series: usize,
}

/// An app that answers each request with the status that its header says.
fn obedient() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            thread::spawn(move || obey(&connection));
        }
    });
    address
}

fn obey(connection: &TcpStream) {
    let mut status = b"200".to_vec();
    for line in BufReader::new(connection).split(b'\n') {
        let Ok(line) = line else { return };
        if let Some(said) = line.strip_prefix(b"x-status: ") {
            status = said.trim_ascii().to_vec();
        }
        if line == b"\r" {
            let head = [b"HTTP/1.1 ", &status[..], b" As told\r\ncontent-length: 0\r\n\r\n"];
            if (&mut { connection }).write_all(&head.concat()).is_err() {
                return;
            }
        }
    }
}

/// Sends so many requests that are all different, many before the first is answered.
fn attack(proxy: SocketAddr, requests: usize, seed: u8) {
    let mut rng = Rng::from_seed([seed; 32]);
    for _ in 0..requests / BATCH {
        let mut connection = TcpStream::connect(proxy).unwrap();
        let batch: String =
            (0..BATCH).map(|number| request(&mut rng, number + 1 == BATCH)).collect();
        connection.write_all(batch.as_bytes()).unwrap();
        let mut answers = Vec::new();
        connection.read_to_end(&mut answers).unwrap();
        let heads = answers.windows(9).filter(|window| window == b"HTTP/1.1 ").count();
        assert_eq!(heads, BATCH, "{}", String::from_utf8_lossy(&answers));
    }
}

fn request(rng: &mut Rng, is_last: bool) -> String {
    let methods = ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"];
    let mut below = |bound: usize| usize::try_from(rng.next_u64() % bound as u64).unwrap();
    let method = methods[below(methods.len())];
    let status = 200 + below(400);
    let mut request = format!("{method} ");
    for _ in 0..=below(6) {
        write!(request, "/{:x}{}", below(1 << 40), if below(2) == 0 { "" } else { "z" }).unwrap();
    }
    write!(request, "?{} HTTP/1.1\r\nhost: h{}\r\n", below(1 << 20), below(1 << 20)).unwrap();
    write!(request, "x-status: {status}\r\nx-{}: {}\r\n", below(1 << 20), below(1 << 20)).unwrap();
    if is_last {
        request.push_str("connection: close\r\n");
    }
    request + "\r\n"
}

fn held(proxy: &Proxy, endpoint: &Endpoint) -> Held {
    let stats = proxy.admin("/stats").lines().filter(|line| line.contains("sightline_")).count();
    let memory: Value = serde_json::from_str(&proxy.admin("/memory")).unwrap();
    let allocated = memory["allocated"].as_str().unwrap().parse().unwrap();
    Held { stats, allocated, series: endpoint.scrape().series(COUNT).len() }
}

fn whole(page: &Samples, name: &str) -> usize {
    format!("{}", page.sum(name, &[]).unwrap_or(0.0)).parse().unwrap()
}

#[test]
fn hostile_requests_are_all_counted_and_fill_nothing() {
    let endpoint = Endpoint::anywhere();
    let configuration = json!({"metrics": {"endpoint": endpoint.configuration()}});
    let proxy = Proxy::with_workers(WORKERS, |bootstrap| {
        let bootstrap = bootstrap.configuration(Configuration::Struct(configuration));
        endpoint.put_into(bootstrap.upstream(obedient()))
    });
    let before = held(&proxy, &endpoint);
    let address = proxy.address();
    let send = |requests: usize| {
        thread::scope(|scope| {
            for client in 0..CLIENTS {
                let seed = u8::try_from(client + requests % 97).unwrap();
                scope.spawn(move || attack(address, requests / CLIENTS, seed));
            }
        });
    };
    send(FIRST);
    let full = held(&proxy, &endpoint);
    send(REQUESTS - FIRST);
    let all = || (whole(&endpoint.scrape(), COUNT) >= REQUESTS).then_some(());
    wait::until("all to be counted", SOON, all).unwrap();
    let after = held(&proxy, &endpoint);
    println!("{before:?}, {full:?}, {after:?}");
    assert_eq!(whole(&endpoint.scrape(), COUNT), REQUESTS);
    assert_eq!(whole(&proxy.stats(), TOTAL), REQUESTS);
    assert!((SERIES / 2..=SERIES + FEW_MORE).contains(&after.series), "{after:?}");
    // A counter and a histogram for each series.
    assert!(after.stats <= 2 * SERIES + FEW_MORE, "{after:?}");
    assert!(
        full.stats - before.stats > SERIES / 2,
        "the attack does not reach the limit: {full:?}"
    );
    assert!(after.allocated <= full.allocated + SLACK, "{full:?} has become {after:?}");
}
