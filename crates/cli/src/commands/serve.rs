//! `timeweft serve`: graphs over HTTP, with a page.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use serde_json::json;
use timeweft::load::StoreError;
use timeweft::{Error, Graph};
use timeweft_server::{Listening, Options, run};

use crate::context::{Context, warn};
use crate::outcome::Outcome;
use crate::output::{note, text};

const AFTER_HELP: &str = "\
Examples:
  timeweft serve shop mail --open
  timeweft serve shop --read-only                          (beside a process that loads)
  timeweft token create --roles read,load tokens.toml
  timeweft serve shop --bind 0.0.0.0:8642 --tls cert.pem key.pem --tokens tokens.toml --sources /data/incoming

Each graph has the name of its folder. Without --tokens the server answers this machine alone. Ctrl-C finishes what is
asked already, and stops loads whole; SIGHUP reads tokens, certificate and key again. Endpoints: /docs of the server.";

/// Arguments of `serve`.
#[derive(clap::Args, Debug)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Args {
    /// Directories of graphs; left out, that of --graph.
    #[arg(value_name = "GRAPH")]
    graphs: Vec<PathBuf>,
    /// Address to listen at; port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8642")]
    bind: SocketAddr,
    /// Certificate chain and private key, as PEM.
    #[arg(long, num_args = 2, value_names = ["CERT", "KEY"])]
    tls: Option<Vec<PathBuf>>,
    /// File of tokens that `timeweft token` makes; left out, nobody needs one.
    #[arg(long, value_name = "FILE")]
    tokens: Option<PathBuf>,
    /// Folder below which sources lie that a load may name by path.
    #[arg(long, value_name = "DIR")]
    sources: Option<PathBuf>,
    /// Only read, and follow what another process writes.
    #[arg(long)]
    read_only: bool,
    /// Answer others than this machine without tokens or without TLS.
    #[arg(long)]
    insecure: bool,
    /// Open the page in a browser.
    #[arg(long)]
    open: bool,
}

/// A graph that is served, in words.
struct Served {
    name: String,
    says: String,
}

/// Serves until it is told to end.
pub(crate) fn run_server(args: &Args, context: &Context) -> anyhow::Result<Outcome> {
    allow_many_connections();
    let dirs = if args.graphs.is_empty() { vec![context.dir.clone()] } else { args.graphs.clone() };
    let mut options = Options {
        bind: args.bind,
        tls: args.tls.as_ref().and_then(|paths| <[PathBuf; 2]>::try_from(paths.clone()).ok()).map(Into::into),
        tokens: args.tokens.clone(),
        insecure: args.insecure,
        sources: args.sources.clone(),
        ..Options::default()
    };
    let mut served = Vec::new();
    for dir in dirs {
        let graph = open(&dir, args.read_only)?;
        warn(&graph);
        let name = name_of(&dir);
        served.push(Served { says: says(&graph), name: name.clone() });
        options = options.graph(&name, graph);
    }
    run(options, |listening| tell(listening, &served, args, context), Arc::new(|line: &str| note(line)))?;
    context.output.say("stopped")?;
    Ok(Outcome::Done)
}

fn open(dir: &Path, read_only: bool) -> anyhow::Result<Graph> {
    if read_only {
        return Ok(Graph::open_read_only(dir)?);
    }
    Graph::open(dir).map_err(|error| match error {
        Error::Store(StoreError::Locked { dir, holder }) => {
            let holder = holder.unwrap_or_else(|| "another process".into());
            let dir = dir.display();
            anyhow::anyhow!(
                "{dir}: the graph is open for writing in {holder}: serve it with --read-only, which follows it"
            )
        }
        other => other.into(),
    })
}

/// A graph is called as its folder is.
fn name_of(dir: &Path) -> String {
    let whole = dir.canonicalize().unwrap_or_else(|_| dir.to_owned());
    let name = whole.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    name.trim_start_matches('.').to_owned()
}

fn says(graph: &Graph) -> String {
    let counts = graph.view().now().counts();
    let (nodes, edges) = (text::count(counts.nodes as u64), text::count(counts.edges as u64));
    let how = if graph.is_read_only() { "read only" } else { "takes loads" };
    format!("{nodes} nodes, {edges} edges, commit {}, {how}", graph.commit().0)
}

/// The first thing that people see.
fn tell(listening: &Listening, served: &[Served], args: &Args, context: &Context) {
    let url = listening.url();
    let names: Vec<&str> = served.iter().map(|graph| graph.name.as_str()).collect();
    let facts = json!({ "url": url, "address": listening.address().to_string(), "graphs": names });
    let widest = names.iter().map(|name| name.chars().count()).max().unwrap_or_default();
    let said = context.output.object(&facts).and_then(|()| {
        let mut lines = vec![format!("timeweft {} serves {url}", env!("CARGO_PKG_VERSION")), String::new()];
        lines.extend(served.iter().map(|graph| format!("  {:widest$}  {}", graph.name, graph.says)));
        lines.push(String::new());
        lines.push(match &args.tokens {
            Some(file) => format!("Who has a token of {} may ask. Endpoints: {url}docs", file.display()),
            None if args.bind.ip().is_loopback() => format!("This machine may ask. Endpoints: {url}docs"),
            None => format!("Anybody may ask. Endpoints: {url}docs"),
        });
        lines.push("Ctrl-C stops it, and leaves nothing half done.".to_owned());
        lines.iter().try_for_each(|line| context.output.say(line))
    });
    if let Err(error) = said {
        note(&format!("warning: {error}"));
    }
    if args.open
        && let Err(error) = browse(&url)
    {
        note(&format!("warning: --open: no browser could be started: {error:#}"));
    }
}

fn browse(url: &str) -> anyhow::Result<()> {
    let (program, arguments): (&str, &[&str]) = match std::env::consts::OS {
        "macos" => ("open", &[]),
        "windows" => ("cmd", &["/c", "start"]),
        _ => ("xdg-open", &[]),
    };
    let mut command = std::process::Command::new(program);
    command.args(arguments).arg(url).stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
    command.spawn().with_context(|| program.to_owned())?;
    Ok(())
}

/// As many files at once as the system allows: each connection is one.
#[cfg(target_os = "linux")]
fn allow_many_connections() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    // Where that is not allowed there are as many as before.
    let _ = setrlimit(Resource::Nofile, limit);
}

#[cfg(not(target_os = "linux"))]
fn allow_many_connections() {}
