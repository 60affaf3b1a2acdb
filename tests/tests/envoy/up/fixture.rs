//! A `sightline up` under way.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Read as _};
use std::iter;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{ChildStdout, Command, ExitStatus, Output, Stdio, id};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use serde_json::Value;
use sightline_cli::leash::{Leash, Signal};
use sightline_cli::wait;
use sightline_tests::{Message, Request, command};
use tempfile::TempDir;

/// Many of them start at once, in a build that is not optimised.
pub(super) const SOON: Duration = Duration::from_mins(1);

/// Ports that nobody else has, and no browser.
const ASIDE: [[&str; 2]; 3] =
    [["--listen", "127.0.0.1:0"], ["--otlp", "127.0.0.1:0"], ["--view", "none"]];

/// A running command. Dropped, it is killed, and with it all that it has started.
pub(super) struct Running {
    leash: Leash,
    stdout: Option<ChildStdout>,
    said: PathBuf,
    _dir: TempDir,
}

impl Running {
    /// Starts `sightline up` with these arguments, and with ports of its own unless they say others.
    pub(super) fn start(arguments: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let said = dir.path().join("stderr");
        let stderr = File::create(&said).unwrap();
        let mut leash = Leash::start(&command(), |up| {
            let aside = ASIDE.iter().filter(|[flag, _]| !arguments.contains(flag)).flatten();
            up.arg("up").args(aside).args(arguments).stdout(Stdio::piped()).stderr(stderr);
        })
        .unwrap();
        let stdout = leash.take_stdout();
        Self { leash, stdout, said, _dir: dir }
    }

    pub(super) fn id(&self) -> u32 {
        self.leash.id()
    }

    /// What is on stderr so far.
    pub(super) fn said(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.said).unwrap()).into_owned()
    }

    /// Waits until this is on stderr.
    pub(super) fn says(&mut self, what: &str) {
        let (said, silence) = (&self.said, &mut self.leash);
        let heard = silence
            .until(what, SOON, || fs::read_to_string(said).unwrap().contains(what).then_some(()));
        heard.unwrap_or_else(|silence| panic!("{silence}: {}", self.said()));
    }

    /// Where clients connect.
    pub(super) fn address(&mut self) -> SocketAddr {
        self.says(" behind it on ");
        let said = self.said();
        let (_, after) = said.split_once("listens on http://").unwrap();
        after.split(',').next().unwrap().parse().unwrap()
    }

    pub(super) fn send(&mut self, request: &Request) -> Message {
        let address = self.address();
        request.send(address).unwrap_or_else(|error| panic!("{error}: {}", self.said()))
    }

    pub(super) fn signal(&mut self, signal: Signal) {
        self.leash.signal(signal).unwrap();
    }

    /// Its stdout, for whoever reads it while it runs.
    pub(super) fn stdout(&mut self) -> BufReader<ChildStdout> {
        BufReader::new(self.stdout.take().unwrap())
    }

    /// Waits until it has ended.
    pub(super) fn ended(&mut self) -> ExitStatus {
        let leash = &mut self.leash;
        let ended = wait::until("it to end", SOON, || leash.try_wait().unwrap());
        ended.unwrap_or_else(|error| panic!("{error}: {}", self.said()))
    }

    /// Ctrl-C; all that it printed.
    pub(super) fn finish(&mut self) -> String {
        self.signal(Signal::Interrupt);
        let mut out = String::new();
        self.stdout().read_to_string(&mut out).unwrap();
        assert_eq!(self.ended().code(), Some(0), "{}", self.said());
        out
    }

    /// The process of its Envoy.
    pub(super) fn envoy(&self) -> u32 {
        child(self.id(), "envoy").unwrap_or_else(|| panic!("no Envoy: {}", self.said()))
    }
}

/// A process with this parent and this name.
fn child(parent: u32, name: &str) -> Option<u32> {
    let stats = fs::read_dir("/proc").unwrap().flatten();
    stats.filter_map(|entry| fs::read_to_string(entry.path().join("stat")).ok()).find_map(|stat| {
        let (before, after) = stat.rsplit_once(") ")?;
        let (id, program) = before.split_once(" (")?;
        let is_it = program == name && after.split(' ').nth(1)? == parent.to_string();
        is_it.then(|| id.parse().ok())?
    })
}

/// Runs it to its end, with nothing added.
pub(super) fn up(arguments: &[&str]) -> Output {
    Command::new(command()).arg("up").args(arguments).stdin(Stdio::null()).output().unwrap()
}

/// An address where nobody listens. Not one that the system hands out to whoever asks for any, as other tests do: one of
/// them might get it before the app does. Two runs of the tests begin at different ones.
pub(super) fn free() -> SocketAddr {
    static TURN: AtomicU32 = AtomicU32::new(0);
    let turns = iter::repeat_with(|| TURN.fetch_add(1, Ordering::Relaxed));
    let ports =
        turns.filter_map(|turn| u16::try_from(20_000 + id().wrapping_add(turn) % 12_000).ok());
    let mut addresses = ports.map(|port| SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    addresses.find(|address| TcpListener::bind(address).is_ok()).unwrap()
}

/// The lines of a raw output, each of which must be whole.
pub(super) fn json(out: &str) -> Vec<Value> {
    assert!(out.is_empty() || out.ends_with('\n'), "half a line at the end");
    let lines = out.lines();
    lines.map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"))).collect()
}

/// Waits until nobody listens there.
pub(super) fn gone(address: SocketAddr) {
    let gone = wait::until("nobody to listen", SOON, || TcpStream::connect(address).err());
    assert!(gone.is_ok(), "somebody still listens on {address}");
}

/// The next line of a stream.
pub(super) fn next(out: &mut BufReader<ChildStdout>) -> String {
    let mut line = String::new();
    out.read_line(&mut line).unwrap();
    line
}
