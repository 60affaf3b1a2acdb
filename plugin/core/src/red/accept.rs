//! Which format a scraper wants: its `Accept` headers, and what we call ours in turn.
//!
//! Not all of HTTP's negotiation: of two formats, one has to be asked for by name and the other is what
//! everybody reads.

use super::Decimal;

/// How metrics are written as text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// The text format of Prometheus, 0.0.4.
    #[default]
    Text,
    /// `OpenMetrics` 1.0.0.
    OpenMetrics,
}

/// How much of all headers together is read. No scraper has a tenth of it to say.
const LONGEST: usize = 4_096;

/// The most that anything can be wanted.
const WHOLLY: Decimal = Decimal::whole(1);

/// How much each thing is wanted, from 0 to 1.
#[derive(Default)]
struct Wishes {
    openmetrics: Decimal,
    text_plain: Option<Decimal>,
    text: Option<Decimal>,
    anything: Option<Decimal>,
}

impl Format {
    /// The one that the `Accept` headers with these values ask for. Of what makes no sense, nothing is taken.
    pub fn for_accept<'a>(values: impl Iterator<Item = &'a [u8]>) -> Self {
        let mut wishes = Wishes::default();
        let mut left = LONGEST;
        for value in values {
            let read = value.get(..left).unwrap_or(value);
            split_outside_quotes(read, b',').for_each(|range| wishes.hear(range));
            // A header costs one byte even if it is empty, so that there is an end to empty ones.
            left = left.saturating_sub(read.len() + 1);
            if left == 0 {
                break;
            }
        }
        wishes.format()
    }

    /// What the response's `content-type` says.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Text => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }
}

impl Wishes {
    /// Takes in one media range with its parameters.
    fn hear(&mut self, range: &[u8]) {
        let mut parts = split_outside_quotes(range, b';').map(<[u8]>::trim_ascii);
        let media = parts.next().unwrap_or_default();
        let (mut quality, mut known_version) = (WHOLLY, true);
        for part in parts {
            let mut words = part.splitn(2, |&byte| byte == b'=').map(<[u8]>::trim_ascii);
            let (name, value) = (words.next().unwrap_or_default(), words.next());
            let value = unquoted(value.unwrap_or_default());
            if name.eq_ignore_ascii_case(b"q") {
                match Decimal::parse(value).filter(|quality| *quality <= WHOLLY) {
                    Some(said) => quality = said,
                    None => return,
                }
            } else if name.eq_ignore_ascii_case(b"version") {
                known_version = matches!(value, b"1.0.0" | b"0.0.1");
            }
        }
        if media.eq_ignore_ascii_case(b"application/openmetrics-text") {
            if known_version {
                self.openmetrics = self.openmetrics.max(quality);
            }
        } else if let Some(wish) = self.wish(media) {
            *wish = (*wish).max(Some(quality));
        }
    }

    /// That for text, if these words ask for it in one way or another. Its version does not matter: who reads a
    /// later one reads ours.
    fn wish(&mut self, media: &[u8]) -> Option<&mut Option<Decimal>> {
        if media.eq_ignore_ascii_case(b"text/plain") {
            Some(&mut self.text_plain)
        } else if media.eq_ignore_ascii_case(b"text/*") {
            Some(&mut self.text)
        } else {
            (media == b"*/*").then_some(&mut self.anything)
        }
    }

    /// Text is wanted as much as the range says that fits it best.
    fn format(self) -> Format {
        let text = self.text_plain.or(self.text).or(self.anything).unwrap_or_default();
        if self.openmetrics > Decimal::default() && self.openmetrics >= text {
            Format::OpenMetrics
        } else {
            Format::Text
        }
    }
}

/// The pieces between separators that are in no quoted text.
fn split_outside_quotes(text: &[u8], separator: u8) -> impl Iterator<Item = &[u8]> {
    let (mut quoted, mut escaped) = (false, false);
    text.split(move |&byte| {
        let splits = byte == separator && !quoted;
        quoted ^= byte == b'"' && !escaped;
        escaped = byte == b'\\' && quoted && !escaped;
        splits
    })
}

