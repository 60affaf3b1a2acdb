//! What came of a request.

use std::collections::BTreeMap;
use std::fmt;

use crate::{Budget, HeaderMap, Line, Message};

/// What came of a request, for everybody who had to do with it.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The request as the application saw it, the last time if it was tried again; `None` if it
    /// never did.
    pub upstream: Option<Message>,
    /// The request as the application saw it the times before.
    pub earlier_attempts: Vec<Message>,
    /// The response as the client saw it; `None` if it saw none.
    pub client: Option<Message>,
    /// Responses that the client saw before the response, such as 103.
    pub informational: Vec<HeaderMap>,
    /// Filter state as Envoy's own access loggers saw it, by its full name, such as `wasm.line`:
    /// what is set after the log callback is not there.
    pub state: BTreeMap<String, Vec<u8>>,
    /// Why the response is what it is, as Envoy's `response_code_details`.
    pub details: Option<String>,
    /// Envoy's response flags, a bit for each.
    pub flags: u64,
    /// What the module logged when it was entered for this request.
    pub log: Vec<Line>,
    /// What the request cost.
    pub budget: Budget,
}

/// The whole outcome but the log, as stable text.
impl fmt::Display for Outcome {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        section(out, "upstream saw", self.upstream.as_ref())?;
        section(out, "client saw", self.client.as_ref())?;
        for (name, value) in &self.state {
            writeln!(out, "{name} = {}", String::from_utf8_lossy(value))?;
        }
        self.budget.fmt(out)
    }
}

fn section(out: &mut fmt::Formatter<'_>, title: &str, message: Option<&Message>) -> fmt::Result {
    let Some(message) = message else {
        return writeln!(out, "{title} nothing");
    };
    writeln!(out, "{title}")?;
    message.to_string().lines().try_for_each(|line| writeln!(out, "  {line}"))
}
