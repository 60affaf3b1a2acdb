//! Replaces what is different in every run by placeholders: minted ids, times and ports.
//!
//! An id that stands in the scenario is nobody's invention and stays. Equal ids get equal placeholders.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::format::Scenario;

/// The fields of the filter's line that are times.
const LINE_TIMES: [&str; 3] = ["timestamp", "duration_ms", "ttfb_ms"];
/// The header with which Envoy tells how long the app took.
const SERVICE_TIME: &str = "x-envoy-upstream-service-time";
const DAYS: [&str; 7] = ["Mon, ", "Tue, ", "Wed, ", "Thu, ", "Fri, ", "Sat, ", "Sun, "];

/// What the names of histograms of durations end with.
const DURATIONS: &str = "_milliseconds count ";

/// Replaces in one transcript, line after line.
pub(super) struct Normaliser<'a> {
    /// All words of the scenario that look like ids.
    known: HashSet<String>,
    /// Those met so far, by their numbers.
    met: HashMap<String, usize>,
    ports: &'a [u16],
}

impl<'a> Normaliser<'a> {
    /// For a run of this scenario, with these ports in it.
    pub(super) fn new(scenario: &Scenario, ports: &'a [u16]) -> Self {
        let said = format!("{scenario:?}");
        let known =
            words(&said).into_iter().filter(|word| is_id(word)).map(str::to_owned).collect();
        Self { known, met: HashMap::new(), ports }
    }

    /// This line of the transcript, as any run has it.
    pub(super) fn line(&mut self, line: &str) -> String {
        let line = filters_line(line).unwrap_or_else(|| line.to_owned());
        let line = durations(service_times(&dates(&line)));
        let mut rest = line.as_str();
        let mut text = String::with_capacity(line.len());
        while !rest.is_empty() {
            let word = first_word(rest);
            if word.is_empty() {
                let other = rest.chars().next().map_or(1, char::len_utf8);
                text.push_str(&rest[..other]);
                rest = &rest[other..];
            } else {
                text.push_str(&self.word(word));
                rest = &rest[word.len()..];
            }
        }
        text
    }

    /// A word may be an id, a port, a traceparent with ids between its dashes, or itself.
    fn word(&mut self, word: &str) -> String {
        if self.is_port(word) {
            return "<port>".to_owned();
        }
        if is_id(word) {
            return self.id(word);
        }
        let parts = word.split('-');
        parts
            .map(|part| if is_id(part) { self.id(part) } else { part.to_owned() })
            .collect::<Vec<_>>()
            .join("-")
    }

    fn is_port(&self, word: &str) -> bool {
        word.parse().is_ok_and(|port| self.ports.contains(&port))
    }

    fn id(&mut self, id: &str) -> String {
        if self.known.contains(id) {
            return id.to_owned();
        }
        let next = self.met.len() + 1;
        format!("<id-{}>", self.met.entry(id.to_owned()).or_insert(next))
    }
}

/// Letters, digits and dashes from the beginning.
fn first_word(text: &str) -> &str {
    let end = text.find(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '-'));
    &text[..end.unwrap_or(text.len())]
}

/// All words, and the parts of those with dashes.
fn words(text: &str) -> Vec<&str> {
    let whole = text.split(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '-'));
    whole.flat_map(|word| std::iter::once(word).chain(word.split('-'))).collect()
}

/// A UUID, or the 32 or 16 hex digits of a trace or a span.
fn is_id(word: &str) -> bool {
    let lengths: Vec<_> = word.split('-').map(str::len).collect();
    let hex = word.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit());
    hex && matches!(lengths[..], [8, 4, 4, 4, 12] | [32 | 16])
}

/// The filter's own line, with its keys in order and without its times.
fn filters_line(line: &str) -> Option<String> {
    let (before, json) = line.split_once(" line {")?;
    let mut fields: Value = serde_json::from_str(&format!("{{{json}")).ok()?;
    for name in LINE_TIMES {
        if let Some(field) = fields.get_mut(name).filter(|field| !field.is_null()) {
            *field = Value::from("<time>");
        }
    }
    Some(format!("{before} line {fields}"))
}

/// Dates as HTTP writes them, such as `Sat, 21 Nov 2026 10:29:42 GMT`.
fn dates(line: &str) -> String {
    let mut text = line.to_owned();
    for day in DAYS {
        let mut from = 0;
        while let Some(found) = text[from..].find(day) {
            let begin = from + found;
            from = begin + day.len();
            let length = text[begin..].find(" GMT").map(|end| end + " GMT".len());
            if let Some(length) = length.filter(|&length| length == 29) {
                text.replace_range(begin..begin + length, "<time>");
            }
        }
    }
    text
}

