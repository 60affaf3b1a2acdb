//! Where each byte of a text came from: a text in a file, or one that stands in another as a YAML scalar.

use std::ops::Range;

/// What becomes of a text's bytes in the file. Invariant: ascending in the first of each pair.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Origin {
    /// From which byte of the text on, and where that one stands; the ones behind it follow it.
    runs: Vec<(usize, usize)>,
}

/// How a scalar is written, as far as it matters for what its bytes come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Writing {
    /// As it is, perhaps over several lines.
    Plain,
    /// In single quotes.
    Single,
    /// In double quotes.
    Double,
    /// In lines of its own, without the header above them.
    Block,
}

impl Origin {
    /// Of a text that stands in the file as it is.
    pub(super) fn from(start: usize) -> Self {
        Self { runs: vec![(0, start)] }
    }

    /// Of what a scalar says, which is written like that in a text of this origin.
    pub(super) fn of_scalar(&self, said: &str, raw: &str, at: usize, writing: Writing) -> Self {
        let quote = usize::from(matches!(writing, Writing::Single | Writing::Double));
        if raw.get(quote..raw.len().saturating_sub(quote)) == Some(said) {
            return self.within(&[(0, at + quote)], said.len());
        }
        self.within(&align(said, raw, at, writing), said.len())
    }

    /// Where a byte stands in the file.
    pub(super) fn place(&self, offset: usize) -> usize {
        let next = self.runs.partition_point(|(from, _)| *from <= offset);
        match self.runs.get(next.saturating_sub(1)) {
            Some((from, place)) => place + offset.saturating_sub(*from),
            None => offset,
        }
    }

    /// Where these bytes stand in the file: from the first to the last of them.
    pub(super) fn range(&self, range: Range<usize>) -> Range<usize> {
        let start = self.place(range.start);
        match range.end.checked_sub(1) {
            Some(last) if last >= range.start => start..(self.place(last) + 1).max(start),
            _ => start..start,
        }
    }

    /// The same runs, in the file instead of in our text.
    fn within(&self, runs: &[(usize, usize)], length: usize) -> Self {
        let mut placed = Vec::new();
        for (number, &(from, at)) in runs.iter().enumerate() {
            placed.push((from, self.place(at)));
            let end = runs.get(number + 1).map_or(length, |(next, _)| *next);
            let first = self.runs.partition_point(|(start, _)| *start <= at);
            let breaks = self.runs.iter().skip(first);
            let breaks = breaks.take_while(|(start, _)| *start < at + end.saturating_sub(from));
            placed.extend(breaks.map(|(start, place)| (from + start - at, *place)));
        }
        Self { runs: placed }
    }
}

/// Finds what a scalar says in what is written, character by character. Blanks are folded and indentation is
/// left out, so blanks may be off by a few; what stands between them is not.
fn align(said: &str, raw: &str, at: usize, writing: Writing) -> Vec<(usize, usize)> {
    let mut written = Written { raw, at: 0, writing };
    written.skip_opening();
    let mut runs: Vec<(usize, usize)> = Vec::new();
    for (offset, letter) in said.char_indices() {
        let Some(place) = written.find(letter) else { break };
        let follows = runs.last().is_some_and(|(from, start)| at + place == start + offset - from);
        if !follows {
            runs.push((offset, at + place));
        }
    }
    if runs.is_empty() {
        runs.push((0, at));
    }
    runs
}

struct Written<'a> {
    raw: &'a str,
    at: usize,
    writing: Writing,
}

impl Written<'_> {
    fn skip_opening(&mut self) {
        self.at = match self.writing {
            Writing::Plain | Writing::Block => 0,
            Writing::Single | Writing::Double => 1,
        };
    }

    fn rest(&self) -> &str {
        self.raw.get(self.at..).unwrap_or_default()
    }

    /// Where the next character that is said is written; what is written there is behind us then.
    fn find(&mut self, said: char) -> Option<usize> {
        loop {
            let first = self.rest().chars().next()?;
            let is_escape = self.writing == Writing::Double && first == '\\';
            if is_escape && self.rest()[1..].starts_with(['\n', '\r']) {
                self.at += 1;
                self.skip_blanks();
            } else if first.is_whitespace() && !said.is_whitespace() {
                self.skip_blanks();
            } else if is_escape {
                return Some(self.take(escape_length(self.rest())));
            } else if first == said || first.is_whitespace() {
                let doubled = self.writing == Writing::Single && first == '\'';
                return Some(self.take(first.len_utf8() + usize::from(doubled)));
            } else {
                return None;
            }
        }
    }

    fn take(&mut self, length: usize) -> usize {
        let place = self.at;
        self.at += length;
        place
    }

    fn skip_blanks(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start().len();
    }
}

/// How many bytes an escape has, both halves of a character where it is written in two.
fn escape_length(rest: &str) -> usize {
    let bytes = rest.as_bytes();
    match bytes.get(1) {
        Some(b'x') => 4,
        Some(b'u') => {
            let is_half = matches!(
                bytes.get(2..4),
                Some([b'd' | b'D', b'8'..=b'9' | b'a' | b'b' | b'A' | b'B'])
            );
            if is_half && bytes.get(6..8) == Some(b"\\u") { 12 } else { 6 }
        }
        Some(b'U') => 10,
        _ => 1 + rest.chars().nth(1).map_or(0, char::len_utf8),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_word_is_found_where_it_is_written() {
        for (name, writing, raw, said, words) in [
            ("plain", Writing::Plain, "one two", "one two", ["one", "two"]),
            ("plain in lines", Writing::Plain, "one\n    two", "one two", ["one", "two"]),
            ("single", Writing::Single, "'it''s one two'", "it's one two", ["one", "two"]),
            ("double", Writing::Double, "\"\\\"one\\\"\\n two\"", "\"one\"\n two", ["one", "two"]),
            ("halves", Writing::Double, "\"\\ud83d\\ude00 one two\"", "😀 one two", ["one", "two"]),
            ("continued", Writing::Double, "\"one \\\n   two\"", "one two", ["one", "two"]),
            ("block", Writing::Block, "one\n      two\n", "one\n  two\n", ["one", "two"]),
            ("Windows", Writing::Block, "one\r\n  two\r\n", "one\ntwo", ["one", "two"]),
            ("folded", Writing::Block, "one\n\n  two\n", "one\ntwo\n", ["one", "two"]),
        ] {
            let origin = Origin::from(100).of_scalar(said, raw, 7, writing);
            for word in words {
                let here = said.find(word).unwrap();
                let there = 107 + raw.find(word).unwrap();
                assert_eq!(origin.range(here..here + 3), there..there + 3, "{name}: {word}");
            }
        }
    }

    #[test]
    fn a_text_in_a_text_is_found_in_the_file() {
        let file = "data: |\n  text: |\n    {\n      \"a\": 1\n    }\n";
        let outer = Origin::from(0);
        let text = "text: |\n  {\n    \"a\": 1\n  }\n";
        let outer = outer.of_scalar(text, &file[10..], 10, Writing::Block);
        let inner = "{\n  \"a\": 1\n}\n";
        let inner_origin = outer.of_scalar(inner, &text[10..], 10, Writing::Block);
        let (here, there) = (inner.find("\"a\"").unwrap(), file.find("\"a\"").unwrap());
        assert_eq!(inner_origin.range(here..here + 3), there..there + 3);
    }

    #[test]
    fn what_cannot_be_aligned_is_where_it_began() {
        let origin = Origin::from(0).of_scalar("other", "words", 3, Writing::Plain);
        assert_eq!(origin.range(0..1), 3..4);
    }
}
