//! Answers of a graph as Arrow record batches, and record batches as loads.
//!
//! This is the only converter: Python, SQL and the server take their tables from here.
//!
//! Ids are `UInt64` where every id that the types of a column ever had is a whole number, else `Utf8`: that follows from
//! the view and the question, not from the rows. Times are `Timestamp(unit, "UTC")`, or `Int64` in a graph that counts steps; an open end
//! is null.

mod answers;
mod cells;
mod diff;
mod edges;
mod error;
mod events;
mod features;
mod history;
mod ids;
mod lazy;
pub mod learn;
mod loads;
mod merges;
mod neighbors;
mod nodes;
mod rejects;
mod samples;
pub mod scan;
mod table;
mod values;
mod walks;

pub use answers::answer;
pub use diff::Difference;
pub use edges::{Relation, edge_types, edges};
pub use error::{Error, Result};
pub use events::events;
pub use features::Selected;
pub use history::history;
pub use ids::node_ids;
pub use lazy::{Lazy, Relatives};
pub use loads::{loads, loads_at};
pub use merges::merges;
pub use neighbors::neighbors;
pub use nodes::{known_type, nodes};
pub use rejects::rejects;
pub use samples::{SampleQuestion, samples};
pub use table::{BATCH_ROWS, Table};
pub use values::{Numbers, values};
pub use walks::walks;
