//! `sightline routes import`.

#![expect(clippy::doc_markdown, reason = "help texts are shown as they are")]

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};
use sightline_cli::STDIN;
use sightline_cli::duration;
use sightline_cli::routes::import::{
    Block, Framework, Openapi, Question, Refusal, default_python, read_document,
};

use crate::command::{Failure, Outcome, print};

/// Prints the routes that an app has, as a `routes:` block for the configuration.
///
/// They come from an OpenAPI document, or from the app itself, which is loaded and asked, and never served. What is
/// found and cannot be a template is a comment in the block, with the reason, and is told on stderr too. The exit code
/// is 1 where there are no routes to be had, and 2 where something cannot be read.
#[derive(Args)]
#[command(after_help = "\
Examples:
  sightline routes import fastapi shop.main:app > routes.yaml
  sightline routes import flask 'shop:create_app()' --python .venv/bin/python
  sightline routes import django mysite.settings --dir backend
  curl -s localhost:8000/openapi.json | sightline routes import openapi -")]
pub(super) struct Import {
    #[command(subcommand)]
    from: From,
}

#[derive(Subcommand)]
enum From {
    Openapi(Document),
    Fastapi(Asgi),
    Flask(Wsgi),
    Django(Project),
}

/// From an OpenAPI document, 3.0 to 3.2 or Swagger 2.0, as JSON or YAML.
///
/// A type becomes a constraint only where two paths differ in nothing else: apps answer for /users/abc as for /users/7,
/// if only with 422.
#[derive(Args)]
#[command(after_help = "\
Examples:
  sightline routes import openapi openapi.yaml
  sightline routes import openapi - --prefix /v2 --rest file < openapi.json")]
struct Document {
    /// The document; - is standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// A parameter that takes several segments, which no document can say; one called path is known
    #[arg(long, value_name = "NAME")]
    rest: Vec<String>,
    #[command(flatten)]
    shown: Shown,
}

/// From a FastAPI or Starlette app: its routes, routers, mounts and WebSockets, in its own order.
#[derive(Args)]
#[command(after_help = "\
Examples:
  sightline routes import fastapi shop.main
  sightline routes import fastapi shop.main:app --prefix /api
  sightline routes import fastapi 'shop.main:create_app(\"test\")' --timeout 1m")]
struct Asgi {
    /// As for uvicorn. Without APP it is app, application, the only app there is, or what create_app() makes
    #[arg(value_name = "MODULE[:APP]")]
    app: String,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    shown: Shown,
}

/// From a Flask app: its rules, those of blueprints, and apps that a DispatcherMiddleware mounts.
#[derive(Args)]
#[command(after_help = "\
Examples:
  sightline routes import flask shop
  sightline routes import flask shop:app --python .venv/bin/python
  sightline routes import flask 'shop:create_app(debug=True)'")]
struct Wsgi {
    /// As for gunicorn. Without APP it is app, application, the only app there is, or what create_app() makes
    #[arg(value_name = "MODULE[:APP]")]
    app: String,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    shown: Shown,
}

/// From a Django project: its URL patterns with all includes, languages and the admin, in its own order.
#[derive(Args)]
#[command(after_help = "\
Examples:
  sightline routes import django mysite.settings
  sightline routes import django mysite.wsgi --dir backend
  DJANGO_SETTINGS_MODULE=mysite.settings sightline routes import django")]
struct Project {
    /// The module of the settings, or that of wsgi.py or asgi.py [default: DJANGO_SETTINGS_MODULE]
    #[arg(value_name = "MODULE")]
    module: Option<String>,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    shown: Shown,
}

#[derive(Args)]
struct Place {
    /// The Python that has the app's packages [default: that of the active virtual environment, else python3]
    #[arg(long, value_name = "PATH")]
    python: Option<PathBuf>,
    /// The folder in which the app runs
    #[arg(long, value_name = "DIR", default_value = ".")]
    dir: PathBuf,
    /// How long the app may take to load
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = duration::parse)]
    timeout: Duration,
}

#[derive(Args)]
struct Shown {
    /// What stands in front of the paths where Envoy sees them [default: as the app or the document says]
    #[arg(long, value_name = "PATH")]
    prefix: Option<String>,
    /// How the routes are printed
    #[arg(long, value_enum, default_value_t = Output::Yaml)]
    output: Output,
}

#[derive(Clone, Copy, ValueEnum)]
enum Output {
    /// A block with comments
    Yaml,
    /// {"routes", "not_imported", "notes"}
    Json,
}

impl Import {
    pub(super) fn run(self) -> Outcome {
        let (block, output) = match self.from {
            From::Openapi(document) => document.read(),
            From::Fastapi(it) => it.place.ask(Framework::Fastapi, it.app, it.shown),
            From::Flask(it) => it.place.ask(Framework::Flask, it.app, it.shown),
            From::Django(it) => {
                it.place.ask(Framework::Django, it.module.unwrap_or_default(), it.shown)
            }
        };
        let block = block
            .map_err(|refusal| Failure { told: refusal.to_string(), code: refusal.exit_code() })?;
        let code = print(&match output {
            Output::Yaml => block.yaml(),
            Output::Json => block.json(),
        })?;
        eprintln!("{}", block.summary());
        Ok(code)
    }
}

impl Document {
    fn read(self) -> (Result<Block, Refusal>, Output) {
        let Self { file, rest, shown } = self;
        let openapi = Openapi { prefix: shown.prefix, rests: rest };
        let source = if file.as_os_str() == STDIN {
            "standard input".into()
        } else {
            file.display().to_string()
        };
        let block = read_document(&file).and_then(|text| openapi.import(&source, &text));
        (block, shown.output)
    }
}

impl Place {
    fn ask(
        self,
        framework: Framework,
        app: String,
        shown: Shown,
    ) -> (Result<Block, Refusal>, Output) {
        let Self { python, dir, timeout } = self;
        let python = python.unwrap_or_else(default_python);
        let question = Question { framework, app, python, dir, timeout, prefix: shown.prefix };
        (question.ask(), shown.output)
    }
}
