//! Graphs over HTTP.
