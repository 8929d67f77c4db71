//! Features of many nodes or edges as columns.

use std::collections::BTreeMap;
use std::ops::Range;

use arrow_array::ArrayRef;
use arrow_schema::Field;
use timeweft::export::table_writer::{Cell, CellKind, Column, ValueColumn, value_field, with_width};
use timeweft::read::features::{FlatRows, Owners};
use timeweft::read::{FeatureKind, Index, Owner, ValueBytes};
use timeweft::{Name, Schema, Value};

use crate::table::{Columns, ranges};
use crate::{Error, Result};

/// Which features a table shows.
///
/// Columns have the types of the features: numbers, lists of numbers (of fixed size where all that are shown are of one
/// length), texts, bytes; JSON texts for what is structured or sparse, and for features that owners hold in several kinds. A feature
/// whose name another column has is `feature:NAME`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Selected {
    /// None.
    #[default]
    None,
    /// These.
    Named(Vec<String>),
    /// All that elements of the shown types may have.
    All,
}

/// A column: an array for each batch.
type FeatureColumn = (Field, Vec<ArrayRef>);

/// The rows of each batch, and the columns of features.
type ReadFeatures = (Vec<Range<usize>>, Vec<FeatureColumn>);

/// Bytes of values that are taken into one batch: offsets of texts have 31 bits.
const MOST_BYTES: usize = 1 << 30;

/// The features that are shown, each with what its column holds.
#[derive(Clone, Debug)]
pub(crate) struct FeatureColumns {
    names: Vec<Name>,
    kinds: Vec<FeatureKind>,
}

impl FeatureColumns {
    /// Those of some owners.
    pub(crate) fn of(schema: &Schema, owners: &[Owner], selected: &Selected) -> Result<FeatureColumns> {
        let mut names: Vec<Name> = Vec::new();
        let all = || owners.iter().flat_map(|owner| schema.features(*owner));
        match selected {
            Selected::None => {}
            Selected::All => all().for_each(|def| {
                if !names.contains(&def.name) {
                    names.push(def.name.clone());
                }
            }),
            Selected::Named(wanted) => {
                for name in wanted {
                    let known = all().find(|def| *def.name == **name);
                    names.push(known.ok_or_else(|| unknown(name, all().map(|def| &def.name)))?.name.clone());
                }
            }
        }
        let kind = |name: &Name| {
            let mut kinds = owners.iter().filter_map(|owner| schema.feature(*owner, name)).map(|(_, def)| def.kind);
            let first = kinds.next().unwrap_or(FeatureKind::Json);
            if kinds.all(|kind| kind == first) { first } else { FeatureKind::Json }
        };
        let kinds = names.iter().map(kind).collect();
        Ok(FeatureColumns { names, kinds })
    }

