//! Headers that the line shows, kept while their request is under way.

use crate::Plan;
use crate::config::Side;
use crate::head::{Kept, LONGEST_VALUE, Pair};
use crate::redact::Redaction;

/// The value of one header: of several with one name, all of them.
#[derive(Debug)]
pub(crate) struct Captured {
    pub(crate) side: Side,
    /// The number of its name in the plan.
    number: usize,
    pub(crate) value: Kept,
}

impl Captured {
    /// Its name, in lower case.
    pub(crate) fn name<'a>(&self, plan: &'a Plan) -> &'a str {
        names(self.side, plan).get(self.number).map_or("", String::as_str)
    }
}

/// Adds those headers of a head that are to be captured, in the order in which they are configured.
#[inline]
pub(crate) fn capture<'a>(
    captured: &mut Vec<Captured>,
    side: Side,
    pairs: &(impl Iterator<Item = Pair<'a>> + Clone),
    plan: &Plan,
) {
    for (number, name) in names(side, plan).iter().enumerate() {
        let named = pairs.clone().filter(|(it, _)| *it == name.as_bytes());
        if let Some(value) = joined(&mut named.map(|(_, value)| value), &plan.redaction) {
            captured.push(Captured { side, number, value });
        }
    }
}

fn names(side: Side, plan: &Plan) -> &[String] {
    match side {
        Side::Request => &plan.log.request_headers,
        Side::Response => &plan.log.response_headers,
    }
}

/// The values with commas between, which is what several headers of one name mean.
#[inline(never)]
fn joined(values: &mut dyn Iterator<Item = &[u8]>, redaction: &Redaction) -> Option<Kept> {
    let mut all = redaction.value(values.next()?).into_owned();
    for value in values {
        // What is past the bound is not shown, however much of it there is.
        if all.len() > LONGEST_VALUE {
            break;
        }
        all.extend_from_slice(b", ");
        all.extend_from_slice(&redaction.value(value));
    }
    Some(Kept::of(all, LONGEST_VALUE))
}
