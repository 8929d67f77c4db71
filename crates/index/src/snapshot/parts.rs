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
use crate::adjacency::csr::{Csr, CsrArrays, of_width};
use crate::adjacency::{Adjacency, Clock, Tick};
use crate::elements::edge::{EdgeLife, Edges};
use crate::elements::events::Events;
use crate::elements::ids::{Ids, OfType};
use crate::elements::names::Names;
use crate::elements::node::Nodes;
use crate::feature_store::{FeatureStore, Spans};
use crate::memory::array::Array;
use crate::memory::hash_table::NumberTable;

/// What is not an array.
#[derive(Serialize, Deserialize)]
struct Header {
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
    #[serde(rename = "shapes")]
    layouts: Vec<Box<[FeatureId]>>,
}

pub(super) fn save<W: Write>(index: &Index, out: &mut Writer<W>) -> io::Result<()> {
    let made;
    let adjacency = match index.adjacency.get() {
        Some(adjacency) if adjacency.is_all_csr() => adjacency,
        _ => {
            made = Adjacency::of(&index.edges, index.n_nodes());
            &made
        }
    };
    let clock = match &*adjacency.csr {
        Csr::Narrow(arrays) => Some((arrays.clock.first, arrays.clock.unit)),
        Csr::Wide(_) => None,
    };
    let (nodes, edges) = (&index.nodes, &index.edges);
    let header = Header {
        schema: index.schema.clone(),
        ids: nodes.ids.types.iter().map(|of_type| (of_type.numbers, of_type.hashed)).collect(),
        ids_taken: nodes.ids.table.taken,
        edges_ordered: edges.ordered,
        edges_last_run: edges.last_run,
        edges_taken: edges.table.taken,
        clock,
        layouts: index.feature_store.layouts.all.clone(),
    };
    out.slice("facts", &serde_json::to_vec(&header)?)?;
    save_updates(edges, out)?;
    save_groups("tracks.changed", &index.feature_store.changed, Spans::to_flat, out)?;
    save_groups("log.ended", &index.events.ended, |edges| edges[..].into(), out)?;
    save_names("keys", &index.keys, out)?;
    save_names("namespaces", &index.namespaces, out)?;
    struct Save<'w, W>(&'w mut Writer<W>, io::Result<()>);
    impl<W: Write> ToEach for Save<'_, W> {
        fn array<T: Pod>(&mut self, name: &str, array: &Array<T>) {
            if self.1.is_ok() {
                self.1 = self.0.array(name, array);
            }
        }
    }
    let mut save = Save(out, Ok(()));
    each(index, Some(adjacency), &mut save);
    save.1
}

pub(super) fn load(parts: &Reader) -> Result<Index, SnapshotError> {
    let header: Header =
        serde_json::from_slice(parts.array::<u8>("facts")?.all()).map_err(|error| damaged(error.to_string()))?;
    let mut index = Index::new(header.schema.clone());
    index.nodes = load_nodes(&header, parts)?;
    index.edges = load_edges(&header, parts)?;
    index.merges.all = parts.array("merges")?;
    index.feature_store = load_feature_store(&header, parts)?;
    index.events = load_events(parts)?;
    index.keys = load_names("keys", parts)?;
    index.namespaces = load_names("namespaces", parts)?;
    let csr = match header.clock {
        Some((first, unit)) => Csr::Narrow(load_lists(Clock { first, unit }, parts)?),
        None => Csr::Wide(load_lists(Clock::default(), parts)?),
    };
    index.adjacency = OnceLock::from(Adjacency::from_csr(csr));
    Ok(index)
}

/// Something that is done with every array of an index.
trait ToEach {
    fn array<T: Pod>(&mut self, name: &str, array: &Array<T>);
}

/// Does something with every array that a snapshot has, those of the lists included if they are there.
fn each(index: &Index, adjacency: Option<&Adjacency>, to: &mut impl ToEach) {
    let Index { nodes, edges, merges, feature_store, events, .. } = index;
    to.array("nodes.life", &nodes.life);
    to.array("nodes.latest", &nodes.latest);
    to.array("nodes.merge", &nodes.merge);
    to.array("nodes.lives", &nodes.lives);
    to.array("nodes.owners", &nodes.owners);
    to.array("ids", &nodes.ids.ids);
    to.array("ids.texts", &nodes.ids.texts);
    to.array("ids.table", &nodes.ids.table.slots);
    for (at, of_type) in nodes.ids.types.iter().enumerate() {
        to.array(&format!("ids.direct.{at}"), &of_type.direct);
    }
    to.array("edges", &edges.lives);
    to.array("edges.table", &edges.table.slots);
    to.array("merges", &merges.all);
    to.array("tracks", &feature_store.rows);
    to.array("values", &feature_store.values.bytes);
    to.array("log.kinds", &events.kinds);
    to.array("log.subjects", &events.subjects);
    to.array("log.payloads", &events.payloads);
    to.array("log.sets", &events.sets);
    let Some(adjacency) = adjacency else { return };
    of_width!(&*adjacency.csr, lists => {
        to.array("lists.starts", &lists.starts);
        to.array("lists", &lists.lists);
        to.array("lists.entries", &lists.entries);
        to.array("lists.long", &lists.long);
        to.array("lists.removals", &lists.removals);
        to.array("lists.latest", &lists.latest);
    });
}

