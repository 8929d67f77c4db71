//! What of an index goes into which part of a snapshot.

use std::borrow::Cow;
use std::io::{self, Write};
use std::sync::OnceLock;

use bytemuck::Pod;
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};
use timeweft_graph::{FeatureId, Schema, Time};

use super::read::{Reader, SnapshotError, damaged};
use super::write::Writer;
use crate::Index;
use crate::adjacency::csr::{Arrays, Flat};
use crate::adjacency::{Adjacency, Clock, Tick};
use crate::elements::edge::{EdgeLife, Edges};
use crate::elements::events::Log;
use crate::elements::ids::{Ids, OfType};
use crate::elements::names::Names;
use crate::elements::node::Nodes;
use crate::feature_store::{Columns, Spans};
use crate::memory::array::Array;
use crate::memory::hash_table::Slots;

/// What is not an array.
#[derive(Serialize, Deserialize)]
struct Facts {
    schema: Schema,
    /// For each node type how many ids are whole numbers, and whether some of those are in the table.
    ids: Vec<(usize, bool)>,
    ids_taken: usize,
    edges_ordered: usize,
    /// Kept, so that opening need not look for it among all edges.
    edges_last_run: usize,
    edges_taken: usize,
    /// First time and unit of 32-bit times in the lists; none if they have 64 bits.
    clock: Option<(i64, i64)>,
    /// Which features lives are given, by number.
    shapes: Vec<Box<[FeatureId]>>,
}

pub(super) fn save<W: Write>(index: &Index, out: &mut Writer<W>) -> io::Result<()> {
    let made;
    let adjacency = match index.adjacency.get() {
        Some(adjacency) if adjacency.is_all_flat() => adjacency,
        _ => {
            made = Adjacency::of(&index.edges, index.n_nodes());
            &made
        }
    };
    let clock = match &*adjacency.flat {
        Flat::Narrow(arrays) => Some((arrays.clock.first, arrays.clock.unit)),
        Flat::Wide(_) => None,
    };
    let (nodes, edges) = (&index.nodes, &index.edges);
    let facts = Facts {
        schema: index.schema.clone(),
        ids: nodes.ids.types.iter().map(|of_type| (of_type.numbers, of_type.hashed)).collect(),
        ids_taken: nodes.ids.table.taken,
        edges_ordered: edges.ordered,
        edges_last_run: edges.last_run,
        edges_taken: edges.table.taken,
        clock,
        shapes: index.columns.shapes.all.clone(),
    };
    out.slice("facts", &serde_json::to_vec(&facts)?)?;
    save_nodes(nodes, out)?;
    save_edges(edges, out)?;
    out.array("merges", &index.merges.all)?;
    save_columns(&index.columns, out)?;
    save_log(&index.log, out)?;
    save_names("keys", &index.keys, out)?;
    save_names("namespaces", &index.namespaces, out)?;
    match &*adjacency.flat {
        Flat::Narrow(arrays) => save_lists(arrays, out),
        Flat::Wide(arrays) => save_lists(arrays, out),
    }
}

pub(super) fn load(parts: &Reader) -> Result<Index, SnapshotError> {
    let facts: Facts =
        serde_json::from_slice(parts.array::<u8>("facts")?.all()).map_err(|error| damaged(error.to_string()))?;
    let mut index = Index::new(facts.schema.clone());
    index.nodes = load_nodes(&facts, parts)?;
    index.edges = load_edges(&facts, parts)?;
    index.merges.all = parts.array("merges")?;
    index.columns = load_columns(&facts, parts)?;
    index.log = load_log(parts)?;
    index.keys = load_names("keys", parts)?;
    index.namespaces = load_names("namespaces", parts)?;
    let flat = match facts.clock {
        Some((first, unit)) => Flat::Narrow(load_lists(Clock { first, unit }, parts)?),
        None => Flat::Wide(load_lists(Clock::default(), parts)?),
    };
    index.adjacency = OnceLock::from(Adjacency::from_flat(flat));
    Ok(index)
}

/// Something that is done with every array of an index.
trait ToEach {
    fn array<T: Pod>(&mut self, array: &Array<T>);
}

/// Does something with every array that a snapshot has.
fn each(index: &Index, to: &mut impl ToEach) {
    let Index { nodes, edges, merges, columns, log, .. } = index;
    to.array(&nodes.life);
    to.array(&nodes.latest);
    to.array(&nodes.merge);
    to.array(&nodes.lives);
    to.array(&nodes.owners);
    to.array(&nodes.ids.ids);
    to.array(&nodes.ids.texts);
    to.array(&nodes.ids.table.slots);
    nodes.ids.types.iter().for_each(|of_type| to.array(&of_type.direct));
    to.array(&edges.lives);
    to.array(&edges.table.slots);
    to.array(&merges.all);
    to.array(&columns.tracks);
    to.array(&columns.values.bytes);
    to.array(&log.kinds);
    to.array(&log.subjects);
    to.array(&log.payloads);
    to.array(&log.sets);
    match index.adjacency.get().map(|adjacency| &*adjacency.flat) {
        Some(Flat::Narrow(arrays)) => each_of_lists(arrays, to),
        Some(Flat::Wide(arrays)) => each_of_lists(arrays, to),
        None => {}
    }
}

