//! The binary, run from end to end.
