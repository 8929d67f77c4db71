//! Checkpoints: weights, optimiser, memory and log position as one atomic unit.
//!
//! Layout (little endian): magic `TWMODEL\0`, version u32, header length u64, header (JSON), then the sections that the
//! header lists by length (chosen weights, latest weights, optimiser, vector store, vector stores of before), then crc32c u32 of everything before.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use timeweft_graph::Schema;
use timeweft_index::{Index, create_fresh};

use crate::data::shared_history::n_whole;
use crate::train::{memory_limit, weights};
use crate::{
    Config, Epoch, GraphContext, Htgn, Latest, LearnError, LearnProgress, PastMemory, TrainStatistics, Trained,
    VectorStore,
};

const MAGIC: &[u8; 8] = b"TWMODEL\0";
const VERSION: u32 = 8;
/// Bytes before the header.
const PREFIX: usize = 8 + 4 + 8;

/// What a checkpoint says of itself.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
struct Header {
    config: Config,
    #[serde(rename = "fitted")]
    statistics: TrainStatistics,
    epochs: Vec<Epoch>,
    best: usize,
    /// Loads that the graph was made of, and a checksum of what they are: a rollback takes one of them away.
    loads: usize,
    lineage: u32,
    /// Facts that the memory has taken in: the position in the log.
    absorbed: usize,
    /// Checksum of these facts in their order: a later load may have put earlier facts among them.
    order: u32,
    /// Bytes of the sections.
    sections: [usize; 4],
    /// Steps that the optimiser has taken.
    steps: usize,
    /// Memory as it was: the sections behind the others.
    #[serde(default)]
    past: Vec<PastHeader>,
    /// How far these are from each other.
    #[serde(default)]
    past_distance: usize,
}

/// A state of memory of before.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
struct PastHeader {
    /// Facts that it has taken in, and the checksum of these in their order.
    absorbed: usize,
    order: u32,
    /// Bytes of its section.
    size: usize,
}

impl Trained {
    /// Writes the checkpoint: whole under its name, or not at all. `loads` says what the graph was made of: one number a load,
    /// in the order of the log, which is another one for another content. Gives the checksum of the weights: see
    /// [`Checkpoint::weights`].
    ///
    /// # Errors
    /// [`LearnError::Unsaved`] if the file cannot be written: then what was there before is there still. [`LearnError::Unsynced`] if it was written, but
    /// may not outlast a power cut.
    pub fn save(&self, path: &Path, loads: &[u64]) -> Result<u32, LearnError> {
        let (bytes, weights) = self.to_bytes(loads).map_err(|reason| refused(path, reason))?;
        // Another process may train a model of this name at the same time.
        let partial = path.with_extension(format!("{}.partial", std::process::id()));
        let write = || {
            let mut file = create_fresh(&partial)?;
            file.write_all(&bytes)?;
            file.sync_all()?;
            fs::rename(&partial, path)
        };
        // A process that opens the graph for writing removes what looks like left by a killed one.
        let is_removed = |error: &io::Error| error.kind() == io::ErrorKind::NotFound;
        let written = write().or_else(|error| if is_removed(&error) { write() } else { Err(error) });
        written.map_err(|source| {
            let _ = fs::remove_file(&partial);
            LearnError::Unsaved { path: path.into(), source }
        })?;
        // The name is durable only once its folder is.
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let synced = File::open(folder).and_then(|folder| folder.sync_all());
        synced.map(|()| weights).map_err(|source| LearnError::Unsynced { path: path.into(), source })
    }

