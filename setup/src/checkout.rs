//! Where the project's files are. Not what is in them.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Error;

/// The project's folder.
#[derive(Clone, Debug)]
pub struct Checkout {
    root: PathBuf,
}

impl Checkout {
    /// Looks upwards from the package that cargo is building, running or testing, else from the
    /// current folder.
    pub fn find() -> Result<Self, Error> {
        let package = env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
        let here = env::current_dir().ok();
        let starts = [package, here];
        let root = starts.iter().flatten().find_map(|start| upwards(start));
        root.map(Self::at).ok_or_else(|| {
            let here = starts[1].as_deref().unwrap_or(Path::new("."));
            Error::new(format!(
                "Neither {} nor a folder above it is a checkout of Sightline. \
                 Run this from within one.",
                here.display()
            ))
        })
    }

    pub(crate) fn at(root: PathBuf) -> Self {
        Self { root }
    }

    /// The folder with the workspace's Cargo.toml.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// `target` in the root, whatever `CARGO_TARGET_DIR` says: users are told these paths.
    pub fn target(&self) -> PathBuf {
        self.root.join("target")
    }

    /// A cargo command that will run in the root: the cargo that runs us, if one does.
    pub fn cargo(&self) -> Command {
        let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut command = Command::new(cargo);
        command.current_dir(&self.root);
        command
    }
}

fn upwards(start: &Path) -> Option<PathBuf> {
    let mut folders = start.ancestors();
    folders.find(|folder| is_root(folder)).map(Path::to_owned)
}

fn is_root(folder: &Path) -> bool {
    folder.join("Cargo.toml").is_file() && folder.join("plugin/filter/Cargo.toml").is_file()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checkout_is_found_from_any_folder_in_it() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let table = [
            ("the root", root.to_owned(), Some(root.to_owned())),
            ("a crate", root.join("setup"), Some(root.to_owned())),
            ("deep inside", root.join("setup/src/filter"), Some(root.to_owned())),
            ("nothing there", root.join("no/such/folder"), Some(root.to_owned())),
            ("outside", PathBuf::from("/"), None),
        ];
        for (name, start, expected) in table {
            assert_eq!(upwards(&start), expected, "{name}");
        }
    }

    #[test]
    fn the_target_folder_is_in_the_root() {
        let checkout = Checkout::find().unwrap();
        assert_eq!(checkout.target(), checkout.root().join("target"));
    }
}
