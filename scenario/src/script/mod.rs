//! Scripts: modules for tests, said as a list of statements for each callback.
//!
//! A script becomes a module that does exactly these hostcalls, and logs at level info what came of
//! each, one line to a statement: the statement as written, ` = `, the status, and where that is 0
//! what the host handed over. So the module's log is what it saw of the host, and can be compared
//! between hosts. Nothing here runs a module, and nothing decides what is right.
//!
//! ```yaml
//! context_create: []
//! request_headers:
//!   - get request x-a         # get request x-a = 0 "1"
//!   - 2: add request x-b two  # only the second call of this callback in this VM
//!   - pause
//! ```
//!
//! A callback is called as in the ABI without `proxy_on_`, or `initialize`, and is in the module only
//! if the script has it. It begins with a line of its own, `request_headers(2, 5, 1)`. If no
//! statement returns, it returns what lets all go on. `malloc` and `memory_allocate` are callbacks
//! too; without them the module has an allocator that says nothing.
//!
//! # Words
//!
//! Words are separated by blanks. Parts of a word may be "quoted", with the escapes `\xHH`, `\n`,
//! `\"` and `\\`. Header maps, buffers, streams, types of metrics and levels have names, and any number
//! will do instead. The statements and their words are listed in `form.rs`, and are said in errors.
//!
//! # Before a statement
//!
//! | word | the statement |
//! |---|---|
//! | `N:` | runs only in the Nth call of this callback in this VM |
//! | `at ID:` | runs only for the context with this id |
//! | `end:` | runs only where the stream ends |
//! | `quiet` | has no line |
//!
//! # What a module remembers
//!
//! Ids of metrics by the names that `define` was given, tokens of queues, the token of the last
//! call, the cas of the last `shared` (as `last`), and for `effective` the ids `root` and `stream` of the
//! callbacks so far and `saved`, that of `save_context`.
//!
//! # Values in the log
//!
//! Bytes stand between quotes, with `\xHH` for what is not printable, a quote or a backslash. Pairs
//! stand as `["name" "value", ...]`; no bytes at all are `""`, no pairs are `[]`. After 8 KiB a value is
//! cut, and ends in `...`. Times are not shown, since no two are the same, and of random bytes only
//! the number. `return`, `pause` and `refuse` have no line, nor has what does not come back.

mod callback;
mod error;
mod form;
mod module;
mod reading;
mod statement;
mod words;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

pub use error::ScriptError;

use callback::{CALLBACKS, Callback, Whom};
use module::Body;
use statement::{Kept, Statement};

/// Statements for each callback.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Script {
    /// By the name of the callback.
    pub callbacks: BTreeMap<String, Vec<String>>,
}

impl Script {
    /// The module, as a host loads it.
    pub fn compile(&self) -> Result<Vec<u8>, ScriptError> {
        Ok(wat::parse_str(self.wat()?).expect("what is written here is WebAssembly text"))
    }

    /// The module as WebAssembly text.
    pub fn wat(&self) -> Result<String, ScriptError> {
        let bodies: Vec<Body> = self.callbacks.iter().map(body).collect::<Result<_, _>>()?;
        remembered(&bodies)?;
        Ok(module::text(&bodies))
    }
}

fn body((name, statements): (&String, &Vec<String>)) -> Result<Body, ScriptError> {
    let callback = Callback::named(name).ok_or_else(|| {
        let known = CALLBACKS.iter().map(|callback| callback.name);
        ScriptError::in_callback(name, error::unknown(name, "callback", known))
    })?;
    let parse = |text: &String| {
        Statement::parse(text, callback)
            .map_err(|problem| ScriptError::in_statement(name, text, problem))
    };
    Ok((callback, statements.iter().map(parse).collect::<Result<_, _>>()?))
}

/// Checks that all that statements need is remembered by some statement or callback.
fn remembered(bodies: &[Body]) -> Result<(), ScriptError> {
    let said = bodies.iter().flat_map(|(_, statements)| statements).filter_map(Statement::keeps);
    let told = bodies.iter().flat_map(|(callback, _)| match callback.whom {
        Whom::Root => vec![Kept::Root],
        Whom::Stream => vec![Kept::Stream],
        Whom::New => vec![Kept::Root, Kept::Stream],
        Whom::Nobody | Whom::Either => vec![],
    });
    let kept: BTreeSet<Kept> = said.chain(told).collect();
    for (callback, statements) in bodies {
        for statement in statements {
            if let Some(missing) = statement.needs().find(|needed| !kept.contains(needed)) {
                let problem = missing.missing();
                return Err(ScriptError::in_statement(callback.name, &statement.shown, problem));
            }
        }
    }
    Ok(())
}
