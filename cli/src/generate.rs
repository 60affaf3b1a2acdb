//! `sightline generate`: files to deploy, made from a configuration that was checked first.
//!
//! Everything goes to stdout, or nothing does. What a configuration means is for `sightline-core` to
//! say, and running what was generated is for [`crate::envoy`] or the user.

pub mod bootstrap;
mod configuration;
mod endpoint;
mod refusal;
mod text;

pub use configuration::Configuration;
pub use endpoint::{Endpoint, Host, NotAnEndpoint};
pub use refusal::Refusal;