    /// The file, and the checksum of the weights in it.
    fn to_bytes(&self, loads: &[u64]) -> Result<(Vec<u8>, u32), String> {
        let weights = weights::to_bytes(&self.model)?;
        let latest = weights::to_bytes(&self.latest.model)?;
        let optimizer = weights::optimizer_to_bytes(&self.latest.optimizer, &self.latest.model)?;
        let store = self.store.to_bytes();
        let past: Vec<Vec<u8>> = self.past.kept().iter().map(VectorStore::to_bytes).collect();
        let absorbed: Vec<usize> = self.past.kept().iter().map(VectorStore::absorbed).collect();
        let mut orders = orders(&self.graph, absorbed.iter().copied().chain([self.store.absorbed()]));
        let order = orders.pop().unwrap_or_default();
        let kept = absorbed.into_iter().zip(&orders).zip(&past);
        let header = Header {
            config: self.config.clone(),
            statistics: self.graph.statistics.clone(),
            epochs: self.epochs.clone(),
            best: self.best,
            loads: loads.len(),
            lineage: lineage(loads),
            absorbed: self.store.absorbed(),
            order,
            sections: [weights.len(), latest.len(), optimizer.len(), store.len()],
            steps: self.latest.optimizer.steps,
            past: kept.map(|((absorbed, &order), past)| PastHeader { absorbed, order, size: past.len() }).collect(),
            past_distance: self.past.distance(),
        };
        let header = serde_json::to_vec(&header).map_err(|error| error.to_string())?;
        let sections = [&header, &weights, &latest, &optimizer, &store].into_iter().chain(&past);
        let mut bytes = Vec::with_capacity(PREFIX + sections.clone().map(Vec::len).sum::<usize>() + 4);
        bytes.extend_from_slice(MAGIC);
        bytes.extend(VERSION.to_le_bytes());
        bytes.extend((header.len() as u64).to_le_bytes());
        for section in sections {
            bytes.extend_from_slice(section);
        }
        bytes.extend(crc32c::crc32c(&bytes).to_le_bytes());
        Ok((bytes, crc32c::crc32c(&weights)))
    }

    /// Reads a checkpoint for a graph, whose loads are given as in [`Trained::save`]. Types and features are found by name: those
    /// that came after the training are not there for the model, those that the graph lost are not read. Memory that is
    /// older than the graph takes in the later facts; memory of loads that are no longer part of it begins anew.
    ///
    /// # Errors
    /// If the file is missing, damaged, of another version, or of a graph of which the model knows nothing.
    pub fn load(path: &Path, index: Arc<Index>, loads: &[u64]) -> Result<Trained, LearnError> {
        Trained::load_with(path, index, loads, &mut |_| ControlFlow::Continue(()))
    }

    /// The same, told before each batch of later facts how many memory has taken in, until `hears` says to break.
    ///
    /// # Errors
    /// As [`Trained::load`], and [`LearnError::Stopped`] once it is to break.
    pub fn load_with(
        path: &Path,
        index: Arc<Index>,
        loads: &[u64],
        hears: &mut dyn FnMut(LearnProgress) -> ControlFlow<()>,
    ) -> Result<Trained, LearnError> {
        let bytes = fs::read(path).map_err(|source| LearnError::Io { path: path.into(), source })?;
        let file = parse(&bytes).map_err(|reason| refused(path, reason))?;
        let header = &file.header;
        header.config.check().map_err(|error| refused(path, format!("its configuration: {error}")))?;
        let graph = GraphContext::new(index, header.statistics.clone());
        if graph.known.types().knows_no_type() {
            return Err(LearnError::OtherGraph(path.into()));
        }
        // What a checkpoint says of its sizes is no reason to make room for them.
        if memory_limit::n_weights(&header.config, &graph) > file.sections[0].len() / size_of::<f32>() {
            let reason = "it has fewer weights than its configuration says: train again, or restore it from a copy";
            return Err(refused(path, reason.into()));
        }
        let mut trained = restore(file, graph, loads).map_err(|reason| refused(path, reason))?;
        trained.take_in(hears)?;
        Ok(trained)
    }
}

