//! What the harness saw, in the terms that both hosts share.

use sightline_host::{HeaderMap, Host, Level, Message, Outcome, Stat};

use crate::exchange::Fields;
use crate::observed::{self, Event, Exchange, Thread, What};
use crate::{Leaves, Request, Scenario};

pub(super) fn exchange(scenario: &Scenario, request: &Request, outcome: Outcome) -> Exchange {
    let text = |bytes: &Vec<u8>| String::from_utf8_lossy(bytes).into_owned();
    let state =
        |name: &String| (name.clone(), outcome.state.get(&format!("wasm.{name}")).map(text));
    let client = outcome.client.filter(|_| request.leaves != Some(Leaves::BeforeAnswer));
    let upgraded = request.upstream.upgrade.is_some();
    // A request that asks for another protocol has no body, and the app keeps none of what comes after.
    let asks = request.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case(b"upgrade"));
    let attempts = outcome.earlier_attempts.iter().chain(&outcome.upstream).map(asked);
    let heads =
        |seen: observed::Message| observed::Message { body: Vec::new(), cut: false, ..seen };
    Exchange {
        upstream: attempts.map(|seen| if asks { heads(seen) } else { seen }).collect(),
        informational: outcome
            .informational
            .iter()
            .map(|headers| observed::Message { head: fields(headers), ..Default::default() })
            .collect(),
        client: client.map(|message| {
            let cut = !message.whole && request.leaves.is_none() && !upgraded;
            observed::Message { cut, ..seen(&message) }
        }),
        line: outcome.state.get("wasm.sightline_log").map(text),
        state: scenario.state.iter().map(state).collect(),
    }
}

/// A request as HTTP/1 has it: without a scheme, and with its pseudo-headers in one order.
pub(super) fn asked(message: &Message) -> observed::Message {
    let mut seen = seen(message);
    let rank = |name: &[u8]| match name {
        b":method" => 0,
        b":path" => 1,
        b":authority" => 2,
        _ => 3,
    };
    seen.head.retain(|(name, _)| **name != *b":scheme");
    seen.head.sort_by_key(|(name, _)| rank(name));
    seen
}

fn seen(message: &Message) -> observed::Message {
    observed::Message {
        head: fields(&message.headers),
        body: message.body.clone(),
        trailers: message.trailers.as_ref().map(fields).unwrap_or_default(),
        cut: !message.whole,
    }
}

fn fields(map: &HeaderMap) -> Fields {
    map.iter().map(|(name, value)| (name.to_vec().into(), value.to_vec().into())).collect()
}

/// Lines and traps, in the order of time.
pub(super) fn events(host: &Host) -> Vec<Event> {
    let mut workers = Vec::new();
    let mut thread = |number: usize| {
        if number == 0 {
            return Thread::Main;
        }
        let known = workers.iter().position(|known| *known == number);
        Thread::Worker(
            1 + known.unwrap_or_else(|| {
                workers.push(number);
                workers.len() - 1
            }),
        )
    };
    let mut traps = host.traps().iter().peekable();
    let mut events = Vec::new();
    for (index, line) in host.log().iter().enumerate() {
        while let Some(trap) = traps.next_if(|trap| trap.lines_before <= index) {
            events
                .push(Event { thread: thread(trap.thread), what: What::Fails(trap.entry.into()) });
        }
        let (level, plugin, text) =
            (level(line.level).into(), line.plugin.clone(), line.text.clone());
        events
            .push(Event { thread: thread(line.thread), what: What::Says { level, plugin, text } });
    }
    events.extend(
        traps.map(|trap| Event {
            thread: thread(trap.thread),
            what: What::Fails(trap.entry.into()),
        }),
    );
    events
}

/// As Envoy writes it.
fn level(level: Level) -> &'static str {
    match level {
        Level::Trace => "trace",
        Level::Debug => "debug",
        Level::Info => "info",
        Level::Warn => "warning",
        Level::Error => "error",
        Level::Critical => "critical",
    }
}

pub(super) fn stat((name, stat): (String, Stat)) -> observed::Stat {
    let name = format!("wasmcustom.{name}");
    match stat {
        Stat::Counter(value) => observed::Stat::Counter(name, value),
        Stat::Gauge(value) => observed::Stat::Gauge(name, value),
        Stat::Histogram(samples) => {
            let count = u64::try_from(samples.len()).unwrap_or(u64::MAX);
            observed::Stat::Histogram(name, count, samples.iter().sum())
        }
    }
}
