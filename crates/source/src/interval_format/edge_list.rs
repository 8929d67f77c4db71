//! DeepGNN edge lists: a table without a header, one node or edge a line.
//!
//! ```text
//! 0,-1,1,0.5,int32,3,1,1,1,float32,2,1.1,1.1
//! 0,0,1,0.5,uint8,3/0,0,4,10,1,1,1
//! ```
//!
//! A node is `id,-1,type,weight,features`, an edge `source,type,destination,weight,features`. With times,
//! `created_at,removed_at` follow the weight; -1 as `removed_at` is "never". Columns that have a default are not there.
//! Lines come in any order.
//!
//! A feature is `dtype,length,values`: `binary,1,text`; sparse it is `dtype,values/dimensions,coordinates,values`, where 0
//! dimensions are flat coordinates. Features are numbered by their position; length 0 skips a number.
//!
//! The unit of refusal is the line.

mod cells;
mod features;

use std::io::Read;

use timeweft_graph::{EdgeSpan, Interval, Name, NodeSpan, Reason, Record, Sink, SpanRows, Time};

use self::cells::Cells;
use self::features::read_features;
use crate::SourceError;
use crate::interval_format::draft::{Draft, GivenTimes};
use crate::interval_format::parallel_lines::{self, LineReader};

/// How an edge list is written. The defaults are those of the original.
#[derive(Clone, PartialEq, Debug)]
pub struct EdgeListOptions {
    /// Between cells.
    pub delimiter: char,
    /// Between the number of values and the number of dimensions of a sparse feature.
    pub length_delimiter: char,
    /// At the end of a cell of a binary feature: the delimiter belongs to the text. Two of them do not.
    pub binary_escape: char,
    /// Whether lines have times.
    pub is_temporal: bool,
    /// When everything begins; the column is not there.
    pub created_at: Option<i64>,
    /// When everything ends, -1 for never; the column is not there.
    pub removed_at: Option<i64>,
    /// What node lines leave out.
    pub nodes: EdgeListDefaults,
    /// What edge lines leave out.
    pub edges: EdgeListDefaults,
}

/// What the lines of nodes, or those of edges, leave out.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct EdgeListDefaults {
    /// Type of all; the column is not there.
    pub element_type: Option<u32>,
    /// Weight of all; the column is not there.
    pub weight: Option<f32>,
    /// Of each feature, its element type as a numpy name or `binary`, where lines leave it out.
    pub feature_types: Vec<Option<String>>,
    /// Of each feature, its length, or number of values and dimensions, where lines leave it out.
    pub feature_lengths: Vec<Option<Vec<u32>>>,
}

impl EdgeListDefaults {
    /// Reads the features that lines leave out from `type:length` with commas, as in `float32:3,uint8:2/4`; without a
    /// length, lines tell it, and `_` is a feature of which lines tell all.
    pub fn with_features(mut self, text: &str) -> Result<EdgeListDefaults, String> {
        for feature in text.split(',').map(str::trim) {
            let (name, length) = match feature.split_once(':') {
                Some((name, length)) => (name, Some(length)),
                None => (feature, None),
            };
            if name != "_" && features::Kind::of(name).is_none() {
                return Err(unknown_type(name));
            }
            let parts = length.map(|text| text.split('/').map(str::parse).collect::<Result<Vec<u32>, _>>());
            let length = parts.transpose().ok().filter(|parts| parts.as_ref().is_none_or(|parts| parts.len() <= 2));
            let wrong = || format!("`{feature}`: the length is a number, or values/dimensions of a sparse feature");
            self.feature_lengths.push(length.ok_or_else(wrong)?);
            self.feature_types.push((name != "_").then(|| name.to_owned()));
        }
        Ok(self)
    }
}

fn unknown_type(name: &str) -> String {
    format!("`{name}` is no type of features: use binary, or a numpy type such as float32 or int8")
}

impl Default for EdgeListOptions {
    fn default() -> Self {
        EdgeListOptions {
            delimiter: ',',
            length_delimiter: '/',
            binary_escape: '\\',
            is_temporal: false,
            created_at: None,
            removed_at: None,
            nodes: EdgeListDefaults::default(),
            edges: EdgeListDefaults::default(),
        }
    }
}

impl EdgeListOptions {
    fn check(&self, file: &Name) -> Result<(), SourceError> {
        let signs = [self.delimiter, self.length_delimiter, self.binary_escape];
        let problem = if signs[0] == signs[1] || signs[1] == signs[2] || signs[0] == signs[2] {
            "delimiter, delimiter of lengths and escape must be three different characters".to_owned()
        } else if let Some(name) = self.unknown_type() {
            unknown_type(name)
        } else {
            return Ok(());
        };
        Err(SourceError::Document { file: file.clone(), line: 0, problem })
    }

