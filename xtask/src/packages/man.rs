//! The page for `man ponte`, made of what the program says of itself.

use std::path::Path;
use std::process::Command;

use crate::{Result, process};

/// Writes the page in roff: the program's help, then each command's.
pub(super) fn page(program: &Path) -> Result<String> {
    let help = |words: &[&str]| {
        let mut command = Command::new(program);
        command.args(words).arg("--help").env("COLUMNS", "72");
        process::capture(command.env_remove("PONTE_CONFIG"))
    };
    let whole = help(&[])?;
    let version = process::capture(Command::new(program).arg("--version"))?;
    let mut page = format!(
        ".TH PONTE 1 \"\" \"{}\" \"User Commands\"\n.SH NAME\nponte \\- the bridge from a TradingView alert \
         to a broker's order\n.SH SYNOPSIS\n.B ponte\n.I COMMAND\n[options]\n.SH DESCRIPTION\n",
        escaped(version.trim())
    );
    page += &block(&whole);
    for command in commands(&whole) {
        page += &format!(".SH PONTE {}\n", escaped(&command.to_uppercase()));
        page += &block(&help(&[&command])?);
    }
    page += ".SH FILES\n.TP\n.I /etc/ponte/ponte.toml\nthe configuration\n.TP\n.I /var/lib/ponte\nthe journal\n\
             .SH SEE ALSO\nThe guides in /usr/share/doc/ponte/docs.\n";
    Ok(page)
}

/// The names below `Commands:`.
fn commands(help: &str) -> Vec<String> {
    let mut lines = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let listed = lines.by_ref().take_while(|line| !line.is_empty());
    // Names stand two columns in, the rest of a long description further.
    let named = listed.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    named
        .filter_map(|line| line.split_whitespace().next())
        .map(str::to_owned)
        .collect()
}

fn block(text: &str) -> String {
    let mut block = ".nf\n".to_owned();
    for line in text.lines() {
        let line = escaped(line);
        // A line that begins with a dot would be a command.
        let guard = if line.starts_with(['.', '\'']) {
            "\\&"
        } else {
            ""
        };
        block += &format!("{guard}{line}\n");
    }
    block + ".fi\n"
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\e").replace('-', "\\-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_read_from_the_help() {
        let help =
            "Usage: x\n\nCommands:\n  demo  Shows\n        more\n  run   Runs\n\nOptions:\n  -h\n";
        assert_eq!(commands(help), ["demo", "run"]);
    }

    #[test]
    fn a_line_is_never_a_command_of_roff() {
        assert_eq!(block(".TH\n-x\\"), ".nf\n\\&.TH\n\\-x\\e\n.fi\n");
    }
}
