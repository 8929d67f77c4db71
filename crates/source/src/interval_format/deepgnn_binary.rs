//! Folders of DeepGNN's binary format, version `v2`: what its converter wrote, for graphs whose text is gone.
//!
//! | file | record, little endian |
//! |---|---|
//! | `meta.json` | version, partitions, watermark (-1: nothing has a time) |
//! | `node_P_I.map` | u64 id, u64 position, i32 type; type -1 is a node whose record is elsewhere |
//! | `node_P_I.index`, `neighbors_P_I.index` | u64 first entry of the features index, first edge; one more at the end |
//! | `edge_P_I.index` | u64 destination, u64 first entry of the features index, i32 type, f32 weight; one more at the end |
//! | `edge_P_I.timestamp` | i64 watermark, then i64 created, i64 removed of each edge |
//! | `node_T_P.alias` | the weights of nodes, for sampling |
//! | `{node,edge}_features_P_I.index`, `.data` | u64 first byte of each value, one more at the end; the bytes |
//!
//! `P` is a partition, `I` an iteration. Files are read once, from beginning to end, side by side. Whatever does not fit
//! together makes the folder unusable; a value that is not of its declared type refuses its node or edge.
//!
//! The format keeps neither types of values, nor lives of nodes, nor ends of values: [`FeatureTypes`] tells the types,
//! nodes live from 0 (or from the first edge of the folder, if that is earlier) for ever, and a value holds until the next
//! one. Weights of nodes are computed from the tables for sampling, to six digits; without these, nodes have none.

mod feature_types;
mod stream;
mod values;
mod weights;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use rustc_hash::FxHashMap;
use serde::Deserialize;
use timeweft_graph::{EdgeSpan, Interval, Name, NodeSpan, Reason, Record, Sink, Time};

use self::stream::{Stream, broken};
use self::values::Values;
pub use feature_types::{FeatureType, FeatureTypes};

use crate::interval_format::draft::{Draft, GivenTimes};
use crate::{IntervalFormat, SourceError};

/// Reads a folder into a sink. What it pushes has no lines.
pub fn read(folder: &Path, types: &FeatureTypes, sink: &mut dyn Sink) -> Result<(), SourceError> {
    let meta = Meta::read(folder)?;
    let parts = parts(folder, &meta)?;
    let name: Name = folder.to_string_lossy().into();
    sink.file(&name);
    let mut born = Time(0);
    if meta.is_temporal() {
        for part in &parts {
            born = born.min(part.first_edge()?);
        }
    }
    let mut weights = (None, FxHashMap::default());
    for part in &parts {
        if weights.0 != Some(part.partition) {
            let totals = meta.partitions.get(&part.partition).map_or(&[][..], |partition| &partition.node_weight);
            weights = (Some(part.partition), weights::read(folder, part.partition, totals)?);
        }
        part.read(types, &weights.1, born, sink)?;
    }
    Ok(())
}

/// The format, where a folder has a description of such a graph in any version.
pub(crate) fn describes(folder: &Path) -> Option<IntervalFormat> {
    let text = crate::read_text(&folder.join("meta.json")).ok()?;
    let meta: serde_json::Value = serde_json::from_str(&text).ok()?;
    meta.get("binary_data_version").map(|_| IntervalFormat::DeepgnnBinary)
}

#[derive(Deserialize)]
struct Meta {
    binary_data_version: String,
    partitions: BTreeMap<u32, Partition>,
    #[serde(default = "no_watermark")]
    watermark: i64,
}

#[derive(Deserialize)]
struct Partition {
    /// Sums of the weights of nodes, by type.
    #[serde(default)]
    node_weight: Vec<f64>,
}

fn no_watermark() -> i64 {
    -1
}

impl Meta {
    fn read(folder: &Path) -> Result<Meta, SourceError> {
        let path = folder.join("meta.json");
        let text = crate::read_text(&path)?;
        let meta: Meta = serde_json::from_str(&text).map_err(|error| {
            let problem = format!("expected a description of a DeepGNN graph: {}", crate::text::json::message(&error));
            SourceError::Document { file: path.to_string_lossy().into(), line: error.line() as u64, problem }
        })?;
        if meta.binary_data_version != "v2" {
            let problem = format!("version `{}` is not `v2`: convert the graph again", meta.binary_data_version);
            return Err(broken(&path, problem));
        }
        Ok(meta)
    }

