//! Lines on stdout, from a thread of its own, so that a slow terminal holds up nothing else.

use std::io::{self, BufWriter, Write};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, SyncSender, TrySendError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::line::{self, Style};
use super::{Failed, Options, Output, View};
use crate::wait;

/// How many lines wait for a slow terminal before some are left out: a few screens.
const PEOPLE_WAIT: usize = 256;

/// How many lines wait for a slow program. Past them Envoy's pipe is left to fill, and Envoy keeps them.
const PROGRAMS_WAIT: usize = 64 << 10;

/// How long a terminal may take for the last lines.
const LAST_LINES: Duration = Duration::from_secs(2);

/// Prints lines, or drops them if nothing is to be printed.
pub(super) struct Printer {
    work: Mutex<Option<Work>>,
    shared: Arc<Shared>,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Silent,
    People(Style),
    Json,
}

struct Work {
    queue: SyncSender<Vec<u8>>,
    thread: JoinHandle<()>,
}

#[derive(Default)]
struct Shared {
    /// Nobody reads stdout any more.
    closed: AtomicBool,
    /// Not shown, and not told yet.
    skipped: AtomicU64,
}

impl Printer {
    /// What the options want on stdout.
    pub(super) fn for_options(options: &Options, services: &[String]) -> Result<Self, Failed> {
        let kind = match (options.view, options.output) {
            (View::Terminal, _) => Kind::Silent,
            (_, Output::Json) => Kind::Json,
            (_, Output::People) => Kind::People(Style::of_stdout(options.colour, services)),
        };
        Self::start(kind, io::stdout())
    }

    fn start(kind: Kind, out: impl Write + Send + 'static) -> Result<Self, Failed> {
        let shared = Arc::new(Shared::default());
        let wait = if kind == Kind::Json { PROGRAMS_WAIT } else { PEOPLE_WAIT };
        let work = if kind == Kind::Silent {
            None
        } else {
            let (queue, lines) = mpsc::sync_channel(wait);
            let told = Arc::clone(&shared);
            let print = move || run(kind, &lines, &told, out);
            let thread = thread::Builder::new().name("printer".to_owned()).spawn(print);
            let thread = thread.map_err(|error| Failed::System { what: "Printing", error })?;
            Some(Work { queue, thread })
        };
        Ok(Self { work: Mutex::new(work), shared, kind })
    }

    /// Prints a line, or says that it was left out: how many were, 0 or 1.
    pub(super) fn print(&self, line: Vec<u8>) -> u64 {
        let work = self.work.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(Work { queue, .. }) = work.as_ref() else { return 0 };
        if self.kind == Kind::Json {
            // An error is that nobody reads; see `is_closed`.
            let _ = queue.send(line);
            return 0;
        }
        let is_full = matches!(queue.try_send(line), Err(TrySendError::Full(_)));
        self.shared.skipped.fetch_add(is_full.into(), Ordering::Relaxed);
        is_full.into()
    }

    pub(super) fn is_closed(&self) -> bool {
        self.shared.closed.load(Ordering::Relaxed)
    }

    /// Returns when the last line has been printed. A terminal that is held is not waited for.
    pub(super) fn finish(&self) {
        let work = self.work.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(Work { queue, thread }) = work else { return };
        drop(queue);
        if self.kind != Kind::Json {
            let is_done = || thread.is_finished().then_some(());
            let _ = wait::until("the last lines", LAST_LINES, is_done);
        }
        if self.kind == Kind::Json || thread.is_finished() {
            let _ = thread.join();
        }
    }
}

/// Prints until there will be no more lines, or nobody reads them.
fn run(kind: Kind, lines: &Receiver<Vec<u8>>, shared: &Shared, out: impl Write) {
    let mut out = BufWriter::with_capacity(64 << 10, out);
    let mut text = Vec::new();
    while let Ok(line) = lines.recv() {
        let printed = print_all(kind, line, lines, shared, &mut out, &mut text);
        if printed.is_err() {
            shared.closed.store(true, Ordering::Relaxed);
            // What is still in the buffer would be tried again.
            let _ = out.into_parts();
            return;
        }
    }
    let _ = tell_skipped(kind, shared, &mut out).and_then(|()| out.flush());
}

