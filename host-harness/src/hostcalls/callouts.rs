//! Calls to clusters, over HTTP and gRPC. What is said by a stream is said by its root, to which
//! all calls belong.
//!
//! Envoy's router also tries again where a module asks it to by `x-envoy-retry-on`; nothing here
//! does.

use std::time::Duration;

use crate::call::{Answer, Call, Exit, Status};
use crate::callout::{
    Arrival, Callout, Grpc, Kind, Metadata, Said, Service, Target, Trouble, UnderWay, grpc,
};
use crate::cluster::{self, Cluster};
use crate::error::Failure;
use crate::event::{Action, Event};
use crate::{HeaderMap, Message, pairs};

/// `proxy_http_call(cluster, length, headers, length, body, length, trailers, length, timeout,
/// token)`: the token is written whatever comes of it, and 0 is none.
pub(crate) fn http_call(call: &mut Call<'_>) -> Answer {
    // Envoy reads the trailers, and sends none.
    let (cluster, headers, body, _) = (call.text(0)?, call.text(2)?, call.text(4)?, call.text(6)?);
    call.give_word(9, 0)?;
    let request = Message { headers: map(&headers), body, ..Message::default() };
    let token = http(call, &cluster, request);
    call.give_word(9, *token.as_ref().unwrap_or(&0))?;
    token.map(|_| ())
}

fn http(call: &mut Call<'_>, cluster: &[u8], request: Message) -> Result<u32, Exit> {
    let timeout = call.word(8);
    let name = String::from_utf8_lossy(cluster).into_owned();
    let cluster = find(call, &name).filter(|_| timeout.cast_signed() >= 0);
    let cluster = cluster.ok_or(Status::BadArgument)?;
    let needed = [":path", ":method", ":authority"];
    if needed.iter().any(|name| request.get(name).is_none()) {
        return Err(Status::BadArgument.into());
    }
    let mut timeout = time(timeout);
    let request = over_http(request, &mut timeout);
    let token = call.inside().tokens.next(Kind::Http);
    if cluster.is_empty() {
        // Envoy answers this call with 503, and then finds nobody to tell.
        return Err(Status::InternalFailure.into());
    }
    let callout = callout(call, name, request, timeout);
    begin(call, token, UnderWay::new(Kind::Http, cluster, callout))?;
    Ok(token)
}

/// `proxy_grpc_call(service, length, name, length, method, length, metadata, length, message,
/// length, timeout, token)`: only a call that is under way has a token to write.
pub(crate) fn grpc_call(call: &mut Call<'_>) -> Answer {
    let named = Named::read(call)?;
    let message = call.text(8)?;
    let timeout = Duration::from_millis(call.word(10).into());
    let token = open(call, named, Kind::Unary, Some((timeout, message)))?;
    call.give_word(11, token)
}

/// `proxy_grpc_stream(service, length, name, length, method, length, metadata, length, token)`
pub(crate) fn grpc_stream(call: &mut Call<'_>) -> Answer {
    let named = Named::read(call)?;
    let token = open(call, named, Kind::Stream, None)?;
    call.give_word(8, token)
}

/// `proxy_grpc_send(token, message, length, ends)`: what comes after the end is lost.
pub(crate) fn grpc_send(call: &mut Call<'_>) -> Answer {
    let message = call.text(1)?;
    let (token, ends) = (call.word(0), call.word(3) != 0);
    if Kind::of(token) != Some(Kind::Stream) {
        return Err(Status::BadArgument.into());
    }
    send(call, token, Some(&message), ends)
}

/// `proxy_grpc_close(token)`: nothing more is sent on a stream, of which the module is told on; a
/// call is taken back.
pub(crate) fn grpc_close(call: &mut Call<'_>) -> Answer {
    let token = call.word(0);
    if grpc_kind(token)? == Kind::Unary {
        return take_back(call, token);
    }
    send(call, token, None, true)?;
    let root = call.own_root().ok_or(Status::NotFound)?;
    let stream = root.calls.get(token).ok_or(Status::NotFound)?;
    stream.closed = true;
    if stream.ended {
        root.calls.forget(token);
    }
    Ok(())
}

/// `proxy_grpc_cancel(token)`: the module hears no more of it.
pub(crate) fn grpc_cancel(call: &mut Call<'_>) -> Answer {
    let token = call.word(0);
    grpc_kind(token)?;
    take_back(call, token)
}

