//! `ponte completions`.

use clap::Args;
use clap_complete::{Shell, generate};

use super::failure::Failure;
use super::screen;

/// Print a script that completes ponte's commands in your shell
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    ponte completions bash > ~/.local/share/bash-completion/completions/ponte\n  \
    ponte completions zsh  > ~/.zfunc/_ponte\n  \
    ponte completions fish > ~/.config/fish/completions/ponte.fish")]
pub(super) struct Completions {
    /// The shell
    shell: Shell,
}

impl Completions {
    pub(super) fn run(&self, mut command: clap::Command) -> Result<(), Failure> {
        let mut script = Vec::new();
        generate(self.shell, &mut command, "ponte", &mut script);
        screen::print(&String::from_utf8_lossy(&script))
    }
}
