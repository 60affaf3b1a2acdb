//! Envoy's application log, read for what modules said and where they failed.

use crate::scenario::Scenario;
use crate::scenario::observed::{Event, Thread, What};

/// What a line that Envoy's admin writes for us begins with.
const ASKED: &str = "request complete: path: ";
const SAYS: &str = "wasm log";

/// One entry: `[time][thread][level][component] [source] text`, where the text may go on over
/// several lines.
struct Record<'a> {
    thread: &'a str,
    level: &'a str,
    component: &'a str,
    text: String,
}

impl<'a> Record<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        let mut brackets = line.strip_prefix('[')?.splitn(5, "][");
        let (_, thread, level) = (brackets.next()?, brackets.next()?, brackets.next()?);
        let (component, rest) = brackets.next()?.split_once("] [")?;
        let (_, text) = rest.split_once("] ")?;
        Some(Self { thread, level, component, text: text.to_owned() })
    }
}

/// Whether the log has the admin page of this path being asked for, and with it all that was logged
/// before.
pub(super) fn has_asked(log: &str, path: &str) -> bool {
    main_thread(&records(log), path).is_some()
}

/// All that happened in VMs. The thread that served this page of the admin is the main thread; if
/// there is none, Envoy did not get far enough to have other threads.
pub(super) fn events(log: &str, path: &str, scenario: &Scenario) -> Vec<Event> {
    let records = records(log);
    let main = main_thread(&records, path);
    let plugins = plugins(scenario);
    let mut workers: Vec<&str> = Vec::new();
    let mut events = Vec::new();
    for record in records.iter().filter(|record| record.component == "wasm") {
        let Some(what) = what(record, &plugins) else { continue };
        let thread = if main.is_none_or(|main| main == record.thread) {
            Thread::Main
        } else {
            let known = workers.iter().position(|&worker| worker == record.thread);
            let index = known.unwrap_or_else(|| {
                workers.push(record.thread);
                workers.len() - 1
            });
            Thread::Worker(index + 1)
        };
        events.push(Event { thread, what });
    }
    events
}

fn records(log: &str) -> Vec<Record<'_>> {
    let mut records: Vec<Record<'_>> = Vec::new();
    for line in log.lines() {
        match (Record::parse(line), records.last_mut()) {
            (Some(record), _) => records.push(record),
            (None, Some(record)) => {
                record.text.push('\n');
                record.text.push_str(line);
            }
            (None, None) => {}
        }
    }
    records
}

fn main_thread<'a>(records: &[Record<'a>], path: &str) -> Option<&'a str> {
    let asked = format!("{ASKED}{path}");
    let admin = records.iter().find(|it| it.component == "admin" && it.text.ends_with(&asked));
    admin.map(|record| record.thread)
}

/// What Envoy writes between its own words and what a plugin says: its name, root id and VM id, a
/// blank before each. Of a root it writes no name, and of a VM before it has roots nothing.
fn plugins(scenario: &Scenario) -> Vec<String> {
    let first = (&scenario.plugin, &scenario.vm);
    let all = scenario.also.iter().map(|also| (&also.plugin, &also.vm));
    let all: Vec<_> = std::iter::once(first).chain(all).collect();
    let streams = all.iter().map(|(names, vm)| prefix(&[&names.name, &names.root_id, &vm.id]));
    let roots = all.iter().map(|(names, vm)| prefix(&[&names.root_id, &vm.id]));
    streams.chain(roots).chain([String::new()]).collect()
}

fn prefix(parts: &[&str]) -> String {
    let said = parts.iter().filter(|part| !part.is_empty());
    said.flat_map(|part| [" ", part]).collect()
}

fn what(record: &Record<'_>, plugins: &[String]) -> Option<What> {
    if let Some(rest) = record.text.strip_prefix("Function: ") {
        let (function, _) = rest.split_once(" failed: ")?;
        return Some(What::Fails(function.to_owned()));
    }
    let said = record.text.strip_prefix(SAYS)?;
    plugins.iter().find_map(|plugin| {
        let text = said.strip_prefix(plugin.as_str())?.strip_prefix(": ")?;
        Some(What::Says {
            level: record.level.to_owned(),
            plugin: plugin.trim().to_owned(),
            text: text.to_owned(),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::parse;
    use std::path::Path;

    const LOG: &str = "\
[2026-11-21 08:41:13.803][10][info][wasm] [source/a.cc:1] wasm log r v: configure(1, 0)
[2026-11-21 08:41:13.803][10][warning][main] [source/b.cc:1] something else
[2026-11-21 08:41:13.804][13][info][wasm] [source/a.cc:1] wasm log p r v: one: two
and more
[2026-11-21 08:41:13.805][12][error][wasm] [source/a.cc:1] Function: proxy_on_log failed: Uncaught
backtrace
[2026-11-21 08:41:13.806][10][debug][admin] [source/c.cc:1] [Tags: \"A\":\"0\"] request complete: path: /end
";

    fn scenario() -> Scenario {
        let text = "- name: a\n  plugin: { name: p, root_id: r }\n  vm: { id: v }\n  steps: [request: {}]\n";
        parse(text, Path::new("a.yaml")).unwrap().remove(0)
    }

    fn said(level: &str, plugin: &str, text: &str) -> What {
        let [level, plugin, text] = [level, plugin, text].map(str::to_owned);
        What::Says { level, plugin, text }
    }

    #[test]
    fn modules_are_heard_thread_by_thread() {
        let events = events(LOG, "/end", &scenario());
        let expected = [
            (Thread::Main, said("info", "r v", "configure(1, 0)")),
            (Thread::Worker(1), said("info", "p r v", "one: two\nand more")),
            (Thread::Worker(2), What::Fails("proxy_on_log".to_owned())),
        ];
        assert_eq!(events, expected.map(|(thread, what)| Event { thread, what }));
    }

    #[test]
    fn the_last_page_is_seen_when_it_is_whole() {
        assert!(has_asked(LOG, "/end"));
        assert!(!has_asked(LOG, "/en"));
        assert!(!has_asked("", "/end"));
    }
}