/// What is between the quotes, if there are any. Escapes stay: no value that we know has one.
fn unquoted(value: &[u8]) -> &[u8] {
    let inside = value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\""));
    inside.unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Format::{OpenMetrics, Text};
    use super::*;

    fn asked(headers: &[&str]) -> Format {
        Format::for_accept(headers.iter().map(|header| header.as_bytes()))
    }

    #[test]
    fn what_scrapers_and_browsers_send() {
        for (name, header, format) in [
            (
                "Prometheus 2.33",
                "application/openmetrics-text; version=0.0.1,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
                OpenMetrics,
            ),
            (
                "Prometheus 2.42, and the Datadog agent",
                "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
                OpenMetrics,
            ),
            (
                "Prometheus 2.53",
                "application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
                OpenMetrics,
            ),
            (
                "Prometheus 3, and Grafana Alloy, which scrapes with its code",
                "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
                OpenMetrics,
            ),
            (
                "Prometheus 3 with native histograms",
                "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.6,application/openmetrics-text;version=1.0.0;escaping=underscores;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=underscores;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1",
                OpenMetrics,
            ),
            (
                "Prometheus 3 that is told to scrape text",
                "text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
                Text,
            ),
            (
                "Telegraf, and Prometheus 1",
                "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.7,text/plain;version=0.0.4;q=0.3",
                Text,
            ),
            ("the Datadog agent before 7.46", "text/plain", Text),
            (
                "the Datadog agent that is told to use the latest",
                "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1",
                OpenMetrics,
            ),
            ("curl", "*/*", Text),
            (
                "a browser",
                "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
                Text,
            ),
        ] {
            assert_eq!(asked(&[header]), format, "{name}");
        }
    }

    #[test]
    fn openmetrics_is_asked_for_by_name_and_not_less_than_text() {
        for (name, header, format) in [
            ("nothing", "", Text),
            ("by name", "application/openmetrics-text", OpenMetrics),
            ("upper case", "Application/OpenMetrics-Text;Version=1.0.0;Q=0.5", OpenMetrics),
            ("spaces", " application/openmetrics-text ; version = 1.0.0 ;\tq=1 ", OpenMetrics),
            ("a part of the name", "application/openmetrics", Text),
            ("all of its kind", "application/*", Text),
            ("a later version", "application/openmetrics-text;version=2.0.0", Text),
            ("a quoted version", "application/openmetrics-text;version=\"1.0.0\"", OpenMetrics),
            ("as much as text", "text/plain;q=0.5,application/openmetrics-text;q=0.5", OpenMetrics),
            ("less", "text/plain;q=0.501,application/openmetrics-text;q=0.5", Text),
            ("less than all text", "text/*;q=0.6,application/openmetrics-text;q=0.5", Text),
            ("less than anything", "*/*,application/openmetrics-text;q=0.5", Text),
            (
                "text's own word counts",
                "*/*,text/plain;q=0.1,application/openmetrics-text;q=0.5",
                OpenMetrics,
            ),
            (
                "text is refused",
                "text/plain;q=0,*/*,application/openmetrics-text;q=0.5",
                OpenMetrics,
            ),
            (
                "the best of several",
                "application/openmetrics-text;q=0,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;q=0.4",
                OpenMetrics,
            ),
            ("refused", "application/openmetrics-text;q=0", Text),
            ("refused with decimals", "application/openmetrics-text;q=0.000", Text),
            ("a quality above one", "application/openmetrics-text;q=1.1", Text),
            ("a quality that is none", "application/openmetrics-text;q=high", Text),
            ("an empty quality", "application/openmetrics-text;q=", Text),
            ("a quality below zero", "application/openmetrics-text;q=-1", Text),
            (
                "within quotes it is not said",
                "text/html;a=\",application/openmetrics-text,\"",
                Text,
            ),
            (
                "an escaped quote ends nothing",
                r#"text/html;a="\",application/openmetrics-text""#,
                Text,
            ),
            (
                "an escaped backslash does not escape",
                r#"text/html;a="\\",application/openmetrics-text"#,
                OpenMetrics,
            ),
            (
                "a quote without an end",
                "application/openmetrics-text;a=\";q=0,text/plain",
                OpenMetrics,
            ),
            ("nothing between", ",;,;;q=0,,application/openmetrics-text;;", OpenMetrics),
        ] {
            assert_eq!(asked(&[header]), format, "{name}");
        }
    }

    #[test]
    fn several_headers_are_one_list() {
        let openmetrics = "application/openmetrics-text;q=0.5";
        assert_eq!(asked(&["text/plain;q=0.4", openmetrics]), OpenMetrics);
        assert_eq!(asked(&[openmetrics, "text/plain;q=0.6"]), Text);
        assert_eq!(
            asked(&["text/html;a=\"", openmetrics]),
            OpenMetrics,
            "quotes end with a header"
        );
    }

    #[test]
    fn what_is_behind_the_first_4096_bytes_is_not_read() {
        let openmetrics = "application/openmetrics-text";
        for (name, before, format) in [
            ("it just fits", LONGEST - openmetrics.len(), OpenMetrics),
            ("it is cut", LONGEST - openmetrics.len() + 1, Text),
            ("it is behind", 1_000_000, Text),
        ] {
            let header = ",".repeat(before) + openmetrics;
            assert_eq!(asked(&[&header]), format, "{name}");
        }
        assert_eq!(asked(&[&"x".repeat(LONGEST), openmetrics]), Text, "in another header");
        let empty = [vec![""; LONGEST], vec![openmetrics]].concat();
        assert_eq!(asked(&empty), Text, "behind empty headers");
    }

    #[test]
    fn a_page_says_its_format() {
        for format in [Text, OpenMetrics] {
            let asks = format.content_type();
            assert_eq!(asked(&[asks]), format, "{asks}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_wish_for_one_of_them(headers: Vec<Vec<u8>>) {
            let _ = Format::for_accept(headers.iter().map(Vec::as_slice));
        }

        #[test]
        fn the_higher_quality_wins(openmetrics in 0..=1_000_u32, text in 0..=1_000_u32) {
            let said = |quality: u32| format!("{}.{:03}", quality / 1_000, quality % 1_000);
            let header = format!(
                "text/plain;q={},application/openmetrics-text;q={}",
                said(text),
                said(openmetrics)
            );
            let wins = openmetrics > 0 && openmetrics >= text;
            prop_assert_eq!(asked(&[&header]) == OpenMetrics, wins);
        }
    }
}
