//! What a scenario says, in the harness's own terms: the world, plugins, requests and answers.

use std::time::Duration;

use serde_json::Value;
use sightline_host::{Cluster, Direction, Manager, Module, Plugin, Policy, Route, World};

use super::{Error, MOMENT, PATIENCE};
use crate::format::{Also, Bad, Before, Callbacks, Earlier};
use crate::script::Script;
use crate::{Answer, Leaves, Protocol, Request, Reset, Scenario, Step, format};

pub(super) fn world(scenario: &Scenario) -> World {
    let said = &scenario.manager;
    let as_deployed = Manager {
        generate_request_id: said.generate_request_id.unwrap_or(false),
        preserve_external_request_id: said.preserve_external_request_id.unwrap_or(true),
        use_remote_address: said.use_remote_address.unwrap_or(true),
        server_name: said.server_name.clone().unwrap_or_else(|| "envoy".into()),
        idle_timeout: said.idle_timeout.unwrap_or(Duration::from_mins(5)),
        upgrades: vec!["websocket".into()],
        accept_http_10: said.accept_http_10,
        max_request_headers_kb: said.max_request_headers_kb.unwrap_or(60),
        // From loopback's first address, Envoy takes itself for the client.
        client: "127.0.0.2".into(),
        ..Manager::default()
    };
    let mut node = serde_json::json!({"id": scenario.node.id, "cluster": scenario.node.cluster});
    if !scenario.node.metadata.is_empty() {
        node["metadata"] = Value::Object(scenario.node.metadata.clone());
    }
    let world = World::seeded(7)
        .workers(usize::try_from(scenario.workers).unwrap_or(1))
        .node(node)
        .manager(as_deployed)
        .drain(scenario.drain.unwrap_or(Duration::from_mins(10)));
    let limit = scenario.buffer_limit.and_then(|limit| usize::try_from(limit).ok());
    let world = world.most_buffered(limit.unwrap_or(1 << 20));
    scenario.clusters.iter().fold(world, |world, (name, said)| world.cluster(name, cluster(said)))
}

fn cluster(said: &format::Cluster) -> Cluster {
    match said.conduct() {
        Some(answer) => {
            let response = response(&answer, "GET", false).after(answer.after);
            // HTTP/2 has no such header.
            let gone = said.http2.then_some("transfer-encoding");
            Cluster::answering(gone.into_iter().fold(response, sightline_host::Response::without))
        }
        None if said.empty => Cluster::empty(),
        None => Cluster::refusing(),
    }
}

pub(super) fn first_plugin(
    scenario: &Scenario,
    filter: &[u8],
    configuration: Option<&Value>,
) -> Result<Plugin, Error> {
    let said = Also {
        script: scenario.script.clone(),
        plugin: scenario.plugin.clone(),
        vm: scenario.vm.clone(),
        ..Also::default()
    };
    plugin(scenario, filter, &said, configuration)
}

pub(super) fn plugin(
    scenario: &Scenario,
    filter: &[u8],
    said: &Also,
    configuration: Option<&Value>,
) -> Result<Plugin, Error> {
    let script = said.script.as_ref().or(scenario.script.as_ref());
    let module = script.map_or_else(|| Ok(Module::new(filter)?), module)?;
    let plugin = Plugin::new(&module)
        .name(&said.plugin.name)
        .root_id(&said.plugin.root_id)
        .vm_id(&said.vm.id)
        .vm_configuration(said.vm.configuration.clone().unwrap_or_default())
        .policy(match scenario.policy {
            format::Policy::Closed => Policy::FailClosed,
            format::Policy::Open => Policy::FailOpen,
            format::Policy::Reload => Policy::FailReload,
        })
        .direction(match scenario.direction {
            format::Direction::Unspecified => Direction::Unspecified,
            format::Direction::Inbound => Direction::Inbound,
            format::Direction::Outbound => Direction::Outbound,
        })
        .listener_metadata(Value::Object(scenario.listener_metadata.clone()));
    let plugin = match configuration {
        None | Some(Value::Null) => plugin,
        Some(Value::String(text)) => plugin.configuration(text.as_str()),
        Some(tree) => plugin.structured(tree),
    };
    let plugin =
        said.vm.environment.iter().fold(plugin, |it, (name, value)| it.variable(name, value));
    Ok(if scenario.stop_iteration { plugin.may_stop_iteration() } else { plugin })
}

