//! Nothing to use: this crate holds the tests that need sources and the store together, without the tensor library.
//!
//! `source` and `store` never see each other, so what both promise of real releases is checked here: every state of a
//! history of versions equals the version read alone, and the fast load of a version equals the slow one.
