//! What is on the screen, row by row, for any size of it.

use super::super::{FoundRequest, Request, ShownSpan, Snapshot, ToldRoute, Waterfall};
use super::text::{count, duration, fit, percent, plain, rate, spark, time};
use super::view::{Mode, Search, View};

/// One row: pieces of text beside each other, none of them with a control character.
pub(super) type Row = Vec<Piece>;

/// Text that looks the same from its beginning to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    text: String,
    look: Look,
}

/// How a piece looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Look {
    Plain,
    Bold,
    Dim,
    Reversed,
    Good,
    Warning,
    Bad,
}

/// Turns rows into what is written to the terminal.
#[derive(Clone, Copy, Debug)]
pub(super) struct Paint {
    in_colour: bool,
}

/// A figure of a route in the table: its heading, its width, and the figure.
struct Column {
    head: &'static str,
    width: usize,
    told: fn(&ToldRoute) -> String,
}

/// From left to right. Where there is little room, the last in `FIRST_TO_GO` stay longest.
const COLUMNS: [Column; 6] = [
    Column { head: "req/s", width: 7, told: |row| rate(row.told.rate) },
    Column { head: "errors", width: 6, told: |row| percent(row.told.error_ratio) },
    Column { head: "p50", width: 7, told: |row| duration(row.told.p50_ms) },
    Column { head: "p95", width: 7, told: |row| duration(row.told.p95_ms) },
    Column { head: "p99", width: 7, told: |row| duration(row.told.p99_ms) },
    Column { head: "active", width: 6, told: |row| rate(row.in_flight) },
];

/// Columns in the order in which they are left out.
const FIRST_TO_GO: [usize; 6] = [2, 5, 4, 1, 3, 0];

/// What a route is to have of a row, while there are figures to be left out.
const ROUTE: usize = 22;

const METHOD: usize = 7;

const KEYS: &str = "q quit  ↑↓ select  esc all  s sort  r requests  / search";
const KEYS_OF_SEARCH: &str = "esc back  ↑↓ scroll  / search again";

/// The whole screen, exactly as many rows as it has.
///
/// What is scrolled further than there are rows is scrolled back.
pub(super) fn page(view: &mut View, width: usize, height: usize) -> Vec<Row> {
    let above_keys = height.saturating_sub(1);
    let mut rows = match &mut view.mode {
        Mode::Found(search) => found(search, width, above_keys),
        Mode::Figures | Mode::Typing(_) => figures(view, width, above_keys),
    };
    rows.resize(above_keys, Row::new());
    rows.push(vec![match &view.mode {
        Mode::Typing(typed) => {
            piece(tail(&format!("request or trace ID: {typed}_"), width), Look::Bold)
        }
        Mode::Figures => whole(KEYS, width, Look::Dim),
        Mode::Found(_) => whole(KEYS_OF_SEARCH, width, Look::Dim),
    }]);
    rows.truncate(height);
    rows
}

impl Paint {
    /// With colours or without.
    pub(super) fn in_colour(in_colour: bool) -> Self {
        Self { in_colour }
    }

    /// Everything that is written for a screen, in one go, so that it does not flicker.
    pub(super) fn page(self, rows: &[Row]) -> String {
        let mut out = String::from("\x1b[?2026h\x1b[H");
        for (at, row) in rows.iter().enumerate() {
            // Cleared first: behind the last column, some terminals would clear that as well.
            out.push_str(if at == 0 { "\x1b[2K" } else { "\r\n\x1b[2K" });
            for Piece { text, look } in row.iter().filter(|piece| !piece.text.is_empty()) {
                match self.code(*look) {
                    "" => out.push_str(text),
                    code => out.extend([code, text, "\x1b[0m"]),
                }
            }
        }
        out + "\x1b[J\x1b[?2026l"
    }

    fn code(self, look: Look) -> &'static str {
        match look {
            Look::Plain => "",
            Look::Bold => "\x1b[1m",
            Look::Reversed => "\x1b[7m",
            _ if !self.in_colour => "",
            Look::Dim => "\x1b[2m",
            Look::Good => "\x1b[32m",
            Look::Warning => "\x1b[33m",
            Look::Bad => "\x1b[31m",
        }
    }
}

fn figures(view: &View, width: usize, height: usize) -> Vec<Row> {
    let mut rows = head(&view.snapshot, width, height);
    let left = height.saturating_sub(rows.len() + 2);
    let of_routes = left - left * 2 / 5;
    rows.extend(routes(view, width, of_routes.min(view.snapshot.routes.len().max(1))));
    let of = view.selected().map(|at| &view.snapshot.routes[at]);
    let of = of.map_or(String::new(), |row| format!(" of {} {}", row.method, row.route));
    rows.push(vec![whole(&format!("{}{of}", view.list.name()), width, Look::Bold)]);
    let listed = view.listed();
    if listed.is_empty() {
        rows.push(vec![whole("  none", width, Look::Dim)]);
    }
    rows.extend(listed.into_iter().map(|it| request(it, width)));
    rows
}

