//! Where everything of one run listens, by name, known before anything of it listens.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use crate::Nobody;
use crate::scenario::{Protocol, Request, Scenario, Step};

/// What the listener of a plugin is called; the first has the template's name.
pub(super) fn listener(plugin: usize) -> String {
    if plugin == 0 { "inbound".to_owned() } else { format!("inbound-{plugin}") }
}

/// The same over QUIC.
pub(super) fn quic_listener(plugin: usize) -> String {
    format!("{}-http3", listener(plugin))
}

/// A way to a plugin that needs a translator. Requests that are under way at the same time have each
/// their own, because a second one over HTTP/3 to the same cluster was seen not to go out before
/// the first had ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Way {
    pub(super) plugin: usize,
    pub(super) protocol: Protocol,
    /// How many requests are under way when this one begins.
    pub(super) lane: usize,
}

impl Way {
    /// The listener that takes HTTP/1.1 and speaks the protocol to the plugin's listener.
    pub(super) fn translator(self) -> String {
        let version = if self.is_quic() { "3" } else { "2" };
        format!("to-http{version}-{}-{}", self.plugin, self.lane)
    }

    pub(super) fn is_quic(self) -> bool {
        self.protocol == Protocol::Http3
    }
}

/// Takes HTTP/2 and speaks HTTP/1.1 to the endpoint of a cluster.
pub(super) fn back_translator(cluster: &str) -> String {
    format!("from-http2-{cluster}")
}

/// Ports that are taken, but where nobody listens until Envoy does.
pub(super) struct Places {
    reserved: BTreeMap<String, Nobody>,
}

impl Places {
    /// Reserves all that a scenario needs.
    pub(super) fn reserve(scenario: &Scenario) -> Self {
        let mut names = Vec::new();
        for plugin in 0..=scenario.also.len() {
            names.push(listener(plugin));
        }
        names.extend(ways(scenario).into_iter().map(Way::translator));
        names.extend(quic_plugins(scenario).into_iter().map(quic_listener));
        names.extend(scenario.clusters.keys().map(|name| back_translator(name)));
        Self { reserved: names.into_iter().map(|name| (name, Nobody::anywhere())).collect() }
    }

    /// The place of this name.
    pub(super) fn of(&self, name: &str) -> SocketAddr {
        let place = self.reserved.get(name);
        place.unwrap_or_else(|| panic!("{name} is among the places that were reserved")).address()
    }

    /// Where the client connects that goes this way.
    pub(super) fn entrance(&self, way: Way) -> SocketAddr {
        match way.protocol {
            Protocol::Http10 | Protocol::Http11 => self.of(&listener(way.plugin)),
            Protocol::Http2 | Protocol::Http3 => self.of(&way.translator()),
        }
    }

    /// All port numbers.
    pub(super) fn ports(&self) -> Vec<u16> {
        self.reserved.values().map(|place| place.address().port()).collect()
    }
}

/// All ways that need a translator.
pub(super) fn ways(scenario: &Scenario) -> BTreeSet<Way> {
    let mut ways = BTreeSet::new();
    add_ways(&mut ways, &scenario.steps, 0);
    ways.retain(|way| way.protocol >= Protocol::Http2);
    ways
}

/// The plugins that are spoken to over QUIC.
pub(super) fn quic_plugins(scenario: &Scenario) -> BTreeSet<usize> {
    ways(scenario).into_iter().filter(|way| way.is_quic()).map(|way| way.plugin).collect()
}

fn add_ways(ways: &mut BTreeSet<Way>, steps: &[Step], under_way: usize) {
    for requests in steps.iter().map(Step::outer) {
        for (index, request) in requests.iter().enumerate() {
            let Request { plugin, protocol, meanwhile, .. } = request;
            ways.insert(Way { plugin: *plugin, protocol: *protocol, lane: under_way + index });
            add_ways(ways, meanwhile, under_way + requests.len());
        }
    }
}
