//! A child process that cannot outlive us, whatever becomes of us.
//!
//! A destructor alone does not see to that: a SIGKILL runs none, and gunicorn's workers are
//! children of a child. So the child starts in a process group of its own, and with it a watcher,
//! a few lines of shell that read from a socket whose other end we hold. When we let go of it, on
//! purpose or by dying, the watcher reads its end and kills the whole group, itself included. It
//! names the group as "my own", and it is in the group for as long as we hold on, so no number is
//! used that could by then belong to somebody else.
//!
//! The whole family inherits the watcher's end. So once we read the end of the socket from our
//! side, the last of them has gone, and its ports are free.
//!
//! A process that leaves its group, as a daemon does, is off the leash.

use std::fmt;
use std::io::{self, Read as _, Write as _};
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, ExitStatus};
use std::time::Duration;

use crate::wait::{self, TimedOut};

/// The watcher goes into the background and the shell itself becomes the program, so that the
/// exit status is the program's own. A line in the socket is the name of a signal for the group,
/// which the watcher must survive. It keeps none of the program's outputs open.
///
/// The socket is number 3, the first that is free, because Linux closes the files of a dying
/// process from the last to the first: when this one is closed, so are all that it opened.
const SCRIPT: &str = r#"
exec 3<&0 </dev/null
{
    trap "" HUP INT QUIT TERM
    while read -r signal; do kill -s "$signal" 0; done <&3
    kill -s KILL 0
} >/dev/null 2>&1 &
exec "$@"
"#;

/// How long a killed process may take to go, on a machine that is busy.
const KILLED: Duration = Duration::from_secs(5);

/// A running child process; it and all that it started die when this is dropped.
#[derive(Debug)]
pub struct Leash {
    child: Child,
    /// Our end of the socket. Once it is closed for writing, the watcher kills.
    line: UnixStream,
}

/// What a child can be told to end by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// SIGHUP: the terminal has gone.
    HangUp,
    /// SIGINT: Ctrl-C.
    Interrupt,
    /// SIGQUIT: Ctrl with a backslash.
    Quit,
    /// SIGTERM: what supervisors send.
    Terminate,
}

impl Signal {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::HangUp, Self::Interrupt, Self::Quit, Self::Terminate];

    /// Its number, which is the same on every system that has it.
    pub fn number(self) -> i32 {
        match self {
            Self::HangUp => 1,
            Self::Interrupt => 2,
            Self::Quit => 3,
            Self::Terminate => 15,
        }
    }

    /// As `kill -s` takes it.
    fn name(self) -> &'static str {
        match self {
            Self::HangUp => "HUP",
            Self::Interrupt => "INT",
            Self::Quit => "QUIT",
            Self::Terminate => "TERM",
        }
    }
}

/// Why a child did not show what it was expected to.
#[derive(Debug)]
pub enum Silence {
    /// It ended before.
    Ended(ExitStatus),
    /// It is still running.
    TimedOut(TimedOut),
}

impl fmt::Display for Silence {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ended(status) => write!(out, "it ended, {status}"),
            Self::TimedOut(timed_out) => timed_out.fmt(out),
        }
    }
}

impl Leash {
    /// Starts `program`; `with` adds its arguments, environment, folder, stdout and stderr.
    ///
    /// Its stdin is empty. A program that cannot be executed ends with status 126 or 127.
    pub fn start(program: &Path, with: impl FnOnce(&mut Command)) -> io::Result<Self> {
        let (line, theirs) = UnixStream::pair()?;
        let mut command = Command::new("sh");
        command.args(["-c", SCRIPT, "leash"]).arg(program);
        with(&mut command);
        let child = command.process_group(0).stdin(OwnedFd::from(theirs)).spawn()?;
        Ok(Self { child, line })
    }

    /// The process ID of the child, which is also that of its process group.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The child's stdout, if it was made a pipe and has not been taken yet.
    pub fn take_stdout(&mut self) -> Option<ChildStdout> {
        self.child.stdout.take()
    }

    /// Sends a signal to the whole group, as a terminal does.
    pub fn signal(&mut self, signal: Signal) -> io::Result<()> {
        writeln!(self.line, "{}", signal.name())
    }

    /// How the child ended, once it has.
    pub fn try_wait(&mut self) -> io::Result<Option<ExitStatus>> {
        self.child.try_wait()
    }

    /// Waits for the child to end by itself.
    pub fn wait(&mut self) -> io::Result<ExitStatus> {
        self.child.wait()
    }