/// Services, totals and what happened in the last minute.
fn head(snapshot: &Snapshot, width: usize, height: usize) -> Vec<Row> {
    let most = if height < 20 { 1 } else { 4 };
    let services = snapshot.services.iter().take(most);
    let mut rows: Vec<Row> = services
        .map(|it| {
            let busy = it.in_flight.map_or(String::new(), |busy| format!("  {busy} in flight"));
            let told = format!("{}  {} → {}{busy}", it.name, it.listen, it.app);
            vec![whole(&told, width, Look::Bold)]
        })
        .collect();
    let totals = &snapshot.totals;
    let errors = if totals.error_ratio > 0.0 { Look::Bad } else { Look::Good };
    rows.push(narrowed(
        width,
        [
            (format!("{} req/s  ", rate(totals.rate)), Look::Plain),
            (format!("{} errors", percent(totals.error_ratio)), errors),
            (format!("  p50 {}", duration(totals.p50_ms)), Look::Plain),
            (format!("  p95 {}", duration(totals.p95_ms)), Look::Plain),
            (format!("  p99 {}", duration(totals.p99_ms)), Look::Plain),
            (format!("  {} requests", count(totals.requests)), Look::Dim),
        ],
    ));
    rows.push(vec![piece(spark(&totals.spark, width), Look::Good)]);
    if let Some(reason) = &snapshot.dropped.reason {
        rows.push(vec![whole(reason, width, Look::Warning)]);
    }
    rows
}

/// The table, scrolled so that the selected route is in it.
fn routes(view: &View, width: usize, height: usize) -> Vec<Row> {
    let columns = columns(width);
    let taken: usize = columns.iter().map(|column| column.width + 1).sum();
    let name = width.saturating_sub(taken);
    let heading = fit(&format!("{:METHOD$} route (by {})", "", view.sort.name()), name);
    let heads = columns.iter().map(|column| format!(" {:>1$}", column.head, column.width));
    let heads: String = heads.collect();
    let mut rows = vec![vec![whole(&format!("{heading}{heads}"), width, Look::Dim)]];
    if view.snapshot.routes.is_empty() {
        let first = view.snapshot.services.first();
        let told = first.map_or_else(String::new, |it| format!(" yet: curl {}/", it.listen));
        rows.push(vec![whole(&format!("  no request{told}"), width, Look::Plain)]);
    }
    let selected = view.selected();
    let above = selected.map_or(0, |at| (at + 1).saturating_sub(height));
    let shown = view.snapshot.routes.iter().enumerate().skip(above).take(height);
    rows.extend(shown.map(|(at, it)| route(it, &columns, name, width, selected == Some(at))));
    rows
}

fn route(
    row: &ToldRoute,
    columns: &[&Column],
    name: usize,
    width: usize,
    is_selected: bool,
) -> Row {
    let named = fit(&format!("{:METHOD$} {}", row.method, row.route), name);
    let figures: Vec<_> = columns
        .iter()
        .map(|column| (format!(" {:>1$}", (column.told)(row), column.width), column.head))
        .collect();
    if is_selected {
        let figures: String = figures.into_iter().map(|(text, _)| text).collect();
        return vec![whole(&format!("{named}{figures}"), width, Look::Reversed)];
    }
    let look =
        |head| if head == "errors" && row.told.error_ratio > 0.0 { Look::Bad } else { Look::Plain };
    let figures = figures.into_iter().map(|(text, head)| (text, look(head)));
    narrowed(width, std::iter::once((named, Look::Plain)).chain(figures))
}

/// Those for which there is room beside a route.
fn columns(width: usize) -> Vec<&'static Column> {
    let mut shown = [true; COLUMNS.len()];
    for gone in FIRST_TO_GO {
        let taken = COLUMNS.iter().zip(shown).filter(|(_, shown)| *shown);
        let taken: usize = taken.map(|(column, _)| column.width + 1).sum();
        if width >= taken + METHOD + 1 + ROUTE {
            break;
        }
        shown[gone] = false;
    }
    COLUMNS.iter().zip(shown).filter(|(_, shown)| *shown).map(|(column, _)| column).collect()
}

fn request(request: &Request, width: usize) -> Row {
    let look = match request.status {
        0 | 500.. => Look::Bad,
        400.. => Look::Warning,
        _ if request.error_type.is_some() => Look::Bad,
        _ => Look::Good,
    };
    let why = [&request.error_type, &request.flags].into_iter().flatten();
    let why: String = why.flat_map(|why| [" ", why]).map(str::to_owned).collect();
    narrowed(
        width,
        [
            (time(request.started_ms), Look::Dim),
            (format!(" {:>3}", request.status), look),
            (format!(" {:>7}", duration(Some(request.duration_ms))), Look::Plain),
            (format!(" {}", beginning(&request.request_id)), Look::Dim),
            (format!(" {} {}", request.method, request.path), Look::Plain),
            (why, look),
        ],
    )
}

