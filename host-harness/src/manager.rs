//! What Envoy's connection manager does to headers around the filters, and how long it waits.

use std::time::Duration;

use crate::{HeaderMap, World};

/// The settings of the connection manager that a filter can see the effects of. By default they are
/// Envoy's own.
#[derive(Clone, Debug)]
pub struct Manager {
    /// `generate_request_id`: a request without an `x-request-id` gets one.
    pub generate_request_id: bool,
    /// `preserve_external_request_id`: one that comes from outside is kept.
    pub preserve_external_request_id: bool,
    /// `use_remote_address`: the client is whoever connects, and `x-forwarded-for` says so.
    pub use_remote_address: bool,
    /// `server_name`, which every response gets as its `server`.
    pub server_name: String,
    /// `stream_idle_timeout`: a stream on which nothing has moved for so long is ended.
    pub idle_timeout: Duration,
    /// `upgrade_configs`: the protocols that a client may change to.
    pub upgrades: Vec<String>,
    /// `proxy_100_continue`: responses before the response, such as 103, are sent on.
    pub proxy_100_continue: bool,
    /// `accept_http_10`: requests in HTTP/1.0 are served, and not told to upgrade.
    pub accept_http_10: bool,
    /// `max_request_headers_kb`: a request with more KiB of headers is refused.
    pub max_request_headers_kb: u32,
    /// The client's address, without its port.
    pub client: String,
}

impl Default for Manager {
    fn default() -> Self {
        Self {
            generate_request_id: true,
            preserve_external_request_id: false,
            use_remote_address: false,
            server_name: "envoy".into(),
            idle_timeout: Duration::from_mins(5),
            upgrades: Vec::new(),
            proxy_100_continue: false,
            accept_http_10: false,
            max_request_headers_kb: 60,
            client: "127.0.0.1".into(),
        }
    }
}

/// Headers that belong to one connection and not to the message.
const OF_THE_CONNECTION: [&str; 4] =
    ["connection", "keep-alive", "proxy-connection", "transfer-encoding"];

/// What a client may not say to Envoy, and every client is one from outside.
const FOR_ENVOY: [&str; 16] = [
    "x-envoy-expected-rq-timeout-ms",
    "x-envoy-force-trace",
    "x-envoy-hedge-on-per-try-timeout",
    "x-envoy-internal",
    "x-envoy-ip-tags",
    "x-envoy-max-retries",
    "x-envoy-original-url",
    "x-envoy-retriable-header-names",
    "x-envoy-retriable-status-codes",
    "x-envoy-retry-grpc-on",
    "x-envoy-retry-on",
    "x-envoy-upstream-alt-stat-name",
    "x-envoy-upstream-rq-per-try-timeout-ms",
    "x-envoy-upstream-rq-timeout-alt-response",
    "x-envoy-upstream-rq-timeout-ms",
    "x-envoy-upstream-stream-duration-ms",
];

/// What only another Envoy may say.
const FOR_AN_INNER_ENVOY: [&str; 5] = [
    "x-envoy-decorator-operation",
    "x-envoy-downstream-service-cluster",
    "x-envoy-downstream-service-node",
    "x-envoy-original-host",
    "x-envoy-original-path",
];

impl Manager {
    /// What is done to a request before the first filter sees it.
    pub(crate) fn receive(&self, request: &mut HeaderMap, scheme: &str, world: &mut World) {
        request.trim();
        if !self.upgrades_to(request) {
            remove_nominated(request);
            for gone in OF_THE_CONNECTION {
                request.remove(gone);
            }
            request.remove("upgrade");
        }
        for gone in FOR_ENVOY {
            request.remove(gone);
        }
        keep_only_trailers(request);
        self.say_who_asks(request, scheme);
        self.identify(request, world);
    }

    /// Whether a request asks for a protocol that it may not change to. HTTP/2 does not count: who
    /// asks for that is served without it.
    pub(crate) fn refuses_upgrade(&self, request: &HeaderMap) -> bool {
        let Some(asked) = request.get("upgrade") else { return false };
        let connection = request.get("connection").unwrap_or_default();
        let mut options = connection.split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
        options.any(|option| option.eq_ignore_ascii_case(b"upgrade"))
            && !asked.eq_ignore_ascii_case(b"h2c")
            && !self.upgrades_to(request)
    }

    /// Whether a client that waits to be told to go on is told so by Envoy itself. The application
    /// then never hears of it.
    pub(crate) fn answers_expectation(&self, request: &mut HeaderMap) -> bool {
        let expected = request.get("expect").unwrap_or_default();
        let answers = !self.proxy_100_continue && expected.eq_ignore_ascii_case(b"100-continue");
        if answers {
            request.remove("expect");
        }
        answers
    }