/// The model as the file has it: its memory has not taken in what came later.
fn restore(file: Parsed<'_>, graph: GraphContext, loads: &[u64]) -> Result<Trained, String> {
    let Parsed { header, sections: [chosen, latest, optimizer, store], past } = file;
    let read = |section: &[u8]| {
        let mut model = Htgn::new(&header.config, &graph);
        let fit = weights::read_into(&mut model, section);
        fit.map_err(|error| format!("the weights do not fit this timeweft: train again ({error})"))?;
        Ok::<Htgn, String>(model)
    };
    let (model, latest) = (read(chosen)?, read(latest)?);
    let optimizer = weights::read_optimizer(&latest, optimizer, header.steps)?;
    let latest = Latest { model: latest, optimizer };
    let store = VectorStore::from_bytes(store, header.absorbed);
    let widths = (header.config.model.state_width(), header.config.model.memory_width());
    let store = store.filter(|store| store.has_widths(widths.0, widths.1));
    let mut store = store.ok_or("the vector store is cut short, or of another model")?;
    let same_loads = loads.get(..header.loads).is_some_and(|loads| lineage(loads) == header.lineage);
    let ends = header.past.iter().map(|past| past.absorbed).chain([header.absorbed]);
    let orders = orders(&graph, ends.clone());
    let is_known = |at: usize, absorbed: usize, order: u32| {
        same_loads && orders.get(at) == Some(&order) && is_between_times(&graph, absorbed)
    };
    let mut kept = Vec::new();
    for (at, (about, past)) in header.past.iter().zip(past).enumerate() {
        if is_known(at, about.absorbed, about.order) {
            let store = VectorStore::from_bytes(past, about.absorbed);
            let store = store.filter(|store| store.has_widths(widths.0, widths.1));
            kept.push(store.ok_or("memory of before is cut short, or of another model")?);
        }
    }
    let past = PastMemory::of(header.past_distance, kept);
    if !is_known(header.past.len(), header.absorbed, header.order) {
        // Facts came in late, before some that memory has seen or at the time of the last, or some of those are gone: it starts
        // again, with the weights as they are, from the newest state of before that knows none of them.
        store = past.before(header.absorbed).cloned().unwrap_or_else(|| crate::empty_store(&graph, &header.config));
    }
    let seen = store.absorbed();
    let Header { config, epochs, best, .. } = header;
    Ok(Trained { model, graph, latest, store, past, config, epochs, best, seen, base: seen })
}

/// What the beginning of a checkpoint tells, without its memory being read.
#[derive(Clone, Debug)]
pub struct Checkpoint {
    /// How it was trained.
    pub config: Config,
    /// The types and features that it knows.
    pub schema: Schema,
    /// All epochs.
    pub epochs: Vec<Epoch>,
    /// The epoch whose weights were kept.
    pub best: usize,
    /// Facts that its memory has taken in.
    pub absorbed: usize,
    /// How many numbers its weights are.
    pub n_weights: usize,
    /// States of memory of before that it keeps: facts that each has taken in, and bytes.
    pub past: Vec<(usize, usize)>,
    /// Checksum of the kept weights: another training gives another one, taking facts in does not.
    pub weights: u32,
    /// Loads that the graph was made of, and a checksum of what they are.
    loads: (usize, u32),
}

impl Checkpoint {
    /// Reads the beginning of a file. Whether the rest is whole is found out by [`Trained::load`] alone.
    ///
    /// # Errors
    /// If the file is missing, no checkpoint, cut short, or of another version.
    pub fn peek(path: &Path) -> Result<Checkpoint, LearnError> {
        let failed = |source| LearnError::Io { path: path.into(), source };
        let mut file = File::open(path).map_err(failed)?;
        let mut read = |n: u64| {
            let mut bytes = Vec::new();
            (&mut file).take(n).read_to_end(&mut bytes).map_err(failed)?;
            if bytes.len() as u64 == n { Ok(bytes) } else { Err(refused(path, DAMAGED.into())) }
        };
        let prefix = read(PREFIX as u64)?;
        known_version(&prefix).map_err(|reason| refused(path, reason))?;
        let unreadable = |error: String| refused(path, error);
        let header: Header =
            serde_json::from_slice(&read(number(&prefix, 12, 8))?).map_err(|error| unreadable(error.to_string()))?;
        let chosen = read(header.sections[0] as u64)?;
        let crc = crc32c::crc32c(&chosen);
        let n_weights = weights::count(&chosen).map_err(unreadable)?;
        let Header { config, statistics, epochs, best, absorbed, loads, lineage, past, .. } = header;
        let (schema, loads) = (statistics.schema, (loads, lineage));
        let past = past.iter().map(|past| (past.absorbed, past.size)).collect();
        Ok(Checkpoint { config, schema, epochs, best, absorbed, n_weights, past, weights: crc, loads })
    }

    /// How many loads the graph was made of that its memory is of.
    pub fn n_loads(&self) -> usize {
        self.loads.0
    }

    /// Whether the graph was made of exactly these loads, given as in [`Trained::save`].
    pub fn is_of(&self, loads: &[u64]) -> bool {
        self.loads == (loads.len(), lineage(loads))
    }

