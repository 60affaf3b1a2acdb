//! A second listener in the same Envoy, for the calls that an app makes: as with a sidecar, what
//! comes in passes the one and what goes out the other, and both run our filter.
//!
//! Where calls go is fixed: whatever the app asks for, one address gets it. Nothing is intercepted
//! here; the app has to call the listener itself.

use std::net::SocketAddr;

use serde_json::{Value, json};
use sightline_cli::bootstrap::Bootstrap;
use sightline_cli::http::Request;

use crate::{Answer, Message, Proxy, Upstream};

const LISTENERS: &str = "/static_resources/listeners";
const CLUSTERS: &str = "/static_resources/clusters";
const ROUTES: &str = "/filter_chains/0/filters/0/typed_config/route_config/virtual_hosts/0/routes";
/// The name of the second listener, its stats, and its cluster.
const OUTBOUND: &str = "outbound";

/// Adds a listener for calls that go out to this address, and says of both which way they lead.
///
/// It starts as a copy of the one for requests that come in, as shaped so far, and `shape` says what
/// is different, such as its filter's configuration.
#[must_use]
pub fn outbound(
    inbound: Bootstrap,
    to: SocketAddr,
    shape: impl FnOnce(Bootstrap) -> Bootstrap,
) -> Bootstrap {
    let mut listener = Value::Null;
    let mut cluster = Value::Null;
    let _ = shape(inbound.clone().upstream(to)).patch(|document| {
        listener = first(document, LISTENERS).take();
        cluster = first(document, CLUSTERS).take();
    });
    rename(&mut listener, &mut cluster);
    listener["traffic_direction"] = json!("OUTBOUND");
    inbound.patch(|document| {
        first(document, LISTENERS)["traffic_direction"] = json!("INBOUND");
        append(document, LISTENERS, listener);
        append(document, CLUSTERS, cluster);
    })
}

impl Proxy {
    /// Where an app connects for its calls, if the bootstrap has a second listener for them.
    pub fn outbound_address(&self) -> SocketAddr {
        let listeners = self.admin("/listeners?format=json");
        address_of(OUTBOUND, &listeners)
            .unwrap_or_else(|| panic!("there is no outbound listener: {listeners}"))
    }
}

impl Upstream {
    /// An app that for each request makes `calls` one after the other, and passes on those header
    /// fields that `passes_on` names, each as it came and as often as it came.
    ///
    /// Where it calls is asked at each request, because a proxy has its address only when the app
    /// has one.
    pub fn calling(
        calls: usize,
        passes_on: &'static [&'static str],
        whom: impl Fn() -> SocketAddr + Send + Sync + 'static,
    ) -> Self {
        Self::answering(move |request| {
            let statuses = (0..calls).map(|number| call(request, number, passes_on, whom()));
            // The worst of them, so that a call that fails does not pass for one that was made.
            Answer::new(statuses.max().unwrap_or(200)).body("")
        })
    }
}

fn call(request: &Message, number: usize, passes_on: &[&str], whom: SocketAddr) -> u16 {
    let passed = |name: &[u8]| passes_on.iter().any(|wanted| wanted.as_bytes() == name);
    let fields = request.fields.iter().filter(|(name, _)| passed(name));
    let call = fields.fold(Request::get(format!("/call/{number}")), |call, (name, value)| {
        call.field(name, value)
    });
    call.send(whom).map_or(599, |answer| answer.status())
}

/// Gives the copies names of their own.
fn rename(listener: &mut Value, cluster: &mut Value) {
    cluster["name"] = json!(OUTBOUND);
    cluster["load_assignment"]["cluster_name"] = json!(OUTBOUND);
    listener["name"] = json!(OUTBOUND);
    let manager = &mut listener["filter_chains"][0]["filters"][0]["typed_config"];
    manager["stat_prefix"] = json!(OUTBOUND);
    manager["route_config"]["name"] = json!(OUTBOUND);
    for route in list(listener, ROUTES) {
        if let Some(cluster) = route.pointer_mut("/route/cluster") {
            *cluster = json!(OUTBOUND);
        }
    }
}

fn address_of(name: &str, listeners: &str) -> Option<SocketAddr> {
    let listeners: Value = serde_json::from_str(listeners).ok()?;
    let mut statuses = listeners["listener_statuses"].as_array()?.iter();
    let listener = statuses.find(|listener| listener["name"] == name)?;
    let address = listener.pointer("/local_address/socket_address")?;
    let ip = address["address"].as_str()?.parse().ok()?;
    Some(SocketAddr::new(ip, address["port_value"].as_u64()?.try_into().ok()?))
}

fn append(document: &mut Value, pointer: &str, entry: Value) {
    list(document, pointer).push(entry);
}

fn first<'d>(document: &'d mut Value, pointer: &str) -> &'d mut Value {
    &mut list(document, pointer)[0]
}

fn list<'d>(document: &'d mut Value, pointer: &str) -> &'d mut Vec<Value> {
    let list = document.pointer_mut(pointer).and_then(Value::as_array_mut);
    list.unwrap_or_else(|| panic!("the template has a list {pointer}, unless a patch took it"))
}
