//! What a store consists of: as the catalogue says it to the one process that writes, or as manifests say it to any other.

use std::path::Path;

use timeweft_graph::{Commit, Schema};

use crate::StoreError;
use crate::catalogue::Catalogue;
use crate::log::segment::Segment;
use crate::manifest::Manifests;

/// Where a store reads schemas and small segments.
pub(crate) enum Ledger {
    /// The truth. Only of a graph without manifests is it opened for reading alone.
    Catalogue(Catalogue),
    /// What it said at a commit.
    Manifests(Manifests),
}

impl Ledger {
    /// The file, for messages.
    pub(crate) fn path(&self) -> &Path {
        match self {
            Ledger::Catalogue(catalogue) => catalogue.path(),
            Ledger::Manifests(manifests) => manifests.path(),
        }
    }

    /// The schema as of a commit.
    pub(crate) fn schema(&self, commit: Commit) -> Result<Schema, StoreError> {
        match self {
            Ledger::Catalogue(catalogue) => catalogue.schema(commit),
            Ledger::Manifests(manifests) => manifests.schema(commit),
        }
    }

    /// The bytes of a small segment.
    pub(crate) fn batch(&self, segment: &Segment) -> Result<Vec<u8>, StoreError> {
        match self {
            Ledger::Catalogue(catalogue) => catalogue.batch(segment),
            Ledger::Manifests(manifests) => manifests.batch(segment),
        }
    }

    /// Whether the graph is open for writing.
    pub(crate) fn is_writable(&self) -> bool {
        matches!(self, Ledger::Catalogue(catalogue) if catalogue.is_writable())
    }

    /// The catalogue of a graph that is open for writing.
    pub(crate) fn writable(&mut self) -> Result<&mut Catalogue, StoreError> {
        let folders = if matches!(self, Ledger::Manifests(_)) { 2 } else { 1 };
        let dir = self.path().ancestors().nth(folders).unwrap_or(self.path()).to_owned();
        match self {
            Ledger::Catalogue(catalogue) if catalogue.is_writable() => Ok(catalogue),
            _ => Err(StoreError::ReadOnly(dir)),
        }
    }
}