fn each_of_lists<T: Tick>(lists: &Arrays<T>, to: &mut impl ToEach) {
    to.array(&lists.starts);
    to.array(&lists.lists);
    to.array(&lists.entries);
    to.array(&lists.long);
    to.array(&lists.removals);
    to.array(&lists.latest);
}

/// Compares all that is left to compare, and gives back the memory that this takes, array after array.
pub(super) fn check(index: &Index) {
    struct Check;
    impl ToEach for Check {
        fn array<T: Pod>(&mut self, array: &Array<T>) {
            if !array.is_checked() {
                array.check_all();
                array.release();
            }
        }
    }
    each(index, &mut Check);
}

/// Whether all was compared.
pub(super) fn is_checked(index: &Index) -> bool {
    struct AreChecked(bool);
    impl ToEach for AreChecked {
        fn array<T: Pod>(&mut self, array: &Array<T>) {
            self.0 &= array.is_checked();
        }
    }
    let mut all = AreChecked(true);
    each(index, &mut all);
    all.0
}

/// Gives memory back that the system can read from the file again.
pub(super) fn release(index: &Index) {
    struct Release;
    impl ToEach for Release {
        fn array<T: Pod>(&mut self, array: &Array<T>) {
            array.release();
        }
    }
    each(index, &mut Release);
}

fn save_nodes<W: Write>(nodes: &Nodes, out: &mut Writer<W>) -> io::Result<()> {
    out.array("nodes.life", &nodes.life)?;
    out.array("nodes.latest", &nodes.latest)?;
    out.array("nodes.merge", &nodes.merge)?;
    out.array("nodes.lives", &nodes.lives)?;
    out.array("nodes.owners", &nodes.owners)?;
    out.array("ids", &nodes.ids.ids)?;
    out.array("ids.texts", &nodes.ids.texts)?;
    out.array("ids.table", &nodes.ids.table.slots)?;
    for (at, of_type) in nodes.ids.types.iter().enumerate() {
        out.array(&format!("ids.direct.{at}"), &of_type.direct)?;
    }
    Ok(())
}

fn load_nodes(facts: &Facts, parts: &Reader) -> Result<Nodes, SnapshotError> {
    let of_type = |(at, &(numbers, hashed)): (usize, &(usize, bool))| {
        Ok(OfType { direct: parts.array(&format!("ids.direct.{at}"))?, numbers, hashed })
    };
    let ids = Ids {
        ids: parts.array("ids")?,
        texts: parts.array("ids.texts")?,
        types: facts.ids.iter().enumerate().map(of_type).collect::<Result<_, SnapshotError>>()?,
        table: Slots { slots: parts.array("ids.table")?, taken: facts.ids_taken },
    };
    Ok(Nodes {
        life: parts.array("nodes.life")?.read_everywhere(),
        latest: parts.array("nodes.latest")?,
        merge: parts.array("nodes.merge")?,
        lives: parts.array("nodes.lives")?.read_everywhere(),
        owners: parts.array("nodes.owners")?,
        ids,
    })
}

fn save_edges<W: Write>(edges: &Edges, out: &mut Writer<W>) -> io::Result<()> {
    out.array("edges", &edges.lives)?;
    out.array("edges.table", &edges.table.slots)?;
    let mut updated: Vec<(u32, Time)> = edges.updated.iter().map(|(&edge, &time)| (edge, time)).collect();
    updated.sort_unstable();
    out.slice("edges.updated", &updated.iter().map(|(edge, _)| *edge).collect::<Vec<_>>())?;
    out.slice("edges.updated.times", &updated.iter().map(|(_, time)| *time).collect::<Vec<_>>())
}

fn load_edges(facts: &Facts, parts: &Reader) -> Result<Edges, SnapshotError> {
    let (edges, times) = (parts.array("edges.updated")?, parts.array("edges.updated.times")?);
    let lives: Array<EdgeLife> = parts.array("edges")?.read_everywhere();
    if facts.edges_ordered > lives.len() || facts.edges_last_run > facts.edges_ordered {
        return Err(damaged("there are fewer edges than in order"));
    }
    Ok(Edges {
        last_run: facts.edges_last_run,
        ordered: facts.edges_ordered,
        lives,
        table: Slots { slots: parts.array("edges.table")?, taken: facts.edges_taken },
        updated: edges.iter().copied().zip(times.iter().copied()).collect(),
    })
}

fn save_columns<W: Write>(columns: &Columns, out: &mut Writer<W>) -> io::Result<()> {
    out.array("tracks", &columns.tracks)?;
    save_groups("tracks.changed", &columns.changed, Spans::to_flat, out)?;
    out.array("values", &columns.values.bytes)
}

