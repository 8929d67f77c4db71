//! Reads a whole version, keeps nothing of it, and tells how much there was and how long it took.
//!
//! `cargo run --release -p timeweft-source --example count_version -- PATH`

use std::path::Path;
use std::time::Instant;

use timeweft_graph::{ElementRef, FeatureId, Record, Schema, Sink, ValueRef};
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

impl Sink for Counter {
    fn schema(&mut self) -> &mut Schema {
        &mut self.schema
    }
    fn record(&mut self, record: Record<'_>, line: u64) {
        match record {
            Record::Format(format) => println!("format {}", format.name),
            Record::Listed(element, features) => {
                let of = match element {
                    ElementRef::Node(..) => &mut self.nodes,
                    ElementRef::Edge(..) => &mut self.edges,
                    ElementRef::Merge(_) => &mut self.merges,
                };
                *of += 1;
                self.count(features);
            }
            Record::Deleted(..) => self.deleted += 1,
            Record::Unreadable(_, reason) | Record::Reject(reason) => {
                self.rejects += 1;
                if self.rejects <= 10 {
                    println!("rejected: line {line}: {reason}");
                }
            }
            Record::Warning(message) => println!("warning: line {line}: {message}"),
            _ => {}
        }
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
    println!("{bytes} bytes of values in {seconds:.3} s");
    Ok(())
}
