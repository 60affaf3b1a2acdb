//! One Envoy with the filter in front of one or more services, and everything that looks at it: the
//! lines on stdout, the live view, and the receiver of spans.
//!
//! `sightline up` and `sightline demo` are built on it. It knows nothing of the apps' processes: who
//! starts them, and what a signal means, is for those two. Where Envoy comes from is in
//! [`crate::envoy`].

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::FILTER;
use crate::bootstrap::{Bootstrap, Inbound};
use crate::envoy::{self, Envoy};
use crate::generate::Endpoint;
use crate::live::{self, Live};

mod configuration;
mod failed;
mod folder;
mod gauge;
mod holder;
mod line;
mod page;
mod port;
mod printer;
mod receivers;
mod stream;
mod terminal;
mod troubles;

use configuration::Merged;
pub use configuration::is_service_name;
pub use failed::Failed;
pub use folder::Folder;
use gauge::Gauge;
pub use holder::Holder;

pub use page::free_page;
use port::Port;
use printer::Printer;
use receivers::Receivers;
use stream::Stream;
use terminal::Terminal;
use troubles::Troubles;

/// How many workers Envoy has at most: enough for more requests than one machine sends in trying it out.
const WORKERS: usize = 2;

/// The filter's file in the session's folder.
const FILTER_FILE: &str = "sightline.wasm";

/// A service, and where requests to it come in.
#[derive(Clone, Debug)]
pub struct Front {
    /// What it is called, unless the configuration says so.
    pub service: Option<String>,
    /// Where clients connect; port 0 is any free one.
    pub listen: SocketAddr,
    /// Where it is.
    pub app: Endpoint,
    /// The filter's configuration, as said by the user. The session adds what it needs.
    pub configuration: Value,
}

/// How the session is looked at.
#[derive(Clone, Debug)]
pub struct Options {
    /// What is printed on stdout.
    pub output: Output,
    /// Where the figures are shown.
    pub view: View,
    /// Where spans are received; if nothing is said, on the usual ports, as far as they are free.
    pub otlp: Vec<SocketAddr>,
    /// Envoy's executable.
    pub envoy: PathBuf,
    /// A folder for Envoy's files, which is made if need be.
    pub dir: PathBuf,
    /// Whether lines for people are coloured.
    pub colour: bool,
}

/// What is printed on stdout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// Lines that are easily read; where the terminal is too slow for them, some are left out.
    People,
    /// The access-log lines as the filter wrote them, every one.
    Json,
}

/// Where the figures are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View {
    /// As a page at this address.
    Page(SocketAddr),
    /// In the terminal, instead of lines.
    Terminal,
    /// Nowhere.
    None,
}

/// A session that is checked, with its ports taken, and that nobody can send a request to yet.
pub struct Prepared {
    options: Options,
    fronts: Vec<Ready>,
    receivers: Receivers,
    page: Option<live::Server>,
    live: Live,
    notes: Vec<String>,
}

/// A front with all that is needed to start it.
struct Ready {
    front: Front,
    merged: Merged,
    port: Port,
}

/// A running session. Dropped, all of it is killed; [`Session::stop`] lets it end well.
pub struct Session {
    // Killed first, so that the streams after it come to their end.
    envoy: Envoy,
    terminal: Option<Terminal>,
    gauge: Gauge,
    stream: Stream,
    page: Option<live::Server>,
    receivers: Receivers,
    listeners: Vec<SocketAddr>,
    live: Live,
    notes: Vec<String>,
    troubles: Troubles,
}

impl Session {
    /// Checks everything, and starts it: [`Session::prepare`] and [`Prepared::start`] in one.
    pub fn start(fronts: Vec<Front>, options: Options) -> Result<Self, Failed> {
        Self::prepare(fronts, options)?.start()
    }

    /// Checks the configurations, takes the ports, and listens for spans and for browsers.
    pub fn prepare(fronts: Vec<Front>, options: Options) -> Result<Prepared, Failed> {
        let mut notes = Vec::new();
        let fronts = fronts.into_iter().map(|front| Ready::check(front, &mut notes));
        let fronts: Vec<Ready> = fronts.collect::<Result<_, _>>()?;
        let live = Live::new(fronts.iter().map(Ready::for_live).collect());
        let seen = live.clone();
        let receivers = Receivers::start(&options.otlp, &mut notes, move |export| {
            seen.spans(export);
        })?;
        let page = match options.view {
            View::Page(address) => Some(page::serve(live.clone(), address)?),
            View::Terminal | View::None => None,
        };
        Ok(Prepared { options, fronts, receivers, page, live, notes })
    }

    /// Where clients of this front connect.
    pub fn listener(&self, front: usize) -> SocketAddr {
        self.listeners[front]
    }

    /// Where the live page is, if it is served.
    pub fn page(&self) -> Option<SocketAddr> {
        self.page.as_ref().map(live::Server::address)
    }

    /// Where spans are received.
    pub fn receiver(&self) -> SocketAddr {
        self.receivers.address()
    }

