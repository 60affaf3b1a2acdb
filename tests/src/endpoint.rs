//! A listener for scrapes in the same Envoy: our filter answers there for its endpoint, and nobody for anything
//! else.

use std::net::{SocketAddr, TcpListener};

use serde_json::{Value, json};
use sightline_cli::bootstrap::Bootstrap;
use sightline_cli::http::Request;

use crate::Samples;

const LISTENERS: &str = "/static_resources/listeners";
const NAME: &str = "metrics";

/// Where metrics are asked for.
#[derive(Clone, Copy, Debug)]
pub struct Endpoint {
    address: SocketAddr,
}

impl Endpoint {
    /// On a port that nobody has now.
    pub fn anywhere() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("this machine has free ports");
        Self { address: listener.local_addr().expect("a listener has an address") }
    }

    /// What `metrics.endpoint` is.
    pub fn configuration(&self) -> Value {
        json!({"port": self.address.port()})
    }

    /// Adds the listener: a copy of the first one, as shaped so far, but that no request gets to an app.
    #[must_use]
    pub fn put_into(&self, bootstrap: Bootstrap) -> Bootstrap {
        bootstrap.patch(|document| {
            let listeners = document.pointer_mut(LISTENERS).and_then(Value::as_array_mut);
            let listeners = listeners.expect("the template has listeners");
            let mut listener = listeners[0].clone();
            listener["name"] = json!(NAME);
            listener["address"]["socket_address"]["port_value"] = json!(self.address.port());
            let manager = &mut listener["filter_chains"][0]["filters"][0]["typed_config"];
            manager["stat_prefix"] = json!(NAME);
            manager["access_log"] = json!([]);
            manager["route_config"] = json!({"name": NAME, "virtual_hosts": [{
                "name": NAME,
                "domains": ["*"],
                "routes": [{"match": {"prefix": "/"}, "direct_response": {"status": 404}}],
            }]});
            listeners.push(listener);
        })
    }

    /// Where it is.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What it says now.
    pub fn scrape(&self) -> Samples {
        let answer = Request::get("/metrics").send(self.address);
        let answer = answer.unwrap_or_else(|error| panic!("no answer to a scrape: {error}"));
        assert_eq!(answer.status(), 200, "{}", answer.text());
        Samples::parse(answer.text())
    }
}
