//! Files as they are named on the command line.

use std::io::{self, Read as _};
use std::path::Path;
use std::{error, fmt, fs};

use super::source::Source;
use crate::STDIN;
use crate::harmless::harmless;

/// The largest file that is read.
const LARGEST: u64 = 64 * 1024 * 1024;

/// Why a file cannot be read.
#[derive(Debug)]
pub struct Unreadable {
    /// Which, as it was named.
    pub file: String,
    /// And why.
    pub reason: Reason,
}

/// Why a file cannot be read.
#[derive(Debug)]
pub enum Reason {
    /// The system says so.
    Io(io::Error),
    /// It is a folder.
    Directory,
    /// It is not UTF-8.
    Encoding {
        /// The first byte that is not.
        byte: u8,
        /// The line that it is in, counted from 1.
        line: usize,
    },
    /// It is larger than any configuration.
    TooLarge,
}

/// Reads a file, or standard input if it is called `-`.
pub fn read(file: &Path) -> Result<Source, Unreadable> {
    let is_stdin = file == Path::new(STDIN);
    let name = if is_stdin { "<stdin>".to_owned() } else { file.display().to_string() };
    let bytes = if is_stdin { bounded(io::stdin().lock()) } else { bytes_of(file) };
    match bytes.and_then(text) {
        Ok(text) => Ok(Source::new(name, text)),
        Err(reason) => Err(Unreadable { file: name, reason }),
    }
}

fn bytes_of(file: &Path) -> Result<Vec<u8>, Reason> {
    if file.is_dir() {
        return Err(Reason::Directory);
    }
    bounded(fs::File::open(file).map_err(Reason::Io)?)
}

fn bounded(source: impl io::Read) -> Result<Vec<u8>, Reason> {
    let mut bytes = Vec::new();
    source.take(LARGEST + 1).read_to_end(&mut bytes).map_err(Reason::Io)?;
    if bytes.len() as u64 > LARGEST { Err(Reason::TooLarge) } else { Ok(bytes) }
}

fn text(bytes: Vec<u8>) -> Result<String, Reason> {
    String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let bytes = error.as_bytes();
        let (before, rest) = bytes.split_at_checked(valid).unwrap_or((bytes, &[]));
        let line = before.split(|byte| *byte == b'\n').count();
        Reason::Encoding { byte: rest.first().copied().unwrap_or(0), line }
    })
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} cannot be read: {}", harmless(&self.file), self.reason)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => write!(f, "{error}."),
            Self::Directory => f.write_str("it is a folder. Name the files in it."),
            Self::Encoding { byte, line } => write!(
                f,
                "it is not UTF-8: the byte 0x{byte:02x} in line {line} is not. Save it as UTF-8."
            ),
            Self::TooLarge => {
                write!(f, "it is larger than {} MiB, which no configuration is.", LARGEST >> 20)
            }
        }
    }
}

impl error::Error for Unreadable {}
