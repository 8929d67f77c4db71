//! Files and streams become records of a [`timeweft_graph::Sink`]: events, lives, or whole versions.
//!
//! Every reader pushes what it could read and, for each record that it could not, a [`timeweft_graph::Reject`] with file
//! and line: bad input is data, never a panic (law 7). Only what makes a whole source unusable is a [`SourceError`].
//!
//! | source | reader | gives |
//! |---|---|---|
//! | event stream, JSON lines | [`JsonlReader`] | events, in constant memory |
//! | event stream, CSV or words | [`CsvReader`] | the same |
//! | event stream, Parquet, Arrow or a data frame ([`Frame`]) | [`ColumnarReader`] | the same |
//! | DeepGNN temporal JSON | [`temporal_json::read`] | nodes, edges and values with lifetimes |
//! | DeepGNN edge list, TSV, binary folder | [`edge_list::read`], [`tsv::read`], [`deepgnn_binary::read`] | the same |
//! | OBO ontology | [`obo::read`] | a whole version |
//! | OBO Graphs JSON | [`obograph::read`] | the same |
//! | NCBI taxonomy dump | [`taxdump::read`] | the same, in constant memory but for 16 bytes a taxon |
//! | GTDB, SILVA, RDP taxonomies | [`gtdb::read`], [`silva::read`], [`rdp::read`] | the same |
//! | tables that a TOML file maps | [`tables::read`] | the same, in constant memory |
//! | any of these versions | [`version_format::read`] | the same; the format follows from the path |
//! | any of these intervals | [`IntervalSource::read`] | the same; the format follows from the path |
//! | rows of changes: Debezium, dbt snapshots, SCD2 | [`ChangeRowsReader`] | rows, for a load that tells what they change |
//! | git repository | [`git_history::read`] | [`GitHistory`]: all events, in order of time |
//!
//! [`RootsReader`] reads what questions are asked about, and [`table_writer`] writes the answers; [`write_event`] writes what
//! [`JsonlReader`] reads.

pub mod change_rows;
mod error;
pub mod event_stream;
#[cfg(feature = "columnar")]
pub mod frame;
pub mod git_history;
mod input;
pub mod interval_format;
pub mod limits;
#[cfg(feature = "columnar")]
mod refused_rows;
pub mod roots;
pub mod table_writer;
pub mod tables;
mod text;
pub mod version_format;

pub use change_rows::{ChangeRowsReader, TableMapping};
pub use error::SourceError;
#[cfg(feature = "columnar")]
pub use event_stream::{ColumnarOptions, ColumnarReader};
pub use event_stream::{
    CsvDefaults, CsvOptions, CsvReader, EventColumns, JsonlReader, Layout, write_event, write_event_table,
};
#[cfg(feature = "columnar")]
pub use frame::Frame;
pub use git_history::{GitBaseline, GitHistory, GitOptions};
pub use input::{BytesRead, Input, open, plain_name, read_text};
pub use interval_format::deepgnn_binary::{self, FeatureTypes};
pub use interval_format::edge_list::{self, EdgeListDefaults, EdgeListOptions};
pub use interval_format::{IntervalFormat, IntervalSource, IntervalsOptions, temporal_json, tsv};
#[cfg(feature = "columnar")]
pub use refused_rows::refused_rows;
pub use roots::RootsReader;
pub use tables::TablesOptions;
pub use text::delimited::{self, Delimiter, Dialect, Mark};
pub use version_format::obo::{self, OboOptions};
pub use version_format::obograph::{self, ObographOptions};
pub use version_format::{VersionFormat, VersionOptions, gtdb, rdp, silva, taxdump};
