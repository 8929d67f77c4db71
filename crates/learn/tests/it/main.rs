//! Integration tests of the learning crate.

mod kernels;
