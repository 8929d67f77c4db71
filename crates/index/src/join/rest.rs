//! Merges and deletions that a version names.

use timeweft_graph::rows::Rest;

use super::Join;

impl Join<'_> {
    pub(super) fn merges(&mut self, _rest: &Rest) {}
}
