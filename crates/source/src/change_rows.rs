//! Rows of tables that say what changed when, by the mapping that whole versions use ([`crate::tables`]), with `[changes]` in it.
//!
//! ```toml
//! [changes]
//! format = "debezium"       # or "dbt", "scd2"
//!
//! [[nodes]]
//! table = "orders"          # which rows of a stream of several tables; `file`, where tables are files of a folder
//! type = "order"
//! id = "id"
//! features = { total = "float", status = "category" }
//!
//! [[edges]]                 # a foreign key: one end is the row of the node
//! table = "orders"
//! relation = "placed_by"
//! source = { type = "order", column = "id" }
//! destination = { type = "customer", column = "customer_id" }
//! ```
//!
//! A row becomes an event that says what an element is from its time on ([`Element`](timeweft_graph::Element) and features
//! of a create) or that it is not (a delete). What that changes is for the taker to find out: it depends on what came before,
//! and that may be in the graph already. So the reader remembers nothing of a row.

mod change;
mod changes;
mod elements;
mod envelope;
mod files;
mod image;
mod intervals;
mod mapping;
mod plan;
mod position;
mod reader;
mod row_time;
mod timeline;

pub use mapping::TableMapping;
pub use reader::ChangeRowsReader;