    /// Adds a column for each, and finds the ranges of the batches. `taken` are the names of the other columns.
    pub(crate) fn read<'a>(
        &self,
        index: &Index,
        rows: usize,
        owners: impl Fn(Range<usize>) -> Result<Owners<'a>>,
        taken: &[&str],
    ) -> Result<ReadFeatures> {
        if self.names.is_empty() {
            return Ok((ranges(rows), Vec::new()));
        }
        let (mut done, mut waiting) = (Vec::new(), ranges(rows));
        waiting.reverse();
        let mut flat = FlatRows::default();
        let mut batches: Vec<Vec<ValueColumn>> = Vec::new();
        while let Some(range) = waiting.pop() {
            index.encoded_features(&self.names, owners(range.clone())?, &mut flat);
            if flat.bytes.len() > MOST_BYTES && range.len() > 1 {
                let middle = range.start + range.len() / 2;
                waiting.extend([middle..range.end, range.start..middle]);
                continue;
            }
            batches.push(self.batch(&flat)?);
            done.push(range);
        }
        Ok((done, self.finish(batches, taken)?))
    }

    /// The same as columns of rows.
    pub(crate) fn columns(&self, taken: &[&str]) -> Vec<Column> {
        let column =
            |(name, kind): (&Name, &FeatureKind)| Column::nullable(&column_name(name, taken), CellKind::Value(*kind));
        self.names.iter().zip(&self.kinds).map(column).collect()
    }

    /// The fields of the same; lists of numbers are of any length.
    pub(crate) fn fields(&self, taken: &[&str]) -> Vec<Field> {
        let field = |(name, kind): (&Name, &FeatureKind)| value_field(&column_name(name, taken), *kind, true);
        self.names.iter().zip(&self.kinds).map(field).collect()
    }

    /// The name and the kind of the feature at a place.
    pub(crate) fn at(&self, place: usize) -> Option<(&Name, FeatureKind)> {
        self.names.get(place).zip(self.kinds.get(place).copied())
    }

    /// An array for each of the features at some places, in the order given.
    pub(crate) fn arrays(&self, index: &Index, owners: Owners<'_>, places: &[usize]) -> Result<Vec<ArrayRef>> {
        let wanted = places.iter().filter_map(|place| self.at(*place));
        let (names, kinds): (Vec<Name>, Vec<FeatureKind>) = wanted.map(|(name, kind)| (name.clone(), kind)).unzip();
        let (mut flat, wanted) = (FlatRows::default(), FeatureColumns { names, kinds });
        index.encoded_features(&wanted.names, owners, &mut flat);
        wanted.batch(&flat)?.into_iter().map(|column| Ok(column.finish(None)?)).collect()
    }

    /// The cells of a row, of a node or edge with these features.
    pub(crate) fn cells(&self, features: &BTreeMap<Name, Value>) -> Vec<Cell<'static>> {
        self.names.iter().map(|name| Cell::from(features.get(name).cloned())).collect()
    }

    fn batch(&self, flat: &FlatRows) -> Result<Vec<ValueColumn>> {
        let mut columns: Vec<ValueColumn> = self.kinds.iter().map(|kind| ValueColumn::new(*kind)).collect();
        let (mut start, n) = (0, columns.len());
        for (at, length) in flat.lengths.iter().enumerate() {
            let end = start + *length as usize;
            match *length {
                0 => columns[at % n].push_null()?,
                _ => columns[at % n].push(ValueBytes(&flat.bytes[start..end]))?,
            }
            start = end;
        }
        Ok(columns)
    }

    /// Lists of numbers are of fixed size where all of them are of one length.
    fn finish(&self, batches: Vec<Vec<ValueColumn>>, taken: &[&str]) -> Result<Vec<FeatureColumn>> {
        let n_batches = batches.len();
        let mut columns: Vec<_> = self.names.iter().map(|_| Vec::with_capacity(n_batches)).collect();
        batches
            .into_iter()
            .for_each(|batch| columns.iter_mut().zip(batch).for_each(|(column, part)| column.push(part)));
        let column = |((name, kind), parts): ((&Name, &FeatureKind), Vec<ValueColumn>)| {
            let width = width(&parts);
            let name = column_name(name, taken);
            let field = value_field(&name, *kind, true);
            let field = width.map_or(field.clone(), |width| with_width(&field, width));
            let arrays = parts.into_iter().map(|part| part.finish(width)).collect::<std::io::Result<_>>()?;
            Ok((field, arrays))
        };
        self.names.iter().zip(&self.kinds).zip(columns).map(column).collect()
    }
}

/// The name of a feature's column beside others.
fn column_name(name: &str, taken: &[&str]) -> String {
    if taken.contains(&name) { format!("feature:{name}") } else { name.to_owned() }
}

/// The length of all lists of a column, if they are of one length.
fn width(parts: &[ValueColumn]) -> Option<i32> {
    let mut known = None;
    for part in parts.iter().filter(|part| !part.has_no_value()) {
        let width = part.width()?;
        if known.is_some_and(|known| known != width) {
            return None;
        }
        known = Some(width);
    }
    known
}

/// Makes columns of which some are features; the others come first.
pub(crate) fn columns((ranges, features): ReadFeatures, others: impl FnOnce(&mut Columns)) -> Columns {
    let mut columns = Columns::new(ranges);
    others(&mut columns);
    features.into_iter().for_each(|(field, arrays)| columns.add(field, arrays));
    columns
}

fn unknown<'n>(name: &str, known: impl Iterator<Item = &'n Name>) -> Error {
    let mut known: Vec<String> = known.map(|name| name.to_string()).collect();
    known.sort_unstable();
    known.dedup();
    Error::Unknown { argument: "features", kind: "feature", name: name.into(), known }
}
