//! The tables of the page: what a line holds in each case, as a person reads it.
//!
//! A cell is a value in backticks; `…` at its end stands for any further text. ` or ` stands between values of
//! which each will do. `yes` is any value, and `–` none at all.

use std::fmt;

use serde_json::Value;
use sightline_setup::Checkout;

const PAGE: &str = "docs/access-log.md";
const MARK: &str = "<!-- checked: cases -->";
const NONE: &str = "–";
const ANY: &str = "yes";
/// In place of a status, where a request has no line.
const NO_LINE: &str = "no line";
/// The columns between the case and the last, each a field of that name.
const FIELDS: [&str; 7] =
    ["status", "level", "error_type", "flags", "details", "ttfb_ms", "upstream"];
/// What the last column may say, and what holds where it does not; none is not looked at.
const ELSE: [(&str, Option<&str>); 6] = [
    ("stream", Some(NONE)),
    ("grpc_status", Some(NONE)),
    ("protocol", Some("HTTP/1.1")),
    ("path", Some(ANY)),
    ("request_bytes", None),
    ("response_bytes", None),
];

/// What the page says of one case.
pub(super) struct Row {
    cells: Vec<String>,
}

/// All of the page.
pub(super) fn rows() -> Vec<Row> {
    let page = Checkout::find().unwrap().root().join(PAGE);
    let page = std::fs::read_to_string(page).unwrap();
    let tables = page.split(MARK).skip(1).flat_map(|table| {
        let lines = table.trim_start().lines().take_while(|line| line.starts_with('|'));
        // Behind the head and the line below it.
        lines.skip(2).map(Row::read)
    });
    tables.collect()
}

impl Row {
    fn read(line: &str) -> Self {
        let cells = line.trim_matches('|').split(" | ").map(|cell| cell.trim().to_owned());
        let cells: Vec<_> = cells.collect();
        assert_eq!(cells.len(), FIELDS.len() + 2, "{line}");
        Self { cells }
    }

    /// What the page would say.
    pub(super) fn of(name: &str, line: &Value) -> Self {
        let field = |field: &&str| match (*field, text(&line[*field])) {
            (_, None) => NONE.to_owned(),
            ("ttfb_ms" | "upstream", Some(_)) => ANY.to_owned(),
            ("status" | "level", Some(value)) => value,
            (_, Some(value)) => format!("`{value}`"),
        };
        let more = ELSE.iter().filter_map(|(field, usual)| {
            let value = text(&line[*field]).unwrap_or_else(|| NONE.to_owned());
            usual
                .is_none_or(|usual| !takes(usual, &line[*field]))
                .then(|| format!("`{field}={value}`"))
        });
        let more = more.collect::<Vec<_>>().join(" ");
        let cells = std::iter::once(name.to_owned()).chain(FIELDS.iter().map(field));
        Self { cells: cells.chain([more]).collect() }
    }

    pub(super) fn name(&self) -> &str {
        &self.cells[0]
    }

    pub(super) fn has_line(&self) -> bool {
        self.cells[1] != NO_LINE
    }

    /// Whether it has something of its own to say of this field.
    pub(super) fn is_about(&self, field: &str) -> bool {
        self.said().any(|said| said.split_once('=').is_some_and(|(it, _)| it == field))
    }

    /// The fields that are not as it says.
    pub(super) fn complaints(&self, line: &Value) -> Vec<&'static str> {
        let columns = FIELDS.into_iter().zip(&self.cells[1..]);
        let columns = columns.filter(|(field, cell)| !takes(cell, &line[*field]));
        let mut fields = self.said().filter_map(|said| said.split_once('='));
        let unknown = fields.find(|(it, _)| ELSE.iter().all(|(field, _)| field != it));
        assert_eq!(unknown, None, "{}: nobody checks it", self.name());
        let others = ELSE.into_iter().filter(|(field, usual)| {
            let said = self.said().find_map(|said| said.strip_prefix(field)?.strip_prefix('='));
            said.or(*usual).is_some_and(|said| !takes(said, &line[*field]))
        });
        columns.map(|(field, _)| field).chain(others.map(|(field, _)| field)).collect()
    }

    /// What stands in the last column.
    fn said(&self) -> impl Iterator<Item = &str> {
        self.cells.last().into_iter().flat_map(|cell| cell.split('`').skip(1).step_by(2))
    }
}

impl fmt::Display for Row {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "| {} |", self.cells.join(" | "))
    }
}

fn takes(cell: &str, value: &Value) -> bool {
    let value = text(value);
    cell.split(" or ").any(|said| match (said.trim_matches('`'), &value) {
        (NONE, value) => value.is_none(),
        (ANY, value) => value.is_some(),
        (said, Some(value)) => match said.strip_suffix('…') {
            Some(beginning) => value.starts_with(beginning),
            None => value == said,
        },
        (_, None) => false,
    })
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        value => Some(value.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_cell_takes_what_it_says_and_nothing_else() {
        for (cell, taken, not_taken) in [
            ("–", json!(null), json!("–")),
            ("yes", json!(0), json!(null)),
            ("503", json!(503), json!(50)),
            ("`UF`", json!("UF"), json!("UF,URX")),
            ("`UF` or `UF,URX`", json!("UF,URX"), json!("URX")),
            ("`UF` or –", json!(null), json!("UC")),
            ("`downstream…`", json!("downstream_reset"), json!("upstream_reset")),
        ] {
            assert!(takes(cell, &taken), "{cell} does not take {taken}");
            assert!(!takes(cell, &not_taken), "{cell} takes {not_taken}");
        }
    }

    #[test]
    fn the_last_column_says_what_is_unusual() {
        let row = Row::read("| it | 200 | info | – | – | – | yes | – | `stream=sse` |");
        let usual = json!({
            "status": 200, "level": "info", "ttfb_ms": 1, "path": "/", "protocol": "HTTP/1.1",
            "stream": "sse",
        });
        let with = |field: &str, value: Value| {
            let mut line = usual.clone();
            line[field] = value;
            row.complaints(&line)
        };
        assert_eq!(row.complaints(&usual), [] as [&str; 0]);
        assert_eq!(with("stream", json!("grpc")), ["stream"]);
        assert_eq!(with("grpc_status", json!(0)), ["grpc_status"]);
        assert_eq!(with("protocol", json!("HTTP/2")), ["protocol"]);
        assert_eq!(with("path", json!(null)), ["path"]);
        assert_eq!(with("status", json!(0)), ["status"]);
        assert_eq!(with("request_bytes", json!(7)), [] as [&str; 0]);
    }
}
