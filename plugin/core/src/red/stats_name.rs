//! Names of Envoy stats, with labels in the encoding that Istio's tag rules read.
//!
//! Envoy cuts each `tag=.=value;.;` out of a name by a regular expression. The tags stand in front and
//! the name last, so that nothing is left over but the name.

use super::Series;

/// The counter of finished requests.
pub fn requests_total(series: Series) -> String {
    let Series { method, status } = series;
    format!(
        "http_request_method=.={};.;http_response_status_code=.={status};.;sightline_http_requests_total",
        method.as_str(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Method;

    #[test]
    fn tags_come_first_and_the_name_last() {
        let name = requests_total(Series { method: Method::Get, status: 404 });
        assert_eq!(
            name,
            "http_request_method=.=GET;.;http_response_status_code=.=404;.;sightline_http_requests_total"
        );
    }
}