    /// Whether a graph of these loads is that graph, with later loads behind.
    pub fn continues(&self, loads: &[u64]) -> bool {
        loads.get(..self.loads.0).is_some_and(|first| self.is_of(first))
    }
}

/// A checkpoint that is whole: chosen weights, latest weights, optimiser, vector store.
struct Parsed<'a> {
    header: Header,
    sections: [&'a [u8]; 4],
    /// Memory as it was.
    past: Vec<&'a [u8]>,
}

const DAMAGED: &str = "the checkpoint is cut short or damaged: train again, or restore it from a copy";

/// A number of `n` bytes.
fn number(bytes: &[u8], at: usize, n: usize) -> u64 {
    bytes[at..at + n].iter().rev().fold(0u64, |sum, &byte| sum << 8 | u64::from(byte))
}

/// Whether a file is of a version that is read; `bytes` are at least its prefix.
fn known_version(bytes: &[u8]) -> Result<(), String> {
    if &bytes[..8] != MAGIC {
        return Err("this is no timeweft checkpoint".into());
    }
    let version = number(bytes, 8, 4);
    if version < u64::from(VERSION) {
        return Err("written by an older timeweft, which kept weights in another form: train again".into());
    }
    if version > u64::from(VERSION) {
        return Err(format!(
            "written by a newer timeweft (checkpoint version {version}, known {VERSION}): update timeweft"
        ));
    }
    Ok(())
}

fn parse(bytes: &[u8]) -> Result<Parsed<'_>, String> {
    let damaged = || DAMAGED.to_string();
    let (body, checksum) = bytes.split_last_chunk::<4>().ok_or_else(damaged)?;
    if body.len() < PREFIX {
        return Err("this is no timeweft checkpoint".into());
    }
    known_version(body)?;
    if crc32c::crc32c(body) != u32::from_le_bytes(*checksum) {
        return Err(damaged());
    }
    let mut rest = &body[PREFIX..];
    let mut take = |n: usize| {
        let (section, later) = rest.split_at_checked(n)?;
        rest = later;
        Some(section)
    };
    let header = take(number(body, 12, 8) as usize).ok_or_else(damaged)?;
    let header: Header = serde_json::from_slice(header).map_err(|error| error.to_string())?;
    let [weights, latest, optimizer, store] = header.sections;
    let sections = (take(weights), take(latest), take(optimizer), take(store));
    let past = header.past.iter().map(|past| take(past.size)).collect::<Option<Vec<_>>>().ok_or_else(damaged)?;
    let (Some(weights), Some(latest), Some(optimizer), Some(store)) = sections else { return Err(damaged()) };
    Ok(Parsed { header, sections: [weights, latest, optimizer, store], past })
}

/// Whether the first `n` facts hold all of the last time among them: facts of one time are taken in together.
fn is_between_times(graph: &GraphContext, n: usize) -> bool {
    n_whole(graph.facts(), n) == n
}

/// Checksums of the first facts up to some numbers, ascending: when, what, and where in the log. Numbers of more facts than there
/// are have none.
fn orders(graph: &GraphContext, ends: impl Iterator<Item = usize>) -> Vec<u32> {
    let (facts, mut from, mut sum) = (graph.facts(), 0, 0);
    let mut sums = Vec::new();
    for end in ends {
        let Some(next) = facts.get(from..end) else { break };
        sum = next.iter().fold(sum, |sum, fact| {
            let mut bytes = [0; 24];
            bytes[..8].copy_from_slice(&fact.time.0.to_le_bytes());
            let numbers = [fact.log, fact.source.0, fact.destination.0, fact.action as u32];
            bytes[8..].as_chunks_mut().0.iter_mut().zip(numbers).for_each(|(to, number)| *to = number.to_le_bytes());
            crc32c::crc32c_append(sum, &bytes)
        });
        from = end;
        sums.push(sum);
    }
    sums
}

fn lineage(loads: &[u64]) -> u32 {
    loads.iter().fold(0, |sum, load| crc32c::crc32c_append(sum, &load.to_le_bytes()))
}

fn refused(path: &Path, reason: String) -> LearnError {
    LearnError::Checkpoint { path: path.into(), reason }
}
