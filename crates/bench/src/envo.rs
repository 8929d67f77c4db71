//! Delta loads of real releases: seconds with parsing, and what the loads wrote.

use std::path::Path;
use std::time::Instant;

use anyhow::Result;
use timeweft_graph::delta::DeltaOptions;
use timeweft_graph::{Schema, Time, TimeUnit};
use timeweft_source::{VersionOptions, version_format};
use timeweft_store::{LoadRequest, Store};

use crate::median;

const RELEASES: [&str; 3] = ["2016-05-17", "2016-11-20", "2016-11-20"];

pub(crate) fn run(data: &Path) -> Result<()> {
    let mut seconds = vec![Vec::new(); RELEASES.len()];
    let mut lines = Vec::new();
    for _ in 0..5 {
        let folder = tempfile::tempdir()?;
        let mut store = Store::create(folder.path().join("graph"), Schema::new(TimeUnit::Milli))?;
        lines.clear();
        for (number, release) in RELEASES.iter().enumerate() {
            let started = Instant::now();
            let path = data.join(format!("envo/v{release}.obo"));
            let options = VersionOptions { id_prefix: Some("ENVO".into()), ..VersionOptions::default() };
            let at = Time(TimeUnit::Milli.parse(release)?.0 + number as i64);
            let request = LoadRequest::new("envo", release).version(&format!("{release} ({number})"), at);
            let report = store.load_version(request, DeltaOptions::default(), move |sink| {
                Ok(version_format::read(&path, &options, sink)?)
            })?;
            seconds[number].push(started.elapsed().as_secs_f64());
            let delta = report.delta.unwrap_or_default();
            lines.push(format!(
                "v{release}: {} events; terms: {} new, {} changed, {} gone; {} merged; edges: {} new, {} gone",
                report.accepted,
                delta.nodes.new,
                delta.nodes.changed,
                delta.nodes.gone,
                delta.merges.merged,
                delta.edges.new,
                delta.edges.gone
            ));
        }
    }
    for (line, seconds) in lines.iter().zip(&mut seconds) {
        println!("{:.3} s  {line}", median(seconds));
    }
    Ok(())
}
