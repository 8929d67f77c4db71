//! The sink: nodes go on at once, edges when all nodes are known.

use rustc_hash::FxHashMap;
use timeweft_graph::rows::Rows;
use timeweft_graph::{
    EdgeSpan, EdgeTypeId, ElementRef, IdRef, Interval, Name, NodeSpan, NodeTypeId, Owner, Place, Reason, Record,
    Reject, Rejects, Schema, Sink, Time, ValueSpans,
};

use super::Chunk;
use super::edges::{Edges, Lanes, UNBOUND, UNFIT, Waiting};
use super::features::{Course, Types};
use super::nodes::Nodes;
use crate::StoreError;
use crate::load::ClippedCounts;
use crate::load::content_hash::SpanHasher;
use crate::load::pipeline::Chunks;

/// Life and type of a node.
type End = (Interval, NodeTypeId);

/// An edge of a source on its way out: where it waits, and what is asked of it until it goes.
struct Key {
    created: Time,
    at: usize,
    /// Number of its parallel edge.
    lane: usize,
    pair: (u32, u32),
}

/// What was read so far.
pub(super) struct Assembly {
    /// What the source as a whole is called.
    name: Name,
    types: Types,
    nodes: Nodes,
    edges: Edges,
    /// Each file with its first edge.
    files: Vec<(usize, Name)>,
    /// Source of the last edge.
    source: Option<(u64, u32)>,
    /// Destinations of edges that follow each other, and the first of these.
    destinations: (usize, Vec<End>),
    /// The types of bound edges, by the numbers that these have meanwhile.
    bound_types: Vec<Option<EdgeTypeId>>,
    /// Whether the edges of some source do not come together, or sources not in the order of their ids.
    scattered: bool,
    chunk: Rows,
    output: Chunks<Chunk>,
    /// Whether the load has failed, and takes no more.
    is_closed: bool,
    hasher: SpanHasher,
    done: Assembled,
    /// Edges whose features are of another kind than before.
    unfit: Rejects,
}

/// What reading came to.
#[derive(Default)]
pub(super) struct Assembled {
    pub(super) hash: String,
    /// What could not be read, or was refused before the graph was asked.
    pub(super) rejects: Rejects,
    pub(super) warnings: Vec<(Place, String)>,
    pub(super) clipped: ClippedCounts,
}

impl Assembly {
    pub(super) fn new(schema: Schema, name: &Name, output: Chunks<Chunk>) -> Assembly {
        Assembly {
            name: name.clone(),
            types: Types::new(schema),
            nodes: Nodes::default(),
            edges: Edges::default(),
            files: vec![(0, "".into())],
            source: None,
            destinations: (0, Vec::new()),
            bound_types: Vec::new(),
            scattered: false,
            chunk: Rows::default(),
            output,
            is_closed: false,
            hasher: SpanHasher::default(),
            done: Assembled::default(),
            unfit: Rejects::default(),
        }
    }

    fn last_file(&self) -> &Name {
        &self.files[self.files.len() - 1].1
    }

    /// What a chunk of edges names as its file: edges of several files that are put in order are of the source as a whole.
    fn file_of_edges(&self) -> Name {
        let mixed = self.scattered && self.files.len() > 2;
        if mixed { self.name.clone() } else { self.last_file().clone() }
    }

    /// The file of an edge.
    fn file_of(&self, edge: usize) -> &Name {
        let after = self.files.partition_point(|(first, _)| *first <= edge);
        &self.files[after.saturating_sub(1)].1
    }

    fn node(&mut self, node: &NodeSpan, values: ValueSpans<'_>, line: u64) {
        self.hasher.node(node, values);
        if let Err(reason) = self.add_node(node, values, line) {
            let reason = match line {
                0 => Reason::Malformed(format!("node {}: {reason}", node.id)),
                _ => reason,
            };
            self.reject(line, reason);
        }
    }

    fn add_node(&mut self, node: &NodeSpan, values: ValueSpans<'_>, line: u64) -> Result<(), Reason> {
        if let Some(known) =
            self.nodes.find(node.id).map(|at| self.nodes.all[at as usize]).filter(|node| node.described)
        {
            let where_ = if known.origin == 0 { String::new() } else { format!(": line {}", known.origin) };
            return Err(Reason::Malformed(format!("node {} has a line already{where_}", node.id)));
        }
        let Some(node_type) = self.types.node_type(node.node_type) else { return Ok(()) };
        let course = Course { owner: Owner::Node(node_type), life: node.life, weight: node.weight, values };
        self.types.declare(&course)?;
        self.done.clipped.features += u64::from(values.clipped);
        self.nodes.describe(node.id, node_type, node.life, line);
        self.put_node(&course, node_type, node.id, line);
        Ok(())
    }