/// The number after the name of the header, with whatever stands between them.
fn service_times(line: &str) -> String {
    let mut parts = line.split(SERVICE_TIME);
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        text.push_str(SERVICE_TIME);
        let after = part.trim_start_matches(['"', ' ', ',', '=']);
        let after = after.strip_prefix("\\x00").unwrap_or(after);
        let rest = after.trim_start_matches(|digit: char| digit.is_ascii_digit());
        text.push_str(&part[..part.len() - after.len()]);
        if rest.len() < after.len() {
            text.push_str("<time>");
        }
        text.push_str(rest);
    }
    text
}

/// How many there are is the same in every run, but not how long they take.
fn durations(line: String) -> String {
    let is_histogram = line.starts_with("stat histogram ") && line.contains(DURATIONS);
    match line.rsplit_once(' ') {
        Some((before, _)) if is_histogram => format!("{before} <time>"),
        _ => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse;
    use std::path::Path;

    const SENT: &str = "0af7651916cd43dd8448eb211c80319c";

    fn scenario() -> Scenario {
        let text = format!(
            "- name: a\n  steps: [{{ request: {{ headers: [[traceparent, 00-{SENT}-b7ad6b7169203331-01]] }} }}]\n"
        );
        parse(&text, Path::new("a.yaml")).unwrap().remove(0)
    }

    #[test]
    fn what_differs_in_every_run_is_replaced() {
        let scenario = scenario();
        let line = "{\"status\":200,\"duration_ms\":1.25,\"ttfb_ms\":null,\"a\":1}";
        for (name, line, expected) in [
            ("nothing", "  :path /a-b?c=d".to_owned(), "  :path /a-b?c=d".to_owned()),
            ("uuid", "  x-request-id 0b1c2d3e-0000-4000-8000-0123456789ab".into(), "  x-request-id <id-1>".into()),
            ("minted trace", format!("00-{}-0123456789abcdef-01", "a".repeat(32)), "00-<id-1>-<id-2>-01".into()),
            ("sent trace, minted span", format!("00-{SENT}-0123456789abcdef-01"), format!("00-{SENT}-<id-1>-01")),
            ("sent", format!("\"00-{SENT}-b7ad6b7169203331-01\""), format!("\"00-{SENT}-b7ad6b7169203331-01\"")),
            ("date", "  date Sat, 21 Nov 2026 10:29:42 GMT".into(), "  date <time>".into()),
            ("dates", "\"Sat, 21 Nov 2026 10:29:42 GMT\" Sat, x".into(), "\"<time>\" Sat, x".into()),
            ("time", format!("  {SERVICE_TIME} 12"), format!("  {SERVICE_TIME} <time>")),
            ("time in pairs", format!("\"{SERVICE_TIME}\" \"12\" \"a\""), format!("\"{SERVICE_TIME}\" \"<time>\" \"a\"")),
            ("time between zeros", format!("{SERVICE_TIME}\\x0012\\x00"), format!("{SERVICE_TIME}\\x00<time>\\x00")),
            ("port", "127.0.0.1:45678 45678 145678".into(), "127.0.0.1:<port> <port> 145678".into()),
            (
                "a histogram of durations",
                "stat histogram wasmcustom.a_milliseconds count 3 sum 12".into(),
                "stat histogram wasmcustom.a_milliseconds count 3 sum <time>".into(),
            ),
            ("line", format!("request 1 line {line}"), "request 1 line {\"a\":1,\"duration_ms\":\"<time>\",\"status\":200,\"ttfb_ms\":null}".into()),
            ("beyond ASCII", "é 45678é".into(), "é <port>é".into()),
        ] {
            assert_eq!(Normaliser::new(&scenario, &[45678]).line(&line), expected, "{name}");
        }
    }

    #[test]
    fn equal_ids_have_equal_placeholders() {
        let mut normaliser = Normaliser { known: HashSet::new(), met: HashMap::new(), ports: &[] };
        let [a, b] = ["a", "b"].map(|digit| digit.repeat(16));
        assert_eq!(normaliser.line(&format!("{a} {b}")), "<id-1> <id-2>");
        assert_eq!(normaliser.line(&format!("{b} {a}")), "<id-2> <id-1>");
    }
}