    /// Waits until `look` finds the sign of life that `what` names, or the child ends.
    pub fn until<T>(
        &mut self,
        what: &str,
        limit: Duration,
        mut look: impl FnMut() -> Option<T>,
    ) -> Result<T, Silence> {
        wait::until(what, limit, || {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Some(Err(Silence::Ended(status)));
            }
            look().map(Ok)
        })
        .unwrap_or_else(|timed_out| Err(Silence::TimedOut(timed_out)))
    }

    /// Kills the whole group, and says how the child ended.
    pub fn kill(&mut self) -> io::Result<ExitStatus> {
        self.cut();
        self.wait()
    }

    /// Asks the whole group to end (SIGTERM), and kills what is left once the child has ended, or
    /// after `grace`.
    pub fn stop(mut self, grace: Duration) -> io::Result<ExitStatus> {
        self.signal(Signal::Terminate)?;
        let in_time = wait::until("the child to end", grace, || self.try_wait().transpose());
        in_time.unwrap_or_else(|TimedOut { .. }| self.kill())
    }

    fn cut(&mut self) {
        let _ = self.line.shutdown(Shutdown::Write);
        // The watcher does this too, unless somebody has killed it.
        let _ = self.child.kill();
        let _ = self.line.set_read_timeout(Some(KILLED));
        // Nobody writes: this returns at the end of the socket, when the last of them has gone.
        let _ = self.line.read(&mut [0]);
        let _ = self.child.wait();
    }
}

