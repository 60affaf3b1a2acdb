//! The apps of the tests: asked as the command asks them, and served as people serve them.

use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sightline_cli::leash::Leash;
use sightline_cli::routes::import::{Block, Framework, Question};
use sightline_setup::{Checkout, python};
use sightline_tests::Request;

const SOON: Duration = Duration::from_mins(2);

/// A running app.
pub(super) struct App {
    address: SocketAddr,
    _leash: Leash,
    _dir: tempfile::TempDir,
}

impl App {
    pub(super) fn start(framework: Framework) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("app.log");
        let mut leash = launch(framework, &log);
        let read = || fs::read_to_string(&log).unwrap_or_default();
        let look = || listening_at(&read()).filter(|&app| Request::get("/").send(app).is_ok());
        let address = leash.until("the app to answer", SOON, look);
        let address = address.unwrap_or_else(|silence| panic!("{silence}\n{}", read()));
        Self { address, _leash: leash, _dir: dir }
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }
}

/// What the command finds in the app.
pub(super) fn block_of(framework: Framework, app: &str) -> Block {
    let question = Question {
        framework,
        app: app.to_owned(),
        python: python(),
        dir: folder(),
        timeout: SOON,
        prefix: None,
    };
    question.ask().unwrap_or_else(|error| panic!("{error}"))
}

/// Django names a route anew in each language.
pub(super) fn in_any_language(route: &str) -> String {
    let mut languages = ["de/", "pt-br/"].into_iter();
    let below = languages.find_map(|language| route.strip_prefix(language));
    below.map_or_else(|| route.to_owned(), |below| format!("<language>/{below}"))
}

fn python() -> PathBuf {
    python::interpreter(&Checkout::find().unwrap()).unwrap()
}

fn folder() -> PathBuf {
    Checkout::find().unwrap().root().join("tests/apps")
}

fn launch(framework: Framework, log: &Path) -> Leash {
    let arguments: &[&str] = match framework {
        Framework::Fastapi => {
            &["uvicorn", "--host", "127.0.0.1", "--port", "0", "routes_fastapi:app"]
        }
        Framework::Flask => {
            &["gunicorn", "--bind", "127.0.0.1:0", "--no-control-socket", "routes_flask:app"]
        }
        Framework::Django => {
            &["gunicorn", "--bind", "127.0.0.1:0", "--no-control-socket", "routes_django:app"]
        }
    };
    let output = File::create(log).unwrap();
    let errors = output.try_clone().unwrap();
    let python = std::path::absolute(python()).unwrap();
    let started = Leash::start(&python, |command| {
        command
            .arg("-m")
            .args(arguments)
            .current_dir(folder())
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("PYTHONUNBUFFERED", "1")
            .env("OTEL_SDK_DISABLED", "true")
            .stdout(output)
            .stderr(errors);
    });
    started.unwrap()
}

/// Both servers say it.
fn listening_at(log: &str) -> Option<SocketAddr> {
    let whole = log.split_inclusive('\n').filter(|line| line.ends_with('\n'));
    let mut addresses = whole.filter_map(|line| Some(line.split_once("http://")?.1));
    addresses.find_map(|after| after.split([' ', '"', '\n']).next()?.parse().ok())
}