    fn unknown_type(&self) -> Option<&String> {
        let mut types = [&self.nodes, &self.edges].into_iter().flat_map(|of| of.feature_types.iter().flatten());
        types.find(|name| features::Kind::of(name).is_none())
    }
}

/// Reads an edge list into a sink, on several threads, in the order of the file. `file` is the name for messages.
///
/// ```
/// use timeweft_graph::TimeUnit;
/// use timeweft_oracle::Intervals;
/// use timeweft_source::{EdgeListOptions, edge_list};
/// let options = EdgeListOptions { is_temporal: true, ..EdgeListOptions::default() };
/// let text = "0,-1,0,1.0,2,9\n0,1,0,1.0,3,-1";
/// let intervals = Intervals::collect(TimeUnit::Step, |sink| edge_list::read(text.as_bytes(), &"doc".into(), &options, sink))?;
/// assert_eq!(intervals.rejects, []);
/// assert_eq!(intervals.clipped, 1, "the edge outlives its node");
/// # Ok::<(), timeweft_source::SourceError>(())
/// ```
pub fn read(
    input: impl Read + Send,
    file: &Name,
    options: &EdgeListOptions,
    sink: &mut dyn Sink,
) -> Result<(), SourceError> {
    options.check(file)?;
    let reader = || EdgeLines { options, draft: Draft::default(), scratch: features::Scratch::default() };
    parallel_lines::read(input, file, reader, sink)
}

struct EdgeLines<'a> {
    options: &'a EdgeListOptions,
    draft: Draft,
    scratch: features::Scratch,
}

impl LineReader for EdgeLines<'_> {
    fn read(&mut self, text: &str, line: u64, rows: &mut SpanRows) -> Result<(), Reason> {
        let options = self.options;
        let mut cells = Cells::new(text, options.delimiter);
        let malformed =
            |problem: String, cells: &Cells<'_>| Reason::Malformed(format!("cell {}: {problem}", cells.number()));
        let head = self.head(&mut cells).map_err(|problem| malformed(problem, &cells))?;
        let life = head.times.within(Interval::open(Time(0)))?;
        self.draft.clear();
        let of = if head.ends.1.is_none() { &options.nodes } else { &options.edges };
        let read = read_features(&mut cells, options, of, &mut self.scratch, &mut self.draft);
        read.map_err(|problem| malformed(problem, &cells))?;
        let values = self.draft.settle(0..self.draft.mark(), life)?;
        let record = match head.ends {
            (id, None) => {
                let (node_type, weight) = (head.element_type, Some(head.weight));
                Record::NodeSpan(NodeSpan { id, node_type, weight, life }, values)
            }
            (source, Some(destination)) => {
                let (edge_type, weight) = (head.element_type, head.weight);
                let (starts_by_default, position) = (false, 0);
                let edge = EdgeSpan { source, destination, edge_type, weight, life, starts_by_default, position };
                Record::EdgeSpan(edge, values)
            }
        };
        rows.record(record, line);
        Ok(())
    }
}

/// A line up to its features.
struct Head {
    /// A node, or source and destination.
    ends: (u64, Option<u64>),
    element_type: u32,
    weight: f32,
    times: GivenTimes,
}

impl EdgeLines<'_> {
    fn head(&self, cells: &mut Cells<'_>) -> Result<Head, String> {
        let options = self.options;
        let id: u64 = cells.whole("id of the node")?;
        let is_node = cells.peek() == Some("-1");
        let (destination, element_type, of) = match (is_node, options.edges.element_type) {
            (true, _) => {
                cells.next("-1")?;
                let node_type = options.nodes.element_type;
                (None, node_type.map_or_else(|| cells.whole("type of the node"), Ok)?, &options.nodes)
            }
            (false, Some(edge_type)) => {
                (Some(cells.whole("destination, or -1 for a node")?), edge_type, &options.edges)
            }
            (false, None) => {
                let edge_type = cells.whole("type of the edge, or -1 for a node")?;
                (Some(cells.whole("destination")?), edge_type, &options.edges)
            }
        };
        let weight = of.weight.map_or_else(|| cells.weight(), Ok)?;
        let mut times = GivenTimes { created: options.created_at, removed: options.removed_at };
        if options.is_temporal {
            times.created = Some(times.created.map_or_else(|| cells.tick("created_at"), Ok)?);
            times.removed = Some(times.removed.map_or_else(|| cells.tick("removed_at"), Ok)?);
        }
        Ok(Head { ends: (id, destination), element_type, weight, times })
    }
}
