//! `timeweft token`: who may ask a server.

use std::path::PathBuf;

use serde_json::json;
use timeweft::TimeUnit;
use timeweft_server::{NewToken, Role, Token, Tokens, TokensError};

use crate::context::Context;
use crate::input::moment::parse_time;
use crate::outcome::{Outcome, UsageError};

const AFTER_HELP: &str = "\
Examples:
  timeweft token create --roles read tokens.toml
  timeweft token create --roles read,load --graphs shop --expires 30d --name loader tokens.toml
  timeweft token create --roles read --not-before 2031-01-01 --expires 2031-02-01 tokens.toml
  timeweft token list tokens.toml
  timeweft token revoke loader tokens.toml

The file keeps hashes, not tokens: a token is shown once. A server that runs reads the file again on SIGHUP.";

/// What is done with tokens.
#[derive(clap::Subcommand, Debug)]
#[command(after_help = AFTER_HELP)]
pub(crate) enum Command {
    /// Make a token, and show it once.
    Create(Create),
    /// List the tokens of a file.
    List(List),
    /// Take a token out of a file.
    Revoke(Revoke),
}

/// Arguments of `token create`.
#[derive(clap::Args, Debug)]
pub(crate) struct Create {
    /// What it allows: read (questions), load (loads and rollbacks), train (jobs of models), admin (everything, and /metrics).
    #[arg(long, value_delimiter = ',', required = true, value_parser = parse_role)]
    roles: Vec<Role>,
    /// Names of the graphs that it is for, with commas; left out, all.
    #[arg(long, value_delimiter = ',', value_name = "NAMES")]
    graphs: Option<Vec<String>>,
    /// Until when it is valid: a length (30d, 12h) from its beginning, or a date; left out, for ever.
    #[arg(long, value_name = "LENGTH|TIME")]
    expires: Option<String>,
    /// From when on it is valid; left out, from now.
    #[arg(long, value_name = "TIME")]
    not_before: Option<String>,
    /// Its name in lists; left out, token-1 and so on.
    #[arg(long)]
    name: Option<String>,
    /// File of tokens; made if it is not there.
    file: PathBuf,
}

/// Arguments of `token list`.
#[derive(clap::Args, Debug)]
pub(crate) struct List {
    /// File of tokens.
    file: PathBuf,
}

/// Arguments of `token revoke`.
#[derive(clap::Args, Debug)]
pub(crate) struct Revoke {
    /// Name of the token.
    name: String,
    /// File of tokens.
    file: PathBuf,
}

fn parse_role(text: &str) -> Result<Role, String> {
    let known = || Role::ALL.map(Role::name).join(", ");
    Role::ALL
        .into_iter()
        .find(|role| role.name() == text)
        .ok_or_else(|| format!("`{text}` is no role: use {}", known()))
}

/// Does it.
pub(crate) fn run(command: &Command, context: &Context) -> anyhow::Result<Outcome> {
    match command {
        Command::Create(args) => create(args, context)?,
        Command::List(args) => list(&Tokens::open(&args.file)?, context)?,
        Command::Revoke(args) => {
            let mut tokens = Tokens::open(&args.file)?;
            let gone = tokens.revoke(&args.name)?;
            tokens.save(&args.file)?;
            context.output.object(&facts(&gone))?;
            context.output.say(&format!("token `{}` is revoked: a server that runs needs SIGHUP", gone.name))?;
        }
    }
    Ok(Outcome::Done)
}

fn create(args: &Create, context: &Context) -> anyhow::Result<()> {
    let seconds = |text: &str, option: &str| parse_time(TimeUnit::Second, text, option).map(|time| time.0);
    let not_before = args.not_before.as_deref().map(|text| seconds(text, "--not-before")).transpose()?;
    let from = not_before.unwrap_or_else(now);
    let expires = args.expires.as_deref().map(|text| {
        let is_length = text.ends_with(|last: char| last.is_ascii_alphabetic()) && !text.contains('T');
        match TimeUnit::Second.length(text) {
            Ok(length) if is_length => Ok(from.saturating_add_unsigned(length)),
            _ => seconds(text, "--expires"),
        }
    });
    let mut tokens = Tokens::open_or_new(&args.file)?;
    let (mut roles, graphs, name) = (args.roles.clone(), args.graphs.clone(), args.name.clone());
    roles.sort_unstable();
    roles.dedup();
    let new = NewToken { name, roles, graphs, not_before, expires: expires.transpose()? };
    let (token, secret) = tokens.create(new).map_err(|error| match error {
        error @ (TokensError::Never { .. } | TokensError::NoRole) => UsageError(error.to_string()).into(),
        other => anyhow::Error::from(other),
    })?;
    tokens.save(&args.file)?;
    let mut told = facts(&token);
    told["token"] = json!(secret);
    context.output.object(&told)?;
    let file = args.file.display();
    context.output.say(&format!(
        "token `{}` for {}, kept as a hash in {file}; it is shown only now:\n",
        token.name,
        what(&token)
    ))?;
    context.output.say(&secret)?;
    Ok(())
}

/// Seconds since 1970.
fn now() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs() as i64)
}

fn roles(token: &Token) -> String {
    token.roles.iter().map(|role| role.name()).collect::<Vec<_>>().join(", ")
}

fn graphs(token: &Token) -> String {
    token.graphs.as_ref().map_or_else(|| "all".to_owned(), |graphs| graphs.join(", "))
}

fn what(token: &Token) -> String {
    format!("{} of {} graphs", roles(token), graphs(token))
}

fn facts(token: &Token) -> serde_json::Value {
    json!({
        "name": token.name,
        "roles": token.roles,
        "graphs": token.graphs,
        "created": token.created,
        "not_before": token.not_before,
        "expires": token.expires,
    })
}

fn list(tokens: &Tokens, context: &Context) -> anyhow::Result<()> {
    if tokens.list.is_empty() {
        context.output.say("no tokens: make one with `timeweft token create`")?;
        return Ok(());
    }
    context.output.objects(tokens.list.iter().map(facts))?;
    let open = |time: &Option<String>| time.clone().unwrap_or_default();
    let cells = |token: &Token| {
        [
            token.name.clone(),
            roles(token),
            graphs(token),
            open(&token.not_before),
            open(&token.expires),
            token.created.clone(),
        ]
    };
    Ok(context
        .output
        .rows(["name", "roles", "graphs", "not before", "expires", "created"], || tokens.list.iter().map(cells))?)
}
