//! Reads a whole version, keeps nothing of it, and tells how much there was and how long it took.
//!
//! `cargo run --release -p timeweft-source --example count_version -- PATH`

use std::path::Path;
use std::time::Instant;

use timeweft_graph::{
    EdgeTypeId, FeatureId, Format, Name, NodeTypeId, Reason, Schema, Scope, Unreadable, ValueRef, VersionSink,
};
use timeweft_source::{VersionOptions, version_format};

#[derive(Default)]
struct Counter {
    schema: Schema,
    nodes: u64,
    edges: u64,
    merges: u64,
    deleted: u64,
    rejects: u64,
    values: u64,
    /// Keeps the compiler from leaving out the values.
    bytes: u64,
    buffer: Vec<u8>,
}

impl Counter {
    fn count(&mut self, features: &[(FeatureId, ValueRef<'_>)]) {
        for (_, value) in features {
            self.buffer.clear();
            value.encode(&mut self.buffer);
            self.bytes += self.buffer.len() as u64;
        }
        self.values += features.len() as u64;
    }
}

impl VersionSink for Counter {
    fn schema(&mut self) -> &mut Schema {
        &mut self.schema
    }
    fn format(&mut self, format: Format) {
        println!("format {}", format.name);
    }
    fn file(&mut self, _: &Name) {}
    fn node(&mut self, _: NodeTypeId, id: &str, features: &[(FeatureId, ValueRef<'_>)], _: u64) {
        self.nodes += 1;
        self.bytes += id.len() as u64;
        self.count(features);
    }
    fn edge(
        &mut self,
        _: EdgeTypeId,
        ends: (&str, &str),
        _: Option<&str>,
        features: &[(FeatureId, ValueRef<'_>)],
        _: u64,
    ) {
        self.edges += 1;
        self.bytes += (ends.0.len() + ends.1.len()) as u64;
        self.count(features);
    }
    fn merge(&mut self, _: (NodeTypeId, &str), _: (NodeTypeId, &str), features: &[(FeatureId, ValueRef<'_>)], _: u64) {
        self.merges += 1;
        self.count(features);
    }
    fn deleted(&mut self, _: NodeTypeId, _: &str, _: u64) {
        self.deleted += 1;
    }
    fn unreadable(&mut self, _: Vec<Unreadable>, line: u64, reason: Reason) {
        self.reject(line, reason);
    }
    fn empty(&mut self, _: Scope) {}
    fn reject(&mut self, line: u64, reason: Reason) {
        self.rejects += 1;
        if self.rejects <= 10 {
            println!("rejected: line {line}: {reason}");
        }
    }
    fn warn(&mut self, line: u64, message: String) {
        println!("warning: line {line}: {message}");
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args_os().nth(1).ok_or("give the path of a version")?;
    let mut counter = Counter::default();
    let start = Instant::now();
    version_format::read(Path::new(&path), &VersionOptions::default(), &mut counter)?;
    let seconds = start.elapsed().as_secs_f64();
    let Counter { nodes, edges, merges, deleted, rejects, values, bytes, .. } = counter;
    println!("{nodes} nodes, {edges} edges, {values} values, {merges} merges, {deleted} deletions, {rejects} rejects");
    println!("{bytes} bytes of ids and values in {seconds:.3} s");
    Ok(())
}
