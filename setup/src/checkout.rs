//! Where the project's files are. Not what is in them.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Error;

/// The project's folder.
#[derive(Clone, Debug)]
pub struct Checkout {
    root: PathBuf,
    target: PathBuf,
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

    /// The checkout that this program was built in or runs in; where there is none, a folder of the user's cache
    /// that stands in for one. What is fetched has its place there, and nothing can be built.
    pub fn find_or_cache() -> Result<Self, Error> {
        let program = env::current_exe().ok();
        let built_in = program.as_deref().and_then(upwards);
        built_in.map_or_else(|| Self::find().or_else(|_| Self::cache()), |root| Ok(Self::at(root)))
    }

    fn cache() -> Result<Self, Error> {
        let said = |name| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let folder = cache_folder(said("XDG_CACHE_HOME"), said("HOME"));
        let root = folder.ok_or_else(|| {
            Error::new("There is no folder to put Envoy into. Set HOME, or XDG_CACHE_HOME.")
        })?;
        Ok(Self { target: root.clone(), root })
    }

    pub(crate) fn at(root: PathBuf) -> Self {
        Self { target: root.join("target"), root }
    }

    /// The folder with the workspace's Cargo.toml.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// `target` in the root, whatever `CARGO_TARGET_DIR` says: users are told these paths.
    pub fn target(&self) -> PathBuf {
        self.target.clone()
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

fn cache_folder(cache: Option<PathBuf>, home: Option<PathBuf>) -> Option<PathBuf> {
    let cache = cache.or_else(|| home.map(|home| home.join(".cache")))?;
    Some(cache.join("sightline"))
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
    fn without_a_checkout_there_is_a_cache() {
        let (cache, home) = (|| Some(PathBuf::from("/c")), || Some(PathBuf::from("/users/me")));
        for (cache, home, expected) in [
            (cache(), home(), Some("/c/sightline")),
            (None, home(), Some("/users/me/.cache/sightline")),
            (cache(), None, Some("/c/sightline")),
            (None, None, None),
        ] {
            assert_eq!(cache_folder(cache, home), expected.map(PathBuf::from));
        }
    }

    #[test]
    fn a_program_that_was_built_in_a_checkout_finds_it() {
        assert_eq!(Checkout::find_or_cache().unwrap().root(), Checkout::find().unwrap().root());
    }

    #[test]
    fn the_target_folder_is_in_the_root() {
        let checkout = Checkout::find().unwrap();
        assert_eq!(checkout.target(), checkout.root().join("target"));
    }
}
