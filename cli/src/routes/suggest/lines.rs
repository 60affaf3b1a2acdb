//! The lines of a log: a file, standard input, either of them compressed or not. Only one is held at a time.

use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read as _};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;

use crate::STDIN;

/// What gzip begins with.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// What is longer is no line of an access log.
const LONGEST: u64 = 1 << 20;

/// A log that is being read.
pub struct Log {
    name: String,
    source: Box<dyn BufRead>,
    line: Vec<u8>,
    number: u64,
}

/// A log that cannot be read, or no further.
#[derive(Debug)]
pub struct Unreadable {
    /// Which, as it was named.
    pub name: String,
    /// And why.
    pub error: io::Error,
}

impl Log {
    /// Opens a file, or standard input if it is called `-`.
    pub fn open(file: &Path) -> Result<Self, Unreadable> {
        if file == Path::new(STDIN) {
            return Self::of("standard input", io::stdin().lock());
        }
        let name = file.display().to_string();
        let opened = File::open(file).and_then(|opened| {
            let is_folder = opened.metadata()?.is_dir();
            if is_folder { Err(io::ErrorKind::IsADirectory.into()) } else { Ok(opened) }
        });
        match opened {
            Ok(opened) => Self::of(&name, BufReader::with_capacity(1 << 16, opened)),
            Err(error) => Err(Unreadable { name, error }),
        }
    }

    /// What a source holds, plain or as gzip: its first bytes tell.
    pub fn of(name: &str, mut source: impl BufRead + 'static) -> Result<Self, Unreadable> {
        let name = name.to_owned();
        let source: Box<dyn BufRead> = match source.fill_buf() {
            Ok(first) if first.starts_with(&GZIP) => {
                Box::new(BufReader::with_capacity(1 << 16, MultiGzDecoder::new(source)))
            }
            Ok(_) => Box::new(source),
            Err(error) => return Err(Unreadable { name, error }),
        };
        Ok(Self { name, source, line: Vec::new(), number: 0 })
    }

    /// The next line, without its end; none behind the last. Of one that is far too long, the beginning.
    pub(super) fn next_line(&mut self) -> Result<Option<&[u8]>, Unreadable> {
        self.line.clear();
        let read = self.source.by_ref().take(LONGEST).read_until(b'\n', &mut self.line);
        let skipped = match read {
            Ok(0) => return Ok(None),
            Ok(_) if !self.line.ends_with(b"\n") && self.line.len() as u64 == LONGEST => {
                self.source.skip_until(b'\n').map(drop)
            }
            Ok(_) => Ok(()),
            Err(error) => Err(error),
        };
        skipped.map_err(|error| Unreadable { name: self.name.clone(), error })?;
        self.number += 1;
        Ok(Some(self.line.trim_ascii()))
    }

    /// Where the line stands that was read last: `access.log:17`.
    pub(super) fn place(&self) -> String {
        format!("{}:{}", self.name, self.number)
    }
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "The log cannot be read: {}: {}. Name a file, which gzip may have compressed, or - for standard input.",
            self.name, self.error
        )
    }
}

impl std::error::Error for Unreadable {}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use std::io::{Cursor, Write as _};

    fn lines(bytes: Vec<u8>) -> Result<Vec<usize>, Unreadable> {
        let mut log = Log::of("a.log", Cursor::new(bytes))?;
        let mut lengths = Vec::new();
        while let Some(line) = log.next_line()? {
            lengths.push(line.len());
        }
        assert_eq!(log.place(), format!("a.log:{}", lengths.len()));
        Ok(lengths)
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn lines_come_one_by_one_compressed_or_not() {
        let longest = usize::try_from(LONGEST).unwrap();
        for (name, bytes, lengths) in [
            ("nothing", Vec::new(), vec![]),
            ("lines", b"ab\n\nc\r\n".to_vec(), vec![2, 0, 1]),
            ("no end", b"ab\ncd".to_vec(), vec![2, 2]),
            ("no UTF-8", b"\xff\xfe\n".to_vec(), vec![2]),
            ("a long one", [vec![b'a'; longest + 5], b"\nb".to_vec()].concat(), vec![longest, 1]),
            (
                "one at the limit",
                [vec![b'a'; longest - 1], b"\nb".to_vec()].concat(),
                vec![longest - 1, 1],
            ),
            ("gzip", gzip(b"ab\nc\n"), vec![2, 1]),
            ("two of gzip", [gzip(b"ab\n"), gzip(b"c\n")].concat(), vec![2, 1]),
        ] {
            assert_eq!(lines(bytes).unwrap(), lengths, "{name}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let mut cut = gzip(b"ab\nc\n");
        cut.truncate(cut.len() - 6);
        assert!(lines(cut).unwrap_err().to_string().contains("a.log"));
        for file in ["/no/such.log", "/"] {
            let told = Log::open(Path::new(file)).err().map(|error| error.to_string());
            assert!(told.as_ref().is_some_and(|told| told.contains(file)), "{told:?}");
        }
    }
}
