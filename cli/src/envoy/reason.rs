//! What an Envoy's log tells about its failing, in a plain sentence and the lines that tell it.
//!
//! Reads text and nothing else. Envoy's words were taken from 1.36 to 1.40.

use std::fmt;

use sightline_setup::envoy::SUPPORTED;

/// How many records to show where none stands out.
const LAST: usize = 10;

/// Why Envoy failed, with the telling records of its log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// It was built without a Wasm runtime.
    NoWasm,
    /// The filter refused its configuration, for what it says in its records.
    Refused(Vec<String>),
    /// The module is not one that this Envoy can load, or it crashed at once.
    Unloadable(Vec<String>),
    /// Another process listens on this address.
    AddressInUse(String),
    /// Anything else, in Envoy's words.
    Other(Vec<String>),
}

impl Reason {
    /// Reads a log, whole or the beginning of it.
    pub fn of(log: &str) -> Self {
        let records = records(log);
        let says = |what: &str| records.iter().any(|record| record.text.contains(what));
        if says("compiled without support") {
            Self::NoWasm
        } else if says("Uncaught RuntimeError") {
            Self::Unloadable(grave(&records))
        } else if says("Failed to configure base Wasm plugin") || says("configuration refused") {
            Self::Refused(the_filters(&records))
        } else if says("Unable to create Wasm plugin") {
            Self::Unloadable(grave(&records))
        } else if let Some(address) = records.iter().find_map(taken_address) {
            Self::AddressInUse(address)
        } else {
            Self::Other(grave(&records))
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoWasm => write!(
                out,
                "This Envoy was built without a Wasm runtime, as 1.38.3 from PyPI is. Use one of \
                 {}.",
                SUPPORTED.join(", ")
            ),
            Self::Refused(lines) => {
                out.write_str("The filter refused its configuration. ")?;
                quote(out, lines)
            }
            Self::Unloadable(lines) => {
                out.write_str("Envoy cannot run the filter's module. ")?;
                quote(out, lines)
            }
            Self::AddressInUse(address) => write!(
                out,
                "{address} is in use: another process listens there. End that one, or choose \
                 another port."
            ),
            Self::Other(lines) => quote(out, lines),
        }
    }
}

/// What in this piece of a log a person should see while all goes on: what is grave, and what the filter warns of.
pub(crate) fn troubles(log: &str) -> Vec<String> {
    let told = |record: &Record| {
        let filters = the_filters_word(record);
        let is_told = record.is_grave() || record.level == "warning" && filters.is_some();
        is_told.then(|| filters.map_or_else(|| record.shown(), str::to_owned))
    };
    each_once(records(log).iter().filter_map(told))
}

fn quote(out: &mut fmt::Formatter<'_>, lines: &[String]) -> fmt::Result {
    if lines.is_empty() {
        return out.write_str("Nothing was logged about it.");
    }
    out.write_str("The log says:")?;
    lines.iter().flat_map(|text| text.lines()).try_for_each(|line| write!(out, "\n  {line}"))
}

/// One entry of the log: `[time][pid][level][component] [source] text`, where the text may go on
/// over several lines. What Envoy writes before it has a log has no level.
#[derive(Default)]
struct Record {
    level: String,
    text: String,
}

impl Record {
    fn parse(line: &str) -> Option<Self> {
        let mut brackets = line.strip_prefix('[')?.splitn(5, "][");
        let level = brackets.nth(2)?.to_owned();
        // What is left is `component] [source:line] text`.
        let (_, text) = brackets.next()?.split_once("] [")?.1.split_once("] ")?;
        Some(Self { level, text: text.to_owned() })
    }

    fn is_grave(&self) -> bool {
        self.level == "critical" || self.level == "error"
    }

    fn shown(&self) -> String {
        self.text.trim().to_owned()
    }
}

fn records(log: &str) -> Vec<Record> {
    let mut records: Vec<Record> = Vec::new();
    for line in log.lines().filter(|line| !line.trim().is_empty()) {
        match (Record::parse(line), records.last_mut()) {
            (Some(record), _) => records.push(record),
            (None, Some(record)) => {
                record.text.push('\n');
                record.text.push_str(line);
            }
            (None, None) => records.push(Record { text: line.to_owned(), ..Record::default() }),
        }
    }
    records
}

