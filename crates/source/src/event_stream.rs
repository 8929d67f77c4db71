//! The message format: one event a line, as JSON or as a row of a table.
//!
//! A JSON line of an edge event (a node event has only `source`; a merge has `source`, the node that is no more, and
//! `destination`, what it became, and its features in `edge`):
//!
//! ```json
//! {"time":5,"action":"create","entity":"edge","source":{"type":"user","id":"u1","features":{"age":31}},
//!  "edge":{"type":"buys","key":"1","features":{"price":9.5}},"destination":{"type":"item","id":"i9"}}
//! ```
//!
//! - `time` is a number of ticks, or as text a date, or date and time, where the graph's unit has a calendar.
//! - Features of the endpoints of an edge become update events of these nodes, just before the edge event.
//! - A feature that the schema declares is read as exactly that kind. Any other is a number (f64), a list of numbers, a
//!   text, or JSON. `null` ends the value. Whole numbers beyond 2^53 need a declaration, for f64 would change them. An
//!   empty list is what the other values of its feature are.
//! - Nothing is guessed: unknown, missing and doubled fields refuse the line.

mod ahead;
mod column_mapping;
#[cfg(feature = "columnar")]
mod columnar;
mod csv;
mod detect;
mod jsonl;
mod reader;
mod table;
mod writer;

pub use column_mapping::ColumnMapping;
#[cfg(feature = "columnar")]
pub use columnar::{ColumnarOptions, ColumnarReader};
pub use csv::{CsvDefaults, CsvOptions, CsvReader, Layout};
pub use detect::detect;
pub use jsonl::JsonlReader;
pub(crate) use jsonl::finite;
pub use table::{EventColumns, write_event_table};
pub use writer::write_event;