    fn edge(&mut self, edge: &EdgeSpan, values: ValueSpans<'_>, line: u64) {
        self.hasher.edge(edge, values);
        let (at, created) = (self.edges.len(), edge.life.created);
        let source = match self.source {
            // An edge that begins before 0 may move the begin of a node that is only named.
            Some((id, source)) if id == edge.source && created >= Time(0) => source,
            last => {
                let source = self.nodes.named(edge.source, created, at as u64);
                if last.is_none_or(|(id, _)| id != edge.source) {
                    self.scattered |= last.is_some_and(|(id, _)| id > edge.source);
                    self.source = Some((edge.source, source));
                }
                source
            }
        };
        let destination = self.nodes.named(edge.destination, created, at as u64);
        self.edges.push(edge, values, line, [source, destination]);
    }

    fn put_node(&mut self, course: &Course<'_>, node_type: NodeTypeId, id: u64, line: u64) {
        let element = ElementRef::Node(node_type, IdRef::Int(id));
        self.types.put(course, element, line, &mut self.chunk);
        if self.chunk.is_full() {
            let file = self.last_file().clone();
            self.begin(&file, 0);
        }
    }

    /// Hands on the chunk, if there is something in it, and begins the next one; `expected` edges are to come.
    fn begin(&mut self, file: &Name, expected: usize) {
        if !self.chunk.is_empty() {
            let grown = std::mem::take(&mut self.types.grown).then(|| self.types.schema.clone());
            let rows = std::mem::take(&mut self.chunk);
            let next = self.output.send(Chunk { grown, expected, rows });
            self.is_closed |= next.is_none();
            self.chunk = next.unwrap_or_default();
        }
        self.chunk.begin(file);
    }

    /// Hands on what waited, and gives what there is to tell.
    pub(super) fn finish(mut self) -> Result<Assembled, StoreError> {
        self.put_unknown();
        self.begin(&self.file_of_edges(), 0);
        self.bind();
        match self.scattered {
            false => self.put_edges(None),
            true => {
                (0..self.edges.len()).for_each(|at| self.declare(at));
                let order = self.edges.by_source(&self.nodes.all);
                self.put_edges(Some(&order));
            }
        }
        self.begin(&self.file_of_edges(), 0);
        if self.types.full {
            let reason = Reason::Malformed("there are more types or features than 65,536".into());
            return Err(StoreError::Full(Box::new(reason)));
        }
        self.done.rejects.append(std::mem::take(&mut self.unfit));
        self.done.hash = self.hasher.finish();
        Ok(self.done)
    }

    /// Ends of edges that no record describes.
    fn put_unknown(&mut self) {
        if self.nodes.all.iter().all(|node| node.described) {
            return;
        }
        let Some(node_type) = self.types.named_node_type(&"unknown".into()) else { return };
        for at in 0..self.nodes.all.len() {
            let node = self.nodes.all[at];
            if node.described {
                continue;
            }
            self.nodes.all[at].node_type = node_type;
            let edge = node.origin as usize;
            let (line, file) = (self.edges.get(edge).line, self.file_of(edge).clone());
            if self.chunk.file() != &file {
                self.begin(&file, 0);
            }
            let values = ValueSpans::default();
            let course = Course { owner: Owner::Node(node_type), life: node.life, weight: None, values };
            self.put_node(&course, node_type, node.id, line);
        }
    }

    /// Cuts each edge to the lives of its ends, or refuses it, and adds the types of those that are left by name: draws go by
    /// the order of types, and lines may come in any.
    fn bind(&mut self) {
        let (mut met, mut last) = (FxHashMap::default(), None);
        for at in 0..self.edges.len() {
            let edge = *self.edges.get(at);
            let ends = [self.end(edge.ends[0]), self.destination(at)];
            let life = match bound(&edge, ends) {
                Ok(life) => life,
                Err((end, reason)) => {
                    let id = self.nodes.all[edge.ends[end] as usize].id;
                    let reason = Reason::Malformed(format!("{} node {id} {}", reason.0, reason.1));
                    let reject = self.refused(at, edge.edge_type, reason);
                    self.done.rejects.push(reject);
                    self.edges.get_mut(at).edge_type = UNBOUND;
                    continue;
                }
            };
            self.done.clipped.edges += u64::from(life != edge.life);
            let [(_, source), (_, destination)] = ends;
            let key = (source, edge.edge_type, destination);
            let number = match last {
                Some((known, number)) if known == key => number,
                _ => {
                    let next = met.len() as u32;
                    *met.entry(key).or_insert(next)
                }
            };
            last = Some((key, number));
            let edge = self.edges.get_mut(at);
            (edge.life, edge.edge_type) = (life, number);
        }
        self.bound_types = self.types.add_edge_types(met);
    }

