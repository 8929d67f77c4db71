//! Values of any length as their bytes.

use timeweft_graph::{FeatureKind, Name, ValueBytes};

use super::read::Taker;
use super::{Feature, GRAIN, Owners};
use crate::Index;
use crate::parallel::{Gather, share};
use crate::sample::SampleError;

/// The bytes of values side by side, row after row, the features of a row in the order asked. Each question
/// fills the arrays anew and keeps their memory.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct FlatRows {
    /// All bytes.
    pub bytes: Vec<u8>,
    /// (N, F) lengths in bytes; 0 where there is nothing.
    pub lengths: Vec<u64>,
}

impl Index {
    /// Features as what is flat in them: texts and categories in UTF-8, raw bytes, structured values as JSON text, numbers little
    /// endian.
    ///
    /// # Errors
    /// [`SampleError::FeatureKind`] if an owner has a feature that is sparse.
    pub fn flat_features(&self, features: &[Name], owners: Owners<'_>, out: &mut FlatRows) -> Result<(), SampleError> {
        let fits = |kind| !matches!(kind, FeatureKind::Sparse { .. });
        let known = features.iter().map(|name| self.feature(name, owners, FeatureKind::Bytes, fits));
        let known: Vec<Feature> = known.collect::<Result<_, _>>()?;
        self.fill_flat(&known, owners, |value| value.flat().unwrap_or_default(), out);
        Ok(())
    }

    /// Features of any kinds as the bytes of whole values, from which [`Value::decode`](timeweft_graph::Value::decode)
    /// makes values. There is at least one byte wherever there is a value, be it an empty text or list, so that a length of 0
    /// says that there is none.
    pub fn encoded_features(&self, features: &[Name], owners: Owners<'_>, out: &mut FlatRows) {
        let known: Vec<Feature> = features.iter().map(|name| self.ids(name, owners, |_| true)).collect();
        self.fill_flat(&known, owners, |value| value.0, out);
    }

    fn fill_flat(&self, features: &[Feature], owners: Owners<'_>, bytes: BytesOf, out: &mut FlatRows) {
        out.bytes.clear();
        out.lengths.clear();
        if !features.is_empty() {
            share(owners, GRAIN, out, &|owners, out| {
                self.read_features(features, owners, &mut Appender { bytes, out });
            });
        }
    }
}

impl Gather for FlatRows {
    fn empty(&self) -> FlatRows {
        FlatRows::default()
    }
    fn append(&mut self, mut next: FlatRows) {
        self.bytes.append(&mut next.bytes);
        self.lengths.append(&mut next.lengths);
    }
}

/// The bytes of a value that are wanted.
type BytesOf = for<'a> fn(ValueBytes<'a>) -> &'a [u8];

struct Appender<'a> {
    bytes: BytesOf,
    out: &'a mut FlatRows,
}

impl Taker for Appender<'_> {
    fn take(&mut self, _: usize, _: usize, value: Option<ValueBytes<'_>>) {
        let bytes = value.map(self.bytes).unwrap_or_default();
        self.out.bytes.extend_from_slice(bytes);
        self.out.lengths.push(bytes.len() as u64);
    }
}
