//! SQL against the answers of the library.
#![allow(clippy::unwrap_used)]

mod shop;
mod smoke;
