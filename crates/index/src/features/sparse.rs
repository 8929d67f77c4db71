//! Sparse tensors.

use timeweft_graph::{FeatureKind, Name, NumberType, ValueBytes, threads};

use super::read::Taker;
use super::{Feature, GRAIN, Owners};
use crate::Index;
use crate::sample::{SampleError, check_length};

/// The points of one feature of many owners, in the order of the owners. Arrays are filled anew by each question and keep
/// their room.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct SparseRows<T> {
    /// (points, dim + 1) numbers: the owner's row among those asked, then the point's coordinates.
    pub coordinates: Vec<i64>,
    /// A value for each point.
    pub values: Vec<T>,
    /// Coordinates of a point; 0 where no owner has a point.
    pub dim: u32,
}

impl<T> SparseRows<T> {
    fn append(&mut self, other: &mut SparseRows<T>) {
        self.coordinates.append(&mut other.coordinates);
        self.values.append(&mut other.values);
        self.dim = self.dim.max(other.dim);
    }
}

impl Index {
    /// Sparse features of one element type, each into the rows of `out` at its place.
    ///
    /// # Errors
    /// [`SampleError::Length`] if there are not as many rows as features; [`SampleError::FeatureKind`] if an owner has a
    /// feature that is not sparse, with values of another type, or with more or fewer coordinates than another owner's.
    pub fn sparse_features<T: NumberType>(
        &self,
        features: &[Name],
        owners: Owners<'_>,
        out: &mut [SparseRows<T>],
    ) -> Result<(), SampleError> {
        check_length("out", out.len(), features.len())?;
        let known = features.iter().map(|name| {
            let rank = self.rank_of::<T>(name, owners);
            let wanted = FeatureKind::Sparse { dtype: T::DTYPE, rank: rank.unwrap_or(1) };
            self.feature(name, owners, wanted, |kind| kind == wanted)
        });
        let known: Vec<Feature> = known.collect::<Result<_, _>>()?;
        for rows in out.iter_mut() {
            rows.coordinates.clear();
            rows.values.clear();
            rows.dim = 0;
        }
        if !known.is_empty() {
            self.fill_sparse(&known, owners, 0, out);
        }
        Ok(())
    }

    /// The rank of a feature at the first owner whose type has it.
    fn rank_of<T: NumberType>(&self, name: &Name, owners: Owners<'_>) -> Option<u32> {
        owners.types(self).find_map(|of_type| match self.schema.feature(owners.owner(of_type), name)?.1.kind {
            FeatureKind::Sparse { dtype, rank } if dtype == T::DTYPE => Some(rank),
            _ => None,
        })
    }

    fn fill_sparse<T: NumberType>(
        &self,
        features: &[Feature],
        owners: Owners<'_>,
        first: usize,
        out: &mut [SparseRows<T>],
    ) {
        if owners.len() >= 2 * GRAIN {
            let half = owners.len() / 2;
            let (near, far) = owners.split_at(half);
            let mut rest: Vec<SparseRows<T>> = out.iter().map(|_| SparseRows::default()).collect();
            threads::join(
                || self.fill_sparse(features, near, first, out),
                || self.fill_sparse(features, far, first + half, &mut rest),
            );
            out.iter_mut().zip(&mut rest).for_each(|(rows, rest)| rows.append(rest));
            return;
        }
        self.read_features(features, owners, &mut Points { first, out });
    }
}

/// Points of owners from a row on.
struct Points<'a, T> {
    first: usize,
    out: &'a mut [SparseRows<T>],
}

impl<T: NumberType> Taker for Points<'_, T> {
    fn take(&mut self, row: usize, feature: usize, value: Option<ValueBytes<'_>>) {
        let Some(tensor) = value.and_then(|value| value.sparse(T::DTYPE)) else { return };
        let (rows, row) = (&mut self.out[feature], (self.first + row) as i64);
        let start = rows.values.len();
        let points = tensor.values.len() / T::DTYPE.size();
        rows.values.resize(start + points, T::default());
        T::read_le(tensor.values, &mut rows.values[start..]);
        for at in 0..points {
            let rank = tensor.rank as usize;
            rows.coordinates.push(row);
            rows.coordinates.extend(tensor.coordinates[at * rank..][..rank].iter().map(|c| i64::from_le_bytes(*c)));
        }
        rows.dim = if points > 0 { tensor.rank } else { rows.dim };
    }
}
