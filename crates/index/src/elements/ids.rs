//! External ids of nodes and their dense numbers.

use std::hash::{Hash, Hasher};

use bytemuck::{Pod, Zeroable};
use rustc_hash::FxHasher;
use timeweft_graph::{IdRef, NodeTypeId};

use crate::NONE;
use crate::memory::array::Array;
use crate::memory::hash_table::NumberTable;

/// The id and type of every node, by number, and the way back.
///
/// Whole numbers that are not much larger than there are nodes are looked up in an array: one access, where a hash table
/// takes two and more. All other ids are hashed.
#[derive(Clone, Default)]
pub(crate) struct Ids {
    pub(crate) ids: Array<Packed>,
    /// Texts of ids, one behind the other.
    pub(crate) texts: Array<u8>,
    pub(crate) types: Vec<OfType>,
    /// Numbers of the nodes whose ids are not in an array.
    pub(crate) table: NumberTable,
}

/// An id in 16 bytes.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub(crate) struct Packed {
    /// The number, or where the text begins.
    word: u64,
    /// Length of the text; [`NUMBER`] for numbers.
    length: u32,
    node_type: NodeTypeId,
    unused: u16,
}

/// The length in bytes that no text of an id reaches.
pub(crate) const MAX_LENGTH: usize = NUMBER as usize;
/// The length that is none.
const NUMBER: u32 = u32::MAX;

/// How the ids of one type are found.
#[derive(Clone, Default)]
pub(crate) struct OfType {
    /// Node by whole number, or [`NONE`].
    pub(crate) direct: Array<u32>,
    /// How many ids are whole numbers.
    pub(crate) numbers: usize,
    /// Whether some of those are in the table.
    pub(crate) hashed: bool,
}

impl OfType {
    /// Whole numbers below this have a place in the array.
    fn limit(&self) -> usize {
        const LEAST: usize = 4096;
        LEAST + self.numbers.saturating_mul(4)
    }
}

impl Ids {
    /// Reserves memory for more ids.
    pub(crate) fn reserve(&mut self, nodes: usize) {
        self.ids.reserve(nodes);
    }

    /// The id of a node.
    pub(crate) fn get(&self, node: u32) -> IdRef<'_> {
        id_of(&self.ids, &self.texts, node)
    }

    /// The type of a node.
    pub(crate) fn node_type(&self, node: u32) -> NodeTypeId {
        self.ids[node as usize].node_type
    }

    /// The node of a type and id.
    pub(crate) fn find(&self, node_type: NodeTypeId, id: IdRef<'_>) -> Option<u32> {
        let of_type = self.types.get(node_type.at())?;
        if let IdRef::Int(number) = id {
            let direct = usize::try_from(number).ok().and_then(|at| of_type.direct.get(at)).copied();
            match direct {
                Some(node) if node != NONE => return Some(node),
                _ if !of_type.hashed => return None,
                _ => {}
            }
        }
        let same = |at: u32| self.ids[at as usize].node_type == node_type && self.get(at) == id;
        self.table.find(hash(node_type, id), same)
    }

    /// Numbers the next node. Its type and id are not there yet; the caller keeps texts below [`MAX_LENGTH`].
    pub(crate) fn push(&mut self, node_type: NodeTypeId, id: IdRef<'_>) {
        let node = self.ids.len() as u32;
        let (word, length) = match id {
            IdRef::Int(number) => (number, NUMBER),
            IdRef::Text(text) => {
                let start = self.texts.len() as u64;
                self.texts.extend_from_slice(text.as_bytes());
                (start, text.len() as u32)
            }
        };
        self.ids.push(Packed { word, length, node_type, unused: 0 });
        if !self.push_direct(node_type, id, node) {
            self.push_hashed(node_type, id, node);
        }
    }

    /// Whether the id has its place in an array.
    fn push_direct(&mut self, node_type: NodeTypeId, id: IdRef<'_>, node: u32) -> bool {
        if self.types.len() <= node_type.at() {
            self.types.resize_with(node_type.at() + 1, OfType::default);
        }
        let of_type = &mut self.types[node_type.at()];
        let IdRef::Int(number) = id else { return false };
        of_type.numbers += 1;
        match usize::try_from(number) {
            Ok(at) if at < of_type.limit() => {
                of_type.direct.grow(at + 1, NONE);
                of_type.direct[at] = node;
                true
            }
            _ => {
                of_type.hashed = true;
                false
            }
        }
    }

    fn push_hashed(&mut self, node_type: NodeTypeId, id: IdRef<'_>, node: u32) {
        let (ids, texts) = (&self.ids, &self.texts);
        let hash_of = |at: u32| hash(ids[at as usize].node_type, id_of(ids, texts, at));
        if self.table.len() == 0 {
            self.table.grow(ids.room(), hash_of);
        }
        self.table.insert(hash(node_type, id), node, hash_of);
    }
}

fn id_of<'a>(ids: &Array<Packed>, texts: &'a Array<u8>, node: u32) -> IdRef<'a> {
    let Packed { word, length, .. } = ids[node as usize];
    match length {
        NUMBER => IdRef::Int(word),
        // Only whole texts were put there.
        length => {
            IdRef::Text(std::str::from_utf8(&texts[word as usize..word as usize + length as usize]).unwrap_or_default())
        }
    }
}

fn hash(node_type: NodeTypeId, id: IdRef<'_>) -> u64 {
    let mut hasher = FxHasher::default();
    node_type.hash(&mut hasher);
    match id {
        IdRef::Int(number) => number.hash(&mut hasher),
        IdRef::Text(text) => text.hash(&mut hasher),
    }
    hasher.finish()
}
