//! A page of the documentation, taken apart so that what it shows can be tried.
//!
//! A comment `<!-- checked: … -->` in front of a table or a block says how that is to be read. What is only
//! prose is not taken.

use sightline_core::config::Value;

use crate::text;

/// A part of a page that can be checked.
#[derive(Debug)]
pub(crate) enum Item {
    /// A fenced block with what it is written in.
    Block(String, String),
    /// The cells of a table's rows, without its head.
    Table(Vec<Vec<String>>),
}

/// The items of a page, each with its comment, which must be one of these.
pub(crate) fn items(page: &str, markers: &[&'static str]) -> Vec<(Option<&'static str>, Item)> {
    let text = text(page);
    let mut lines = text.lines().peekable();
    let mut items = Vec::new();
    let mut marker: Option<&'static str> = None;
    while let Some(line) = lines.next() {
        if let Some(said) = line.strip_prefix("<!--") {
            let known = markers.iter().find(|it| format!(" checked: {it} -->") == said);
            marker = Some(known.unwrap_or_else(|| panic!("{page}: nobody checks {line}")));
        } else if let Some(language) = line.strip_prefix("```") {
            let body: Vec<&str> =
                lines.by_ref().take_while(|line| !line.starts_with("```")).collect();
            items.push((marker.take(), Item::Block(language.to_owned(), body.join("\n"))));
        } else if line.starts_with('|') {
            let mut rows = Vec::new();
            while let Some(row) = lines.next_if(|line| line.starts_with('|')) {
                rows.push(cells(row));
            }
            // The head is taken already; here is the line below it.
            items.push((marker.take(), Item::Table(rows.split_off(1))));
        }
    }
    items
}

fn cells(row: &str) -> Vec<String> {
    let inner = row.strip_prefix('|').and_then(|row| row.strip_suffix('|')).unwrap_or(row);
    inner.split('|').map(|cell| cell.trim().to_owned()).collect()
}

/// The rows of all tables with this comment.
pub(crate) fn rows(items: &[(Option<&'static str>, Item)], marker: &str) -> Vec<Vec<String>> {
    let marked = items.iter().filter(|(it, _)| *it == Some(marker));
    let tables = marked.filter_map(|(_, item)| match item {
        Item::Table(rows) => Some(rows),
        Item::Block(..) => None,
    });
    tables.flatten().cloned().collect()
}

/// What stands in backticks.
pub(crate) fn codes(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

/// The first of it, which must be there.
pub(crate) fn first_code(cell: &str) -> &str {
    codes(cell).first().copied().unwrap_or_else(|| panic!("nothing in backticks in {cell:?}"))
}

/// A configuration of the filter as it is written.
pub(crate) fn said(page: &str, yaml: &str) -> Value {
    serde_saphyr::from_str(yaml).unwrap_or_else(|error| panic!("{page}: {error}\n{yaml}"))
}
