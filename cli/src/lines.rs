//! The lines of a file that another process is writing, each once and only when it is whole.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::PathBuf;

/// A place in a file that grows.
#[derive(Debug)]
pub struct Lines {
    file: PathBuf,
    read: u64,
}

impl Lines {
    /// From the beginning of this file, which may not be there yet.
    pub fn of(file: PathBuf) -> Self {
        Self { file, read: 0 }
    }

    /// The lines that have become whole since the last time, with their line ends.
    pub fn fresh(&mut self) -> io::Result<String> {
        let mut file = match File::open(&self.file) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(String::new()),
            opened => opened?,
        };
        file.seek(SeekFrom::Start(self.read))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        let whole = bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |last| last + 1);
        bytes.truncate(whole);
        self.read += bytes.len() as u64;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    #[test]
    fn whole_lines_come_once_each() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        let mut lines = Lines::of(path.clone());
        assert_eq!(lines.fresh().unwrap(), "", "before there is a file");
        let mut file = File::create(path).unwrap();
        for (written, fresh) in [
            ("", ""),
            ("a\nb\n", "a\nb\n"),
            ("", ""),
            ("half", ""),
            (" and half\nagain ", "half and half\n"),
            ("\n\n", "again \n\n"),
        ] {
            file.write_all(written.as_bytes()).unwrap();
            assert_eq!(lines.fresh().unwrap(), fresh, "after {written:?}");
        }
    }
}
