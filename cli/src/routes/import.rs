//! `sightline routes import`: the routes that an app has, as a `routes:` block.
//!
//! They come from the app itself, which is loaded in the user's Python and asked, or from an `OpenAPI` document. Every
//! route that is found is either a template, which the core takes, or is told with the reason why not. How the
//! frameworks choose among routes is not copied here: the block says which precedence comes to the same.

mod answer;
mod app;
mod block;
mod expression;
mod expression_parser;
mod openapi;
mod printed;
mod refusal;
mod route;
mod settle;
mod spelling;

pub use app::{Framework, Question, default_python};
pub use block::{Block, Item, LeftOut, Precedence, Template};
pub use openapi::{Openapi, read_document};
pub use refusal::Refusal;