    /// Hands on all edges, in this order. Those of one source come together; without an order they are declared first.
    fn put_edges(&mut self, order: Option<&[u32]>) {
        let n = self.edges.len();
        let position = |at: usize| order.map_or(at, |order| order[at] as usize);
        let mut keys = Vec::new();
        let mut start = 0;
        while start < n {
            let source = self.edges.get(position(start)).ends[0];
            let mut end = start;
            while end < n && self.edges.get(position(end)).ends[0] == source {
                if order.is_none() {
                    self.declare(end);
                }
                end += 1;
            }
            self.gather(start..end, position, &mut keys);
            self.lanes(&mut keys);
            self.arrange(&mut keys);
            let source = self.nodes.all[source as usize].id;
            for key in &keys {
                self.put_edge(source, key, n);
            }
            if order.is_none() {
                (start + 1..=end).for_each(|at| self.edges.forget_before(at));
            }
            start = end;
        }
    }

    /// The bound edges of one source as they wait.
    fn gather(&self, run: std::ops::Range<usize>, position: impl Fn(usize) -> usize, keys: &mut Vec<Key>) {
        keys.clear();
        let waiting = run.map(position).map(|at| (at, self.edges.get(at)));
        let bound = waiting.filter(|(_, edge)| edge.edge_type != UNBOUND);
        keys.extend(bound.map(|(at, edge)| Key { created: edge.life.created, at, lane: 1, pair: edge.pair() }));
    }

    /// Numbers the parallel edges of one source.
    fn lanes(&self, keys: &mut [Key]) {
        if is_plain(keys) {
            return;
        }
        // Beside each other, so that a sort does not go back to where they wait.
        let place = |(place, key): (usize, &Key)| (key.pair, self.edges.get(key.at).life, place);
        let mut by_pair: Vec<_> = keys.iter().enumerate().map(place).collect();
        by_pair.sort_unstable();
        if by_pair.windows(2).all(|two| two[0].0 != two[1].0) {
            return;
        }
        let mut lanes = Lanes::default();
        for (pair, life, place) in by_pair {
            keys[place].lane = lanes.next(pair, life);
        }
    }

    /// Puts edges of one source in order of time. Those that begin together stand in one order, however lines come.
    fn arrange(&self, keys: &mut [Key]) {
        keys.sort_by_key(|key| key.created);
        for tied in keys.chunk_by_mut(|a, b| a.created == b.created).filter(|tied| tied.len() > 1) {
            tied.sort_by_cached_key(|key| {
                let Waiting { life, edge_type, destination, .. } = *self.edges.get(key.at);
                (life, edge_type, destination)
            });
        }
    }

    fn put_edge(&mut self, source: u64, key: &Key, n: usize) {
        let &Key { at, lane, .. } = key;
        let Waiting { life, destination, weight, line, .. } = *self.edges.get(at);
        let Some(edge_type) = self.edges.get(at).fit_type() else { return };
        let key = (lane > 1).then(|| lane.to_string());
        if self.files.len() > 2 && !self.scattered && self.chunk.file() != self.file_of(at) {
            let file = self.file_of(at).clone();
            self.begin(&file, 0);
        }
        let values = self.edges.values(at);
        let course = Course { owner: Owner::Edge(edge_type), life, weight: Some(weight), values };
        let element = ElementRef::Edge(edge_type, [source, destination].map(IdRef::Int), key.as_deref());
        self.types.put(&course, element, line, &mut self.chunk);
        if self.chunk.is_full() {
            self.begin(&self.file_of_edges(), n);
        }
    }