/// This line and all that wait behind it, and then out with them.
fn print_all(
    kind: Kind,
    first: Vec<u8>,
    lines: &Receiver<Vec<u8>>,
    shared: &Shared,
    out: &mut BufWriter<impl Write>,
    text: &mut Vec<u8>,
) -> io::Result<()> {
    let mut next = Some(first);
    while let Some(line) = next {
        tell_skipped(kind, shared, out)?;
        match kind {
            Kind::People(style) => {
                text.clear();
                line::write(&line, style.fresh(), text);
                out.write_all(text)?;
            }
            Kind::Json | Kind::Silent => out.write_all(&line)?,
        }
        next = lines.try_recv().ok();
    }
    out.flush()
}

fn tell_skipped(kind: Kind, shared: &Shared, out: &mut impl Write) -> io::Result<()> {
    match (kind, shared.skipped.swap(0, Ordering::Relaxed)) {
        (Kind::People(_), skipped @ 1..) => {
            let lines = if skipped == 1 { "line" } else { "lines" };
            writeln!(out, "… {} {lines} not shown", grouped(skipped))
        }
        _ => Ok(()),
    }
}

/// With a comma for each thousand.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::Sender;

    const STYLE: Style = Style { colour: false, width: None, service: None };

    /// Lets one piece through for each message that it gets.
    struct Gate {
        open: Receiver<()>,
        through: Sender<String>,
    }

    impl Write for Gate {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.open.recv().map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))?;
            let _ = self.through.send(String::from_utf8_lossy(bytes).into_owned());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn gate() -> (Gate, Sender<()>, Receiver<String>) {
        let (opens, open) = mpsc::channel();
        let (through, seen) = mpsc::channel();
        (Gate { open, through }, opens, seen)
    }

    #[test]
    fn lines_for_people_never_wait_and_what_is_missing_is_told() {
        let (gate, opens, seen) = gate();
        let printer = Printer::start(Kind::People(STYLE), gate).unwrap();
        let sent = 10 * PEOPLE_WAIT as u64;
        let skipped: u64 = (0..sent).map(|_| printer.print(b"-\n".to_vec())).sum();
        assert!(skipped >= sent - 2 * PEOPLE_WAIT as u64 - 64, "{skipped} of {sent}");
        (0..sent).for_each(|_| opens.send(()).unwrap());
        printer.finish();
        let out: String = seen.try_iter().collect();
        let shown = out.lines().filter(|line| *line == "-").count() as u64;
        assert_eq!(shown + skipped, sent);
        assert!(out.contains(&format!("… {} lines not shown\n", grouped(skipped))), "{out}");
    }

    #[test]
    fn raw_lines_are_all_printed() {
        let (gate, opens, seen) = gate();
        let printer = Printer::start(Kind::Json, gate).unwrap();
        (0..10_000).for_each(|_| assert_eq!(printer.print(b"{}\n".to_vec()), 0));
        (0..10_000).for_each(|_| opens.send(()).unwrap());
        printer.finish();
        assert_eq!(seen.try_iter().collect::<String>(), "{}\n".repeat(10_000));
    }

    #[test]
    fn that_nobody_reads_is_noticed() {
        for kind in [Kind::Json, Kind::People(STYLE)] {
            let (gate, opens, _seen) = gate();
            let printer = Printer::start(kind, gate).unwrap();
            drop(opens);
            printer.print(b"{}\n".to_vec());
            let closed = || printer.is_closed().then_some(());
            wait::until("it to be noticed", Duration::from_secs(10), closed).unwrap();
            printer.print(b"{}\n".to_vec());
            printer.finish();
        }
    }

    #[test]
    fn thousands_are_told_apart() {
        for (number, expected) in
            [(1, "1"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567")]
        {
            assert_eq!(grouped(number), expected);
        }
    }
}
