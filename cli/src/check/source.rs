//! A file as people see it: lines and columns, and one line with a caret under what is meant.

use std::fmt;
use std::ops::Range;

use crate::harmless::is_harmful;

/// A file's text, and where its lines begin.
#[derive(Clone, Debug)]
pub struct Source {
    name: String,
    text: String,
    lines: Vec<usize>,
}

/// A place as editors count it: from 1, in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The line.
    pub line: usize,
    /// The column in it.
    pub column: usize,
}

/// A line of a file, with a caret under a part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Excerpt {
    pub(super) line: String,
    pub(super) caret: String,
}

/// How much of a line is shown. JSON may be one line as a whole.
const WIDEST: usize = 120;

/// How much of a long line is shown in front of what is meant.
const IN_FRONT: usize = 40;

impl Source {
    /// A text, and what it is called when it is told of.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        let text = text.into();
        let begin = |(at, _): (usize, &str)| at + 1;
        let lines = std::iter::once(0).chain(text.match_indices('\n').map(begin)).collect();
        Self { name: name.into(), text, lines }
    }

    /// What it is called.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// All of it.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Where a byte stands.
    pub fn place(&self, offset: usize) -> Place {
        let (number, start) = self.line_of(offset);
        let before = self.text.get(start..offset.min(self.text.len())).unwrap_or_default();
        let column = before.trim_start_matches('\u{feff}').chars().count() + 1;
        Place { line: number + 1, column }
    }

    /// These bytes, within the text and from one character to another: what a scalar says can end with a line break
    /// that its file has not.
    pub(super) fn clamp(&self, range: &Range<usize>) -> Range<usize> {
        let length = self.text.len();
        let is_whole = |at: &usize| self.text.is_char_boundary(*at);
        let start = (0..=range.start.min(length)).rev().find(is_whole).unwrap_or(0);
        let end = (range.end.min(length)..=length).find(is_whole).unwrap_or(length);
        start..end.max(start)
    }

    /// The line in which these bytes begin, with a caret under those that are in it.
    pub(super) fn excerpt(&self, range: &Range<usize>) -> Excerpt {
        let (number, start) = self.line_of(range.start);
        let end = self.lines.get(number + 1).map_or(self.text.len(), |next| next - 1);
        let line = self.text.get(start..end).unwrap_or_default().trim_end_matches('\r');
        let in_line = |offset: usize| {
            let before = line.get(..offset.saturating_sub(start)).unwrap_or(line);
            before.trim_start_matches('\u{feff}').chars().count()
        };
        let marked = in_line(range.start)..in_line(range.end.max(range.start));
        cut(line.trim_start_matches('\u{feff}'), marked)
    }

    /// The line that a byte is in, counted from 0, and where that begins.
    fn line_of(&self, offset: usize) -> (usize, usize) {
        let number = self.lines.partition_point(|start| *start <= offset).saturating_sub(1);
        (number, self.lines.get(number).copied().unwrap_or(0))
    }
}

/// As much of a line as can be seen at once, and the caret.
fn cut(line: &str, marked: Range<usize>) -> Excerpt {
    let is_long = line.chars().nth(WIDEST).is_some();
    let skipped = if is_long { marked.start.saturating_sub(IN_FRONT) } else { 0 };
    let shown: Vec<char> = line.chars().skip(skipped).take(WIDEST).map(visible).collect();
    let is_cut = line.chars().nth(skipped + WIDEST).is_some();
    let mut text = String::from(if skipped > 0 { "…" } else { "" });
    text.extend(&shown);
    text.push_str(if is_cut { "…" } else { "" });
    let before = marked.start - skipped + usize::from(skipped > 0);
    let room = (shown.len() + skipped).saturating_sub(marked.start);
    let width = marked.len().min(room).max(1);
    let caret = format!("{}{}", " ".repeat(before), "^".repeat(width));
    Excerpt { line: text, caret }
}

/// A character that takes one column, and does nothing to a terminal.
fn visible(letter: char) -> char {
    match letter {
        '\t' => ' ',
        letter if is_harmful(letter) => '\u{fffd}',
        letter => letter,
    }
}

/// The byte that a message is about which ends its place with `at line 1 column 7`, as the core's reader of JSON does.
pub(super) fn offset_told(text: &str, message: &str) -> Option<usize> {
    let (_, place) = message.split_once(" at line ")?;
    let mut numbers =
        place.split(|letter: char| !letter.is_ascii_digit()).filter(|it| !it.is_empty());
    let (line, column) = (numbers.next()?.parse().ok()?, numbers.next()?.parse::<usize>().ok()?);
    let before: usize =
        text.split_inclusive('\n').take(usize::checked_sub(line, 1)?).map(str::len).sum();
    Some((before + column.checked_sub(1)?).min(text.len()))
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_counted_in_characters_from_one() {
        let source = Source::new("a", "\u{feff}é: ü\r\nb: c\n");
        for (part, place) in [("é", "1:1"), ("ü", "1:4"), ("b", "2:1"), ("c", "2:4")] {
            let offset = source.text().find(part).unwrap();
            assert_eq!(source.place(offset).to_string(), place, "{part}");
        }
        assert_eq!(source.place(usize::MAX).to_string(), "3:1");
        assert_eq!(Source::new("a", "").place(0).to_string(), "1:1");
    }

    #[test]
    fn the_caret_stands_under_what_is_meant() {
        let text = "a: é\r\n\tbc: {\u{1b}[31m}\nlong\n";
        let source = Source::new("a", text);
        for (part, line, caret) in [
            ("é", "a: é", "   ^"),
            ("bc", " bc: {\u{fffd}[31m}", " ^^"),
            ("m}\nlong", " bc: {\u{fffd}[31m}", "          ^^"),
        ] {
            let start = text.find(part).unwrap();
            let excerpt = source.excerpt(&(start..start + part.len()));
            assert_eq!((excerpt.line.as_str(), excerpt.caret.as_str()), (line, caret), "{part}");
        }
        let end = source.excerpt(&(text.len()..text.len()));
        assert_eq!((end.line.as_str(), end.caret.as_str()), ("", "^"));
    }

    #[test]
    fn of_a_long_line_the_part_around_is_shown() {
        let text = format!("{}wrong{}", "a".repeat(1_000), "b".repeat(1_000));
        let excerpt = Source::new("a", text).excerpt(&(1_000..1_005));
        assert_eq!(excerpt.line, format!("…{}wrong{}…", "a".repeat(40), "b".repeat(75)));
        assert_eq!(excerpt.caret, format!("{}^^^^^", " ".repeat(41)));
    }
}
