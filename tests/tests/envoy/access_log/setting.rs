//! One Envoy in which everything can happen, those behind it, and what they know of a request.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;

use serde_json::Value;
use sightline_cli::wait;
use sightline_tests::{Nobody, Proxy, Upstream};

use super::apps::{self, Closing, Crowded};
use super::cases::Over;
use super::document;

/// What Envoy's own logger says of fields of the line, which is beside them.
pub(super) const ENVOYS: [(&str, &str); 7] = [
    ("status", "%RESPONSE_CODE%"),
    ("flags", "%RESPONSE_FLAGS%"),
    ("details", "%RESPONSE_CODE_DETAILS%"),
    ("upstream", "%UPSTREAM_HOST%"),
    ("protocol", "%PROTOCOL%"),
    ("request_bytes", "%BYTES_RECEIVED%"),
    ("response_bytes", "%BYTES_SENT%"),
];
/// And where the line itself is.
pub(super) const LINE: &str = "line";

pub(super) struct Setting {
    pub(super) proxy: Proxy,
    servers: Servers,
    places: Places,
}

/// Those behind Envoy.
pub(super) struct Servers {
    pub(super) apps: [Upstream; 2],
    pub(super) closing: Closing,
    pub(super) crowded: Crowded,
}

/// Ports that are taken, but where nobody listens until Envoy does; at the last nobody ever does.
pub(super) struct Places {
    pub(super) main: Nobody,
    pub(super) old: Nobody,
    pub(super) quic: Nobody,
    pub(super) to_http2: Nobody,
    pub(super) to_http3: Nobody,
    pub(super) nobody: Nobody,
}

impl Places {
    fn reserve() -> Self {
        let anywhere = Nobody::anywhere;
        let (main, old, quic) = (anywhere(), anywhere(), anywhere());
        let (to_http2, to_http3, nobody) = (anywhere(), anywhere(), anywhere());
        Self { main, old, quic, to_http2, to_http3, nobody }
    }
}

impl Setting {
    pub(super) fn start() -> Self {
        let apps = [apps::answer, apps::answer].map(Upstream::answering);
        let (closing, crowded) = (Closing::start(), Crowded::start());
        let places = Places::reserve();
        let servers = Servers { apps, closing, crowded };
        let proxy = Proxy::start(|bootstrap| document::shape(bootstrap, &servers, &places));
        Self { proxy, servers, places }
    }

    /// Where clients connect that speak so.
    pub(super) fn entrance(&self, over: Over) -> SocketAddr {
        let Places { main, old, to_http2, to_http3, .. } = &self.places;
        match over {
            Over::Http1 => main.address(),
            Over::Old => old.address(),
            Over::Http2 => to_http2.address(),
            Over::Http3 => to_http3.address(),
        }
    }

    /// The lines so far, each with what Envoy says of the same request.
    pub(super) fn lines(&self) -> Vec<(Value, Value)> {
        let lines = self.proxy.lines().into_iter().map(|envoys| {
            let line = envoys[LINE].as_str().unwrap_or_default();
            let line =
                serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {envoys}"));
            (line, envoys)
        });
        lines.collect()
    }

    /// Until a request with this ID is with an application.
    pub(super) fn wait_for_request(&self, id: &str) {
        let is_there = || self.tries(id).next().is_some().then_some(());
        wait::until(id, Duration::from_secs(10), is_there).unwrap();
    }

    /// Whether the upstream of the line is where its request was tried last; a place of ours at least, if no
    /// application knows of it.
    pub(super) fn went_to(&self, line: &Value) -> bool {
        let Some(upstream) = line["upstream"].as_str() else { return true };
        let last = self.tries(line["request_id"].as_str().unwrap_or_default()).max();
        let others = [
            self.servers.closing.address(),
            self.servers.crowded.address(),
            self.places.nobody.address(),
        ];
        let ours = self.servers.apps.iter().map(Upstream::address).chain(others);
        match last {
            Some((_, address)) => upstream == address.to_string(),
            None => ours.into_iter().any(|address| upstream == address.to_string()),
        }
    }

    fn tries<'a>(&'a self, id: &'a str) -> impl Iterator<Item = (u32, SocketAddr)> + 'a {
        self.servers.apps.iter().flat_map(move |app| {
            let its = app.requests().into_iter();
            let its = its.filter(move |request| request.field("x-request-id") == Some(id));
            its.map(|request| (apps::attempt(&request), app.address()))
        })
    }
}

/// The fields of which Envoy says something else.
pub(super) fn contradictions(line: &Value, envoys: &Value) -> Vec<&'static str> {
    let fields = ENVOYS.into_iter().map(|(field, _)| field);
    let others = fields.filter(|field| match (&line[field], &envoys[field]) {
        (Value::Null, _) => false,
        // Envoy has them in the order in which they came.
        (Value::String(ours), Value::String(envoys)) if *field == "flags" => {
            let [ours, envoys] =
                [ours, envoys].map(|flags| flags.split(',').collect::<BTreeSet<_>>());
            ours != envoys
        }
        (ours, envoys) => ours != envoys,
    });
    others.collect()
}
