//! Values of any length as their bytes.

use timeweft_graph::{FeatureKind, Name, ValueBytes, threads};

use super::read::Taker;
use super::{Feature, GRAIN, Owners};
use crate::Index;
use crate::sample::SampleError;

/// The bytes of values side by side, row after row, the features of a row in the order asked. Arrays are filled anew by each
/// question and keep their room.
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
            self.append_flat(features, owners, bytes, out);
        }
    }

    fn append_flat(&self, features: &[Feature], owners: Owners<'_>, bytes: BytesOf, out: &mut FlatRows) {
        if owners.len() >= 2 * GRAIN {
            let (near, far) = owners.split_at(owners.len() / 2);
            let mut rest = FlatRows::default();
            threads::join(
                || self.append_flat(features, near, bytes, out),
                || self.append_flat(features, far, bytes, &mut rest),
            );
            out.bytes.append(&mut rest.bytes);
            out.lengths.append(&mut rest.lengths);
            return;
        }
        self.read_features(features, owners, &mut Appender { bytes, out });
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
