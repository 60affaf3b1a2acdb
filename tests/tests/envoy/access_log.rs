//! One line for each request, whatever became of it: the table of docs/access-log.md, row by row.

mod apps;
mod cases;
mod client;
mod document;
mod setting;
mod table;

use std::time::Duration;

use serde_json::{Value, json};
use sightline_cli::wait;
use sightline_tests::{Answer, Proxy, Request, Upstream};

use cases::{CASES, Case};
use setting::Setting;
use table::Row;

/// The line has what every line has, and times that make sense.
fn is_whole(line: &Value) -> bool {
    let length = |field: &str| line[field].as_str().map_or(0, str::len);
    let is_id = |field: &str, digits: usize| {
        let id = line[field].as_str().unwrap_or_default();
        let are_hex = id.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        id.len() == digits && are_hex && id.bytes().any(|byte| byte != b'0')
    };
    let duration = line["duration_ms"].as_f64();
    let first_byte = line["ttfb_ms"].as_f64();
    length("timestamp") == 27
        && length("request_id") > 0
        && is_id("trace_id", 32)
        && is_id("span_id", 16)
        && line["event"] == "http_request"
        && duration.is_some_and(|duration| {
            (0.0..60_000.0).contains(&duration)
                && first_byte.is_none_or(|first_byte| first_byte <= duration)
        })
}

/// Plays the cases one after the other, and takes each line to be of the case that was played last: so there
/// can be none too many, and those that nobody could name are found too.
struct Judge {
    setting: Setting,
    rows: Vec<Row>,
    lines: usize,
    wrong: Vec<String>,
}

impl Judge {
    fn try_case(&mut self, case: &Case) {
        let names: Vec<_> = std::iter::once(case.name).chain(case.then).collect();
        let rows: Vec<_> = names.into_iter().filter_map(|name| self.take_row(name)).collect();
        case.play(&self.setting);
        let expected = rows.iter().filter(|row| row.has_line()).count();
        let lines = self.next_lines(expected, case.name);
        if lines.len() > expected {
            self.wrong.push(format!("too many lines: {}", case.name));
        }
        for (row, (line, envoys)) in rows.iter().filter(|row| row.has_line()).zip(&lines) {
            self.compare(case, row, line, envoys);
        }
    }

    fn take_row(&mut self, name: &str) -> Option<Row> {
        let found = self.rows.iter().position(|row| row.name() == name);
        if found.is_none() {
            self.wrong.push(format!("no row: {name}"));
        }
        found.map(|found| self.rows.remove(found))
    }

    /// So many, or as many as have come when it is too late.
    fn next_lines(&mut self, number: usize, name: &str) -> Vec<(Value, Value)> {
        let are_there = || (self.setting.proxy.lines().len() >= self.lines + number).then_some(());
        if let Err(late) = wait::until(name, Duration::from_secs(10), are_there) {
            self.wrong.push(format!("no line: {late}"));
        }
        let lines = self.setting.lines().split_off(self.lines);
        self.lines += lines.len();
        lines
    }

    fn compare(&mut self, case: &Case, row: &Row, line: &Value, envoys: &Value) {
        let mut complaints = row.complaints(line);
        let contradictions = setting::contradictions(line, envoys).into_iter();
        complaints.extend(contradictions.filter(|field| !row.is_about(field)));
        if !is_whole(line) {
            complaints.push("it is not whole");
        }
        if case.id().is_some_and(|id| line["request_id"] != id) {
            complaints.push("it is another request's");
        }
        if !self.setting.went_to(line) {
            complaints.push("it was not there last");
        }
        if !complaints.is_empty() {
            let seen = Row::of(row.name(), line);
            self.wrong
                .push(format!("{row}\n  {}:\n{seen}\n  {line}\n  {envoys}", complaints.join(", ")));
        }
    }
}

#[test]
fn each_row_of_the_table_is_what_real_envoy_gives() {
    let mut judge =
        Judge { setting: Setting::start(), rows: table::rows(), lines: 0, wrong: Vec::new() };
    for case in &CASES {
        judge.try_case(case);
    }
    // A line that came too late for its case comes before this one.
    judge.setting.proxy.send(&Request::get("/app/fine").field("x-request-id", "last"));
    let last = || {
        let lines = judge.setting.lines();
        lines.iter().any(|(line, _)| line["request_id"] == "last").then_some(lines)
    };
    let lines = wait::until("the last line", Duration::from_secs(10), last).unwrap();
    assert_eq!(lines.len(), judge.lines + 1, "{:#?}", lines.get(judge.lines..));
    for row in &judge.rows {
        judge.wrong.push(format!("no case: {row}"));
    }
    assert!(judge.wrong.is_empty(), "{}", judge.wrong.join("\n"));
}

#[test]
fn an_answer_that_takes_its_time() {
    let upstream = Upstream::answering(|_| {
        let slow = Answer::new(200).pause(Duration::from_millis(60)).chunked().chunk("a");
        slow.pause(Duration::from_millis(60)).chunk("b").last_chunk()
    });
    let proxy = Proxy::start(|bootstrap| bootstrap.upstream(upstream.address()));
    let answer = proxy.send(&Request::get("/slow").field("x-request-id", "slow"));
    assert_eq!(answer.text(), "ab");
    let line = proxy.line_of("slow");
    assert!(is_whole(&line), "{line}");
    let (duration, first_byte) =
        (line["duration_ms"].as_f64().unwrap(), line["ttfb_ms"].as_f64().unwrap());
    // Both pauses are after the arrival, so a busy machine can only make these longer.
    assert!(first_byte >= 60.0 && duration >= 120.0 && duration > first_byte, "{line}");
    assert_eq!((&line["status"], &line["level"]), (&json!(200), &json!("info")), "{line}");
    assert_eq!(
        ["method", "scheme", "path"].map(|field| line[field].as_str().unwrap()),
        ["GET", "http", "/slow"]
    );
    assert_eq!(line["host"], proxy.address().to_string());
}