fn module(callbacks: &Callbacks) -> Result<Module, Error> {
    let script = Script { callbacks: callbacks.clone() };
    Ok(Module::new(script.compile()?)?)
}

/// How long the steps take that are done before a request is answered.
pub(super) fn meanwhile(steps: &[Step]) -> Duration {
    steps.iter().map(|step| if let Step::Advance(time) = step { *time } else { MOMENT }).sum()
}

pub(super) fn request(
    scenario: &Scenario,
    said: &Request,
    wait: Duration,
) -> sightline_host::Request {
    let request = sightline_host::Request::new(&said.method, &*said.path)
        .authority(&*said.authority)
        .timeout(Duration::ZERO)
        .protocol(match said.protocol {
            Protocol::Http10 => sightline_host::Protocol::Http10,
            Protocol::Http11 => sightline_host::Protocol::Http11,
            Protocol::Http2 => sightline_host::Protocol::Http2,
            Protocol::Http3 => sightline_host::Protocol::Http3,
        });
    let request =
        said.headers.iter().fold(request, |it, (name, value)| it.header(&**name, &**value));
    let request = said.body.iter().fold(request, |it, chunk| it.chunk(&**chunk));
    let request =
        said.trailers.iter().fold(request, |it, (name, value)| it.trailer(&**name, &**value));
    let upgrades = said.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case(b"upgrade"));
    let request = if upgrades || breaks_off(said) { request.unfinished() } else { request };
    // What translates into HTTP/2 sends the end by itself.
    let request = if said.protocol == Protocol::Http2 { request.end_apart() } else { request };
    let request = match scenario.after {
        Some(after) => request.aborted_after_us(after.abort),
        None => request,
    };
    answer(scenario, said, routed(scenario, said, request), wait)
}

/// Whether less of a body comes than its length says.
fn breaks_off(said: &Request) -> bool {
    let length = said.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case(b"content-length"));
    let length = length.and_then(|(_, value)| str::from_utf8(value).ok()?.parse().ok());
    length.is_some_and(|length: usize| length > said.body.iter().map(|chunk| chunk.len()).sum())
}

/// What the app does, and the client.
fn answer(
    scenario: &Scenario,
    said: &Request,
    request: sightline_host::Request,
    wait: Duration,
) -> sightline_host::Request {
    let answered = response(&said.upstream, &said.method, false);
    let answered = answered.after(wait + said.upstream.after);
    let answered = match (&said.upstream.upgrade, said.body.first()) {
        (Some(_), Some(first)) => answered.pause(MOMENT).chunk(&**first).then_reset(),
        _ => answered,
    };
    let request = match said.leaves {
        Some(Leaves::BeforeAnswer) => {
            let arrived = meanwhile(&said.meanwhile) + MOMENT / 10;
            request.answered(sightline_host::Response::silence()).hung_up_after(arrived)
        }
        Some(Leaves::InAnswer) => {
            let begun = Answer { body: Vec::new(), ..said.upstream.clone() };
            let begun = response(&begun, &said.method, true).after(wait + said.upstream.after);
            request.answered(begun.then_silence()).hung_up_after(wait + MOMENT)
        }
        None => {
            let again = (0..retries(scenario, said)).map(|_| answered.clone());
            let pauses = said.upstream.pause * u32::try_from(said.upstream.body.len()).unwrap_or(0);
            let request = request.hung_up_after(wait + said.upstream.after + pauses + PATIENCE);
            again.fold(request.answered(answered.clone()), sightline_host::Request::then_answered)
        }
    };
    match &scenario.before {
        Some(Before::Word(Earlier::Deny)) => request.answered_before_us(
            sightline_host::Response::new(403)
                .body("RBAC: access denied")
                .header("content-type", "text/plain")
                .details("rbac_access_denied_matched_policy[none]"),
        ),
        _ => request,
    }
}

