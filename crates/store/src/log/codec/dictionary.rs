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
    pub(super) fn of<'a>(earlier: Option<&'a Dictionary>, names: impl Iterator<Item = &'a Name>) -> Dictionary {
        let mut all = Vec::new();
        let mut numbers = FxHashMap::default();
        for name in earlier.into_iter().flat_map(|earlier| &earlier.names).chain(names) {
            numbers.entry(name.clone()).or_insert_with(|| {
                all.push(name.clone());
                all.len() as i32 - 1
            });
        }
        let array = Arc::new(StringArray::from_iter_values(all.iter().map(|name| &**name)));
        Dictionary { numbers, names: all, array }
    }

    /// Names that every segment has.
    pub(super) fn constant(names: &[&str]) -> Dictionary {
        Dictionary::of(None, names.iter().map(|&name| Name::from(name)).collect::<Vec<_>>().iter())
    }

    /// Whether it has all these names.
    pub(super) fn has_all<'a>(&self, mut names: impl Iterator<Item = &'a Name>) -> bool {
        names.all(|name| self.numbers.contains_key(name))
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

    /// A column of names; `None` if one of them is not here.
    pub(super) fn column<'a>(&self, names: impl Iterator<Item = Option<&'a Name>>) -> Option<ArrayRef> {
        let mut last: Option<(&Name, i32)> = None;
        let mut known = true;
        let keys: Int32Array = names
            .map(|name| {
                let name = name?;
                let number = match last {
                    Some((last, number)) if Arc::ptr_eq(last, name) => Some(number),
                    _ => self.numbers.get(name).copied(),
                };
                known &= number.is_some();
                last = number.map(|number| (name, number));
                number
            })
            .collect();
        known.then(|| self.keyed(keys)).flatten()
    }
}
