//! What leaves a graph: documents as other databases keep them, and files of events.

mod kbase;
#[cfg(test)]
mod tests;

pub use kbase::{Document, DocumentOptions, OPEN};
pub(crate) use kbase::{documents, registry};
