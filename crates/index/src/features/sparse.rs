//! Sparse tensors.

use timeweft_graph::{FeatureKind, Name, NumberType, ValueBytes};

use super::read::Taker;
use super::{Feature, GRAIN, Owners};
use crate::Index;
use crate::parallel::{Gather, share};
use crate::sample::{SampleError, check_length};

/// The points of one feature of many owners, in the order of the owners. Each question fills the arrays anew and
/// keeps their memory.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct SparseRows<T> {
    /// (points, dim + 1) numbers: the owner's row among those asked, then the point's coordinates.
    pub coordinates: Vec<i64>,
    /// A value for each point.
    pub values: Vec<T>,
    /// Coordinates of a point; 0 where no owner has a point.
    pub dim: u32,
}

/// The rows of several features.
struct Tensors<T>(Vec<SparseRows<T>>);

impl<T: Send> Gather for Tensors<T> {
    fn empty(&self) -> Tensors<T> {
        let none = |_: &SparseRows<T>| SparseRows { coordinates: Vec::new(), values: Vec::new(), dim: 0 };
        Tensors(self.0.iter().map(none).collect())
    }
    fn append(&mut self, next: Tensors<T>) {
        for (rows, mut next) in self.0.iter_mut().zip(next.0) {
            rows.coordinates.append(&mut next.coordinates);
            rows.values.append(&mut next.values);
            rows.dim = rows.dim.max(next.dim);
        }
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
            let mut tensors = Tensors(out.iter_mut().map(std::mem::take).collect());
            share((owners, 0), GRAIN, &mut tensors, &|(owners, first), tensors| {
                self.read_features(&known, owners, &mut Points { first: first as usize, out: &mut tensors.0 });
            });
            out.iter_mut().zip(tensors.0).for_each(|(out, rows)| *out = rows);
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
