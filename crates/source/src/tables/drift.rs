//! Columns whose kind is not that of their feature any more.
//!
//! A wider kind that a mapping or a file declares is taken before the first record, if it loses nothing. A column of which
//! no cell fits is another kind of column, and an error of the whole version: single cells that do not fit are rows that
//! cannot be read.

use std::cell::RefCell;

use rustc_hash::FxHashMap;
use timeweft_graph::{Name, Owner, Schema, Sink};

use super::kind::Kind;
use super::mapping::{FeatureSpec, Features, FileSpec, Mapping, Named};
use super::rows::Rows;
use crate::SourceError;

/// This many cells that do not fit, and none that does, make another kind of column.
const COLUMN: u64 = 2;

/// Columns of the present table with cells that do not fit.
pub(crate) struct Drift {
    /// The types before the version.
    before: Schema,
    columns: RefCell<Vec<Misfit>>,
    /// Their places there.
    places: RefCell<FxHashMap<(Owner, Name), usize>>,
}

/// A column of which a cell did not fit, or one did.
struct Misfit {
    owner: Owner,
    feature: Name,
    column: String,
    fits: bool,
    cells: u64,
    /// The first line and what was wrong there.
    first: Option<(u64, String)>,
}

impl Drift {
    pub(crate) fn new(before: &Schema) -> Drift {
        Drift { before: before.clone(), columns: RefCell::default(), places: RefCell::default() }
    }

    /// Notes that a cell fits; called once a column and owner.
    pub(crate) fn fits(&self, owner: Owner, spec: &FeatureSpec) {
        self.note(owner, spec, |misfit| misfit.fits = true);
    }

    /// Notes that a cell does not fit.
    pub(crate) fn misfit(&self, owner: Owner, spec: &FeatureSpec, line: u64, problem: &str) {
        self.note(owner, spec, |misfit| {
            misfit.cells += 1;
            misfit.first.get_or_insert_with(|| (line, problem.to_owned()));
        });
    }

    fn note(&self, owner: Owner, spec: &FeatureSpec, note: impl FnOnce(&mut Misfit)) {
        let mut columns = self.columns.borrow_mut();
        let at = *self.places.borrow_mut().entry((owner, spec.name.clone())).or_insert_with(|| {
            let (feature, column) = (spec.name.clone(), spec.column.clone());
            columns.push(Misfit { owner, feature, column, fits: false, cells: 0, first: None });
            columns.len() - 1
        });
        note(&mut columns[at]);
    }

    /// At the end of a table: a feature that the graph had before, and of whose column no cell fits, is an error.
    pub(crate) fn check(&self, file: &Name) -> Result<(), SourceError> {
        self.places.borrow_mut().clear();
        for misfit in std::mem::take(&mut *self.columns.borrow_mut()) {
            let known = self.before.feature(misfit.owner, &misfit.feature).map(|(_, def)| def.kind);
            let (Some(known), Some((line, problem))) = (known, misfit.first) else { continue };
            if misfit.fits || misfit.cells < COLUMN {
                continue;
            }
            let Misfit { owner, feature, column, cells, .. } = misfit;
            let owner = self.before.owner_name(owner);
            let problem = format!(
                "column `{column}`: {problem}, and no cell of the column fits ({cells} do not): feature `{feature}` of {owner} \
                 holds {known} in this graph: cast the column to {known}, declare a wider kind for it in the mapping (such \
                 as `float` for `int`), or give the feature another name"
            );
            return Err(SourceError::Document { file: file.clone(), line, problem });
        }
        Ok(())
    }
}

/// Opens the file of an entry.
type Open<'a> = &'a dyn Fn(&FileSpec<'_>) -> Result<Box<dyn Rows>, SourceError>;

/// Gives features the wider kinds that the mapping or the files declare for them.
pub(crate) fn widen(mapping: &Mapping, open: Open<'_>, sink: &mut dyn Sink) -> Result<(), SourceError> {
    for table in &mapping.nodes {
        widen_entry(&[&table.node_type], &table.features, &table.file(), open, sink)?;
    }
    for table in &mapping.edges {
        let names = [&table.source.node_type, &table.relation, &table.destination.node_type];
        widen_entry(&names, &table.features, &table.file(), open, sink)?;
    }
    for table in &mapping.merges {
        widen_entry(&[], &table.features, &table.file(), open, sink)?;
    }
    Ok(())
}

fn widen_entry(
    names: &[&Named],
    features: &Features,
    file: &FileSpec<'_>,
    open: Open<'_>,
    sink: &mut dyn Sink,
) -> Result<(), SourceError> {
    let Some(owner) = owner(names, sink.schema()) else { return Ok(()) };
    let mut declared: Vec<(Name, Kind)> = match features {
        Features::All => Vec::new(),
        Features::Listed(specs) => specs.iter().filter_map(|spec| Some((spec.name.clone(), spec.kind?))).collect(),
    };
    if file.declares_kinds() && !sink.schema().features(owner).is_empty() {
        let mut own: FxHashMap<&str, Vec<&Name>> = FxHashMap::default();
        if let Features::Listed(specs) = features {
            let untold = specs.iter().filter(|spec| spec.kind.is_none());
            untold.for_each(|spec| own.entry(spec.column.as_str()).or_default().push(&spec.name));
        }
        let rows = open(file)?;
        for (at, column) in rows.columns().iter().enumerate() {
            let Some(kind) = rows.declared(at) else { continue };
            match features {
                Features::All => declared.push((column.as_str().into(), kind)),
                Features::Listed(_) => {
                    let own = own.get(column.as_str()).into_iter().flatten();
                    declared.extend(own.map(|name| ((*name).clone(), kind)));
                }
            }
        }
    }
    let schema = sink.schema();
    for (name, kind) in declared {
        let Some((id, known)) = schema.feature(owner, &name).map(|(id, def)| (id, def.kind)) else { continue };
        if let Some(wider) = known.wider(kind.feature_kind()).filter(|wider| *wider != known) {
            schema.set_kind(owner, id, wider);
        }
    }
    Ok(())
}

/// The owner that the names of an entry tell, if the graph has it.
fn owner(names: &[&Named], schema: &Schema) -> Option<Owner> {
    let names: Option<Vec<Name>> = names.iter().map(|named| named.constant()).collect();
    Some(match &names?[..] {
        [name] => Owner::Node(schema.node_type(name)?),
        [source, relation, destination] => Owner::Edge(schema.edge_type_named(source, relation, destination)?),
        _ => Owner::Merge,
    })
}
