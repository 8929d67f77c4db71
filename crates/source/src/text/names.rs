//! Names that come again and again, kept once.

use rustc_hash::FxHashSet;
use timeweft_graph::Name;

/// The types, relations and features that a source has named so far.
#[derive(Default)]
pub(crate) struct Names(FxHashSet<Name>);

impl Names {
    /// The shared name of this text.
    pub(crate) fn get(&mut self, text: &str) -> Name {
        if let Some(known) = self.0.get(text) {
            return known.clone();
        }
        let name = Name::from(text);
        self.0.insert(name.clone());
        name
    }
}
