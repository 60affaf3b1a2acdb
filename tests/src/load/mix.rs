//! What is asked, how often, and what becomes of it.

/// One sort of request.
#[derive(Debug)]
pub(super) struct Play {
    /// How many of a thousand requests are of this sort.
    pub(super) share: usize,
    pub(super) way: Way,
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    /// Further header fields, each with the end of its line.
    pub(super) fields: &'static str,
}

/// How it is sent, and when its client is done with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// After others, before they are answered, over a connection that stays open.
    Pipelined,
    /// Likewise, but the client waits for the answer before it goes on. Envoy answers these by itself and at
    /// once, and closes a connection on which more than two answers wait to be written.
    Last,
    /// Over HTTP/2, beside others; reset right away by the client if so said.
    Stream { cancelled: bool },
    /// Alone on its connection, until all is there that is to come.
    ToTheEnd,
    /// Alone, and the client closes the connection at once.
    LeftUnanswered,
    /// Alone, and the client resets the connection at once.
    ResetUnanswered,
    /// Alone, and the client goes when it has seen the head of the answer.
    LeftAfterHead,
    /// Alone, and the client goes when something it has sent after the head has come back.
    Echoed,
}

/// Envoy takes heads of 60 KiB.
const TOO_LARGE: usize = 61 * 1_024;
/// What the shares are parts of.
const WHOLE: usize = 1_000;
const STREAM: Way = Way::Stream { cancelled: false };
const CANCELLED: Way = Way::Stream { cancelled: true };

/// A field that is made larger than Envoy takes.
const LARGE: &str = "x-large: ";
/// In place of a method: what no HTTP server can read.
const GARBAGE: &str = "\x01\x02";

/// A path that the filter ignores, if it is not told otherwise.
pub(super) const IGNORED: &str = "/healthz";

const WEBSOCKET: &str = "connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
                         sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
const GRPC: &str =
    "content-type: application/grpc\r\nte: trailers\r\ncontent-length: 5\r\n\r\n\0\0\0\0\0";
const BODY: &str = "content-length: 2\r\n\r\nhi";

static PLAYS: [Play; 43] = [
    play_of(339, Way::Pipelined, "GET", "/users/7"),
    play_of(
        100,
        Way::Pipelined,
        "GET",
        "/users/7/orders/1f0c2a7e-7d0e-4a6c-9d39-0c1f6f3b1a11?page=2",
    ),
    play_with(80, Way::Pipelined, "POST", "/orders", BODY),
    play_with(10, Way::Pipelined, "PUT", "/orders/12", BODY),
    play_of(10, Way::Pipelined, "DELETE", "/orders/12"),
    play_of(10, Way::Last, "BREW", "/orders/12"),
    play_of(50, Way::Pipelined, "HEAD", "/users/7"),
    play_of(10, Way::Pipelined, "HEAD", "/missing"),
    play_of(40, Way::Pipelined, "GET", "/moved"),
    play_of(40, Way::Pipelined, "GET", "/unchanged"),
    play_of(10, Way::Pipelined, "GET", "/nothing"),
    play_of(40, Way::Pipelined, "GET", "/missing"),
    play_of(20, Way::Pipelined, "GET", "/conflict"),
    play_of(30, Way::Pipelined, "GET", "/broken"),
    play_of(15, Way::Pipelined, "GET", "/busy"),
    play_of(30, Way::Last, "GET", "/direct"),
    play_of(10, Way::Last, "GET", "/gone"),
    play_of(15, Way::Last, "GET", "/nowhere/at/all"),
    play_of(8, Way::Last, "GET", "/refused"),
    play_of(10, Way::Last, "GET", "/empty"),
    play_of(10, Way::Pipelined, "GET", "/flaky"),
    play_of(5, Way::Pipelined, "GET", "/flaky/always"),
    play_of(2, Way::Pipelined, "GET", "/flaky/reset"),
    play_of(5, Way::Pipelined, "GET", "/reset"),
    play_of(10, Way::Pipelined, "GET", "/events"),
    // Alone, so that each is answered: one that is begun when its connection drains is not, and nobody but
    // the app would know of it.
    play_of(20, Way::ToTheEnd, "GET", IGNORED),
    play_of(33, STREAM, "GET", "/users/7"),
    play_of(2, STREAM, "BREW", "/orders/12"),
    play_of(5, STREAM, "GET", "/broken"),
    play_of(2, STREAM, "GET", "/nowhere/at/all"),
    play_of(2, STREAM, "GET", "/halfway"),
    play_with(5, STREAM, "POST", "/shop.Cart/Add", GRPC),
    play_with(3, STREAM, "POST", "/shop.Cart/Fail", GRPC),
    play_of(2, CANCELLED, "GET", "/silent"),
    play_of(2, Way::ToTheEnd, "GET", "/halfway"),
    play_of(1, Way::ToTheEnd, "GET", "/slow"),
    play_of(2, Way::LeftUnanswered, "GET", "/silent"),
    play_of(2, Way::ResetUnanswered, "GET", "/silent"),
    play_of(2, Way::LeftAfterHead, "GET", "/endless"),
    play_of(2, Way::LeftAfterHead, "GET", "/endless-events"),
    play_with(3, Way::Echoed, "GET", "/socket", WEBSOCKET),
    play_of(2, Way::ToTheEnd, GARBAGE, "/"),
    play_with(1, Way::ToTheEnd, "GET", "/users/7", LARGE),
];

impl Play {
    /// The head's fields, and the body.
    pub(super) fn parts(&self) -> (&'static str, &'static str) {
        match self.fields.split_once("\r\n\r\n") {
            Some((fields, body)) => (fields, body),
            None => (self.fields.trim_end(), ""),
        }
    }

    /// As HTTP/1 puts it.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let Self { method, path, .. } = self;
        let (fields, body) = self.parts();
        let mut bytes = format!("{method} {path} HTTP/1.1\r\nhost: app\r\n{fields}").into_bytes();
        if self.fields == LARGE {
            bytes.resize(bytes.len() + TOO_LARGE, b'x');
        }
        if !fields.is_empty() {
            bytes.extend(b"\r\n");
        }
        [&bytes[..], b"\r\n", body.as_bytes()].concat()
    }
}

/// What the request of this number is. The sorts are spread evenly.
pub(super) fn play(number: usize) -> &'static Play {
    // The factor has no divisor in common with a thousand, so each place is met once in a thousand.
    let mut place = number * 387 % WHOLE;
    let found = PLAYS.iter().find(|play| {
        let is_it = place < play.share;
        place = place.saturating_sub(play.share);
        is_it
    });
    found.unwrap_or(&PLAYS[0])
}

const fn play_of(share: usize, way: Way, method: &'static str, path: &'static str) -> Play {
    play_with(share, way, method, path, "")
}

const fn play_with(
    share: usize,
    way: Way,
    method: &'static str,
    path: &'static str,
    fields: &'static str,
) -> Play {
    Play { share, way, method, path, fields }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    #[test]
    fn each_sort_is_met_as_often_as_its_share_says() {
        let mut met = HashMap::new();
        for number in 0..WHOLE {
            *met.entry(std::ptr::from_ref(play(number))).or_insert(0) += 1;
        }
        for play in &PLAYS {
            assert_eq!(met.get(&std::ptr::from_ref(play)), Some(&play.share), "{play:?}");
        }
    }
}