    /// Says to all that come after from where the request comes, and how.
    fn say_who_asks(&self, request: &mut HeaderMap, scheme: &str) {
        if self.use_remote_address {
            for gone in FOR_AN_INNER_ENVOY {
                request.remove(gone);
            }
            request.add("x-forwarded-for", &self.client);
            request.overwrite("x-forwarded-proto", scheme);
            request.overwrite("x-envoy-external-address", &self.client);
        } else if let Some(said) = request.get("x-forwarded-proto") {
            let said = said.to_ascii_lowercase();
            if matches!(&*said, b"http" | b"https") {
                request.overwrite(":scheme", said);
            }
        } else {
            request.overwrite("x-forwarded-proto", scheme);
        }
    }

    /// Whether a request asks for a protocol that it may change to.
    pub(crate) fn upgrades_to(&self, request: &HeaderMap) -> bool {
        let Some(asked) = request.get("upgrade") else { return false };
        self.upgrades.iter().any(|known| known.as_bytes().eq_ignore_ascii_case(asked))
    }

    /// What is done to a response after the last filter saw it.
    pub(crate) fn send(&self, response: &mut HeaderMap, world: &World) {
        if response.get(":status") != Some(b"101") {
            for gone in OF_THE_CONNECTION {
                response.remove(gone);
            }
            response.remove("upgrade");
        }
        if response.get("date").is_none() {
            response.add("date", http_date(world.wall()));
        }
        response.overwrite("server", &self.server_name);
    }

    fn identify(&self, request: &mut HeaderMap, world: &mut World) {
        let keeps = !self.use_remote_address || self.preserve_external_request_id;
        let present = request.get("x-request-id").is_some_and(|id| !id.is_empty());
        if self.generate_request_id && !(present && keeps) {
            request.overwrite("x-request-id", uuid(&world.random(16)));
        }
    }
}

/// Removes what the client says is for this connection alone.
fn remove_nominated(request: &mut HeaderMap) {
    let Some(said) = request.get("connection").map(<[u8]>::to_vec) else { return };
    let names = said.split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
    names.filter(|name| !name.eq_ignore_ascii_case(b"te")).for_each(|name| request.remove(name));
}

/// Of all that a client may know of transfer encodings, Envoy passes on that it takes trailers.
fn keep_only_trailers(request: &mut HeaderMap) {
    let Some(said) = request.get("te").map(<[u8]>::to_vec) else { return };
    let name = |part: &[u8]| part.split(|byte| *byte == b';').next().map(<[u8]>::to_vec);
    let mut names = said.split(|byte| *byte == b',').filter_map(name);
    if names.any(|name| name.trim_ascii() == b"trailers") {
        request.overwrite("te", "trailers");
    } else {
        request.remove("te");
    }
}

/// A random UUID, as Envoy mints request IDs.
fn uuid(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut text = String::with_capacity(36);
    for (place, byte) in bytes.iter().enumerate() {
        let byte = match place {
            6 => byte & 0x0f | 0x40,
            8 => byte & 0x3f | 0x80,
            _ => *byte,
        };
        if matches!(place, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// `Thu, 01 Jan 2026 00:00:00 GMT`
fn http_date(wall: u64) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let seconds = wall / 1_000_000_000;
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    // Days in years that begin in March, so that the leap day is the last of its year.
    let from_march = days + 719_468;
    let (era, day_of_era) = (from_march / 146_097, from_march % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let index = (month + 2) % 12;
    let year = era * 400 + year_of_era + u64::from(index < 2);
    let name = |list: &[&'static str], index: u64| {
        list[usize::try_from(index).unwrap_or_default() % list.len()]
    };
    format!(
        "{}, {day:02} {} {year} {:02}:{:02}:{:02} GMT",
        name(&DAYS, days % 7),
        name(&MONTHS, index),
        second / 3_600,
        second / 60 % 60,
        second % 60
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_as_http_writes_them() {
        let rows = [
            (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
            (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"),
            (1_767_225_599, "Wed, 31 Dec 2025 23:59:59 GMT"),
            (1_709_210_096, "Thu, 29 Feb 2024 12:34:56 GMT"),
        ];
        for (seconds, expected) in rows {
            assert_eq!(http_date(seconds * 1_000_000_000), expected);
        }
    }

    #[test]
    fn minted_ids_are_uuids_of_version_4() {
        let id = uuid(&[0xff; 16]);
        assert_eq!(id, "ffffffff-ffff-4fff-bfff-ffffffffffff");
    }
}