    /// Declares the features of a bound edge, or refuses it.
    fn declare(&mut self, at: usize) {
        let edge = *self.edges.get(at);
        if edge.edge_type == UNBOUND {
            return;
        }
        let edge_type = self.bound_types[edge.edge_type as usize];
        let fits = edge_type.map_or(Ok(()), |edge_type| {
            let (owner, life, weight) = (Owner::Edge(edge_type), edge.life, Some(edge.weight));
            self.types.declare(&Course { owner, life, weight, values: self.edges.values(at) })
        });
        let mut edge_type = edge_type.map_or(UNFIT, |edge_type| u32::from(edge_type.0));
        match fits {
            Ok(()) => self.done.clipped.features += u64::from(self.edges.values(at).clipped),
            Err(reason) => {
                let relation = edge_type & !UNFIT;
                let relation = self.types.schema.edge_types().get(relation as usize).map(|of| of.relation.clone());
                let reject = self.refused(at, relation.unwrap_or_else(|| "".into()), reason);
                self.unfit.push(reject);
                edge_type |= UNFIT;
            }
        }
        self.edges.get_mut(at).edge_type = edge_type;
    }

    fn end(&self, node: u32) -> End {
        let node = &self.nodes.all[node as usize];
        (node.life, node.node_type)
    }

    /// The destination of an edge. Those of the next edges are looked up with it: one after the other would wait for memory
    /// each time.
    fn destination(&mut self, at: usize) -> End {
        const AHEAD: usize = 512;
        let (from, known) = &self.destinations;
        if let Some(end) = at.checked_sub(*from).and_then(|at| known.get(at)) {
            return *end;
        }
        let mut known = std::mem::take(&mut self.destinations.1);
        known.clear();
        let ahead = at..self.edges.len().min(at + AHEAD);
        known.extend(ahead.map(|at| self.end(self.edges.get(at).ends[1])));
        let end = known[0];
        self.destinations = (at, known);
        end
    }

    fn refused(&self, at: usize, relation: impl std::fmt::Display, reason: Reason) -> Reject {
        let edge = self.edges.get(at);
        let reason = match edge.position() {
            0 => reason,
            position => Reason::Malformed(format!("edge {position}: {reason}")),
        };
        // Without lines, the edge itself says which it is.
        let reason = match edge.line {
            0 => {
                let [source, destination] = edge.ends.map(|end| self.nodes.all[end as usize].id);
                Reason::Malformed(format!("edge {source} -{relation}-> {destination}: {reason}"))
            }
            _ => reason,
        };
        Reject { place: Place::new(self.file_of(at), edge.line), reason }
    }
}

/// The part of the edge's life that both ends share; or the end that does not live when it begins, and what to say.
fn bound(edge: &Waiting, ends: [End; 2]) -> Result<Interval, (usize, (String, String))> {
    let refused = |end: usize, created: Time| {
        let node = ends[end].0;
        let lives = format!("lives from {} to {}", node.created, node.removed);
        Err((end, (format!("begins at {created}, but"), lives)))
    };
    let mut life = edge.life;
    if edge.starts_by_default() {
        for (end, (node, _)) in ends.iter().enumerate().filter(|(_, (node, _))| node.created > edge.life.created) {
            if node.created >= life.removed {
                return refused(end, life.created);
            }
            life.created = life.created.max(node.created);
        }
    }
    for (end, (node, _)) in ends.iter().enumerate() {
        if !node.contains(life.created) {
            return refused(end, life.created);
        }
        life.removed = life.removed.min(node.removed);
    }
    Ok(life)
}

/// Whether these are few, and no two of one pair.
fn is_plain(keys: &[Key]) -> bool {
    const FEW: usize = 24;
    let is_repeated = |at: usize| keys[..at].iter().any(|before| before.pair == keys[at].pair);
    keys.len() <= FEW && !(1..keys.len()).any(is_repeated)
}

impl Sink for Assembly {
    fn schema(&mut self) -> &mut Schema {
        &mut self.types.schema
    }

    fn record(&mut self, record: Record<'_>, line: u64) {
        match record {
            Record::NodeSpan(node, values) => self.node(&node, values, line),
            Record::EdgeSpan(edge, values) => self.edge(&edge, values, line),
            Record::File(name) => {
                self.begin(&name, 0);
                self.files.push((self.edges.len(), name));
            }
            Record::Reject(reason) => {
                let place = Place::new(self.last_file(), line);
                self.done.rejects.push(Reject { place, reason });
            }
            Record::Warning(message) => {
                let place = Place::new(self.last_file(), line);
                self.done.warnings.push((place, message));
            }
            other => self.reject(line, other.unfit("intervals")),
        }
    }

    fn is_closed(&self) -> bool {
        self.is_closed
    }
}
