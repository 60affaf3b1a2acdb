//! `sightline completions`.

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use super::{Arguments, Outcome, print};

/// Prints a script that completes verbs and flags in your shell.
#[derive(Args)]
#[command(after_help = "\
Examples:
  sightline completions bash > ~/.local/share/bash-completion/completions/sightline
  sightline completions zsh > \"${fpath[1]}/_sightline\"
  sightline completions fish > ~/.config/fish/completions/sightline.fish
  sightline completions elvish >> ~/.config/elvish/rc.elv
  sightline completions powershell >> $PROFILE")]
pub(super) struct Completions {
    /// Your shell
    shell: Shell,
}

impl Completions {
    pub(super) fn run(self) -> Outcome {
        let mut command = Arguments::command();
        let name = command.get_name().to_owned();
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut command, name, &mut script);
        print(&String::from_utf8_lossy(&script))
    }
}
