//! SQL against the answers of the library.
#![allow(clippy::unwrap_used)]

mod docs;
mod histories;
mod library;
mod limits;
mod plans;
mod shop;
mod smoke;
mod twice;
