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
