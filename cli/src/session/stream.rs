//! Envoy's stdout: the access-log lines as they come, counted, handed to the live view and printed.
//!
//! A pipe, drained by a thread of its own, so that nothing grows on disk and Envoy does not wait.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::ChildStdout;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, JoinHandle};

use super::Failed;
use super::printer::Printer;
use crate::live::Live;

/// More than any line that the filter writes. What is longer is taken in pieces.
const LONGEST: u64 = 1 << 20;

/// The lines under way.
pub(super) struct Stream {
    lines: Arc<AtomicU64>,
    reader: JoinHandle<()>,
    printer: Arc<Printer>,
}

impl Stream {
    /// Reads to the end of this pipe, which comes when Envoy has ended.
    pub(super) fn start(pipe: ChildStdout, live: Live, printer: Printer) -> Result<Self, Failed> {
        let (lines, printer) = (Arc::new(AtomicU64::new(0)), Arc::new(printer));
        let (counted, prints) = (Arc::clone(&lines), Arc::clone(&printer));
        let read = move || {
            each_line(pipe, |line| {
                counted.fetch_add(1, Ordering::Relaxed);
                live.line(&line);
                let skipped = prints.print(line);
                if skipped > 0 {
                    live.not_shown(skipped);
                }
            });
        };
        let reader = thread::Builder::new().name("lines".to_owned()).spawn(read);
        let reader = reader.map_err(|error| Failed::System { what: "Reading lines", error })?;
        Ok(Self { lines, reader, printer })
    }

    /// How many lines there were.
    pub(super) fn lines(&self) -> u64 {
        self.lines.load(Ordering::Relaxed)
    }

    /// Whether nobody reads what is printed any more.
    pub(super) fn is_closed(&self) -> bool {
        self.printer.is_closed()
    }

    /// Returns when the pipe has come to its end and the last line has been printed.
    pub(super) fn finish(self) {
        let _ = self.reader.join();
        self.printer.finish();
    }
}

/// Calls `take` with each whole line, and the line break at its end.
fn each_line(pipe: impl std::io::Read, mut take: impl FnMut(Vec<u8>)) {
    let mut pipe = BufReader::with_capacity(64 << 10, pipe);
    loop {
        let mut line = Vec::new();
        match pipe.by_ref().take(LONGEST).read_until(b'\n', &mut line) {
            // An Envoy that was killed may leave half a line behind.
            Ok(_) if line.last() == Some(&b'\n') => take(line),
            Ok(length) if length as u64 == LONGEST => {
                line.push(b'\n');
                take(line);
            }
            Ok(_) | Err(_) => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_lines_are_taken() {
        for (name, bytes, expected) in [
            ("nothing", "", &[][..]),
            ("two", "a\nb\n", &["a\n", "b\n"]),
            ("an empty one", "\n", &["\n"]),
            ("half a line", "a\nb", &["a\n"]),
        ] {
            let mut lines = Vec::new();
            each_line(bytes.as_bytes(), |line| lines.push(String::from_utf8(line).unwrap()));
            assert_eq!(lines, expected, "{name}");
        }
    }

    #[test]
    fn a_line_without_an_end_does_not_fill_the_memory() {
        let endless = b"a".repeat(2 * usize::try_from(LONGEST).unwrap() + 1);
        let mut lengths = Vec::new();
        each_line(endless.as_slice(), |line| lengths.push(line.len() as u64));
        assert_eq!(lengths, [LONGEST + 1, LONGEST + 1]);
    }
}
