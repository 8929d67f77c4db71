//! Lists of numbers, and single ones.

use timeweft_graph::{DType, FeatureKind, Name, NumberType, ValueBytes};

use super::read::Taker;
use super::{Feature, GRAIN, Owners};
use crate::Index;
use crate::parallel::{Split, share};
use crate::sample::{SampleError, check_length};

impl Index {
    /// Features of one element type: `(name, dim)` each, into `out` of (N, sum of dims) elements, row after row, the
    /// features of a row in the order asked. A shorter value has zeros behind it, a longer one is cut; a single number is a
    /// list of one. As `u8` the bytes of texts and raw bytes are read too.
    ///
    /// # Errors
    /// [`SampleError::Length`] if `out` has another length; [`SampleError::FeatureKind`] if an owner has a feature with
    /// elements of another type, or that is no list of numbers. Nothing is written then.
    pub fn dense_features<T: NumberType>(
        &self,
        features: &[(Name, usize)],
        owners: Owners<'_>,
        out: &mut [T],
    ) -> Result<(), SampleError> {
        let mut ends = Vec::with_capacity(features.len());
        let width = features.iter().fold(0usize, |start, (_, dim)| {
            ends.push(start.saturating_add(*dim));
            start.saturating_add(*dim)
        });
        check_length("out", out.len(), owners.len().saturating_mul(width))?;
        let wanted = FeatureKind::Dense { dtype: T::DTYPE, scalar: false };
        let known = features.iter().map(|(name, _)| self.feature(name, owners, wanted, fits::<T>));
        let known: Vec<Feature> = known.collect::<Result<_, _>>()?;
        if width > 0 {
            share((owners, Rows { width, elements: out }), GRAIN, &mut (), &|(owners, rows), ()| {
                self.read_features(&known, owners, &mut DenseWriter { ends: &ends, rest: rows.elements });
            });
        }
        Ok(())
    }
}

fn fits<T: NumberType>(kind: FeatureKind) -> bool {
    match kind {
        FeatureKind::Dense { dtype, .. } => dtype == T::DTYPE,
        FeatureKind::Text | FeatureKind::Bytes | FeatureKind::Category => T::DTYPE == DType::U8,
        _ => false,
    }
}

/// Rows of `width` elements.
struct Rows<'a, T> {
    width: usize,
    elements: &'a mut [T],
}

impl<T: Send> Split for Rows<'_, T> {
    fn len(&self) -> usize {
        self.elements.len() / self.width
    }
    fn split_at(self, at: usize) -> (Self, Self) {
        let (elements, rest) = self.elements.split_at_mut(at * self.width);
        (Rows { elements, ..self }, Rows { elements: rest, ..self })
    }
}

/// Writes the values of one row after the other.
struct DenseWriter<'a, T> {
    /// Where the elements of each feature end in a row.
    ends: &'a [usize],
    /// The rows that are still to be written.
    rest: &'a mut [T],
}

impl<T: NumberType> Taker for DenseWriter<'_, T> {
    #[inline]
    fn take(&mut self, _: usize, feature: usize, value: Option<ValueBytes<'_>>) {
        let start = feature.checked_sub(1).map_or(0, |before| self.ends[before]);
        let (place, rest) = std::mem::take(&mut self.rest).split_at_mut(self.ends[feature] - start);
        self.rest = rest;
        let elements =
            value.and_then(|value| if T::DTYPE == DType::U8 { value.flat() } else { value.elements(T::DTYPE) });
        let read = elements.map_or(0, |elements| T::read_le(elements, place));
        place[read..].fill(T::default());
    }
}
