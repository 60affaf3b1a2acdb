//! `sightline man`.

use std::path::PathBuf;
use std::process::ExitCode;
use std::{fs, io};

use clap::{Args, CommandFactory as _};
use clap_mangen::Man as Page;

use super::{Arguments, Failure, Outcome, print};

/// Prints the manual page, or writes one for each verb into a folder.
#[derive(Args)]
#[command(after_help = "\
Examples:
  sightline man | man -l -
  sightline man --out ~/.local/share/man/man1")]
pub(super) struct Man {
    /// A folder for sightline.1, sightline-up.1 and so on; made if it is not there
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

impl Man {
    pub(super) fn run(self) -> Outcome {
        let Some(folder) = self.out else {
            let page = page().map_err(Failure::unreadable)?;
            return print(&String::from_utf8_lossy(&page));
        };
        let written = fs::create_dir_all(&folder)
            .and_then(|()| clap_mangen::generate_to(Arguments::command(), &folder));
        written.map(|()| ExitCode::SUCCESS).map_err(|error| {
            let folder = folder.display();
            Failure::unreadable(format_args!(
                "--out {folder}: {error}. Name a folder that can be written to."
            ))
        })
    }
}

/// That of the whole command, which lists the verbs.
fn page() -> io::Result<Vec<u8>> {
    let mut page = Vec::new();
    Page::new(Arguments::command()).render(&mut page)?;
    Ok(page)
}
