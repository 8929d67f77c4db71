//! Tests of the sources, through the public interface.
#![allow(clippy::unwrap_used, missing_docs)]

mod closed_sink;
#[cfg(feature = "columnar")]
mod columnar;
mod csv;
mod csv_layouts;
mod csv_values;
mod deepgnn_binary;
mod delimited;
mod edge_list;
#[cfg(feature = "columnar")]
mod event_tables;
mod git_history;
mod git_merges;
mod input;
mod interval_format;
mod jsonl;
mod lineages;
mod obo;
mod obograph;
mod ontologies;
#[cfg(feature = "columnar")]
mod parquet_forms;
mod replay;
mod round_trip;
mod tables;
mod taxdump;
mod temporal_json;
mod temporal_json_law;
mod tsv;
mod unreadable;
mod version_format;