/// `goes_on` if the server does not end it.
fn response(said: &Answer, method: &str, goes_on: bool) -> sightline_host::Response {
    use sightline_host::Response;
    if said.silent {
        return Response::silence();
    }
    if said.reset == Some(Reset::Before) {
        return Response::reset();
    }
    let head = Response::new(if said.upgrade.is_some() { 101 } else { said.status });
    let head = said.informational.iter().fold(head, |it, first| {
        let headers: Vec<_> =
            first.headers.iter().map(|(name, value)| (&**name, &**value)).collect();
        it.informational(first.status, &headers)
    });
    let head = match &said.upgrade {
        Some(protocol) => head.header("connection", "Upgrade").header("upgrade", protocol),
        None => head,
    };
    let head = said.headers.iter().fold(head, |it, (name, value)| it.header(&**name, &**value));
    let goes_on = goes_on || said.reset.is_some();
    let response = framed(head, said, method, goes_on);
    let response = if said.early { response.early() } else { response };
    if said.reset.is_some() { response.then_reset() } else { response }
}

/// With the framing that the scripted server puts on the wire, and what it frames.
fn framed(
    head: sightline_host::Response,
    said: &Answer,
    method: &str,
    goes_on: bool,
) -> sightline_host::Response {
    let chunks = said.chunks();
    let empty = chunks.is_empty() && said.trailers.is_empty();
    let bodiless = method == "HEAD" || matches!(said.status, 204 | 304) || said.upgrade.is_some();
    let says_length =
        said.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case(b"content-length"));
    if bodiless {
        return head;
    }
    let head = match (says_length, empty && !goes_on) {
        (true, _) => head,
        (false, true) => head.header("content-length", "0"),
        (false, false) => head.header("transfer-encoding", "chunked"),
    };
    let with_body = chunks.iter().enumerate().fold(head, |it, (index, chunk)| {
        if index > 0 { it.pause(said.pause).chunk(chunk) } else { it.chunk(chunk) }
    });
    said.trailers.iter().fold(with_body, |it, (name, value)| it.trailer(&**name, &**value))
}

fn route_of<'a>(scenario: &'a Scenario, said: &Request) -> Option<&'a format::Route> {
    let path = String::from_utf8_lossy(&said.path).into_owned();
    let bare = path.split('?').next().unwrap_or_default().to_owned();
    scenario.routes.iter().find(|route| match (&route.path, &route.prefix) {
        (Some(whole), _) => *whole == bare,
        (None, Some(start)) => path.starts_with(start.as_str()),
        (None, None) => false,
    })
}

/// How many more attempts there may be.
fn retries(scenario: &Scenario, said: &Request) -> u32 {
    route_of(scenario, said).map_or(0, |route| route.retries + u32::from(route.follows))
}

fn routed(
    scenario: &Scenario,
    said: &Request,
    request: sightline_host::Request,
) -> sightline_host::Request {
    let Some(route) = route_of(scenario, said) else {
        return if scenario.only_routes { request.route(Route::Missing) } else { request };
    };
    let to = match (&route.direct, &route.redirect, &route.cluster, route.upstream) {
        (Some(direct), ..) => {
            Route::Direct(direct.status, direct.body.clone().unwrap_or_default().into_bytes())
        }
        (None, Some(redirect), ..) => {
            let authority = String::from_utf8_lossy(&said.authority).into_owned();
            let host = redirect.host.clone().unwrap_or(authority);
            let path = String::from_utf8_lossy(&said.path).into_owned();
            let path = redirect.path.clone().unwrap_or(path);
            Route::Redirect(format!("http://{host}{path}"))
        }
        (None, None, Some(cluster), _) if cluster != "app" => Route::MissingCluster,
        (None, None, _, Some(Bad::Refuse)) => Route::Refused,
        (None, None, _, Some(Bad::Empty)) => Route::NoHost,
        (None, None, _, None) => Route::Upstream,
    };
    let request = request.route(to).timeout(route.timeout.unwrap_or_default());
    let name = route.name.as_deref().unwrap_or_default();
    let request = request.named_route(name, Value::Object(route.metadata.clone()));
    if route.follows { request.followed() } else { request }
}
