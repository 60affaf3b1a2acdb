//! What came of a scenario, in words and as JSON.

use std::fmt::Write as _;

use serde_json::{Value, json};
use sightline_scenario::observed::{Exchange, Message, Stat};
use sightline_scenario::{Bytes, Fields};

use super::{Came, Verdict};

/// How what is different in every run is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// As expectations see it: IDs, times and ports have placeholders.
    Placeholders,
    /// As it was.
    Verbatim,
}

impl Verdict<'_> {
    /// All of it, for people.
    pub fn text(&self, shown: Shown) -> String {
        let mut text = self.title();
        if let Came::Played(played) = &self.came {
            let transcript = match shown {
                Shown::Placeholders => played.observed.transcript(self.scenario),
                Shown::Verbatim => played.observed.verbatim(self.scenario),
            };
            indent(&mut text, &transcript.to_string());
            indent(&mut text, &played.cost.report());
        }
        text.push_str(&self.judgement());
        text
    }

    /// What is to be said at the end: whether it holds, and what does not.
    pub fn judgement(&self) -> String {
        match &self.came {
            Came::NotHere(reason) => format!("Not played here: {reason}\n"),
            Came::Broken(error) => format!("Could not be played: {error}\n"),
            Came::Played(_) if !self.holds() => {
                let mut text = "Does not hold:\n".to_owned();
                indent(&mut text, &self.problems.join("\n"));
                text
            }
            Came::Played(_) => {
                let (there, not) = (self.scenario.expect.len(), self.scenario.absent.len());
                match (there, not) {
                    (0, 0) => "Nothing is expected.\n".to_owned(),
                    (_, 0) => format!("Holds: {there} of {there} expected parts are there.\n"),
                    _ => format!("Holds: {there} expected parts are there, {not} are absent.\n"),
                }
            }
        }
    }

    /// The scenario's name and its file, for a heading.
    pub fn title(&self) -> String {
        format!("{} ({})\n", self.scenario.name, self.file.display())
    }

    /// All of it, for programs.
    pub fn json(&self) -> Value {
        let mut json = json!({
            "file": self.file.display().to_string(),
            "name": self.scenario.name,
            "holds": self.holds(),
            "problems": self.problems,
        });
        match &self.came {
            Came::NotHere(reason) => json["not_played"] = json!(reason),
            Came::Broken(_) => {}
            Came::Played(played) => {
                let seen = &played.observed;
                let lines = |transcript: &sightline_scenario::Transcript| json!(transcript.lines());
                json["transcript"] = lines(&seen.transcript(self.scenario));
                json["verbatim"] = lines(&seen.verbatim(self.scenario));
                json["exchanges"] = seen.exchanges.iter().map(exchange).collect();
                json["stats"] = seen.stats.iter().map(stat).collect();
                let cost = &played.cost;
                json["cost"] = json!({
                    "entries": cost.all_entries(),
                    "hostcalls": cost.all_hostcalls(),
                    "bytes_to_module": cost.bytes_to_guest(),
                    "bytes_from_module": cost.bytes_from_guest(),
                    "fuel": cost.fuel(),
                    "memory": cost.memory(),
                });
            }
        }
        json
    }
}

fn indent(text: &mut String, lines: &str) {
    for line in lines.lines() {
        // Writing to a text does not fail.
        let _ = writeln!(text, "  {line}");
    }
}

fn exchange(it: &Exchange) -> Value {
    let line = it.line.as_deref();
    let state = |(name, value): &(String, Option<String>)| (name.clone(), json!(value));
    json!({
        "upstream": it.upstream.iter().map(message).collect::<Value>(),
        "informational": it.informational.iter().map(message).collect::<Value>(),
        "client": it.client.as_ref().map(message),
        "line": line.map(|line| serde_json::from_str(line).unwrap_or_else(|_| json!(line))),
        "state": it.state.iter().map(state).collect::<Value>(),
    })
}

/// Bytes that are no text stand there as in scenarios, `\xff`.
fn message(it: &Message) -> Value {
    json!({
        "head": fields(&it.head),
        "body": Bytes::from(it.body.clone()).to_string(),
        "trailers": fields(&it.trailers),
        "cut": it.cut,
    })
}

fn fields(fields: &Fields) -> Value {
    fields.iter().map(|(name, value)| json!([name.to_string(), value.to_string()])).collect()
}

fn stat(stat: &Stat) -> Value {
    match stat {
        Stat::Counter(name, value) => json!({ "name": name, "kind": "counter", "value": value }),
        Stat::Gauge(name, value) => json!({ "name": name, "kind": "gauge", "value": value }),
        Stat::Histogram(name, count, sum) => {
            json!({ "name": name, "kind": "histogram", "count": count, "sum": sum })
        }
    }
}
