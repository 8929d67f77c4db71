//! Features of nodes and edges as rows of numbers, normalised by the training part only.
//!
//! Equations: `docs/model.md#features`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use timeweft_graph::{Action, EdgeTypeId, FeatureId, NodeTypeId, Owner, Schema, Value};
use timeweft_index::{Fact, Index};

use crate::splitmix64;

/// Width that a text, category or structured value is hashed into.
const HASHED: usize = 16;
/// Longest dense value that is read whole.
const WIDEST: usize = 64;

/// How the features of every type become rows.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Featurizer {
    nodes: Vec<Layout>,
    edges: Vec<Layout>,
}

/// The columns of one type, one after another.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
struct Layout {
    columns: BTreeMap<FeatureId, Column>,
    width: usize,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
struct Column {
    offset: usize,
    /// Mean and inverse deviation of each number; empty for hashed values.
    mean: Vec<f32>,
    scale: Vec<f32>,
}

impl Featurizer {
    /// Measures widths, means and deviations on `facts`, which are the training part.
    pub fn fit(index: &Index, schema: &Schema, facts: &[Fact]) -> Featurizer {
        let mut nodes = vec![BTreeMap::new(); schema.node_types().len()];
        let mut edges = vec![BTreeMap::new(); schema.edge_types().len()];
        for fact in facts.iter().filter(|fact| fact.action != Action::Delete) {
            match fact.edge {
                None => {
                    measure(&mut nodes[index.node_type(fact.source).at()], index.node_features(fact.source, fact.time))
                }
                Some((edge_type, edge)) => measure(&mut edges[edge_type.at()], index.edge_features(edge, fact.time)),
            }
        }
        Featurizer {
            nodes: nodes.into_iter().map(Layout::of).collect(),
            edges: edges.into_iter().map(Layout::of).collect(),
        }
    }

    /// Width of a type's rows; 0 if it has no features.
    pub fn width(&self, owner: Owner) -> usize {
        self.layout(owner).map_or(0, |layout| layout.width)
    }

    /// Widths of all node types.
    pub fn node_widths(&self) -> Vec<usize> {
        self.nodes.iter().map(|layout| layout.width).collect()
    }

    /// Widths of all edge types.
    pub fn edge_widths(&self) -> Vec<usize> {
        self.edges.iter().map(|layout| layout.width).collect()
    }

    /// Appends the row of one element. A missing value is a row of zeros: the mean. So is what is no number to a model (NaN, an
    /// infinity, what `f32` cannot hold), and a value of another kind than the feature had in training: every input is finite.
    pub fn append(&self, owner: Owner, values: impl Iterator<Item = (FeatureId, Value)>, rows: &mut Vec<f32>) {
        let Some(layout) = self.layout(owner) else { return };
        let start = rows.len();
        rows.resize(start + layout.width, 0.0);
        for (id, value) in values {
            if let Some(column) = layout.columns.get(&id) {
                column.write(&value, &mut rows[start + column.offset..]);
            }
        }
    }

    fn layout(&self, owner: Owner) -> Option<&Layout> {
        match owner {
            Owner::Node(NodeTypeId(id)) => self.nodes.get(id as usize),
            Owner::Edge(EdgeTypeId(id)) => self.edges.get(id as usize),
            Owner::Merge => None,
        }
    }
}

/// Rows of features grouped by type, and where each row belongs.
#[derive(Clone, Debug, Default)]
pub struct FeatureRows {
    /// For each type: its rows one after another, and the target row of each.
    pub by_type: Vec<(Vec<f32>, Vec<u32>)>,
}

impl FeatureRows {
    /// No rows for any of `n` types.
    pub fn new(n: usize) -> FeatureRows {
        FeatureRows { by_type: vec![Default::default(); n] }
    }
}

/// Whether a model can read a number: it is finite as the `f32` that inputs are made of.
pub(crate) fn is_number(x: f64) -> bool {
    (x as f32).is_finite()
}

/// Running sums of one feature.
#[derive(Clone, Default)]
struct Sums {
    hashed: bool,
    count: Vec<f64>,
    sum: Vec<f64>,
    squares: Vec<f64>,
}

fn measure(sums: &mut BTreeMap<FeatureId, Sums>, values: impl Iterator<Item = (FeatureId, Value)>) {
    for (id, value) in values {
        let sums = sums.entry(id).or_default();
        let Value::Dense(dense) = value else {
            sums.hashed = true;
            continue;
        };
        for (i, x) in dense.numbers.to_f64().into_iter().take(WIDEST).enumerate().filter(|(_, x)| is_number(*x)) {
            for list in [&mut sums.count, &mut sums.sum, &mut sums.squares] {
                list.resize(list.len().max(i + 1), 0.0);
            }
            sums.count[i] += 1.0;
            sums.sum[i] += x;
            sums.squares[i] += x * x;
        }
    }
}

impl Layout {
    fn of(sums: BTreeMap<FeatureId, Sums>) -> Layout {
        let mut layout = Layout::default();
        for (id, sums) in sums {
            let column = Column::of(layout.width, &sums);
            layout.width += column.width();
            layout.columns.insert(id, column);
        }
        layout
    }
}

impl Column {
    fn of(offset: usize, sums: &Sums) -> Column {
        if sums.hashed {
            return Column { offset, mean: Vec::new(), scale: Vec::new() };
        }
        let (mut mean, mut scale) = (Vec::new(), Vec::new());
        for ((&n, &sum), &squares) in sums.count.iter().zip(&sums.sum).zip(&sums.squares) {
            let average = sum / n.max(1.0);
            let deviation = (squares / n.max(1.0) - average * average).max(0.0).sqrt();
            mean.push(average as f32);
            scale.push(if deviation > 1e-12 { (1.0 / deviation) as f32 } else { 1.0 });
        }
        Column { offset, mean, scale }
    }