    fn is_temporal(&self) -> bool {
        self.watermark != -1
    }
}

/// The parts of a graph, by partition and iteration: those of the partitions that the description names, which must be
/// there, and no others.
fn parts(folder: &Path, meta: &Meta) -> Result<Vec<Part>, SourceError> {
    let mut found = BTreeSet::new();
    for path in crate::input::files(folder)? {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let numbers = name.strip_prefix("node_").and_then(|rest| rest.strip_suffix(".map"));
        let numbers = numbers.and_then(|numbers| numbers.split_once('_'));
        if let Some((Ok(partition), Ok(iteration))) = numbers.map(|(a, b)| (a.parse::<u32>(), b.parse::<u32>())) {
            // What an older conversion left there is not of this graph.
            if meta.partitions.contains_key(&partition) {
                found.insert((partition, iteration));
            }
        }
    }
    if let Some(missing) = meta.partitions.keys().find(|id| !found.iter().any(|(partition, _)| partition == *id)) {
        let problem = format!("there is no `node_{missing}_0.map`: put all partitions into one folder");
        return Err(broken(folder, problem));
    }
    let part = |(partition, iteration)| Part {
        folder: folder.to_owned(),
        partition,
        suffix: format!("{partition}_{iteration}"),
        is_temporal: meta.is_temporal(),
    };
    Ok(found.into_iter().map(part).collect())
}

/// The files of one partition and iteration.
struct Part {
    folder: PathBuf,
    partition: u32,
    suffix: String,
    is_temporal: bool,
}

impl Part {
    fn open(&self, before: &str, after: &str) -> Result<Stream, SourceError> {
        Stream::open(self.folder.join(format!("{before}_{}.{after}", self.suffix)))
    }

    fn times(&self) -> Result<Stream, SourceError> {
        let mut times = self.open("edge", "timestamp").map_err(|error| match error {
            SourceError::Open { path, cause } if cause.kind() == std::io::ErrorKind::NotFound => broken(
                &path,
                "the graph has times, but not this file: the original's downloader leaves it out, so copy it by hand"
                    .into(),
            ),
            other => other,
        })?;
        times.i64()?;
        Ok(times)
    }

    /// When the first edge begins.
    fn first_edge(&self) -> Result<Time, SourceError> {
        let mut times = self.times()?;
        let mut first = i64::MAX;
        while times.left() > 0 {
            first = first.min(times.i64()?);
            times.i64()?;
        }
        Ok(Time(first))
    }

    fn read(
        &self,
        types: &FeatureTypes,
        weights: &FxHashMap<(u32, u64), f32>,
        born: Time,
        sink: &mut dyn Sink,
    ) -> Result<(), SourceError> {
        let mut map = self.open("node", "map")?;
        let mut nodes = Entries::new(self.open("node", "index")?)?;
        let mut neighbors = Entries::new(self.open("neighbors", "index")?)?;
        let mut of_nodes = Values::new(self.open("node_features", "index")?, self.open("node_features", "data")?)?;
        let mut edges = Edges {
            index: self.open("edge", "index")?,
            times: self.is_temporal.then(|| self.times()).transpose()?,
            values: Values::new(self.open("edge_features", "index")?, self.open("edge_features", "data")?)?,
            next: None,
            draft: Draft::default(),
        };
        let mut draft = Draft::default();
        let life = Interval::open(born);
        let mut count = 0;
        while map.left() > 0 {
            if sink.is_closed() {
                return Ok(());
            }
            let (id, position, node_type) = (map.u64()?, map.u64()?, map.i32()?);
            if position != count {
                return Err(map.broken(format!("node {id} is said to be at position {position}, and is at {count}")));
            }
            count += 1;
            draft.clear();
            let read = of_nodes.read(nodes.next()?, &types.nodes, &mut draft)?;
            match u32::try_from(node_type) {
                Ok(node_type) => {
                    let settled = read.and_then(|()| draft.settle(0..draft.mark(), life));
                    match settled {
                        Ok(values) => {
                            let weight = weights.get(&(node_type, id)).copied();
                            sink.record(Record::NodeSpan(NodeSpan { id, node_type, weight, life }, values), 0);
                        }
                        Err(reason) => sink.reject(0, Reason::Malformed(format!("node {id}: {reason}"))),
                    }
                }
                // Its edges are here and its record is in another partition.
                Err(_) if node_type == -1 => {}
                Err(_) => sink.reject(0, Reason::Malformed(format!("node {id}: its type is {node_type}"))),
            }
            for _ in neighbors.next()? {
                edges.read(id, life, types, sink)?;
            }
        }
        nodes.finish()?;
        neighbors.finish()?;
        of_nodes.finish()?;
        edges.finish()
    }
}

