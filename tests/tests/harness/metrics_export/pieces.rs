//! Of very many series an export takes several requests.

use super::*;

/// With what is around a piece.
const LONGEST: usize = 132 * 1024;
/// Of the VM that tells of 2,000 series.
const MOST_GROWTH: usize = 5 << 20;
const ROUTES: usize = 1_000;

fn many(temporality: &str) -> (Host, Backend) {
    let backend = Backend::new("http");
    let templates: Vec<_> =
        (0..ROUTES).map(|number| format!(r#""/templates/of/{number}""#)).collect();
    let routes = format!(r#"{{"routes": {{"templates": [{}]}}, "#, templates.join(","));
    let configuration = telling("http", temporality).replacen('{', &routes, 1);
    let world = World::seeded(7).cluster("collector", backend.cluster());
    (filter_in(world, &configuration), backend)
}

fn visit_all(host: &mut Host) -> u64 {
    for number in 0..ROUTES {
        let request = Request::get(format!("/templates/of/{number}"));
        host.request(request).unwrap();
    }
    ROUTES as u64
}

#[test]
fn every_request_is_of_a_size_that_collectors_take() {
    let (mut host, backend) = many("cumulative");
    let sent = visit_all(&mut host);
    // Spans are gone by then.
    pass(&mut host, Duration::from_secs(9));
    let before = host.memory_bytes();
    pass(&mut host, INTERVAL);
    let grown = host.memory_bytes();
    assert!(grown - before < MOST_GROWTH, "{}", grown - before);
    pass(&mut host, INTERVAL * 9);
    assert_eq!(host.memory_bytes(), grown, "every export takes what the first one took");
    assert_eq!(backend.last(DURATION), sent);
    assert!(backend.sizes().iter().all(|size| *size <= LONGEST), "{:?}", backend.sizes());
    assert!(backend.sizes().len() > 2, "{:?}", backend.sizes());
}

#[test]
fn what_a_collector_refuses_of_several_is_counted_and_the_rest_is_told_once() {
    let (mut host, backend) = many("delta");
    let sent = visit_all(&mut host);
    pass(&mut host, INTERVAL + Duration::from_secs(1));
    assert_eq!(backend.sum(DURATION), sent);
    let again = visit_all(&mut host);
    backend.script([Does::Fail, Does::Take, Does::Refuse]);
    pass(&mut host, INTERVAL * 2);
    visit_all(&mut host);
    pass(&mut host, INTERVAL * 2);
    let told = backend.sum(DURATION) + backend.sum("sightline.http.time_to_first_byte");
    let all = 2 * (sent + again + ROUTES as u64);
    assert_eq!(dropped(&host, "rejected"), 1, "{}", host.stats());
    // A piece is a part of the routes, and what was in it is gone.
    assert!(told < all && all - told < again, "{told} of {all}");
    assert_without_gap_between_exports(&backend);
}

/// All pieces of an export are of the same time.
fn assert_without_gap_between_exports(backend: &Backend) {
    let mut times = times(backend);
    times.sort_unstable();
    times.dedup();
    assert!(times.windows(2).all(|pair| pair[0].1 == pair[1].0), "{times:?}");
}

#[test]
fn what_a_collector_refuses_altogether_is_told_the_next_time() {
    let (mut host, backend) = many("delta");
    let sent = visit_all(&mut host);
    backend.does(Does::Refuse);
    pass(&mut host, INTERVAL * 2 + Duration::from_secs(1));
    backend.does(Does::Take);
    pass(&mut host, INTERVAL * 2);
    assert_eq!(backend.sum(DURATION), sent);
    assert!(dropped(&host, "rejected") > 2, "{}", host.stats());
}
