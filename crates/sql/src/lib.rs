//! SQL over graphs.
