//! The demo: three Python apps, Envoy with the filter before each, traffic, and all that is told of it.
//!
//! It shows what Sightline tells about apps that know nothing of it. Not a load generator.

use std::error::Error;
use std::net::{Ipv4Addr, SocketAddr};
use std::panic;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use std::{io, thread};

use sightline_setup::Checkout;

use crate::session::{self, Failed, Folder, Front, Options, Output, Prepared, Session, View};
use crate::wait;

mod cast;
mod ending;
mod port;
mod summary;
pub mod traffic;

use cast::{Cast, Places};
use ending::Ending;
use port::Port;
use traffic::{Fronts, Sent, Traffic};

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

/// From one look at whether all are alive to the next.
const LOOK: Duration = Duration::from_millis(100);

/// How long a line may take after its request; Envoy writes what it has every 50 ms.
const LAST_LINES: Duration = Duration::from_secs(10);

/// How often another port is tried for the page: somebody else may take the one that was just free.
const ATTEMPTS: usize = 5;

/// What was asked for.
#[derive(Clone, Copy, Debug)]
pub struct Wishes {
    /// When it ends by itself.
    pub limit: Option<Duration>,
    /// Where the figures are shown.
    pub view: Shown,
    /// What is printed on stdout.
    pub output: Output,
    /// About how many requests a second.
    pub rate: u16,
    /// Whether lines for people are coloured.
    pub colour: bool,
}

/// Where the figures are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// On a page.
    Page,
    /// In the terminal.
    Terminal,
    /// Nowhere.
    Nowhere,
}

/// Runs the demo. Log lines go to stdout, all else to stderr.
pub fn run(wishes: &Wishes) -> Outcome {
    let checkout = Checkout::find()?;
    let tools = Tools {
        python: sightline_setup::python::interpreter(&checkout)?,
        envoy: sightline_setup::envoy::find(&checkout)?,
    };
    let folder = Folder::take(&checkout.target().join("demo"))?;
    let mut demo = Demo::start(&tools, folder.path(), wishes)?;
    if wishes.view != Shown::Terminal {
        demo.introduce(wishes);
    }
    let begun = Instant::now();
    let traffic = Traffic::start(demo.fronts(), f64::from(wishes.rate));
    demo.watch(&Ending::after(wishes.limit)?)?;
    demo.finish(traffic.stop(), begun.elapsed())
}

/// What it runs on.
struct Tools {
    python: PathBuf,
    envoy: PathBuf,
}

struct Demo {
    session: Session,
    cast: Cast,
    places: Places,
    view: Shown,
}

impl Demo {
    fn start(tools: &Tools, dir: &Path, wishes: &Wishes) -> Outcome<Self> {
        // Until the apps listen.
        let kept = keep_ports()?;
        let apps = kept.each_ref().map(Port::address);
        let prepared = prepare(apps, tools, dir, wishes)?;
        prepared.notes().iter().for_each(|note| eprintln!("{note}"));
        let accounts = prepared.listener(cast::ACCOUNTS);
        let places = Places { apps, accounts, collector: prepared.receiver() };
        let (session, cast) = thread::scope(|scope| {
            let cast = scope.spawn(|| Cast::start(&places, &tools.python, dir));
            let session = prepared.start();
            (session, cast.join().unwrap_or_else(|it| panic::resume_unwind(it)))
        });
        Ok(Self { session: session?, cast: cast?, places, view: wishes.view })
    }

    fn fronts(&self) -> Fronts {
        Fronts {
            shop: self.session.listener(cast::SHOP),
            accounts: self.session.listener(cast::ACCOUNTS),
            backoffice: self.session.listener(cast::BACKOFFICE),
        }
    }

    fn introduce(&self, wishes: &Wishes) {
        if let Some(page) = self.session.page() {
            eprintln!("The live view: http://{page}/");
        }
        eprintln!("Three services that know nothing of Sightline, each behind Envoy:");
        for (index, part) in cast::ALL.iter().enumerate() {
            let (front, app) = (self.session.listener(index), self.places.apps[index]);
            eprintln!("  {:<10}  http://{front} before {app}  {}", part.name, part.about);
        }
        eprintln!(
            "Look at the slowest and the failed requests; at the trace of a checkout, which goes from the \
             shop's own spans on into accounts;\nat the routes that were inferred; and search for any \
             request ID or trace ID of a line."
        );
        match wishes.limit {
            Some(limit) => eprintln!("A line for each request, for {limit:?}:"),
            None => eprintln!("A line for each request, until Ctrl-C:"),
        }
    }

    /// Until the end has come or the person has gone, as long as all are alive.
    fn watch(&mut self, ending: &Ending) -> Outcome {
        while !ending.wait(LOOK) && !self.session.is_left() {
            self.check()?;
            // Where the view has the terminal, they would be in its way.
            if self.view != Shown::Terminal {
                self.session.troubles().iter().for_each(|trouble| eprintln!("{trouble}"));
            }
        }
        Ok(())
    }

    fn check(&mut self) -> Outcome {
        self.session.check()?;
        Ok(self.cast.check()?)
    }

    /// Ends all, once there is a line for each request that has one, and says what it came to.
    fn finish(mut self, sent: Sent, lasted: Duration) -> Outcome {
        let whole = wait::until("the last lines", LAST_LINES, || {
            (self.session.lines() >= sent.answered || self.session.is_left()).then_some(())
        });
        if whole.is_err() {
            self.check()?;
            let lines = self.session.lines();
            return Err(format!(
                "{} requests were answered, but Envoy logged only {lines} lines in {LAST_LINES:?}.",
                sent.answered
            )
            .into());
        }
        let live = self.session.live().clone();
        self.session.stop()?;
        let snapshot = live.snapshot();
        eprint!("\n{}\n", summary::table(&snapshot));
        eprintln!("{}", summary::account(sent, snapshot.kept.lines_taken, lasted));
        if let Some(example) = summary::example(&snapshot) {
            eprintln!("{example}");
        }
        Ok(())
    }
}

/// A port for each app, which the apps are told of before there is an Envoy that must know them.
fn keep_ports() -> io::Result<[Port; cast::PARTS]> {
    Ok([Port::take()?, Port::take()?, Port::take()?])
}

fn prepare(
    apps: [SocketAddr; cast::PARTS],
    tools: &Tools,
    dir: &Path,
    wishes: &Wishes,
) -> Result<Prepared, Failed> {
    let fronts: Vec<Front> = cast::ALL.iter().zip(apps).map(front).collect();
    let mut attempts = ATTEMPTS;
    loop {
        attempts -= 1;
        match Session::prepare(fronts.clone(), options(tools, dir, wishes)) {
            Err(Failed::Taken { .. }) if attempts > 0 => {}
            prepared => return prepared,
        }
    }
}

fn front((part, app): (&cast::Part, SocketAddr)) -> Front {
    Front {
        service: None,
        listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        app: app.into(),
        configuration: part.configuration(),
    }
}

fn options(tools: &Tools, dir: &Path, wishes: &Wishes) -> Options {
    Options {
        output: wishes.output,
        view: match wishes.view {
            Shown::Page => View::Page(session::free_page(&[])),
            Shown::Terminal => View::Terminal,
            Shown::Nowhere => View::None,
        },
        otlp: Vec::new(),
        envoy: tools.envoy.clone(),
        dir: dir.join("envoy"),
        colour: wishes.colour,
    }
}
