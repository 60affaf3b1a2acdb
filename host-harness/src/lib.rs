//! A proxy-wasm host for tests: it loads a module as Envoy does, runs the lives of streams through
//! it, and tells what came of it.
//!
//! It records instead of expecting: no test says beforehand which calls a module makes; it asks
//! afterwards what upstream, client, filter state, stats and log saw, and what that cost. It is not
//! a proxy: no sockets, no routing, and time moves only when the test moves it. What it does not do
//! yet is in its README.
//!
//! ```
//! use sightline_host::{Module, Plugin, Request, Response, Vm, World};
//!
//! let module = Module::new(
//!     r#"(module (memory (export "memory") 1) (func (export "proxy_abi_version_0_2_1"))
//!         (func (export "malloc") (param i32) (result i32) (i32.const 8)))"#,
//! )?;
//! let mut vm = Vm::new(&module, World::seeded(7))?;
//! vm.configure(Plugin::new(r#"{"direction": "inbound"}"#))?;
//! let outcome = vm.request(Request::get("/users/1").answered(Response::new(200)))?;
//! assert_eq!(outcome.client.unwrap().get(":status"), Some(&b"200"[..]));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod budget;
mod call;
mod context;
mod error;
mod headers;
mod host;
mod hostcalls;
mod journal;
mod module;
mod pairs;
mod request;
mod stats;
mod stream;
mod surface;
mod vm;
mod world;

pub use budget::Budget;
pub use error::{Failure, Trap};
pub use headers::HeaderMap;
pub use journal::{Level, Line};
pub use module::{Module, ModuleError};
pub use request::{Outcome, Pause, Request, Response};
pub use stats::Stats;
pub use vm::{Plugin, Root, Vm};
pub use world::World;