fn load_columns(facts: &Facts, parts: &Reader) -> Result<Columns, SnapshotError> {
    let mut columns = Columns {
        tracks: parts.array("tracks")?.read_everywhere(),
        changed: load_groups("tracks.changed", parts, |spans| Spans::new(spans.to_vec()))?,
        ..Columns::default()
    };
    columns.values.bytes = parts.array("values")?.read_everywhere();
    facts.shapes.iter().for_each(|shape| _ = columns.shapes.add(shape.clone()));
    Ok(columns)
}

fn save_log<W: Write>(log: &Log, out: &mut Writer<W>) -> io::Result<()> {
    out.array("log.kinds", &log.kinds)?;
    out.array("log.subjects", &log.subjects)?;
    out.array("log.payloads", &log.payloads)?;
    out.array("log.sets", &log.sets)?;
    save_groups("log.ended", &log.ended, |edges| edges[..].into(), out)
}

fn load_log(parts: &Reader) -> Result<Log, SnapshotError> {
    Ok(Log {
        kinds: parts.array("log.kinds")?,
        subjects: parts.array("log.subjects")?,
        payloads: parts.array("log.payloads")?,
        sets: parts.array("log.sets")?,
        ended: load_groups("log.ended", parts, |edges| edges.into())?,
    })
}

/// Some values for each of some numbers: the numbers, where the values of each end, and the values.
fn save_groups<W: Write, G, T: Pod>(
    name: &str,
    groups: &FxHashMap<u32, G>,
    values: impl Fn(&G) -> Cow<'_, [T]>,
    out: &mut Writer<W>,
) -> io::Result<()> {
    let mut numbers: Vec<u32> = groups.keys().copied().collect();
    numbers.sort_unstable();
    let (mut ends, mut all) = (Vec::with_capacity(numbers.len()), Vec::new());
    for number in &numbers {
        all.extend_from_slice(&values(&groups[number]));
        ends.push(all.len() as u64);
    }
    out.slice(name, &numbers)?;
    out.slice(&format!("{name}.ends"), &ends)?;
    out.slice(&format!("{name}.values"), &all)
}

fn load_groups<G, T: Pod>(
    name: &str,
    parts: &Reader,
    group: impl Fn(&[T]) -> G,
) -> Result<FxHashMap<u32, G>, SnapshotError> {
    let numbers: Array<u32> = parts.array(name)?;
    let ends: Array<u64> = parts.array(&format!("{name}.ends"))?;
    let values: Array<T> = parts.array(&format!("{name}.values"))?;
    let (values, mut start) = (values.all(), 0);
    let mut groups = FxHashMap::default();
    for (&number, &end) in numbers.iter().zip(ends.iter()) {
        let own = values.get(start..end as usize).ok_or_else(|| damaged(format!("part `{name}.ends` is damaged")))?;
        groups.insert(number, group(own));
        start = end as usize;
    }
    Ok(groups)
}

fn save_names<W: Write>(part: &str, names: &Names, out: &mut Writer<W>) -> io::Result<()> {
    let mut ends = Vec::with_capacity(names.all().len());
    let mut texts = String::new();
    for name in names.all() {
        texts.push_str(name);
        ends.push(texts.len() as u64);
    }
    out.slice(part, texts.as_bytes())?;
    out.slice(&format!("{part}.ends"), &ends)
}

fn load_names(part: &str, parts: &Reader) -> Result<Names, SnapshotError> {
    let wrong = || damaged(format!("part `{part}` is damaged"));
    let texts = parts.array(part)?;
    let texts = std::str::from_utf8(texts.all()).map_err(|_| wrong())?;
    let ends: Array<u64> = parts.array(&format!("{part}.ends"))?;
    let (mut names, mut start) = (Names::default(), 0);
    for &end in &ends {
        names.add_str(texts.get(start..end as usize).ok_or_else(wrong)?);
        start = end as usize;
    }
    Ok(names)
}

fn save_lists<W: Write, T: Tick>(lists: &Arrays<T>, out: &mut Writer<W>) -> io::Result<()> {
    out.array("lists.starts", &lists.starts)?;
    out.array("lists", &lists.lists)?;
    out.array("lists.entries", &lists.entries)?;
    out.array("lists.long", &lists.long)?;
    out.array("lists.removals", &lists.removals)?;
    out.array("lists.latest", &lists.latest)
}

fn load_lists<T: Tick>(clock: Clock, parts: &Reader) -> Result<Arrays<T>, SnapshotError> {
    Ok(Arrays {
        clock,
        starts: parts.array("lists.starts")?.read_everywhere(),
        lists: parts.array("lists")?.read_everywhere(),
        entries: parts.array("lists.entries")?.read_everywhere(),
        long: parts.array("lists.long")?,
        removals: parts.array("lists.removals")?,
        latest: parts.array("lists.latest")?,
    })
}
