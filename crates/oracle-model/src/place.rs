//! Where tensors live, and the two moves of rows that everything is made of.

use burn_core::tensor::{Device, IndexingUpdateOp, Int, Tensor, TensorData};

/// Rows that are worth a block of their own.
const ROWS: usize = 64;
/// How much larger the tables of all blocks may be than what is moved.
const LARGER: usize = 4;

/// A device, and how rows are moved there.
///
/// Burn adds rows up one after another, a thread a column: right for repeated targets, which its parallel operation
/// (`scatter_nd`) is not, but slow on a GPU, where that thread walks alone. With more than one block rows are cut into as many runs,
/// each added up beside the others into a table of its own, and the tables are added; what is gathered goes the same way, for
/// its gradient is such a sum.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) device: Device,
    /// Most runs that rows are cut into; 1 moves them as they are.
    pub(crate) blocks: usize,
}

impl Place {
    /// A tensor without gradient.
    pub(crate) fn constant<const D: usize>(&self, values: Vec<f32>, shape: [usize; D]) -> Tensor<D> {
        Tensor::from_data(TensorData::new(values, shape), &self.device)
    }

    fn indices<const D: usize>(&self, values: Vec<i32>, shape: [usize; D]) -> Tensor<D, Int> {
        Tensor::from_data(TensorData::new(values, shape), &self.device)
    }

    /// Blocks for n rows that are moved from or to a table of so many.
    fn blocks_for(&self, n: usize, rows: usize) -> usize {
        n.div_ceil(ROWS).min(LARGER * n / rows.max(1)).clamp(1, self.blocks.max(1))
    }

    /// The rows of `x [V, width]` by index, `[n, width]`.
    pub(crate) fn gather(&self, x: Tensor<2>, index: &[u32]) -> Tensor<2> {
        let ([rows, width], n) = (x.dims(), index.len());
        let blocks = self.blocks_for(n, rows);
        if n == 0 {
            return self.constant(Vec::new(), [0, width]);
        }
        if blocks == 1 {
            return x.select(0, self.indices(signed(index).collect(), [n]));
        }
        let tables = x.unsqueeze_dim::<3>(0).expand([blocks, rows, width]);
        let length = n.div_ceil(blocks);
        let gathered = tables.gather(1, self.index_of_blocks(index, [blocks, length, width]));
        gathered.reshape([blocks * length, width]).slice([0..n, 0..width])
    }

    /// The sums of the rows of `x [n, width]` by index, `[rows, width]`.
    pub(crate) fn scatter_sum(&self, x: Tensor<2>, index: &[u32], rows: usize) -> Tensor<2> {
        let ([_, width], n) = (x.dims(), index.len());
        let blocks = self.blocks_for(n, rows);
        let zeros = |rows: usize| Tensor::<2>::zeros([rows, width], &self.device);
        if n == 0 {
            return zeros(rows);
        }
        if blocks == 1 {
            let index = self.indices(signed(index).collect(), [n]);
            return zeros(rows).select_assign(0, index, x, IndexingUpdateOp::Add);
        }
        let length = n.div_ceil(blocks);
        // What fills the last run up are zeros, added to the first row.
        let filled = if blocks * length > n { Tensor::cat(vec![x, zeros(blocks * length - n)], 0) } else { x };
        let index = self.index_of_blocks(index, [blocks, length, width]);
        let tables = Tensor::<3>::zeros([blocks, rows, width], &self.device);
        let values = filled.reshape([blocks, length, width]);
        tables.scatter(1, index, values, IndexingUpdateOp::Add).sum_dim(0).reshape([rows, width])
    }

    /// The index of each element of rows that are cut into blocks; the rows that fill up are the first.
    fn index_of_blocks(&self, index: &[u32], [blocks, length, width]: [usize; 3]) -> Tensor<3, Int> {
        let mut values: Vec<i32> = signed(index).collect();
        values.resize(blocks * length, 0);
        // Laid out in full: a gradient may read it in place.
        self.indices(values, [blocks, length, 1]).repeat_dim(2, width)
    }
}

fn signed(index: &[u32]) -> impl Iterator<Item = i32> + '_ {
    index.iter().map(|&i| i as i32)
}

/// The values of a tensor, row after row.
pub fn floats<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().iter::<f32>().collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn rows_in_blocks_are_moved_as_rows_one_by_one() {
        let index: Vec<u32> = (0..500).map(|i| i * i % 37).collect();
        let device = Device::flex().autodiff();
        // Values and gradient of what was gathered, and of what was summed.
        let moved = |blocks: usize| -> [Vec<f32>; 4] {
            let place = Place { device: device.clone(), blocks };
            let numbers = |n: usize| place.constant((0..3 * n).map(|i| (i as f32).sin()).collect(), [n, 3]);
            assert!(blocks == 1 || place.blocks_for(index.len(), 37) > 4);
            let (table, rows) = (numbers(37).require_grad(), numbers(500).require_grad());
            let (gathered, summed) = (place.gather(table.clone(), &index), place.scatter_sum(rows.clone(), &index, 37));
            let weighed = (gathered.clone() * numbers(500)).sum() + (summed.clone() * numbers(37)).sum();
            let gradients = weighed.backward();
            let gradient = |of: &Tensor<2>| floats(of.grad(&gradients).unwrap());
            [floats(gathered.inner()), floats(summed.inner()), gradient(&table), gradient(&rows)]
        };
        for (one, blocks) in moved(1).into_iter().zip(moved(7)) {
            assert!(one.len() == blocks.len() && one.iter().zip(&blocks).all(|(a, b)| (a - b).abs() < 1e-4));
            assert!(one.iter().any(|x| x.abs() > 0.1));
        }
    }
}