/// Where the entries of each record begin.
struct Entries {
    index: Stream,
    first: u64,
}

impl Entries {
    fn new(mut index: Stream) -> Result<Entries, SourceError> {
        let first = index.u64()?;
        Ok(Entries { index, first })
    }

    /// The entries of the next record.
    fn next(&mut self) -> Result<std::ops::Range<u64>, SourceError> {
        let end = self.index.u64()?;
        if end < self.first {
            return Err(self.index.broken(format!("entry {end} follows entry {}: it must not go back", self.first)));
        }
        let entries = self.first..end;
        self.first = end;
        Ok(entries)
    }

    fn finish(self) -> Result<(), SourceError> {
        self.index.finish()
    }
}

/// The edges of a part, one after the other.
struct Edges {
    index: Stream,
    times: Option<Stream>,
    values: Values,
    /// The record after the one read last: its place in the features index ends that of the one before.
    next: Option<EdgeRecord>,
    draft: Draft,
}

#[derive(Clone, Copy)]
struct EdgeRecord {
    destination: u64,
    first_value: u64,
    edge_type: i32,
    weight: f32,
}

impl Edges {
    fn record(&mut self) -> Result<EdgeRecord, SourceError> {
        let index = &mut self.index;
        let (destination, first_value) = (index.u64()?, index.u64()?);
        Ok(EdgeRecord { destination, first_value, edge_type: index.i32()?, weight: index.f32()? })
    }

    fn read(
        &mut self,
        source: u64,
        owner: Interval,
        types: &FeatureTypes,
        sink: &mut dyn Sink,
    ) -> Result<(), SourceError> {
        let edge = match self.next {
            Some(next) => next,
            None => self.record()?,
        };
        let next = self.record()?;
        self.next = Some(next);
        let mut times = GivenTimes::default();
        if let Some(stream) = &mut self.times {
            times = GivenTimes { created: Some(stream.i64()?), removed: Some(stream.i64()?) };
        }
        self.draft.clear();
        let EdgeRecord { destination, edge_type, weight, .. } = edge;
        let read = self.values.read(edge.first_value..next.first_value, &types.edges, &mut self.draft)?;
        let draft = &mut self.draft;
        let pushed = read.and_then(|()| {
            let edge_type =
                u32::try_from(edge_type).map_err(|_| Reason::Malformed("types are whole numbers from 0 on".into()))?;
            let life = times.within(owner)?;
            let values = draft.settle(0..draft.mark(), life)?;
            let (position, starts_by_default) = (0, times.created.is_none());
            let edge = EdgeSpan { source, destination, edge_type, weight, life, starts_by_default, position };
            sink.record(Record::EdgeSpan(edge, values), 0);
            Ok(())
        });
        if let Err(reason) = pushed {
            let text = format!("edge {source} -{edge_type}-> {destination}: {reason}");
            sink.reject(0, Reason::Malformed(text));
        }
        Ok(())
    }

    fn finish(mut self) -> Result<(), SourceError> {
        if self.next.is_none() {
            self.record()?;
        }
        self.index.finish()?;
        self.times.map_or(Ok(()), Stream::finish)?;
        self.values.finish()
    }
}
