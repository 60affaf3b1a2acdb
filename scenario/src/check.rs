//! What the types of a scenario allow and no host could run.

use std::time::Duration;

use super::exchange::{Answer, Protocol, Request};
use super::format::{Cluster, Route, Scenario, Step};

/// Longer than this no test waits.
const LONGEST: Duration = Duration::from_secs(2);

/// What is wrong with it first: the key, its value and what to do.
pub(super) fn problem(scenario: &Scenario) -> Option<String> {
    None.or_else(|| scenario.clusters.iter().find_map(|(name, cluster)| of_cluster(name, cluster)))
        .or_else(|| scenario.routes.iter().find_map(of_route))
        .or_else(|| scenario.steps.iter().find_map(of_step))
        .or_else(|| scenario.requests().into_iter().find_map(|it| of_request(it, scenario)))
        .or_else(|| {
            let drain = scenario.drain.filter(|drain| drain.subsec_nanos() > 0)?;
            Some(format!("drain: {drain:?} is none. Say whole seconds."))
        })
        .or_else(|| {
            let none = scenario.steps.is_empty() && scenario.expect.is_empty();
            none.then(|| "steps: there are none, and nothing is expected. Say one.".to_owned())
        })
}

fn of_cluster(name: &str, cluster: &Cluster) -> Option<String> {
    let said =
        [cluster.answer.is_some(), cluster.refuse, cluster.silent, cluster.reset, cluster.empty];
    let count = said.into_iter().filter(|&said| said).count();
    (count != 1).then(|| {
        format!(
            "clusters.{name}: {count} of answer, refuse, silent, reset and empty are said. Say one."
        )
    })
}

fn of_route(route: &Route) -> Option<String> {
    let shown = route.path.as_ref().or(route.prefix.as_ref()).map_or("?", String::as_str);
    if route.path.is_some() == route.prefix.is_some() {
        return Some(format!("routes: the one for `{shown}`: say either path or prefix."));
    }
    let ways = [
        route.direct.is_some(),
        route.redirect.is_some(),
        route.cluster.is_some(),
        route.upstream.is_some(),
    ];
    let many = ways.into_iter().filter(|&way| way).count() > 1;
    many.then(|| {
        format!("routes: `{shown}`: say at most one of direct, redirect, cluster and upstream.")
    })
}

fn of_step(step: &Step) -> Option<String> {
    match step {
        Step::Advance(time) if *time > LONGEST => {
            Some(format!("advance: {time:?} is too long for a test. Say at most {LONGEST:?}."))
        }
        Step::Together(requests) if requests.len() < 2 => {
            Some(format!("together: there are {} requests. Say at least two.", requests.len()))
        }
        _ => None,
    }
}

fn of_request(request: &Request, scenario: &Scenario) -> Option<String> {
    let plugins = scenario.also.len() + 1;
    let inner = || request.meanwhile.iter().find_map(of_step);
    let problem = if request.plugin >= plugins {
        format!("plugin: {} is not there; the last is {}.", request.plugin, plugins - 1)
    } else if request.protocol == Protocol::Http10 && !request.trailers.is_empty() {
        "trailers: HTTP/1.0 has none. Leave them out, or say another protocol.".to_owned()
    } else {
        of_answer(&request.upstream).or_else(inner)?
    };
    Some(format!("request {}: {problem}", request.path))
}

fn of_answer(answer: &Answer) -> Option<String> {
    let ways = [answer.reset.is_some(), answer.silent, answer.upgrade.is_some()];
    let many = ways.into_iter().filter(|&way| way).count() > 1;
    many.then(|| "upstream: say at most one of reset, silent and upgrade.".to_owned())
}