    fn width(&self) -> usize {
        if self.is_hashed() { HASHED } else { self.mean.len() }
    }

    fn is_hashed(&self) -> bool {
        self.mean.is_empty()
    }

    fn write(&self, value: &Value, row: &mut [f32]) {
        match value {
            Value::Dense(dense) => self.write_numbers(&dense.numbers.to_f64(), row),
            // A number that has become text is still one; other words where training had numbers have no columns.
            Value::Text(text) | Value::Category(text) if !self.is_hashed() => {
                self.write_numbers(text.trim().parse().ok().as_slice(), row);
            }
            _ if !self.is_hashed() => {}
            Value::Text(text) | Value::Category(text) => hash_words(text, &mut row[..HASHED]),
            other => hash_words(&other.to_string(), &mut row[..HASHED]),
        }
    }

    fn write_numbers(&self, numbers: &[f64], row: &mut [f32]) {
        let normal = self.mean.iter().zip(&self.scale);
        let cells = row.iter_mut().zip(numbers).zip(normal);
        for ((cell, x), (mean, scale)) in cells.filter(|((_, x), _)| is_number(**x)) {
            // Far outliers of later data must not swamp the sum.
            *cell = ((*x as f32 - mean) * scale).clamp(-10.0, 10.0);
        }
    }
}

/// Signed feature hashing of words (Weinberger et al. 2009), scaled to unit length.
fn hash_words(text: &str, row: &mut [f32]) {
    for word in text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
        let hash = word.bytes().fold(0, |hash, byte| splitmix64(hash ^ u64::from(byte.to_ascii_lowercase())));
        row[(hash % HASHED as u64) as usize] += if hash >> 63 == 0 { 1.0 } else { -1.0 };
    }
    let length = row.iter().map(|x| x * x).sum::<f32>().sqrt();
    row.iter_mut().for_each(|x| *x /= length.max(1.0));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(offset: usize, mean: &[f32]) -> Column {
        Column { offset, mean: mean.to_vec(), scale: vec![1.0; mean.len()] }
    }

    #[test]
    fn a_value_of_another_kind_than_in_training_is_a_missing_one() {
        let columns = BTreeMap::from([(FeatureId(0), column(0, &[1.0])), (FeatureId(1), column(1, &[]))]);
        let owner = Owner::Node(NodeTypeId(0));
        let featurizer = Featurizer { nodes: vec![Layout { columns, width: 1 + HASHED }], edges: Vec::new() };
        let row = |values: [Value; 2]| {
            let mut row = Vec::new();
            featurizer.append(owner, (0..).map(FeatureId).zip(values), &mut row);
            row
        };
        let known = row([Value::number(3.0), Value::text("two words")]);
        assert!(known[0] == 2.0 && known[1..].iter().any(|x| *x != 0.0));
        // A number as text; words where there is room for one number, numbers where there were words.
        assert_eq!(row([Value::text(" 3 "), Value::text("two words")]), known);
        for words in ["three", "nan", "1e200"] {
            assert_eq!(row([Value::text(words), Value::number(2.0)]), vec![0.0; 1 + HASHED]);
        }
        let named = row([Value::Json(serde_json::json!({"three": 3})), Value::Json(serde_json::json!(["two"]))]);
        assert!(named[0] == 0.0 && named[1..].iter().any(|x| *x != 0.0));
    }
}
