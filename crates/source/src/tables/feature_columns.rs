//! The columns that are features.

use rustc_hash::{FxHashMap, FxHashSet};
use timeweft_graph::delta::RESERVED;
use timeweft_graph::{ListOrder, Sink};

use super::context::Context;
use super::key_columns::column;
use super::mapping::{FeatureSpec, Features};
use super::rows::Rows;
use crate::SourceError;
use crate::limits::{MOST_FEATURES, many_columns};

/// The columns that are features.
pub(crate) struct FeatureColumns {
    pub(crate) specs: Vec<FeatureSpec>,
    /// The places of the specs' columns.
    pub(crate) places: Vec<usize>,
    /// The specs of each place.
    pub(crate) at_place: FxHashMap<usize, Vec<usize>>,
    /// Whether all columns without another meaning are features.
    all: bool,
    except: FxHashSet<String>,
    /// Columns whose names begin so say something about their row, and are no features.
    pub(crate) about_rows: Option<&'static str>,
    /// Columns with another meaning.
    pub(crate) taken: FxHashSet<usize>,
    /// Columns looked at so far.
    seen: usize,
}

impl FeatureColumns {
    pub(crate) fn new(features: &Features, except: &[String]) -> FeatureColumns {
        let (specs, all) = match features {
            Features::All => (Vec::new(), true),
            Features::Listed(specs) => (specs.clone(), false),
        };
        let except = except.iter().cloned().collect();
        let (places, at_place) = (Vec::new(), FxHashMap::default());
        FeatureColumns { specs, places, at_place, all, except, about_rows: None, taken: FxHashSet::default(), seen: 0 }
    }

    /// Finds the columns of the features; those of an open table as they come. Of all columns, one that cannot be read is
    /// left out with a warning.
    pub(crate) fn follow(
        &mut self,
        context: &Context<'_>,
        rows: &mut dyn Rows,
        sink: &mut dyn Sink,
    ) -> Result<(), SourceError> {
        while self.places.len() < self.specs.len() {
            let at = column(rows, &self.specs[self.places.len()].column)?;
            self.place(at);
        }
        while self.all && self.seen < rows.columns().len() {
            let (at, name) = (self.seen, rows.columns()[self.seen].clone());
            self.seen += 1;
            let is_about_rows = self.about_rows.is_some_and(|start| name.starts_with(start));
            if self.taken.contains(&at) || self.except.contains(&name) || is_about_rows {
                continue;
            }
            if RESERVED.contains(&name.as_str()) {
                return Err(context.fail(format!(
                    "column `{name}` has a reserved name: list the features and give it another, such as \
                     `source_{} = {{ column = \"{name}\" }}`, or leave it out with `except = [\"{name}\"]`",
                    name.trim_start_matches('_')
                )));
            }
            if self.specs.len() == MOST_FEATURES {
                return Err(context.fail(many_columns(rows.columns().len())));
            }
            if let Err(problem) = rows.want(at) {
                sink.warn(0, format!("column `{name}` is left out: it {problem}"));
                continue;
            }
            let spec = FeatureSpec { name: name.as_str().into(), column: name, kind: None, order: ListOrder::List };
            self.specs.push(spec);
            self.place(at);
        }
        Ok(())
    }

    /// The place of the first spec that has none.
    fn place(&mut self, at: usize) {
        self.at_place.entry(at).or_default().push(self.places.len());
        self.places.push(at);
    }
}
