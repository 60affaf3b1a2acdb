//! Puts files and folders where they belong so that no half of one is ever found there.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use crate::Error;

/// Beside it first and then renamed, so that a reader finds the old one or the new one, whole. One
/// that has this content already is left as it is, with its time.
pub(crate) fn write_if_changed(path: &Path, content: &[u8]) -> Result<(), Error> {
    if fs::read(path).is_ok_and(|old| old == content) {
        return Ok(());
    }
    let aside = path.with_added_extension("part");
    fs::write(&aside, content).map_err(|cause| Error::at("write", &aside, &cause))?;
    fs::rename(&aside, path).map_err(|cause| Error::at("replace", path, &cause))
}

/// The folder and all in it, if it is there.
pub(crate) fn delete(folder: &Path) -> Result<(), Error> {
    match fs::remove_dir_all(folder) {
        Err(cause) if cause.kind() != ErrorKind::NotFound => {
            Err(Error::at("delete", folder, &cause))
        }
        _ => Ok(()),
    }
}
