//! Answers of a graph as Arrow record batches, and record batches as loads.
//!
//! This is the only converter: Python, SQL and the server take their tables from here.
