//! `timeweft init`: an empty graph.

use std::io;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde_json::json;
use timeweft::load::read_text;
use timeweft::{Graph, Schema, TimeUnit};

use crate::context::Context;
use crate::outcome::Outcome;
use crate::output::after;

const AFTER_HELP: &str = "\
Examples:
  timeweft init shop --unit s
  timeweft init copy --schema schema.json     (from: timeweft schema --graph shop --json > schema.json)

The unit says what one tick of every time means and stays as it is.";

/// Arguments of `init`.
#[derive(clap::Args, Debug)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Args {
    /// Directory of the new graph; left out, that of --graph.
    dir: Option<PathBuf>,
    /// Unit of all times: s, ms, us, ns, or step for abstract steps.
    #[arg(long, default_value = "step")]
    unit: TimeUnit,
    /// Declare the types and the unit of this file, as `schema --json` prints them.
    #[arg(long, value_name = "FILE", conflicts_with = "unit")]
    schema: Option<PathBuf>,
    /// Refuse types and features that are not declared.
    #[arg(long, requires = "schema")]
    closed: bool,
}

/// Makes the graph.
pub(crate) fn run(args: &Args, context: &Context) -> anyhow::Result<Outcome> {
    let dir = args.dir.as_ref().unwrap_or(&context.dir);
    let mut schema = match &args.schema {
        Some(path) => read_schema(path)?,
        None => Schema::new(args.unit),
    };
    if args.closed {
        schema.close();
    }
    let graph = Graph::create_with(dir, schema)?;
    after("the graph is made", tell(dir, graph.unit(), context));
    Ok(Outcome::Done)
}

fn tell(dir: &Path, unit: TimeUnit, context: &Context) -> io::Result<()> {
    context.output.say(&format!("made an empty graph in {} whose times count in {unit}", dir.display()))?;
    context.output.object(&json!({ "graph": dir.display().to_string(), "unit": unit }))
}

fn read_schema(path: &Path) -> anyhow::Result<Schema> {
    let text = read_text(path).context("the schema")?;
    serde_json::from_str(&text)
        .with_context(|| format!("{} is no schema: write one with `timeweft schema --json`", path.display()))
}
