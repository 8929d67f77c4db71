//! Where a build goes: the time of each crate, by what it is for, from the page that `cargo build --timings` writes.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use anyhow::Context;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// The page.
    #[arg(default_value = "target/cargo-timings/cargo-timing.html")]
    page: PathBuf,
}

/// What crates are for, by the beginnings of their names; the first that fits counts.
const GROUPS: [(&str, &[&str]); 7] = [
    ("timeweft", &["timeweft"]),
    ("matrix products", &["gemm", "pulp", "dyn-stack", "raw-cpuid"]),
    ("git", &["gix", "prodash"]),
    ("Arrow", &["arrow"]),
    ("Parquet", &["parquet", "brotli", "snap", "lz4_flex"]),
    ("C libraries", &["zstd-sys", "bzip2"]),
    ("command line", &["clap", "indicatif", "console", "plotters", "roff"]),
];

pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let page = fs::read_to_string(&args.page)
        .with_context(|| format!("{}: run `cargo build --release --timings` first", args.page.display()))?;
    let units = page.split_once("const UNIT_DATA = ").and_then(|(_, rest)| rest.split_once("];"));
    let (units, _) = units.context("the page has no times: it is of another version of cargo")?;
    let units: Vec<serde_json::Value> = serde_json::from_str(&format!("{units}]"))?;
    let mut groups: BTreeMap<&str, (f64, f64, String)> = BTreeMap::new();
    let mut total = 0.;
    for unit in &units {
        let name = unit["name"].as_str().unwrap_or_default();
        let seconds = unit["duration"].as_f64().context("a crate without a time")?;
        let of = |(_, begins): &&(&str, &[&str])| begins.iter().any(|begin| name.starts_with(begin));
        let group = groups.entry(GROUPS.iter().find(of).map_or("all else", |(group, _)| group)).or_default();
        group.0 += seconds;
        total += seconds;
        if seconds > group.1 {
            (group.1, group.2) = (seconds, name.to_owned());
        }
    }
    let mut rows: Vec<_> = groups.into_iter().collect();
    rows.sort_by(|a, b| b.1.0.total_cmp(&a.1.0));
    println!("| for | seconds | share | the longest of it |\n|---|---|---|---|");
    for (group, (seconds, longest, name)) in rows {
        println!("| {group} | {seconds:.0} | {:.0} % | {name} {longest:.0} |", 100. * seconds / total);
    }
    println!("| all {} | {total:.0} | | |", units.len());
    Ok(())
}
