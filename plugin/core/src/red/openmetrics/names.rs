//! What families are called on the page: OpenTelemetry's names by its own rules for Prometheus.

use crate::red::{Family, Kind};

/// Units that are written out. All others stand as they are.
const UNITS: [(&str, &str); 12] = [
    ("d", "days"),
    ("h", "hours"),
    ("min", "minutes"),
    ("s", "seconds"),
    ("ms", "milliseconds"),
    ("us", "microseconds"),
    ("ns", "nanoseconds"),
    ("By", "bytes"),
    ("KiBy", "kibibytes"),
    ("MiBy", "mebibytes"),
    ("GiBy", "gibibytes"),
    ("%", "percent"),
];

/// The names of one family.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Names {
    /// With its unit, but without what its kind adds.
    pub family: String,
    /// The unit that it ends with; empty if none.
    pub unit: String,
    /// What its kind adds: `_total`, `_info`.
    pub suffix: &'static str,
}

impl Names {
    pub(super) fn of(family: &Family) -> Self {
        let (suffix, unit) = match family.kind {
            Kind::Counter | Kind::Amount => ("_total", spelled(&family.unit)),
            Kind::Info => ("_info", String::new()),
            Kind::Level if family.unit == "1" => ("", "ratio".to_owned()),
            Kind::Level | Kind::Histogram => ("", spelled(&family.unit)),
        };
        let name = metric(&family.name);
        let mut name = name.strip_suffix(suffix).unwrap_or(&name).to_owned();
        let has_unit = name.strip_suffix(unit.as_str()).is_some_and(|name| name.ends_with('_'));
        if !unit.is_empty() && !has_unit {
            name.push('_');
            name.push_str(&unit);
        }
        Self { family: name, unit, suffix }
    }
}

/// A unit as a name ends with it. What is in braces says what is counted, and a count has no unit.
fn spelled(unit: &str) -> String {
    let unit = unit.split_once('{').map_or(unit, |(unit, _)| unit);
    if unit == "1" {
        return String::new();
    }
    let known = UNITS.iter().find(|(short, _)| *short == unit);
    let unit = words(known.map_or(unit, |(_, long)| long));
    unit.trim_matches('_').to_owned()
}

/// A name that begins with no digit.
fn metric(name: &str) -> String {
    let name = words(name);
    if name.starts_with(|first: char| first.is_ascii_digit()) {
        "_".to_owned() + &name
    } else {
        name
    }
}

/// All but letters and digits is one underscore, however much of it there is.
fn words(text: &str) -> String {
    let mut words = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_ascii_alphanumeric() {
            words.push(character);
        } else if !words.ends_with('_') {
            words.push('_');
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::Kind::{Amount, Counter, Histogram, Info, Level};
    use super::*;

    #[test]
    fn names_are_what_dashboards_for_opentelemetry_ask_for() {
        for (name, kind, unit, sample, has_unit) in [
            (
                "http.server.request.duration",
                Histogram,
                "s",
                "http_server_request_duration_seconds",
                "seconds",
            ),
            ("http.server.active_requests", Level, "{request}", "http_server_active_requests", ""),
            ("sightline.spans", Counter, "{span}", "sightline_spans_total", ""),
            ("sightline.build_info", Info, "", "sightline_build_info", ""),
            ("target_info", Info, "1", "target_info", ""),
            ("paid", Amount, "EUR", "paid_EUR_total", "EUR"),
            ("paid.total", Amount, "EUR", "paid_EUR_total", "EUR"),
            ("paid.EUR.total", Amount, "EUR", "paid_EUR_total", "EUR"),
            ("waited.seconds", Histogram, "s", "waited_seconds", "seconds"),
            ("milliseconds", Histogram, "s", "milliseconds_seconds", "seconds"),
            ("seconds", Histogram, "s", "seconds_seconds", "seconds"),
            ("waited", Histogram, "ms", "waited_milliseconds", "milliseconds"),
            ("sent", Counter, "By", "sent_bytes_total", "bytes"),
            ("hits", Level, "1", "hits_ratio", "ratio"),
            ("hits", Counter, "1", "hits_total", ""),
            ("share", Histogram, "%", "share_percent", "percent"),
            ("sent", Counter, "By{packed}", "sent_bytes_total", "bytes"),
            ("rate", Level, "EUR/h", "rate_EUR_h", "EUR_h"),
            ("price", Level, "€", "price", ""),
            ("price", Level, "a€", "price_a", "a"),
            ("a.-:b  c", Level, "", "a_b_c", ""),
            ("2xx", Level, "", "_2xx", ""),
            ("höhe", Level, "", "h_he", ""),
        ] {
            let family = Family {
                name: Cow::Borrowed(name),
                kind,
                unit: Cow::Borrowed(unit),
                about: Cow::Borrowed(""),
                labels: Cow::Borrowed(&[]),
            };
            let Names { family, unit, suffix } = Names::of(&family);
            assert_eq!((family + suffix, unit.as_str()), (sample.to_owned(), has_unit), "{name}");
        }
    }
}
