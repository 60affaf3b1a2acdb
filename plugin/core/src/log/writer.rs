//! The three formats: what is around names and values.

use std::time::Duration;

use super::field::{Field, Fields};
use super::text::{is_plain, write_escaped};
use crate::config::LogFormat;
use crate::head::LONGEST_VALUE;
use crate::time::{write_number, write_padded};

/// Writes the fields of one line. A field that is to be left out is not written.
pub(super) struct Writer<'a> {
    out: &'a mut Vec<u8>,
    pub(super) format: LogFormat,
    fields: Fields,
    /// Where the first field begins.
    start: usize,
}

impl<'a> Writer<'a> {
    /// Begins a line behind what `out` holds.
    #[inline]
    pub(super) fn begin(format: LogFormat, fields: Fields, out: &'a mut Vec<u8>) -> Self {
        if format != LogFormat::Logfmt {
            out.push(b'{');
        }
        Self { start: out.len(), out, format, fields }
    }

    /// Goes on with a line whose first field is written elsewhere.
    pub(super) fn go_on(format: LogFormat, fields: Fields, out: &'a mut Vec<u8>) -> Self {
        Self { out, format, fields, start: usize::MAX }
    }

    /// A text of our own, which needs no escaping and no quotes: a word, digits.
    #[inline]
    pub(super) fn word(&mut self, field: Field, text: &[u8]) {
        if self.name(field) {
            self.out.extend_from_slice(text);
            self.end_text();
        }
    }

    /// What `write` writes, which is such a text.
    pub(super) fn written(&mut self, field: Field, write: &mut dyn FnMut(&mut Vec<u8>)) {
        if self.name(field) {
            write(self.out);
            self.end_text();
        }
    }

    /// A text from outside: at most `longest` bytes of it, marked with `…` where it was cut.
    #[inline]
    pub(super) fn text(&mut self, field: Field, value: &[u8], longest: usize, already_cut: bool) {
        if self.name(field) {
            self.value(value, longest, already_cut);
        }
    }

    /// A whole number.
    #[inline]
    pub(super) fn number(&mut self, field: Field, value: u64) {
        if self.number_name(field) {
            write_number(value, self.out);
        }
    }

    /// A number under a name that the field has besides its own.
    pub(super) fn number_beside(&mut self, field: Field, head: &[u8], value: u64) {
        if self.fields.contains(field) {
            self.raw(head);
            write_number(value, self.out);
        }
    }

    /// A duration in milliseconds, with three decimals.
    pub(super) fn millis(&mut self, field: Field, value: Duration) {
        if self.number_name(field) {
            let micros = u64::try_from(value.as_micros()).unwrap_or(u64::MAX);
            write_number(micros / 1_000, self.out);
            self.out.push(b'.');
            write_padded(micros % 1_000, 3, self.out);
        }
    }

    /// What is no text and written down already: a number, true or false.
    pub(super) fn bare(&mut self, field: Field, text: &[u8]) {
        if self.number_name(field) {
            self.out.extend_from_slice(text);
        }
    }

    /// Fields that are written already, with the sign in front of each.
    #[inline]
    pub(super) fn raw(&mut self, text: &[u8]) {
        let begins = self.out.len() == self.start;
        self.out.extend_from_slice(text.get(usize::from(begins)..).unwrap_or_default());
    }

    /// Begins a field that holds others. Says whether it is to be there.
    pub(super) fn open(&mut self, field: Field) -> bool {
        let is_there = self.fields.contains(field);
        if is_there && self.format != LogFormat::Logfmt {
            self.number_name(field);
            self.out.push(b'{');
        }
        is_there
    }

    /// Begins a part of what was opened.
    pub(super) fn open_group(&mut self, name: &str) {
        if self.format != LogFormat::Logfmt {
            self.key(name);
            self.out.push(b'{');
        }
    }

    /// Ends what was opened last.
    pub(super) fn close(&mut self) {
        if self.format != LogFormat::Logfmt {
            self.out.push(b'}');
        }
    }

    /// A name that is a token, and a text, within what was opened; `path` is the way to there.
    pub(super) fn entry(&mut self, path: &[&str], name: &str, value: &[u8], already_cut: bool) {
        if self.format == LogFormat::Logfmt {
            if self.out.len() > self.start {
                self.out.push(b' ');
            }
            for step in path {
                self.out.extend_from_slice(step.as_bytes());
                self.out.push(b'.');
            }
            self.out.extend_from_slice(name.as_bytes());
            self.out.push(b'=');
        } else {
            self.key(name);
            self.out.push(b'"');
        }
        self.value(value, LONGEST_VALUE, already_cut);
    }

    /// Ends the line.
    #[inline]
    pub(super) fn end(self) {
        if self.format != LogFormat::Logfmt {
            self.out.push(b'}');
        }
    }

    /// Writes what stands in front of a field's text, if the field is to be there.
    #[inline]
    fn name(&mut self, field: Field) -> bool {
        let is_there = self.fields.contains(field);
        if is_there {
            self.raw(field.head(self.format as usize).as_bytes());
        }
        is_there
    }

    /// The same for what is no text.
    #[inline]
    fn number_name(&mut self, field: Field) -> bool {
        let is_there = self.name(field);
        if is_there && self.format != LogFormat::Logfmt {
            self.out.pop();
        }
        is_there
    }

    fn key(&mut self, name: &str) {
        if self.out.last() != Some(&b'{') {
            self.out.push(b',');
        }
        self.out.push(b'"');
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"\":");
    }

    /// What objects have behind texts.
    #[inline]
    fn end_text(&mut self) {
        if self.format != LogFormat::Logfmt {
            self.out.push(b'"');
        }
    }

    /// A text from outside, behind the quote where the format has one in any case.
    #[inline]
    fn value(&mut self, value: &[u8], longest: usize, already_cut: bool) {
        let is_whole = !already_cut && value.len() <= longest;
        if self.format == LogFormat::Logfmt {
            if is_whole && is_bare(value) {
                self.out.extend_from_slice(value);
                return;
            }
            self.out.push(b'"');
        }
        if is_whole && is_plain(value) {
            self.out.extend_from_slice(value);
        } else {
            write_escaped(value, longest, already_cut, self.out);
        }
        self.out.push(b'"');
    }
}

/// Whether a value of logfmt can stand without quotes.
fn is_bare(value: &[u8]) -> bool {
    let is_sign = |byte: &u8| matches!(byte, b'=' | b'"' | b'\\');
    !value.is_empty() && value.iter().all(|byte| byte.is_ascii_graphic() && !is_sign(byte))
}
