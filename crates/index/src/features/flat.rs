//! Values of any length as their bytes.

use timeweft_graph::{FeatureKind, Name, ValueBytes};

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
    /// Features as their bytes: texts and categories in UTF-8, raw bytes, structured values as JSON text, numbers little
    /// endian.
    ///
    /// # Errors
    /// [`SampleError::FeatureKind`] if an owner has a feature that is sparse.
    pub fn flat_features(&self, features: &[Name], owners: Owners<'_>, out: &mut FlatRows) -> Result<(), SampleError> {
        let fits = |kind| !matches!(kind, FeatureKind::Sparse { .. });
        let known = features.iter().map(|name| self.feature(name, owners, FeatureKind::Bytes, fits));
        let known: Vec<Feature> = known.collect::<Result<_, _>>()?;
        out.bytes.clear();
        out.lengths.clear();
        if !known.is_empty() {
            self.fill_flat(&known, owners, out);
        }
        Ok(())
    }

    fn fill_flat(&self, features: &[Feature], owners: Owners<'_>, out: &mut FlatRows) {
        if owners.len() >= 2 * GRAIN {
            let (near, far) = owners.split_at(owners.len() / 2);
            let mut rest = FlatRows::default();
            rayon::join(|| self.fill_flat(features, near, out), || self.fill_flat(features, far, &mut rest));
            out.bytes.append(&mut rest.bytes);
            out.lengths.append(&mut rest.lengths);
            return;
        }
        self.read_features(features, owners, out);
    }
}

impl Taker for FlatRows {
    fn take(&mut self, _: usize, _: usize, value: Option<ValueBytes<'_>>) {
        let bytes = value.and_then(ValueBytes::flat).unwrap_or_default();
        self.bytes.extend_from_slice(bytes);
        self.lengths.push(bytes.len() as u64);
    }
}