fn found(search: &mut Search, width: usize, height: usize) -> Vec<Row> {
    let found = &search.found;
    let told = match (found.found.len(), found.more) {
        (0, _) => format!("nothing is called {:?}, or nothing any more", found.query),
        (1, _) => format!("one request for {:?}", found.query),
        (count, false) => format!("{count} requests for {:?}", found.query),
        (count, true) => format!("the newest {count} requests for {:?}", found.query),
    };
    let mut rows = vec![vec![whole(&told, width, Look::Bold)]];
    for (at, it) in found.found.iter().enumerate() {
        rows.push(Row::new());
        rows.extend(one_found(it, width));
        let trace = search.trace.as_ref().filter(|_| at == 0);
        rows.extend(trace.into_iter().flat_map(|trace| waterfall(trace, width)));
    }
    search.above = search.above.min(rows.len().saturating_sub(height));
    rows.split_off(search.above)
}

fn one_found(found: &FoundRequest, width: usize) -> Vec<Row> {
    let mut rows = vec![request(&found.request, width)];
    rows.extend(
        found.explanation.iter().flat_map(|sentence| wrapped(sentence, width, Look::Plain)),
    );
    rows.extend(wrapped(&found.line, width, Look::Dim));
    rows
}

fn waterfall(trace: &Waterfall, width: usize) -> Vec<Row> {
    let told = format!("trace {}", trace.trace_id);
    let mut rows = vec![vec![whole(&told, width, Look::Bold)]];
    rows.extend(trace.spans.iter().map(|span| bar(span, trace.duration_us, width)));
    if trace.left_out > 0 {
        let told = format!("{} further spans are not shown", count(trace.left_out as u64));
        rows.push(vec![whole(&told, width, Look::Warning)]);
    }
    rows
}

/// A span: what it is called, how long it took, and when.
fn bar(span: &ShownSpan, all_us: u64, width: usize) -> Row {
    let room = width / 3;
    let name = width.saturating_sub(room + 9);
    let indented = format!("{:1$}{2} ({3})", "", span.depth.min(20) * 2, span.name, span.service);
    let column = |us: u64| {
        let scaled = u128::from(us) * room as u128 / u128::from(all_us.max(1));
        usize::try_from(scaled).unwrap_or(room).min(room)
    };
    let begin = column(span.start_us).min(room.saturating_sub(1));
    let end = column(span.start_us + span.duration_us).max(begin + 1);
    #[expect(clippy::cast_precision_loss, reason = "at most a day")]
    let millis = span.duration_us as f64 / 1e3;
    let look = if span.error { Look::Bad } else { Look::Good };
    let bar = format!("{:1$}{2}", "", begin, "█".repeat(end - begin));
    vec![
        piece(fit(&indented, name), Look::Plain),
        piece(fit(&format!(" {:>7} ", duration(Some(millis))), 9.min(width)), Look::Plain),
        piece(bar.chars().take(width.saturating_sub(9)).collect(), look),
    ]
}

/// The rows of a text, wherever they break.
fn wrapped(text: &str, width: usize, look: Look) -> Vec<Row> {
    let letters: Vec<char> = plain(text).chars().collect();
    let rows = letters.chunks(width.saturating_sub(2).max(1));
    let row = |row: &[char]| format!("  {}", row.iter().collect::<String>());
    rows.map(|letters| vec![whole(&row(letters), width, look)]).collect()
}

/// Pieces made plain, up to where the row ends.
fn narrowed(width: usize, pieces: impl IntoIterator<Item = (String, Look)>) -> Row {
    let mut left = width;
    let mut row = Row::new();
    for (text, look) in pieces {
        let text = fit(&text, left.min(plain(&text).chars().count()));
        left -= text.chars().count();
        row.push(piece(text, look));
    }
    row
}

/// A row of one piece.
fn whole(text: &str, width: usize, look: Look) -> Piece {
    piece(fit(text, width), look)
}

fn piece(text: String, look: Look) -> Piece {
    Piece { text, look }
}

/// Of an ID as much as is searched for, and nothing that is not of it.
fn beginning(id: &str) -> String {
    let letters: String = plain(id).chars().take(8).collect();
    format!("{letters:8}")
}

/// The end of what is typed, which is what one looks at.
fn tail(text: &str, width: usize) -> String {
    let letters: Vec<char> = plain(text).chars().collect();
    letters[letters.len().saturating_sub(width)..].iter().collect()
}

#[cfg(test)]
mod tests;
