//! Names of dictionary columns. A dictionary never changes within a segment, because not every reader of Arrow files
//! knows dictionaries that grow.

use std::sync::Arc;

use arrow_array::types::Int32Type;
use arrow_array::{ArrayRef, DictionaryArray, Int32Array, StringArray};
use rustc_hash::FxHashMap;
use timeweft_graph::Name;

/// Names numbered in the order in which they come.
pub(super) struct Dictionary {
    numbers: FxHashMap<Name, i32>,
    names: Vec<Name>,
    array: ArrayRef,
}

impl Dictionary {
    /// The names of an earlier dictionary and new ones.
    pub(super) fn of<'a>(earlier: Option<&Dictionary>, names: impl Iterator<Item = &'a str>) -> Dictionary {
        let (mut all, mut numbers) = earlier.map_or_else(Default::default, |it| (it.names.clone(), it.numbers.clone()));
        for name in names {
            if !numbers.contains_key(name) {
                let name = Name::from(name);
                numbers.insert(name.clone(), all.len() as i32);
                all.push(name);
            }
        }
        let array = Arc::new(StringArray::from_iter_values(all.iter().map(|name| &**name)));
        Dictionary { numbers, names: all, array }
    }

    /// Whether it has all these names.
    pub(super) fn has_all<'a>(&self, names: impl IntoIterator<Item = &'a &'a str>) -> bool {
        names.into_iter().all(|name| self.numbers.contains_key(*name))
    }

    /// A column of names by their numbers; `None` if one of them is not here.
    pub(super) fn numbered(&self, numbers: impl Iterator<Item = i32>) -> Option<ArrayRef> {
        self.keyed(Int32Array::from_iter_values(numbers))
    }

    /// The number of a name that is here.
    pub(super) fn number(&self, name: &str) -> Option<i32> {
        self.numbers.get(name).copied()
    }

    /// A column of numbers that are here.
    pub(super) fn keyed(&self, keys: Int32Array) -> Option<ArrayRef> {
        Some(Arc::new(DictionaryArray::<Int32Type>::try_new(keys, self.array.clone()).ok()?))
    }
}
