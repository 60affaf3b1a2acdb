//! A proxy-wasm host for tests: it loads a module as Envoy does, runs requests through it, and
//! tells what came of them.
//!
//! It records instead of expecting: no test says beforehand which calls a module makes; it asks
//! afterwards what application, client, clusters, filter state, stats and log saw, and what that
//! cost. It is not a proxy: no sockets, no routing, and time moves only when the test moves it.
//!
//! ```
//! use sightline_host::{Host, Module, Plugin, Request, Response, World};
//!
//! # let bytes = r#"(module (memory (export "memory") 1) (func (export "proxy_abi_version_0_2_1"))
//! #     (func (export "malloc") (param i32) (result i32) (i32.const 8)))"#;
//! let module = Module::new(bytes)?;
//! let plugin = Plugin::new(&module).configuration(r#"{"service": "shop"}"#);
//! let mut host = Host::new(World::seeded(7), plugin)?;
//! let outcome = host.request(Request::get("/users/1").answered(Response::new(404)))?;
//! assert_eq!(outcome.client.unwrap().status(), Some(404));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod agenda;
mod budget;
mod call;
mod callout;
mod cluster;
mod context;
mod cost;
mod error;
mod event;
mod faults;
mod fuel;
mod grpc;
mod headers;
mod host;
mod hostcalls;
mod journal;
mod manager;
mod message;
mod module;
mod outcome;
mod pairs;
mod piece;
mod plugin;
mod process;
mod protobuf;
mod queues;
mod refusal;
mod request;
mod response;
mod shared_data;
mod stats;
mod stream;
mod surface;
mod topology;
mod vm;
mod world;

pub use budget::Budget;
pub use callout::{Callout, Grpc};
pub use cluster::Cluster;
pub use cost::Estimate;
pub use error::{Failure, Trap};
pub use faults::Fault;
pub use headers::HeaderMap;
pub use host::{Host, PluginId, StreamId};
pub use journal::{Level, Line};
pub use manager::Manager;
pub use message::Message;
pub use module::{Module, ModuleError};
pub use outcome::Outcome;
pub use plugin::{Direction, Plugin, Policy};
pub use request::{Protocol, Request, Route};
pub use response::Response;
pub use stats::{Stat, Stats};
pub use topology::Topology;
pub use world::World;

/// What the README shows is compiled.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
