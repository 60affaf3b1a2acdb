//! Names of Envoy stats, with labels in the encoding that Istio's tag rules read.
//!
//! Envoy cuts each `tag=.=value;.;` out of a name by a regular expression. The tags stand in front and
//! the name last, so that nothing is left over but the name.

use super::{Family, SeriesName};
use crate::otlp::Signal;

/// Requests under way.
pub const REQUESTS_ACTIVE: &str = "sightline_http_requests_active";
/// Inferred routes that exist.
pub const ROUTES_ACTIVE: &str = "sightline_routes_active";
/// Parents whose rare children are counted as one.
pub const ROUTES_COLLAPSED: &str = "sightline_routes_collapsed";
/// Requests whose route is `_other`, because the limit is reached.
pub const ROUTES_OVERFLOWED: &str = "sightline_routes_overflowed_total";

/// The counter of finished requests. No route holds the end of a tag: templates and names with it are
/// refused, and inferred routes have no such characters.
pub fn requests_total(SeriesName { method, route, status, .. }: &SeriesName) -> String {
    let method = method.as_str();
    format!(
        "http_request_method=.={method};.;http_route=.={route};.;http_response_status_code=.={status};.;sightline_http_requests_total",
    )
}

/// The histogram of durations. Streams have one of their own.
pub fn duration_milliseconds(
    SeriesName { method, route, status, is_stream }: &SeriesName,
) -> String {
    let (method, class) = (method.as_str(), status / 100);
    let what = if *is_stream { "stream" } else { "request" };
    format!(
        "http_request_method=.={method};.;http_route=.={route};.;http_response_status_class=.={class}xx;.;sightline_http_{what}_duration_milliseconds",
    )
}

/// A counter of our own doings.
pub fn counter(family: &Family, labels: &[&str]) -> String {
    let mut name = String::new();
    for (label, value) in family.labels.iter().zip(labels) {
        name.extend([label, "=.=", value, ";.;"]);
    }
    name.extend(family.name.split('.').flat_map(|part| [part, "_"]));
    name + "total"
}

/// Items that wait for a collector, or are under way to it.
pub fn export_waiting(signal: Signal) -> String {
    format!("signal=.={};.;sightline_export_waiting", signal.name())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Method;
    use crate::red::family;

    #[test]
    fn tags_come_first_and_the_name_last() {
        let (method, route) = (Method::Get, "/users/{id}".into());
        let name = SeriesName { method, route, status: 404, is_stream: false };
        assert_eq!(
            requests_total(&name),
            "http_request_method=.=GET;.;http_route=.=/users/{id};.;http_response_status_code=.=404;.;sightline_http_requests_total"
        );
        assert_eq!(
            duration_milliseconds(&SeriesName { is_stream: true, ..name }),
            "http_request_method=.=GET;.;http_route=.=/users/{id};.;http_response_status_class=.=4xx;.;sightline_http_stream_duration_milliseconds"
        );
        assert_eq!(
            counter(&family::BATCHES, &["traces", "ok"]),
            "signal=.=traces;.;outcome=.=ok;.;sightline_export_batches_total"
        );
        assert_eq!(counter(&family::LOST, &[]), "sightline_workers_lost_total");
    }
}
