//! What is said at the end: a row for each route, and what became of what was sent.

use std::fmt::Write as _;
use std::time::Duration;

use super::traffic::Sent;
use crate::harmless::is_harmful;
use crate::live::{Request, Snapshot, ToldRoute};

/// More rows than this fit no screen.
const MOST_ROUTES: usize = 30;

/// The widest that a route is shown.
const WIDEST: usize = 46;

/// A table of the routes with most requests.
pub(super) fn table(snapshot: &Snapshot) -> String {
    let shown = &snapshot.routes[..snapshot.routes.len().min(MOST_ROUTES)];
    let mut table = format!(
        "{:<10}  {:<8}{:<WIDEST$}{:>9}{:>8}{:>10}{:>10}{:>10}\n",
        "SERVICE", "METHOD", "ROUTE", "REQUESTS", "ERRORS", "P50", "P95", "P99"
    );
    for route in shown {
        table.push_str(&row(route));
    }
    let rest = snapshot.routes.len() - shown.len();
    if rest > 0 {
        let _ = writeln!(table, "… and {rest} more.");
    }
    table.push_str(
        "Percentiles are of the last minute. Errors are 5xx, and requests without an answer.\n",
    );
    table
}

fn row(route: &ToldRoute) -> String {
    let told = &route.told;
    format!(
        "{:<10}  {:<8}{:<WIDEST$}{:>9}{:>8}{:>10}{:>10}{:>10}\n",
        route.service,
        route.method,
        fitting(&route.route),
        told.requests,
        told.errors,
        milliseconds(told.p50_ms),
        milliseconds(told.p95_ms),
        milliseconds(told.p99_ms)
    )
}

fn milliseconds(time: Option<f64>) -> String {
    match time {
        None => "-".to_owned(),
        Some(time) if time < 10.0 => format!("{time:.1} ms"),
        Some(time) => format!("{time:.0} ms"),
    }
}

/// A route came out of paths that clients sent.
fn fitting(route: &str) -> String {
    let mut shown: String = route.chars().map(|c| if is_harmful(c) { '?' } else { c }).collect();
    if shown.chars().count() >= WIDEST {
        shown = shown.chars().take(WIDEST - 2).chain(['…']).collect();
    }
    shown
}

/// What became of what was sent, and how many lines there were.
pub(super) fn account(sent: Sent, lines: u64, lasted: Duration) -> String {
    format!(
        "{} requests sent in {:.0} s: {} answered, with a line for each; {} broken off or refused, with or \
         without; {} health probes, which have none.\n\
         {lines} lines in all, with those of the shop's own calls to accounts.",
        sent.all(),
        lasted.as_secs_f64(),
        sent.answered,
        sent.broken,
        sent.probes,
    )
}

/// A request worth looking at: one that failed in the shop, or else the slowest.
pub(super) fn example(snapshot: &Snapshot) -> Option<String> {
    let in_shop = |request: &&Request| request.service == "shop" && request.status >= 500;
    let request = snapshot.failed.iter().find(in_shop).or(snapshot.slowest.first())?;
    Some(format!(
        "One to look at: {} {} ended with {} after {:.0} ms.\n  request ID  {}\n  trace ID    {}\n\
         Its line, its spans, the app's own spans and what the client got back all carry them.",
        request.method,
        fitting(&request.route),
        request.status,
        request.duration_ms,
        request.request_id,
        request.trace_id
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_as_many_digits_as_matter() {
        for (time, shown) in
            [(None, "-"), (Some(0.04), "0.0 ms"), (Some(9.94), "9.9 ms"), (Some(1234.5), "1234 ms")]
        {
            assert_eq!(milliseconds(time), shown, "{time:?}");
        }
    }

    #[test]
    fn a_route_fits_its_column_and_is_text() {
        let long = "/é".repeat(WIDEST);
        for (name, route, shown) in [
            ("short", "/users/{id}", "/users/{id}"),
            ("with a control character", "/a\u{1b}[31m", "/a?[31m"),
        ] {
            assert_eq!(fitting(route), shown, "{name}");
        }
        let cut = fitting(&long);
        assert_eq!((cut.chars().count(), cut.ends_with('…')), (WIDEST - 1, true), "{cut}");
    }

    #[test]
    fn what_was_sent_is_told_apart() {
        let sent = Sent { answered: 7, broken: 2, probes: 3 };
        let told = account(sent, 9, Duration::from_millis(1_400));
        assert!(told.starts_with("12 requests sent in 1 s: 7 answered, "), "{told}");
        assert!(told.contains("2 broken off") && told.contains("3 health probes"), "{told}");
        assert!(told.contains("\n9 lines in all"), "{told}");
    }

    #[test]
    fn before_anything_came_there_is_a_table_without_rows() {
        let snapshot = crate::live::Live::new(Vec::new()).snapshot();
        assert!(table(&snapshot).starts_with("SERVICE "));
        assert_eq!((table(&snapshot).lines().count(), example(&snapshot)), (2, None));
    }
}
