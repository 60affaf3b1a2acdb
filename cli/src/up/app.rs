//! The app's process, as its command line says.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::fd::AsFd as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

use super::{Error, Shown, environment};
use crate::leash::{Leash, Signal};
use crate::program;
use crate::session::{Folder, Prepared};

/// Where it prints while the view has the terminal.
const LOG: &str = "app.log";

/// A running app. Dropped, it and all that it has started are killed.
pub(super) struct App {
    name: String,
    leash: Leash,
}

/// The program of a command line; none if there is no command line.
pub(super) fn program(command: &[OsString]) -> Result<Option<PathBuf>, Error> {
    let Some(name) = command.first() else { return Ok(None) };
    match program::find(Path::new(name)) {
        Some(path) => Ok(Some(path)),
        None => Err(Error::NoProgram(name.clone())),
    }
}

/// What a shell would make of it: 128 and the signal's number for who died of one.
pub(super) fn exit_code(status: ExitStatus) -> u8 {
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
}

impl App {
    /// Starts it, with what it prints on our stderr.
    pub(super) fn start(
        program: &Path,
        command: &[OsString],
        folder: &Folder,
        view: Shown,
        prepared: &Prepared,
    ) -> io::Result<Self> {
        let (stdout, stderr) = if view == Shown::Terminal {
            let log = File::create(folder.path().join(LOG))?;
            (Stdio::from(log.try_clone()?), Stdio::from(log))
        } else {
            (io::stderr().as_fd().try_clone_to_owned()?.into(), Stdio::inherit())
        };
        let leash = Leash::start(program, |start: &mut Command| {
            start.args(&command[1..]).envs(environment(prepared)).stdout(stdout).stderr(stderr);
        })?;
        let name = program.file_name().unwrap_or(program.as_os_str());
        Ok(Self { name: name.to_string_lossy().into_owned(), leash })
    }

    /// What its program is called.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// How it has ended, if it has.
    pub(super) fn has_ended(&mut self) -> Option<ExitStatus> {
        self.leash.try_wait().ok().flatten()
    }

    /// Passes a signal on to all of its processes.
    pub(super) fn signal(&mut self, signal: Signal) -> io::Result<()> {
        self.leash.signal(signal)
    }

    /// Kills it; the exit code.
    pub(super) fn kill(&mut self) -> u8 {
        self.leash.kill().map_or(1, exit_code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exit_code_is_as_in_a_shell() {
        for (raw, expected) in [(0, 0), (7 << 8, 7), (255 << 8, 255), (9, 137), (15, 143)] {
            assert_eq!(exit_code(ExitStatus::from_raw(raw)), expected);
        }
    }

    #[test]
    fn a_program_that_is_not_there_is_named() {
        assert!(matches!(program(&[]), Ok(None)));
        assert!(matches!(program(&["sh".into(), "-c".into()]), Ok(Some(_))));
        let refused = program(&["no-such-program".into()]).unwrap_err();
        assert_eq!(refused.exit_code(), 127);
        assert!(refused.to_string().contains("`no-such-program`"), "{refused}");
    }
}