/// Compares all that is left to compare, and gives back the memory that this takes, array after array.
pub(super) fn check(index: &Index) {
    struct Check;
    impl ToEach for Check {
        fn array<T: Pod>(&mut self, _: &str, array: &Array<T>) {
            if !array.is_checked() {
                array.check_all();
                array.release();
            }
        }
    }
    each(index, index.adjacency.get(), &mut Check);
}

/// Whether all was compared.
pub(super) fn is_checked(index: &Index) -> bool {
    struct AreChecked(bool);
    impl ToEach for AreChecked {
        fn array<T: Pod>(&mut self, _: &str, array: &Array<T>) {
            self.0 &= array.is_checked();
        }
    }
    let mut all = AreChecked(true);
    each(index, index.adjacency.get(), &mut all);
    all.0
}

/// Gives memory back that the system can read from the file again.
pub(super) fn release(index: &Index) {
    struct Release;
    impl ToEach for Release {
        fn array<T: Pod>(&mut self, _: &str, array: &Array<T>) {
            array.release();
        }
    }
    each(index, index.adjacency.get(), &mut Release);
}

fn load_nodes(header: &Header, parts: &Reader) -> Result<Nodes, SnapshotError> {
    let of_type = |(at, &(numbers, hashed)): (usize, &(usize, bool))| {
        Ok(OfType { direct: parts.array(&format!("ids.direct.{at}"))?, numbers, hashed })
    };
    let ids = Ids {
        ids: parts.array("ids")?,
        texts: parts.array("ids.texts")?,
        types: header.ids.iter().enumerate().map(of_type).collect::<Result<_, SnapshotError>>()?,
        table: NumberTable { slots: parts.array("ids.table")?, taken: header.ids_taken },
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

fn save_updates<W: Write>(edges: &Edges, out: &mut Writer<W>) -> io::Result<()> {
    let mut updated: Vec<(u32, Time)> = edges.updated.iter().map(|(&edge, &time)| (edge, time)).collect();
    updated.sort_unstable();
    out.slice("edges.updated", &updated.iter().map(|(edge, _)| *edge).collect::<Vec<_>>())?;
    out.slice("edges.updated.times", &updated.iter().map(|(_, time)| *time).collect::<Vec<_>>())
}

fn load_edges(header: &Header, parts: &Reader) -> Result<Edges, SnapshotError> {
    let (edges, times) = (parts.array("edges.updated")?, parts.array("edges.updated.times")?);
    let lives: Array<EdgeLife> = parts.array("edges")?.read_everywhere();
    if header.edges_ordered > lives.len() || header.edges_last_run > header.edges_ordered {
        return Err(damaged("there are fewer edges than in order"));
    }
    Ok(Edges {
        last_run: header.edges_last_run,
        ordered: header.edges_ordered,
        lives,
        table: NumberTable { slots: parts.array("edges.table")?, taken: header.edges_taken },
        updated: edges.iter().copied().zip(times.iter().copied()).collect(),
    })
}

fn load_feature_store(header: &Header, parts: &Reader) -> Result<FeatureStore, SnapshotError> {
    let mut feature_store = FeatureStore {
        rows: parts.array("tracks")?.read_everywhere(),
        changed: load_groups("tracks.changed", parts, |spans| Spans::new(spans.to_vec()))?,
        ..FeatureStore::default()
    };
    feature_store.values.bytes = parts.array("values")?.read_everywhere();
    header.layouts.iter().for_each(|layout| _ = feature_store.layouts.add(layout.clone()));
    Ok(feature_store)
}

fn load_events(parts: &Reader) -> Result<Events, SnapshotError> {
    Ok(Events {
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

fn load_lists<T: Tick>(clock: Clock, parts: &Reader) -> Result<CsrArrays<T>, SnapshotError> {
    Ok(CsrArrays {
        clock,
        starts: parts.array("lists.starts")?.read_everywhere(),
        lists: parts.array("lists")?.read_everywhere(),
        entries: parts.array("lists.entries")?.read_everywhere(),
        long: parts.array("lists.long")?,
        removals: parts.array("lists.removals")?,
        latest: parts.array("lists.latest")?,
    })
}
