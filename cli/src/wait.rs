//! Waiting for something to become true, by looking again and again until a limit.
//!
//! The only place of the project that sleeps. Whoever wants to pause waits for the thing itself.

use std::fmt;
use std::thread;
use std::time::{Duration, Instant};

/// How long to rest between two looks: short beside anything that is worth waiting for.
const REST: Duration = Duration::from_millis(5);

/// What was waited for did not come in time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimedOut {
    what: String,
    limit: Duration,
}

impl fmt::Display for TimedOut {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "waited {:?} for {}, in vain", self.limit, self.what)
    }
}

impl std::error::Error for TimedOut {}

/// Looks until `look` finds something, at least once and for no longer than `limit`.
///
/// `what` completes the sentence "waited 5s for …".
pub fn until<T>(
    what: &str,
    limit: Duration,
    mut look: impl FnMut() -> Option<T>,
) -> Result<T, TimedOut> {
    let begin = Instant::now();
    loop {
        if let Some(found) = look() {
            return Ok(found);
        }
        let left = limit.saturating_sub(begin.elapsed());
        if left.is_zero() {
            return Err(TimedOut { what: what.to_owned(), limit });
        }
        rest(REST.min(left));
    }
}

#[expect(clippy::disallowed_methods, reason = "this module is what the others use instead")]
fn rest(time: Duration) {
    thread::sleep(time);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_looks_until_it_finds() {
        let mut looks = 0;
        let found = until("the third look", Duration::from_mins(1), || {
            looks += 1;
            (looks == 3).then_some("found")
        });
        assert_eq!(found, Ok("found"));
        assert_eq!(looks, 3);
    }

    #[test]
    fn what_is_there_already_is_found_without_any_time() {
        assert_eq!(until("now", Duration::ZERO, || Some(1)), Ok(1));
    }

    #[test]
    fn giving_up_says_what_was_waited_for_and_how_long() {
        let begin = Instant::now();
        let given_up = until("a miracle", Duration::from_millis(30), || None::<()>).unwrap_err();
        assert_eq!(given_up.to_string(), "waited 30ms for a miracle, in vain");
        assert!(begin.elapsed() >= Duration::from_millis(30));
    }
}
