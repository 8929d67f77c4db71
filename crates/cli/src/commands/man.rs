//! `timeweft man`: the manual, a page a command.

use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Command;
use clap_mangen::Man;
use serde_json::json;

use crate::context::Context;
use crate::outcome::Outcome;
use crate::output::{after, check_graph, note, write_whole};

const AFTER_HELP: &str = "\
Examples:
  timeweft man | man -l -
  timeweft man --to ~/.local/share/man/man1       (then: man timeweft, man timeweft-load-events)";

/// Arguments of `man`.
#[derive(clap::Args, Debug)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Args {
    /// Write a page for each command into this folder, in place of older ones; left out, the main page is printed.
    #[arg(long, value_name = "DIR")]
    to: Option<PathBuf>,
}

/// Prints the main page, or writes all.
pub(crate) fn run(args: &Args, command: Command, context: &Context) -> anyhow::Result<Outcome> {
    let Some(folder) = &args.to else {
        let (_, page) = pages(command)?.swap_remove(0);
        if context.output.json {
            context.output.object(&json!({ "page": String::from_utf8_lossy(&page) }))?;
        } else {
            io::stdout().lock().write_all(&page)?;
        }
        return Ok(Outcome::Done);
    };
    check_graph(&folder.join("timeweft.1"))?;
    fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    let pages = pages(command)?;
    for (name, page) in &pages {
        let path = folder.join(name);
        write_whole(&path, |out| Ok(out.write_all(page)?))?;
    }
    let paths = pages.iter().map(|(name, _)| json!({ "page": folder.join(name).display().to_string() }));
    after("the pages are written", context.output.objects(paths));
    note(&format!("wrote {} pages to {}", pages.len(), folder.display()));
    Ok(Outcome::Done)
}

/// The page of a command and those of its parts, each with its file name.
fn pages(command: clap::Command) -> io::Result<Vec<(String, Vec<u8>)>> {
    let mut command = command.disable_help_subcommand(true);
    command.build();
    let mut pages = Vec::new();
    add(&command, &mut pages)?;
    Ok(pages)
}

fn add(command: &clap::Command, pages: &mut Vec<(String, Vec<u8>)>) -> io::Result<()> {
    let man = Man::new(command.clone());
    let mut page = Vec::new();
    man.render(&mut page)?;
    pages.push((man.get_filename(), page));
    command.get_subcommands().filter(|part| part.get_name() != "help").try_for_each(|part| add(part, pages))
}
