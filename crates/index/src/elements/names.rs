//! Names kept once: edge keys and namespaces.

use rustc_hash::FxHashMap;
use timeweft_graph::Name;

use crate::NONE;

/// Each distinct name has a number; [`NONE`] stands for "no name".
#[derive(Clone, Default)]
pub(crate) struct Names {
    names: Vec<Name>,
    ids: FxHashMap<Name, u32>,
}

impl Names {
    /// The number of a name that is there.
    pub(crate) fn find(&self, name: &str) -> Option<u32> {
        self.ids.get(name).copied()
    }

    /// The number of a name, added if it is new. The caller bounds how many there are.
    pub(crate) fn add(&mut self, name: &Name) -> u32 {
        if let Some(known) = self.find(name) {
            return known;
        }
        let id = self.names.len() as u32;
        self.names.push(name.clone());
        self.ids.insert(name.clone(), id);
        id
    }

    /// The same for a name that is borrowed.
    pub(crate) fn add_str(&mut self, name: &str) -> u32 {
        self.find(name).unwrap_or_else(|| self.add(&name.into()))
    }

    /// All names, in the order of their numbers.
    pub(crate) fn all(&self) -> &[Name] {
        &self.names
    }

    /// The name of a number; `None` for [`NONE`].
    pub(crate) fn get(&self, id: u32) -> Option<&Name> {
        (id != NONE).then(|| self.names.get(id as usize)).flatten()
    }
}
