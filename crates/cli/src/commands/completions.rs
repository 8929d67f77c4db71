//! `timeweft completions`: what a shell needs to complete command lines.

use std::io::{self, Write};

use clap::Command;
use clap_complete::Shell;
use serde_json::json;

use crate::context::Context;
use crate::outcome::Outcome;

const AFTER_HELP: &str = "\
Examples:
  timeweft completions bash > ~/.local/share/bash-completion/completions/timeweft
  timeweft completions zsh > \"${fpath[1]}/_timeweft\"
  timeweft completions fish > ~/.config/fish/completions/timeweft.fish";

/// Arguments of `completions`.
#[derive(clap::Args, Debug)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Args {
    /// Which shell.
    shell: Shell,
}

/// Prints the script.
pub(crate) fn run(args: &Args, mut command: Command, context: &Context) -> anyhow::Result<Outcome> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command, "timeweft", &mut script);
    if context.output.json {
        context
            .output
            .object(&json!({ "shell": args.shell.to_string(), "script": String::from_utf8_lossy(&script) }))?;
    } else {
        io::stdout().lock().write_all(&script)?;
    }
    Ok(Outcome::Done)
}
