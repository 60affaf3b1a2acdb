//! Who plays in the demo: three services of a small shop, none of which knows of Sightline.
//!
//! Their code and the configuration of the filter before each are in `cli/apps/demo/`.

use std::net::SocketAddr;
use std::panic;
use std::path::Path;
use std::thread;

use serde_json::Value;

use crate::apps::{App, AppError, Framework, Launch};

/// How many there are.
pub(super) const PARTS: usize = 3;

/// Which front is which service's.
pub(super) const SHOP: usize = 0;
pub(super) const ACCOUNTS: usize = 1;
pub(super) const BACKOFFICE: usize = 2;

/// A service of the demo.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    pub(super) name: &'static str,
    /// What it runs on, and what to know about it.
    pub(super) about: &'static str,
    framework: Framework,
    source: &'static str,
    configuration: &'static str,
}

/// All of them, in the order of the fronts.
pub(super) static ALL: [Part; PARTS] = [
    Part {
        name: "shop",
        about: "FastAPI; OpenTelemetry makes spans in it, and it calls accounts",
        framework: Framework::FastApi,
        source: include_str!("../../apps/demo/shop.py"),
        configuration: include_str!("../../apps/demo/shop.yaml"),
    },
    Part {
        name: "accounts",
        about: "Flask; no routes are configured, so they are inferred",
        framework: Framework::Flask,
        source: include_str!("../../apps/demo/accounts.py"),
        configuration: include_str!("../../apps/demo/accounts.yaml"),
    },
    Part {
        name: "backoffice",
        about: "Django; its routes are configured as Django spells them",
        framework: Framework::Django,
        source: include_str!("../../apps/demo/backoffice.py"),
        configuration: include_str!("../../apps/demo/backoffice.yaml"),
    },
];

impl Part {
    /// The configuration of the filter before it.
    pub(super) fn configuration(&self) -> Value {
        serde_saphyr::from_str(self.configuration).expect("cli/apps/demo/*.yaml, embedded, is YAML")
    }

    fn launch(&self) -> Launch {
        Launch::source(self.framework, self.name, self.source)
    }
}

/// Where each app is to listen, and what the shop has to know.
#[derive(Clone, Copy, Debug)]
pub(super) struct Places {
    pub(super) apps: [SocketAddr; PARTS],
    /// Where the shop reaches the accounts: through Envoy, as services do.
    pub(super) accounts: SocketAddr,
    /// Where the shop sends its spans.
    pub(super) collector: SocketAddr,
}

/// The running apps. Dropped, they are killed.
#[derive(Debug)]
pub(super) struct Cast {
    apps: Vec<App>,
}

impl Cast {
    /// Starts all of them at once, in folders below `dir`, and waits until each answers.
    pub(super) fn start(places: &Places, python: &Path, dir: &Path) -> Result<Self, AppError> {
        let started = thread::scope(|scope| {
            let starting = launches(places)
                .map(|(name, launch)| scope.spawn(move || launch.start(python, &dir.join(name))));
            starting.map(|app| app.join().unwrap_or_else(|it| panic::resume_unwind(it)))
        });
        started.into_iter().collect::<Result<_, _>>().map(|apps| Self { apps })
    }

    /// That all are still alive; if not, who is not and what it said last.
    pub(super) fn check(&mut self) -> Result<(), String> {
        for (part, app) in ALL.iter().zip(&mut self.apps) {
            if let Some(status) = app.has_exited() {
                return Err(format!("{} ended, {status}. Its log:\n{}", part.name, app.log()));
            }
        }
        Ok(())
    }
}

/// Each with the name of its folder.
fn launches(places: &Places) -> [(&'static str, Launch); PARTS] {
    let launch = |index: usize| {
        let part = &ALL[index];
        (part.name, part.launch().listen(places.apps[index]))
    };
    let (name, shop) = launch(SHOP);
    let shop = shop
        .collector(places.collector)
        .variable("OTEL_SERVICE_NAME", name)
        .variable("ACCOUNTS_URL", format!("http://{}", places.accounts));
    [(name, shop), launch(ACCOUNTS), launch(BACKOFFICE)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generate::Configuration;

    #[test]
    fn the_filter_takes_each_configuration() {
        for part in &ALL {
            let taken = Configuration::parse(part.configuration);
            assert!(taken.is_ok(), "{}: {}", part.name, taken.unwrap_err());
            assert_eq!(part.configuration()["service"]["name"], part.name);
        }
    }

    #[test]
    fn the_order_is_that_of_the_fronts() {
        for (index, name) in [(SHOP, "shop"), (ACCOUNTS, "accounts"), (BACKOFFICE, "backoffice")] {
            assert_eq!(ALL[index].name, name);
        }
    }
}
