//! Names of Envoy stats, with labels in the encoding that Istio's tag rules read.
//!
//! Envoy cuts each `tag=.=value;.;` out of a name by a regular expression. The tags stand in front and
//! the name last, so that nothing is left over but the name.

use super::Series;

/// Inferred routes that exist.
pub const ROUTES_ACTIVE: &str = "sightline_routes_active";
/// Parents whose rare children are counted as one.
pub const ROUTES_COLLAPSED: &str = "sightline_routes_collapsed";
/// Requests whose route is `_other`, because the limit is reached.
pub const ROUTES_OVERFLOWED: &str = "sightline_routes_overflowed_total";

/// The counter of finished requests. No route holds the end of a tag: templates and names with it are
/// refused, and inferred routes have no such characters.
pub fn requests_total(series: Series, route: &str) -> String {
    let Series { method, status, .. } = series;
    format!(
        "http_request_method=.={};.;http_route=.={route};.;http_response_status_code=.={status};.;sightline_http_requests_total",
        method.as_str(),
    )
}

/// The counter of traced requests, by what became of their spans.
pub fn spans_total(outcome: &str) -> String {
    format!("outcome=.={outcome};.;sightline_spans_total")
}

/// The counter of attempts to send a batch.
pub fn export_batches_total(signal: &str, outcome: &str) -> String {
    format!("signal=.={signal};.;outcome=.={outcome};.;sightline_export_batches_total")
}

/// The counter of spans and the like that a collector took.
pub fn exported_total(signal: &str) -> String {
    format!("signal=.={signal};.;sightline_exported_total")
}

/// The counter of those that no collector will see.
pub fn dropped_total(signal: &str, reason: &str) -> String {
    format!("signal=.={signal};.;reason=.={reason};.;sightline_dropped_total")
}

/// Those that wait for a collector, or are under way to it.
pub fn export_waiting(signal: &str) -> String {
    format!("signal=.={signal};.;sightline_export_waiting")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Method;
    use crate::route::Table;

    #[test]
    fn tags_come_first_and_the_name_last() {
        let route = Table::default().number("/users/{id}");
        let name =
            requests_total(Series { method: Method::Get, route, status: 404 }, "/users/{id}");
        assert_eq!(
            name,
            "http_request_method=.=GET;.;http_route=.=/users/{id};.;http_response_status_code=.=404;.;sightline_http_requests_total"
        );
    }
}
