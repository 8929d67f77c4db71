//! The module `timeweft._core`: what the Python package asks of the library. It only converts.
//!
//! Arguments come checked: `python/timeweft` brings times to ticks, arrays to their types and frames to streams.

mod allocator;
mod answer;
mod arrays;
mod care;
mod columns;
mod counters;
mod errors;
mod features;
mod fork;
mod frames;
mod graph;
mod graph_models;
mod hints;
mod interrupt;
mod load_files;
mod load_report;
mod load_tables;
mod loading;
mod loads;
mod lookup;
mod model;
mod questions;
mod reads;
mod samples;
mod scope;
#[cfg(feature = "sql")]
mod sql;
mod stream;
mod stream_batches;
mod subgraph;
mod table;
mod times;
mod values;
mod view;

#[pyo3::pymodule(gil_used = false)]
mod _core {
    /// The version of the library and of the package.
    #[pymodule_export]
    #[expect(non_upper_case_globals, reason = "Python's name of it")]
    const __version__: &str = env!("CARGO_PKG_VERSION");

    #[pymodule_export]
    use crate::care::Difference;
    #[pymodule_export]
    use crate::fork::after_fork;
    #[pymodule_export]
    use crate::frames::Frame;
    #[pymodule_export]
    use crate::graph::Graph;
    #[pymodule_export]
    use crate::load_report::PyLoadReport;
    #[pymodule_export]
    use crate::load_tables::table_columns;
    #[pymodule_export]
    use crate::model::Model;
    #[pymodule_export]
    use crate::samples::empty_samples;
    #[pymodule_export]
    use crate::table::Columns;
    #[pymodule_export]
    use crate::times::{format_time, parse_time};
    #[pymodule_export]
    use crate::view::View;
}
