//! A folder for one run of `up` or `demo`, under a parent that all share.
//!
//! Ctrl-C leaves no time to tidy up, so folders are reused rather than removed: the first one that
//! no other run has locked. What the last run logged stays there to be looked at.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

/// A folder that is ours for as long as this lives.
pub struct Folder {
    path: PathBuf,
    _lock: File,
}

impl Folder {
    /// Takes the first free one below `parent`, and makes it if need be.
    pub fn take(parent: &Path) -> io::Result<Self> {
        let mut number = 1;
        loop {
            let path = parent.join(number.to_string());
            fs::create_dir_all(&path)?;
            let lock = File::create(path.join("lock"))?;
            match lock.try_lock() {
                Ok(()) => return Ok(Self { path, _lock: lock }),
                Err(TryLockError::WouldBlock) => number += 1,
                Err(TryLockError::Error(error)) => return Err(error),
            }
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_at_a_time_do_not_share_and_the_next_reuses() {
        let parent = tempfile::tempdir().unwrap();
        let name = |folder: &Folder| folder.path().file_name().unwrap().to_owned();
        let first = Folder::take(parent.path()).unwrap();
        let second = Folder::take(parent.path()).unwrap();
        assert_eq!([name(&first), name(&second)], ["1", "2"]);
        drop(first);
        assert_eq!(name(&Folder::take(parent.path()).unwrap()), "1");
    }
}
