//! Runs the tools that do the work: rustc, cargo, rustup, python, pip.
//!
//! What they print goes to our stderr, never to our stdout: that one belongs to whoever called us,
//! be it a build script talking to cargo or a command that prints a document.

use std::io::{self, BufRead, BufReader, ErrorKind};
use std::os::fd::AsFd;
use std::process::{Command, ExitStatus, Output, Stdio};

use crate::Error;

/// How a tool ended and all that it said on its stderr.
pub(crate) struct Said {
    pub(crate) status: ExitStatus,
    pub(crate) stderr: String,
}

/// Runs it while `hears` gets each line of its stderr; its stdout goes to our stderr untouched.
pub(crate) fn listen(command: &mut Command, mut hears: impl FnMut(&str)) -> Result<Said, Error> {
    command.stdin(Stdio::null()).stdout(to_stderr()?).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|cause| not_started(command, &cause))?;
    let mut stderr = String::new();
    for line in child.stderr.take().map(BufReader::new).into_iter().flat_map(lines) {
        hears(&line);
        stderr.push_str(&line);
        stderr.push('\n');
    }
    let status = child.wait().map_err(|cause| not_started(command, &cause))?;
    Ok(Said { status, stderr })
}

/// Runs it and keeps all that it prints.
pub(crate) fn ask(command: &mut Command) -> Result<Output, Error> {
    let asked = command.stdin(Stdio::null()).output();
    asked.map_err(|cause| not_started(command, &cause))
}

/// Tools print file names and the like, so a line need not be UTF-8.
fn lines(stream: impl BufRead) -> impl Iterator<Item = String> {
    let whole = stream.split(b'\n').map_while(Result::ok);
    whole.map(|line| String::from_utf8_lossy(&line).into_owned())
}

fn to_stderr() -> Result<Stdio, Error> {
    let copy = io::stderr().as_fd().try_clone_to_owned();
    copy.map(Stdio::from).map_err(|cause| Error::new(format!("Could not share stderr: {cause}.")))
}

fn not_started(command: &Command, cause: &io::Error) -> Error {
    let program = command.get_program().display();
    if cause.kind() == ErrorKind::NotFound {
        return Error::new(format!("{program} was not found. Install it, or put it on the PATH."));
    }
    Error::new(format!("{program} could not be run: {cause}. Check that it is a working program."))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::Checkout;
    use std::path::PathBuf;
    use std::{env, fs, process};

    /// An empty checkout for one test, gone afterwards.
    pub(crate) struct Scratch {
        pub(crate) checkout: Checkout,
    }

    impl Scratch {
        pub(crate) fn new(name: &str) -> Self {
            let root = env::temp_dir().join(format!("sightline-{name}-{}", process::id()));
            let _ = fs::remove_dir_all(&root);
            fs::create_dir_all(&root).unwrap();
            Self { checkout: Checkout::at(root) }
        }

        pub(crate) fn write(&self, path: &str, content: &str) -> PathBuf {
            let path = self.checkout.root().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, content).unwrap();
            path
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(self.checkout.root());
        }
    }

    #[test]
    fn what_a_tool_says_is_heard_line_by_line_and_kept() {
        let mut heard = Vec::new();
        let mut tool = Command::new("sh");
        tool.args(["-c", "echo one >&2; printf 'tw\\377o' >&2; exit 3"]);
        let said = listen(&mut tool, |line| heard.push(line.to_owned())).unwrap();
        assert_eq!(heard, ["one", "tw\u{fffd}o"]);
        assert_eq!(said.stderr, "one\ntw\u{fffd}o\n");
        assert_eq!(said.status.code(), Some(3));
    }

    #[test]
    fn a_missing_tool_is_named_with_what_to_do() {
        let failed = ask(&mut Command::new("no-such-tool")).unwrap_err().to_string();
        assert_eq!(failed, "no-such-tool was not found. Install it, or put it on the PATH.");
    }
}
