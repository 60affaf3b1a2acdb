//! Programs on the `PATH`.

use std::env;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

/// Where a program is that is called so: itself if its name has a slash, else the first on the `PATH`.
pub fn find(name: &Path) -> Option<PathBuf> {
    find_in(name, &env::var_os("PATH").unwrap_or_default())
}

fn find_in(name: &Path, path: &std::ffi::OsStr) -> Option<PathBuf> {
    if name.components().count() > 1 || name.is_absolute() {
        return is_executable(name).then(|| name.to_owned());
    }
    env::split_paths(path).map(|folder| folder.join(name)).find(|file| is_executable(file))
}

fn is_executable(file: &Path) -> bool {
    fs::metadata(file).is_ok_and(|about| about.is_file() && about.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_that_can_be_run_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, mode| {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, "").unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            path
        };
        file("a/tool", 0o644);
        let tool = file("b/tool", 0o755);
        file("c/tool", 0o755);
        let path = env::join_paths(["a", "b", "c"].map(|name| folder.path().join(name))).unwrap();
        for (name, expected) in [
            (Path::new("tool"), Some(tool.as_path())),
            (tool.as_path(), Some(tool.as_path())),
            (Path::new("no-such-tool"), None),
            (Path::new("./no-such-tool"), None),
            (folder.path(), None),
            (Path::new(""), None),
        ] {
            assert_eq!(find_in(name, &path).as_deref(), expected, "{}", name.display());
        }
    }
}