/// `proxy_get_status(code, message, length)`: of the answer that the module is told of, or was last.
pub(crate) fn status(call: &mut Call<'_>) -> Answer {
    let status = call.own_root().map(|root| root.calls.status().clone()).unwrap_or_default();
    call.give_word(0, status.code)?;
    call.give(1, &status.message)
}

/// What calls and streams of gRPC have in common.
struct Named {
    service: Service,
    name: String,
    method: String,
    metadata: HeaderMap,
}

impl Named {
    fn read(call: &mut Call<'_>) -> Result<Self, Exit> {
        let (service, name, method, metadata) =
            (call.text(0)?, call.text(2)?, call.text(4)?, call.text(6)?);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let named = (text(&name), text(&method), map(&metadata));
        let service = Service::read(&service).or_else(|| {
            let cluster = text(&service);
            find(call, &cluster)?;
            let target = Target::Envoy { cluster, authority: String::new() };
            Some(Service { target, metadata: Vec::new() })
        });
        let service = service.ok_or(Status::ParseFailure)?;
        let (name, method, metadata) = named;
        Ok(Self { service, name, method, metadata })
    }

    /// The request, but for what Envoy adds at the end.
    fn request(&self, authority: &str, timeout: Option<Duration>) -> Message {
        let mut headers = grpc::headers(authority, &self.name, &self.method, timeout);
        self.service.metadata.iter().for_each(|(name, value)| headers.add(name, value));
        self.metadata.iter().for_each(|(name, value)| headers.add(name, value));
        Message { headers, ..Message::default() }
    }
}

/// Opens a call of gRPC; one that is no stream has a timeout, and a message to send at once.
fn open(
    call: &mut Call<'_>,
    named: Named,
    kind: Kind,
    at_once: Option<(Duration, Vec<u8>)>,
) -> Result<u32, Exit> {
    let token = call.inside().tokens.next(kind);
    let (name, authority) = match &named.service.target {
        Target::Envoy { cluster, authority } if authority.is_empty() => (cluster, cluster),
        Target::Envoy { cluster, authority } => (cluster, authority),
        Target::Google => return Err(Status::BadArgument.into()),
        Target::Unsaid => {
            let what = "it calls a service that reads as a GrpcService without a target";
            call.process().surprise.get_or_insert(Failure::WouldCrash(what));
            return Err(Status::InternalFailure.into());
        }
    };
    let Some(cluster) = find(call, name) else {
        let unavailable = [Said::close(grpc::UNAVAILABLE, "Cluster not available")];
        return Err(fail_at_once(call, token, unavailable));
    };
    if cluster.is_empty() {
        return Err(no_host(call, token, kind));
    }
    let timeout = at_once.as_ref().map(|(timeout, _)| *timeout);
    let request = named.request(authority, timeout);
    let mut timeout = timeout.filter(|timeout| !timeout.is_zero());
    let request = marked(request, &mut timeout);
    let mut callout = callout(call, name.clone(), request, timeout);
    callout.grpc = Some(Grpc { service: named.name, method: named.method, messages: Vec::new() });
    if let Some((_, message)) = at_once {
        callout.send(Some(&message), true);
    }
    begin(call, token, UnderWay::new(kind, cluster, callout))?;
    Ok(token)
}

/// The module is told of it once it is left, though it was given no token.
fn fail_at_once(call: &mut Call<'_>, token: u32, said: impl IntoIterator<Item = Said>) -> Exit {
    let (vm, root) = whose(call);
    for said in said {
        let arrival = Arrival::Said(said);
        call.process().actions.push_back(Action::Called { vm, root, token, arrival });
    }
    Status::InternalFailure.into()
}

/// Envoy tells the module of a stream's metadata even before this call returns, and of the rest
/// once the module is left.
fn no_host(call: &mut Call<'_>, token: u32, kind: Kind) -> Exit {
    let mut rest = Vec::new();
    for said in Trouble::NoHost.said(kind) {
        match said {
            Said::Metadata(_) if kind == Kind::Unary => {}
            Said::Metadata(metadata) => {
                if let Err(trap) = tell_now(call, token, metadata) {
                    return trap;
                }
            }
            said => rest.push(said),
        }
    }
    fail_at_once(call, token, rest)
}

