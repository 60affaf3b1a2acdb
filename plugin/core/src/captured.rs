//! Headers that the line shows, kept while their request is under way.

use crate::Plan;
use crate::config::Side;
use crate::head::{Kept, LONGEST_VALUE, Pair};

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
        if let Some(value) = joined(&mut named.map(|(_, value)| value), plan) {
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
fn joined(values: &mut dyn Iterator<Item = &[u8]>, plan: &Plan) -> Option<Kept> {
    let mut all = Vec::new();
    show(values.next()?, plan, &mut all);
    for value in values {
        // What is past the bound is not shown, however much of it there is.
        if all.len() > LONGEST_VALUE {
            break;
        }
        all.extend_from_slice(b", ");
        show(value, plan, &mut all);
    }
    Some(Kept::of(all, LONGEST_VALUE))
}

/// Adds a value without its secrets: those of a URL, and those of a route that it leads to.
fn show(value: &[u8], plan: &Plan, all: &mut Vec<u8>) {
    let redacted = plan.router.redacted_within(value);
    all.extend_from_slice(&plan.redaction.value(redacted.as_deref().unwrap_or(value)));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Place, config};

    #[test]
    fn a_secret_is_not_shown_where_a_header_leads_to_its_route_or_holds_a_url() {
        let said = br#"{"routes": {"templates": ["/reset/done", {"path": "POST /reset/{token}", "secret": ["token"]},
            {"path": "/v/{a}/w/{c}", "secret": ["a", "c"]}]}}"#;
        let plan = Plan::new(&config::read(said).unwrap(), &Place::default());
        for (value, expected) in [
            ("", ""),
            ("text/html", "text/html"),
            ("/reset", "/reset"),
            ("/reset/abc", "/reset/REDACTED"),
            ("/reset/abc/", "/reset/REDACTED/"),
            ("https://h.test/reset/abc?a=b", "https://h.test/reset/REDACTED?a=b"),
            ("//h.test/reset/%61#x", "//h.test/reset/REDACTED#x"),
            ("</reset/abc>; rel=\"next\"", "</reset/REDACTED>; rel=\"next\""),
            ("0; url=https://h.test/v/x/w/z", "0; url=https://h.test/v/REDACTED/w/REDACTED"),
            ("https://h.test/reset/abc?token=x", "https://h.test/reset/REDACTED?token=REDACTED"),
            ("https://me:x@h.test/reset/abc", "https://REDACTED"),
            ("https://h.test", "https://h.test"),
            ("//", "//"),
        ] {
            let mut values = std::iter::once(value.as_bytes());
            let kept = joined(&mut values, &plan).unwrap();
            assert_eq!(
                kept.bytes.escape_ascii().to_string(),
                expected.escape_default().to_string()
            );
        }
    }
}