impl Drop for Leash {
    fn drop(&mut self) {
        self.cut();
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use std::os::unix::process::ExitStatusExt as _;
    use std::process::Stdio;
    use std::{env, fs, thread};

    const SOON: Duration = Duration::from_secs(20);
    /// Two grandchildren, so that there is a family to be killed.
    const FAMILY: &str = "sleep 1000 & sleep 1000 & wait";

    fn shell(script: &str) -> Leash {
        Leash::start(Path::new("sh"), |sh| {
            sh.args(["-c", script]);
        })
        .unwrap()
    }

    /// The processes of a group, but those that are dead and not yet collected by their parent.
    fn members(group: u32) -> Vec<String> {
        let stats = fs::read_dir("/proc")
            .unwrap()
            .filter_map(|entry| fs::read_to_string(entry.unwrap().path().join("stat")).ok());
        stats
            .filter(|stat| {
                let (_, rest) = stat.rsplit_once(") ").unwrap();
                let fields: Vec<&str> = rest.split(' ').collect();
                fields[0] != "Z" && fields[2] == group.to_string()
            })
            .collect()
    }

    fn wait_for_members(group: u32, count: usize) {
        wait::until("the group to have its size", SOON, || {
            (members(group).len() == count).then_some(())
        })
        .unwrap_or_else(|_| panic!("expected {count} processes, found {:#?}", members(group)));
    }

    #[test]
    fn the_exit_status_is_the_childs_own() {
        for (script, code, signal) in [
            ("exit 0", Some(0), None),
            ("exit 7", Some(7), None),
            ("kill -s KILL $$", None, Some(9)),
            ("kill -s TERM $$", None, Some(15)),
        ] {
            let status = shell(script).wait().unwrap();
            assert_eq!((status.code(), status.signal()), (code, signal), "{script}");
        }
    }

    #[test]
    fn a_program_that_does_not_exist_ends_with_127() {
        let mut leash = Leash::start(Path::new("/no/such/program"), |command| {
            command.stderr(Stdio::null());
        })
        .unwrap();
        assert_eq!(leash.wait().unwrap().code(), Some(127));
    }

    #[test]
    fn try_wait_knows_nothing_before_the_child_ends() {
        assert!(shell("sleep 1000").try_wait().unwrap().is_none());
    }

    #[test]
    fn arguments_reach_the_child_as_they_are() {
        let mut leash = Leash::start(Path::new("sh"), |sh| {
            sh.args(["-c", r#"test "$1" = 'a b; $HOME "c"'"#, "sh", r#"a b; $HOME "c""#]);
        })
        .unwrap();
        assert!(leash.wait().unwrap().success());
    }

    #[test]
    fn dropping_takes_the_grandchildren_too() {
        let leash = shell(FAMILY);
        let group = leash.id();
        // The family, its two and the watcher.
        wait_for_members(group, 4);
        drop(leash);
        wait_for_members(group, 0);
    }

    #[test]
    fn once_dropped_the_files_of_the_last_are_closed() {
        let (mut ours, theirs) = UnixStream::pair().unwrap();
        let leash = Leash::start(Path::new("sh"), |sh| {
            let script = format!("exec 4>&1 >/dev/null; {FAMILY}");
            sh.args(["-c", &script]).stdout(OwnedFd::from(theirs));
        })
        .unwrap();
        wait_for_members(leash.id(), 4);
        drop(leash);
        ours.set_nonblocking(true).unwrap();
        assert_eq!(ours.read(&mut [0]).unwrap(), 0, "nobody is left who could write");
    }

    #[test]
    fn dropping_works_even_if_the_watcher_was_killed() {
        let leash = shell("exec sleep 1000");
        let group = leash.id();
        wait_for_members(group, 2);
        let watcher = members(group).into_iter().find(|stat| !stat.starts_with(&group.to_string()));
        let watcher = watcher.unwrap().split(' ').next().unwrap().to_owned();
        assert!(
            Command::new("sh")
                .args(["-c", &format!("kill -9 {watcher}")])
                .status()
                .unwrap()
                .success()
        );
        wait_for_members(group, 1);
        drop(leash);
        wait_for_members(group, 0);
    }

    #[test]
    fn dropping_after_the_child_has_ended_takes_what_it_left_behind() {
        let mut leash = shell("sleep 1000 & exit 3");
        let group = leash.id();
        assert_eq!(leash.wait().unwrap().code(), Some(3));
        wait_for_members(group, 2);
        drop(leash);
        wait_for_members(group, 0);
    }

    #[test]
    fn a_panic_takes_the_child() {
        let leash = shell(FAMILY);
        let group = leash.id();
        let panicked = thread::spawn(move || {
            let _held = leash;
            panic!("as this test wants it");
        });
        assert!(panicked.join().is_err());
        wait_for_members(group, 0);
    }

    #[test]
    fn stop_asks_politely_first() {
        let leash = shell("trap 'exit 5' TERM; sleep 1000 & wait");
        let group = leash.id();
        wait_for_members(group, 3);
        assert_eq!(leash.stop(SOON).unwrap().code(), Some(5));
        wait_for_members(group, 0);
    }

    #[test]
    fn stop_kills_what_does_not_listen() {
        let leash = shell("trap '' TERM; sleep 1000");
        let group = leash.id();
        wait_for_members(group, 3);
        assert_eq!(leash.stop(Duration::from_millis(100)).unwrap().signal(), Some(9));
        wait_for_members(group, 0);
    }

    #[test]
    fn each_signal_comes_to_the_whole_group_and_spares_the_watcher() {
        for (signal, code) in Signal::ALL.into_iter().zip(51..) {
            let name = signal.name();
            let mut leash = shell(&format!("trap 'exit {code}' {name}; sleep 1000 & wait"));
            let group = leash.id();
            wait_for_members(group, 3);
            leash.signal(signal).unwrap();
            assert_eq!(leash.wait().unwrap().code(), Some(code), "{name}");
            // The watcher is left, and takes what there is to be taken.
            drop(leash);
            wait_for_members(group, 0);
        }
    }

    #[test]
    fn stdout_can_be_taken_once() {
        let mut leash = Leash::start(Path::new("echo"), |echo| {
            echo.arg("hi").stdout(Stdio::piped());
        })
        .unwrap();
        let mut said = String::new();
        leash.take_stdout().unwrap().read_to_string(&mut said).unwrap();
        assert_eq!((said.as_str(), leash.take_stdout().is_none()), ("hi\n", true));
    }

    #[test]
    fn a_child_that_ends_is_noticed_while_its_sign_is_waited_for() {
        let silence = shell("exit 4").until("a sign", SOON, || None::<()>).unwrap_err();
        assert!(matches!(silence, Silence::Ended(status) if status.code() == Some(4)), "{silence}");
    }

    /// This test runs itself once more as the holder, and kills that.
    #[test]
    fn when_the_holder_is_killed_everything_goes() {
        const HOLDER: &str = "SIGHTLINE_TEST_HOLDER";
        if let Some(file) = env::var_os(HOLDER) {
            let leash = shell(FAMILY);
            fs::write(file, leash.id().to_string()).unwrap();
            loop {
                thread::park();
            }
        }
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("group");
        let mut holder = Command::new(env::current_exe().unwrap())
            .args(["--exact", "leash::tests::when_the_holder_is_killed_everything_goes"])
            .env(HOLDER, &file)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let group = wait::until("the holder to hold", SOON, || {
            fs::read_to_string(&file).ok()?.parse().ok()
        })
        .unwrap();
        wait_for_members(group, 4);
        holder.kill().unwrap();
        holder.wait().unwrap();
        wait_for_members(group, 0);
    }
}
