//! What leaves a graph: documents as other databases keep them, and files of events.

mod kbase;
#[cfg(test)]
mod tests;

pub use kbase::{Document, DocumentOptions, OPEN};
pub(crate) use kbase::{documents, registry};
pub use timeweft_index::create_fresh;
pub use timeweft_source::{EventColumns, table_writer, write_event, write_event_table};
