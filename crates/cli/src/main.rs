//! The `timeweft` binary.
fn main() {}