    /// The figures.
    pub fn live(&self) -> &Live {
        &self.live
    }

    /// What a person should know about how it was set up, a sentence each.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// That Envoy is still alive.
    pub fn check(&mut self) -> Result<(), Failed> {
        match self.envoy.has_exited() {
            None => Ok(()),
            Some(status) => Err(Failed::Died {
                status,
                reason: self.envoy.reason(),
                log: self.envoy.log_path(),
            }),
        }
    }

    /// What of Envoy's log a person should see since the last time; mostly nothing. Each trouble is told once.
    pub fn troubles(&mut self) -> Vec<String> {
        self.troubles.fresh()
    }

    /// Whether the person has gone: has left the view in the terminal, or closed stdout.
    pub fn is_left(&self) -> bool {
        self.stream.is_closed() || self.terminal.as_ref().is_some_and(Terminal::is_left)
    }

    /// How many access-log lines there were.
    pub fn lines(&self) -> u64 {
        self.stream.lines()
    }

    /// Ends Envoy, and returns when the last line has been printed.
    pub fn stop(self) -> Result<(), Failed> {
        let Self { envoy, terminal, gauge, stream, .. } = self;
        drop((gauge, terminal));
        let log = envoy.log_path();
        let stopped = envoy.stop();
        stream.finish();
        stopped.map(drop).map_err(|error| Failed::File { path: log, error })
    }
}

impl Prepared {
    /// What a person should know about how it is set up, a sentence each.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Where spans are received.
    pub fn receiver(&self) -> SocketAddr {
        self.receivers.address()
    }

    /// Where clients of this front will connect.
    pub fn listener(&self, front: usize) -> SocketAddr {
        self.fronts[front].port.address()
    }

    /// Whether spans are received where exporters send them if nobody says otherwise.
    pub fn is_receiver_usual(&self) -> bool {
        self.receivers.is_usual()
    }

    /// What service each front speaks for.
    pub fn service(&self, front: usize) -> &str {
        &self.fronts[front].merged.service
    }

    /// Starts Envoy, and waits until it listens.
    pub fn start(self) -> Result<Session, Failed> {
        let Self { options, fronts, receivers, page, live, notes } = self;
        let bootstrap = bootstrap(&fronts, receivers.address(), &options.dir)?;
        let envoy_options = envoy::Options { concurrency: workers(), ..envoy::Options::default() };
        let started = Envoy::start_piped(&options.envoy, &bootstrap, &options.dir, &envoy_options);
        let (envoy, lines) = started.map_err(Failed::Envoy)?;
        let services = services(&fronts);
        let printer = Printer::for_options(&options, &services)?;
        let stream = Stream::start(lines, live.clone(), printer)?;
        let gauge = Gauge::start(envoy.admin(), live.clone(), services)?;
        let terminal = match options.view {
            View::Terminal => Some(Terminal::start(live.clone())?),
            View::Page(_) | View::None => None,
        };
        let listeners = fronts.iter().map(|ready| ready.port.address()).collect();
        let troubles = Troubles::of(envoy.log_path());
        Ok(Session {
            envoy,
            terminal,
            gauge,
            stream,
            page,
            receivers,
            listeners,
            live,
            notes,
            troubles,
        })
    }
}

impl Ready {
    fn check(front: Front, notes: &mut Vec<String>) -> Result<Self, Failed> {
        let merged = configuration::merge(&front.configuration, front.service.as_deref())?;
        notes.extend(merged.notes.iter().cloned());
        let port = Port::take(front.listen, "--listen")?;
        Ok(Self { front, merged, port })
    }

    fn for_live(&self) -> live::Front {
        live::Front {
            service: self.merged.service.clone(),
            listen: self.port.address(),
            app: self.front.app.to_string(),
            configuration: self.merged.configuration.clone(),
        }
    }

    fn inbound(&self) -> Inbound<'_> {
        Inbound {
            listen: self.port.address(),
            app: &self.front.app,
            configuration: &self.merged.configuration,
        }
    }
}

/// Writes the filter into the folder, and says how Envoy is to use it.
fn bootstrap(fronts: &[Ready], receiver: SocketAddr, dir: &Path) -> Result<Bootstrap, Failed> {
    let dir = std::path::absolute(dir).map_err(|error| Failed::file(dir, error))?;
    std::fs::create_dir_all(&dir).map_err(|error| Failed::file(&dir, error))?;
    let filter = dir.join(FILTER_FILE);
    std::fs::write(&filter, FILTER).map_err(|error| Failed::file(&filter, error))?;
    let inbounds: Vec<Inbound<'_>> = fronts.iter().map(Ready::inbound).collect();
    Ok(Bootstrap::new(&filter)
        .access_log_to_stdout()
        .inbounds(&inbounds)
        .collector(receiver, false))
}

fn services(fronts: &[Ready]) -> Vec<String> {
    fronts.iter().map(|ready| ready.merged.service.clone()).collect()
}

fn workers() -> u32 {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    u32::try_from(cores.min(WORKERS)).unwrap_or(1)
}
