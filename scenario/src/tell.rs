//! Tells what a host saw: the one place where a transcript gets its words.

use super::bytes::Bytes;
use super::exchange::Fields;
use super::format::Scenario;
use super::normalise::Normaliser;
use super::observed::{Event, Exchange, Message, Observed, Stat, Thread, What};
use super::transcript::Transcript;

/// Fields that say how a message is framed on one connection, not what it says.
const FRAMING: [&[u8]; 3] = [b"connection", b"keep-alive", b"transfer-encoding"];

impl Observed {
    /// The transcript, with what is different each time replaced by placeholders.
    pub fn transcript(&self, scenario: &Scenario) -> Transcript {
        let mut normaliser = Normaliser::new(scenario, &self.ports);
        Transcript::new(self.lines(scenario).iter().map(|line| normaliser.line(line)))
    }

    /// The transcript with everything as it was.
    pub fn verbatim(&self, scenario: &Scenario) -> Transcript {
        Transcript::new(self.lines(scenario))
    }

    fn lines(&self, scenario: &Scenario) -> Vec<String> {
        let mut lines = Vec::new();
        if !self.started {
            lines.push("the host did not start".to_owned());
        }
        for (index, exchange) in self.exchanges.iter().enumerate() {
            tell_exchange(&mut lines, index + 1, exchange, scenario);
        }
        let taken = |&taken: &bool| if taken { "taken" } else { "refused" };
        let configurations = self.configurations.iter().enumerate();
        lines
            .extend(configurations.map(|(n, it)| format!("configuration {} {}", n + 1, taken(it))));
        tell_events(&mut lines, &self.events);
        for (cluster, message) in &self.callouts {
            lines.push(format!("callout {cluster} saw"));
            tell_message(&mut lines, message, scenario);
        }
        lines.extend(self.stats.iter().map(tell_stat));
        lines
    }
}

fn tell_exchange(lines: &mut Vec<String>, number: usize, it: &Exchange, scenario: &Scenario) {
    if it.upstream.is_empty() {
        lines.push(format!("request {number} reached nobody"));
    }
    for (attempt, message) in it.upstream.iter().enumerate() {
        let again = if attempt > 0 { " again" } else { "" };
        lines.push(format!("request {number} upstream saw{again}"));
        tell_message(lines, message, scenario);
    }
    for message in &it.informational {
        lines.push(format!("request {number} client saw first"));
        tell_message(lines, message, scenario);
    }
    match &it.client {
        None => lines.push(format!("request {number} client saw nothing")),
        Some(message) => {
            lines.push(format!("request {number} client saw"));
            tell_message(lines, message, scenario);
        }
    }
    if let Some(line) = &it.line {
        lines.push(format!("request {number} line {line}"));
    }
    for (name, value) in &it.state {
        let value =
            value.as_deref().map_or("absent".to_owned(), |it| format!("\"{}\"", Bytes::from(it)));
        lines.push(format!("request {number} state {name} {value}"));
    }
}

fn tell_message(lines: &mut Vec<String>, message: &Message, scenario: &Scenario) {
    tell_fields(lines, "", &message.head, scenario);
    if !message.body.is_empty() {
        lines.push(format!("  body \"{}\"", Bytes::from(message.body.clone())));
    }
    tell_fields(lines, "trailer ", &message.trailers, scenario);
    if message.cut {
        lines.push("  cut".to_owned());
    }
}

fn tell_fields(lines: &mut Vec<String>, kind: &str, fields: &Fields, scenario: &Scenario) {
    for (name, value) in fields {
        let left_out = || str::from_utf8(name).is_ok_and(|name| scenario.leaves_out(name));
        if !FRAMING.contains(&&**name) && !left_out() {
            lines.push(format!("  {kind}{name} {value}"));
        }
    }
}

/// Thread by thread, each in the order of time.
fn tell_events(lines: &mut Vec<String>, events: &[Event]) {
    let mut threads: Vec<_> = events.iter().map(|event| event.thread).collect();
    threads.sort_unstable();
    threads.dedup();
    for thread in threads {
        let name = match thread {
            Thread::Main => "main".to_owned(),
            Thread::Worker(number) => format!("worker {number}"),
        };
        let own = events.iter().filter(|event| event.thread == thread);
        lines.extend(own.map(|event| match &event.what {
            What::Says { level, plugin, text } => {
                let plugin = if plugin.is_empty() { "" } else { &format!(" {plugin}") };
                format!("{name} says {level}{plugin}: {}", one_line(text))
            }
            What::Fails(function) => format!("{name} fails in {function}"),
        }));
    }
}

/// A text with line ends made visible, so that each event is one line.
fn one_line(text: &str) -> String {
    text.replace('\n', "\\n")
}

fn tell_stat(stat: &Stat) -> String {
    match stat {
        Stat::Counter(name, value) => format!("stat counter {name} {value}"),
        Stat::Gauge(name, value) => format!("stat gauge {name} {value}"),
        Stat::Histogram(name, count, sum) => {
            format!("stat histogram {name} count {count} sum {sum}")
        }
    }
}