fn tell_now(call: &mut Call<'_>, token: u32, metadata: Metadata) -> Answer {
    let (_, root) = whose(call);
    let Some(calls) = call.own_root().map(|root| &mut root.calls) else { return Ok(()) };
    let (export, size) = calls.show(metadata);
    call.reenter(export, root, &[root, token, size])?;
    if let Some(root) = call.own_root() {
        root.calls.hide();
    }
    Ok(())
}

fn send(call: &mut Call<'_>, token: u32, message: Option<&[u8]>, ends: bool) -> Answer {
    let (vm, root) = whose(call);
    let inside = call.inside();
    let calls = inside.contexts.root_mut(root).map(|root| &mut root.calls);
    let stream = calls.and_then(|calls| calls.get(token)).ok_or(Status::NotFound)?;
    if let Some(after) = stream.send(message, ends, &mut inside.process.callouts) {
        inside.process.later(after, Event::Called { vm, root, token, arrival: Arrival::Piece });
    }
    Ok(())
}

fn take_back(call: &mut Call<'_>, token: u32) -> Answer {
    let root = call.own_root().ok_or(Status::NotFound)?;
    root.calls.forget(token).ok_or(Status::NotFound)?;
    Ok(())
}

fn grpc_kind(token: u32) -> Result<Kind, Exit> {
    Ok(Kind::of(token).filter(|kind| *kind != Kind::Http).ok_or(Status::BadArgument)?)
}

/// The request sets out at once, and comes to its cluster when the module has been left.
fn begin(call: &mut Call<'_>, token: u32, under_way: UnderWay) -> Answer {
    let (vm, root) = whose(call);
    let timeout = under_way.timeout();
    call.own_root().ok_or(Status::BadArgument)?.calls.begin(token, under_way);
    let event = |arrival| Event::Called { vm, root, token, arrival };
    call.process().later(Duration::ZERO, event(Arrival::Request));
    if let Some(timeout) = timeout {
        call.process().later(timeout, event(Arrival::TimedOut));
    }
    Ok(())
}

fn callout(
    call: &mut Call<'_>,
    cluster: String,
    request: Message,
    timeout: Option<Duration>,
) -> Callout {
    Callout { cluster, request, timeout, thread: call.inside().thread, grpc: None }
}

/// What Envoy makes of a request of HTTP, in HTTP/1.
fn over_http(mut request: Message, timeout: &mut Option<Duration>) -> Message {
    if !request.body.is_empty() {
        request.headers.overwrite("content-length", request.body.len().to_string());
    }
    if request.get(":scheme").is_none() {
        request.headers.add(":scheme", "http");
    }
    let mut request = marked(request, timeout);
    request.whole = true;
    let may_have_body = matches!(request.get(":method"), Some(b"POST" | b"PUT" | b"PATCH"));
    if may_have_body && request.get("content-length").is_none() {
        request.headers.add("content-length", "0");
    }
    request
}

/// With what Envoy adds to say that the request is its own. The module can say its timeout in a
/// header too, which then counts and does not go out.
fn marked(mut request: Message, timeout: &mut Option<Duration>) -> Message {
    if let Some(said) = request.get("x-envoy-upstream-rq-timeout-ms") {
        let said = str::from_utf8(said).ok().and_then(|text| text.parse().ok());
        *timeout = said.map_or(*timeout, time);
        request.headers.remove("x-envoy-upstream-rq-timeout-ms");
    }
    request.headers.overwrite("x-envoy-internal", "true");
    if let Some(timeout) = timeout {
        let timeout = timeout.as_millis().to_string();
        request.headers.overwrite("x-envoy-expected-rq-timeout-ms", timeout);
    }
    request
}

/// The VM and the root that a call belongs to.
fn whose(call: &mut Call<'_>) -> (crate::vm::VmRef, u32) {
    let contexts = call.contexts();
    let root = contexts.root_of(contexts.spoken_for());
    (call.inside().at, root)
}

fn find(call: &mut Call<'_>, cluster: &str) -> Option<Cluster> {
    call.process().world.clusters.get(cluster).cloned()
}

fn map(pairs: &[u8]) -> HeaderMap {
    pairs::decode(pairs).into_iter().collect()
}

/// None is for ever.
fn time(milliseconds: u32) -> Option<Duration> {
    (milliseconds > 0).then(|| Duration::from_millis(milliseconds.into()))
}

impl Cluster {
    fn is_empty(&self) -> bool {
        matches!(self.0, cluster::Kind::Empty)
    }
}
