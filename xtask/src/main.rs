//! The project's verbs: `cargo xtask build`, `test`, `bench`, `fuzz`, `lint`, `demo`.
//!
//! A thin layer: what must be there first is for `sightline-setup`, and the work is cargo's.

mod args;
mod bench;
mod build;
mod demo;
mod fuzz;
mod lint;
mod tally;
mod test;

use std::env;
use std::error::Error;
use std::process::ExitCode;

use args::Verb;

/// What a verb ends with, if it could do its work at all.
type Outcome = Result<ExitCode, Box<dyn Error>>;

fn main() -> ExitCode {
    match args::parse(env::args_os().skip(1)) {
        Ok(verb) => run(verb).unwrap_or_else(|failed| {
            eprintln!("xtask: {failed}");
            ExitCode::FAILURE
        }),
        Err(wrong) => {
            eprintln!("xtask: {wrong}");
            ExitCode::from(2)
        }
    }
}

fn run(verb: Verb) -> Outcome {
    match verb {
        Verb::Help(text) => {
            println!("{text}");
            Ok(ExitCode::SUCCESS)
        }
        Verb::Build => build::run(),
        Verb::Test(options) => test::run(&options),
        Verb::Bench(name) => bench::run(name),
        Verb::Fuzz(options) => fuzz::run(&options),
        Verb::Lint => lint::run(),
        Verb::Demo(arguments) => demo::run(arguments),
    }
}
