//! Says on stderr what is being set up, and how long it took where a person had to wait.
//!
//! Whoever has nothing to do does not come here, so that a set-up that is complete is silent.

use std::fmt::Display;
use std::time::{Duration, Instant};

/// A piece of set-up that has begun and been announced.
pub(crate) struct Step {
    what: String,
    began: Instant,
}

impl Step {
    /// Announces `what`, such as "downloading Envoy 1.40.0".
    pub(crate) fn begin(what: impl Into<String>) -> Self {
        let what = what.into();
        say(&what);
        Self { what, began: Instant::now() }
    }

    /// Says how long it took, if anybody will have noticed.
    pub(crate) fn done(self) {
        let took = self.began.elapsed();
        if took >= Duration::from_secs(1) {
            say(format_args!("{}: done in {:.1} s", self.what, took.as_secs_f64()));
        }
    }
}

/// One line on stderr, recognisably from here.
pub(crate) fn say(line: impl Display) {
    eprintln!("setup: {line}");
}
