//! The `sightline` command: its arguments are in `command`, what it does is in the library.

mod command;

use std::process::ExitCode;

fn main() -> ExitCode {
    command::run()
}