/// What the filter itself said, without Envoy's words in front of it.
fn the_filters(records: &[Record]) -> Vec<String> {
    each_once(records.iter().filter_map(the_filters_word).map(str::to_owned))
}

fn the_filters_word(record: &Record) -> Option<&str> {
    Some(record.text.strip_prefix("wasm log")?.split_once(": ")?.1)
}

/// The grave records; where there are none, the last.
fn grave(records: &[Record]) -> Vec<String> {
    let grave = each_once(records.iter().filter(|record| record.is_grave()).map(Record::shown));
    if grave.is_empty() {
        let last = records.len().saturating_sub(LAST);
        return records[last..].iter().map(Record::shown).collect();
    }
    grave
}

/// The canary and each retry say the same again.
fn each_once(texts: impl Iterator<Item = String>) -> Vec<String> {
    let mut once = Vec::new();
    for text in texts {
        if !once.contains(&text) {
            once.push(text);
        }
    }
    once
}

fn taken_address(record: &Record) -> Option<String> {
    let (before, _) = record.text.split_once("Address already in use")?;
    let (_, address) = before.split_once("cannot bind '")?;
    Some(address.split('\'').next()?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NO_WASM: &str = "\
[2026-11-21 08:40:40.632][9223][warning][wasm] [source/extensions/common/wasm/wasm_vm.cc:102] Failed to create Wasm VM using envoy.wasm.runtime.v8 runtime. Envoy was compiled without support for it
[2026-11-21 08:40:40.632][9223][error][wasm] [source/extensions/common/wasm/wasm.cc:103] Wasm VM failed Failed to load Wasm code
[2026-11-21 08:40:40.636][9223][critical][main] [source/server/server.cc:76] error initializing configuration 'b.yaml': Unable to create Wasm plugin sightline
";

    const REFUSED: &str = "\
[2026-11-21 08:41:13.803][9441][info][wasm] [source/extensions/common/wasm/context.cc:1198] wasm log sightline: reading
[2026-11-21 08:41:13.803][9441][error][wasm] [source/extensions/common/wasm/context.cc:1204] wasm log sightline root vm: request_id.format: uuid5
  expected: uuid4 or uuid7
[2026-11-21 08:41:13.803][9441][error][wasm] [source/extensions/common/wasm/wasm.cc:104] Wasm VM failed Failed to configure base Wasm plugin
[2026-11-21 08:41:13.804][9441][error][wasm] [source/extensions/common/wasm/context.cc:1204] wasm log sightline: reading
[2026-11-21 08:41:13.804][9441][critical][main] [source/server/server.cc:76] error initializing configuration 'b.yaml': Unable to create Wasm plugin sightline
";

    const CRASHED: &str = "\
[2026-11-21 08:41:13.803][9441][error][wasm] [source/extensions/common/wasm/wasm_vm.cc:38] Function: proxy_on_configure failed: Uncaught RuntimeError: unreachable
[2026-11-21 08:41:13.803][9441][error][wasm] [source/extensions/common/wasm/wasm.cc:104] Wasm VM failed Failed to configure base Wasm plugin
";

    const UNLOADABLE: &str = "\
[2026-11-21 08:40:40.725][9230][error][wasm] [source/extensions/common/wasm/wasm.cc:104] Wasm VM failed Missing or unknown Proxy-Wasm ABI version
[2026-11-21 08:40:40.729][9230][critical][main] [source/server/server.cc:76] error initializing configuration 'b.yaml': Unable to create Wasm plugin sightline
";

    const TAKEN: &str = "cannot bind '0.0.0.0:8080': Address already in use
[2026-11-21 08:47:59.354][12663][error][config] [source/common/listener_manager/listener_manager_impl.cc:1405] listener 'inbound' failed to bind or apply socket options: cannot bind '0.0.0.0:8080': Address already in use
[2026-11-21 08:47:59.354][12663][critical][main] [source/server/server.cc:449] error `cannot bind '0.0.0.0:8080': Address already in use` initializing config 'goo.gle/debugonly
  b.yaml'
";

    const BAD_FIELD: &str = "\
[2026-11-21 08:41:15.611][9491][info][main] [source/server/server.cc:1] initializing
[2026-11-21 08:41:15.612][9491][critical][main] [source/server/server.cc:449] error `no such field: 'stat_prefixx'` initializing config 'goo.gle/debugstr

  b.yaml'
";

    fn lines(lines: &[&str]) -> Vec<String> {
        lines.iter().map(|&line| line.to_owned()).collect()
    }

    #[test]
    fn each_failing_of_envoy_is_known() {
        let twenty: Vec<String> = (1..=20).map(|n| format!("[t][1][info][m] [s] {n}")).collect();
        for (name, log, expected) in [
            ("no Wasm", NO_WASM, Reason::NoWasm),
            (
                "refused",
                REFUSED,
                Reason::Refused(lines(&[
                    "reading",
                    "request_id.format: uuid5\n  expected: uuid4 or uuid7",
                ])),
            ),
            (
                "crashed",
                CRASHED,
                Reason::Unloadable(lines(&[
                    "Function: proxy_on_configure failed: Uncaught RuntimeError: unreachable",
                    "Wasm VM failed Failed to configure base Wasm plugin",
                ])),
            ),
            (
                "unloadable",
                UNLOADABLE,
                Reason::Unloadable(lines(&[
                    "Wasm VM failed Missing or unknown Proxy-Wasm ABI version",
                    "error initializing configuration 'b.yaml': Unable to create Wasm plugin \
                     sightline",
                ])),
            ),
            ("taken", TAKEN, Reason::AddressInUse("0.0.0.0:8080".to_owned())),
            (
                "bad field",
                BAD_FIELD,
                Reason::Other(lines(&[
                    "error `no such field: 'stat_prefixx'` initializing config \
                                       'goo.gle/debugstr\n  b.yaml'",
                ])),
            ),
            (
                "bad command line",
                "PARSE ERROR: Argument: --bogus\n",
                Reason::Other(lines(&["PARSE ERROR: Argument: --bogus"])),
            ),
            (
                "nothing grave",
                &twenty.join("\n"),
                Reason::Other((11..=20).map(|n| n.to_string()).collect()),
            ),
            ("nothing", "", Reason::Other(Vec::new())),
        ] {
            assert_eq!(Reason::of(log), expected, "{name}");
        }
    }

    #[test]
    fn only_what_is_grave_or_the_filters_warning_is_a_trouble() {
        let warnings = "\
[2026-11-21 08:41:13.803][9441][warning][wasm] [source/context.cc:1200] wasm log sightline: 3 lost
[2026-11-21 08:41:13.803][9441][warning][wasm] [source/context.cc:1200] wasm log sightline: 3 lost
[2026-11-21 08:41:13.803][9441][info][wasm] [source/context.cc:1198] wasm log sightline: reading
[2026-11-21 08:41:13.803][9441][warning][main] [source/server.cc:1059] no configured limit
";
        for (name, log, expected) in [
            ("warnings", warnings, &["3 lost"][..]),
            ("all is well", BAD_FIELD.lines().next().unwrap(), &[]),
            (
                "crashed",
                CRASHED,
                &[
                    "Function: proxy_on_configure failed: Uncaught RuntimeError: unreachable",
                    "Wasm VM failed Failed to configure base Wasm plugin",
                ],
            ),
        ] {
            assert_eq!(troubles(log), expected, "{name}");
        }
    }

    #[test]
    fn a_reason_says_what_to_do_or_shows_what_was_said() {
        for (log, expected) in [
            (NO_WASM, "Use one of 1.36.4, 1.37.0, 1.38.2, 1.39.3, 1.40.0."),
            (TAKEN, "0.0.0.0:8080 is in use"),
            (
                REFUSED,
                "The filter refused its configuration. The log says:\n  reading\n  \
                 request_id.format: uuid5\n    expected: uuid4 or uuid7",
            ),
            ("", "Nothing was logged about it."),
        ] {
            let told = Reason::of(log).to_string();
            assert!(told.contains(expected), "{told}");
        }
    }
}
