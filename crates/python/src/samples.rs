//! Samples, walks and ranks, written where the arrays of the caller lie.

use numpy::{
    Element, IntoPyArray, PyArray1, PyArray2, PyArrayMethods, PyReadonlyArray1, PyReadwriteArray1, PyReadwriteArray2,
};
use pyo3::exceptions::PyMemoryError;
use pyo3::prelude::*;
use timeweft::Name;
use timeweft::read::{EdgeIndex, EdgeTypeId, NodeIndex, NodeTypeId};
use timeweft::sample::{
    ElementSampling, HopTime, Missing, PageRank, Roots, Sampling, Scope, Slots, Steps, Walk, WalkTimes,
};
use timeweft::{Time, read::Index};

use crate::arrays::{self, owned};
use crate::errors::{Raised, Result};
use crate::lookup;
use crate::scope::{self, CHOICES, HOP_TIMES, ORDERS, ScopeArgs, word};
use crate::view::View;

type Numbers<'py> = Bound<'py, PyArray1<u32>>;
type Ticks<'py> = Bound<'py, PyArray1<i64>>;
type Grid<'py, T> = Bound<'py, PyArray2<T>>;

/// neighbors, edges, edge types, created, weights, counts.
type SampleArrays<'py> =
    (Grid<'py, u32>, Grid<'py, u32>, Grid<'py, u16>, Grid<'py, i64>, Grid<'py, f64>, Bound<'py, PyArray1<u32>>);

/// Arrays for roots of `k` slots each, all of them empty. The allocator of this module keeps what was freed, so that their pages
/// are there already; those that NumPy gets are new each time, and a third of the time of a sample goes into them.
#[pyfunction]
pub(crate) fn empty_samples(py: Python<'_>, n: usize, k: usize) -> PyResult<SampleArrays<'_>> {
    let none = Missing::NONE;
    Ok((
        grid(py, n, k, none.neighbor.0)?,
        grid(py, n, k, none.edge.0)?,
        grid(py, n, k, none.edge_type.0)?,
        grid(py, n, k, none.created.0)?,
        grid(py, n, k, none.weight)?,
        vec![0; n].into_pyarray(py),
    ))
}

fn grid<T: Element + Copy>(py: Python<'_>, n: usize, k: usize, none: T) -> PyResult<Grid<'_, T>> {
    let (mut slots, len) = (Vec::new(), n.saturating_mul(k));
    slots.try_reserve_exact(len).map_err(|error| PyMemoryError::new_err(error.to_string()))?;
    slots.resize(len, none);
    slots.into_pyarray(py).reshape([n, k])
}

/// Nodes and as many times.
#[derive(FromPyObject)]
pub(crate) struct RootArrays<'py>(Numbers<'py>, Ticks<'py>);

/// The same, while they are read.
pub(crate) struct BorrowedRoots<'py> {
    nodes: PyReadonlyArray1<'py, u32>,
    times: PyReadonlyArray1<'py, i64>,
}

impl<'py> RootArrays<'py> {
    pub(crate) fn borrow(&self) -> PyResult<BorrowedRoots<'py>> {
        Ok(BorrowedRoots { nodes: arrays::read(&self.0, "nodes")?, times: arrays::read(&self.1, "times")? })
    }
}

impl BorrowedRoots<'_> {
    pub(crate) fn roots(&self) -> PyResult<Roots<'_>> {
        let (nodes, times) = (arrays::slice(&self.nodes)?, arrays::slice(&self.times)?);
        Roots::new(nodes, times).map_err(|error| Raised::from(error).into())
    }
}

/// How neighbors are sampled.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct SampleArgs {
    /// One number a hop; with quotas, their sum.
    sizes: Vec<usize>,
    choice: String,
    quotas: Vec<(String, usize)>,
    weight: Option<String>,
    hop_time: String,
    seed: u64,
    first_root: u64,
}

impl SampleArgs {
    /// How many neighbors a node has at each hop.
    pub(crate) fn sizes(&self) -> &[usize] {
        &self.sizes
    }

    pub(crate) fn sampling(&self, index: &Index, scope: Scope) -> Result<(Sampling, HopTime)> {
        let quota = |(name, k): &(String, usize)| Ok((lookup::edge_type(index.schema(), "quotas", name)?, *k));
        let quotas = self.quotas.iter().map(quota).collect::<Result<Vec<_>>>()?;
        let weight = lookup::edge_weight(index.schema(), self.weight.as_deref())?;
        let k = self.sizes.first().copied().unwrap_or(0);
        let sampling = Sampling::new(scope, word("choice", &self.choice, &CHOICES)?, k).quotas(quotas);
        let sampling = Sampling { first_root: self.first_root, ..sampling.weight(weight).seed(self.seed) };
        Ok((sampling, word("hop_time", &self.hop_time, &HOP_TIMES)?))
    }
}

/// The arrays of one hop, while they are written.
struct Hop<'py> {
    neighbors: PyReadwriteArray2<'py, u32>,
    edges: PyReadwriteArray2<'py, u32>,
    edge_types: PyReadwriteArray2<'py, u16>,
    created: PyReadwriteArray2<'py, i64>,
    weights: PyReadwriteArray2<'py, f64>,
    counts: PyReadwriteArray1<'py, u32>,
}

impl<'py> Hop<'py> {
    fn new((neighbors, edges, edge_types, created, weights, counts): &SampleArrays<'py>) -> PyResult<Hop<'py>> {
        Ok(Hop {
            neighbors: arrays::write(neighbors, "out.neighbors")?,
            edges: arrays::write(edges, "out.edges")?,
            edge_types: arrays::write(edge_types, "out.edge_types")?,
            created: arrays::write(created, "out.created")?,
            weights: arrays::write(weights, "out.weights")?,
            counts: arrays::write(counts, "out.counts")?,
        })
    }

    fn slots(&mut self) -> PyResult<Slots<'_>> {
        Ok(Slots {
            neighbors: Some(arrays::slice_mut(&mut self.neighbors)?),
            edges: Some(arrays::slice_mut(&mut self.edges)?),
            edge_types: Some(arrays::slice_mut(&mut self.edge_types)?),
            directions: None,
            created: Some(arrays::slice_mut(&mut self.created)?),
            weights: Some(self.weights.as_slice_mut()?),
            counts: Some(self.counts.as_slice_mut()?),
        })
    }
}

/// How walks go.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
struct WalkArgs {
    length: usize,
    order: String,
    p: f64,
    q: f64,
    weight: Option<String>,
    seed: u64,
    first_root: u64,
}

#[pymethods]
impl View {
    /// Samples neighbors of roots into the arrays of each hop.
    fn sample<'py>(
        &self,
        py: Python<'py>,
        roots: RootArrays<'py>,
        scope: ScopeArgs,
        args: SampleArgs,
        out: Vec<SampleArrays<'py>>,
    ) -> PyResult<()> {
        let roots = roots.borrow()?;
        let roots = roots.roots()?;
        let mut hops = out.iter().map(Hop::new).collect::<PyResult<Vec<_>>>()?;
        let mut slots = hops.iter_mut().map(Hop::slots).collect::<PyResult<Vec<_>>>()?;
        self.read(py, |index| {
            let (sampling, hop_time) = args.sampling(index, scope.scope(index)?)?;
            match (slots.pop(), slots.is_empty()) {
                (Some(only), true) => index.sample(&sampling, roots, only)?,
                (last, _) => {
                    slots.extend(last);
                    index.fan_out_into(&sampling, &args.sizes, hop_time, roots, slots)?;
                }
            }
            Ok(())
        })
    }

    /// Walks from roots into (N, length + 1) nodes, (N, length) edges and (N, length) times.
    fn walk<'py>(
        &self,
        py: Python<'py>,
        roots: RootArrays<'py>,
        scope: ScopeArgs,
        args: WalkArgs,
        out: (Grid<'py, u32>, Grid<'py, u32>, Grid<'py, i64>),
    ) -> PyResult<()> {
        let roots = roots.borrow()?;
        let roots = roots.roots()?;
        let mut walked = arrays::write(&out.0, "out.nodes")?;
        let (mut edges, mut created) = (arrays::write(&out.1, "out.edges")?, arrays::write(&out.2, "out.created")?);
        let walked: &mut [NodeIndex] = arrays::slice_mut(&mut walked)?;
        let edges: &mut [EdgeIndex] = arrays::slice_mut(&mut edges)?;
        let created: &mut [Time] = arrays::slice_mut(&mut created)?;
        self.read(py, |index| {
            let times_of: WalkTimes = word("order", &args.order, &ORDERS)?;
            let weight = lookup::edge_weight(index.schema(), args.weight.as_deref())?;
            let plain = Walk::new(scope.scope(index)?, args.length, times_of);
            let WalkArgs { p, q, seed, first_root, .. } = args;
            let walk = Walk { p, q, weight, seed, first_root, ..plain };
            index.walk(&walk, roots, Steps { nodes: walked, edges: Some(edges), created: Some(created) })?;
            Ok(())
        })
    }

    /// The nodes with the highest ranks near each root, and their ranks: (N, k) each.
    fn page_rank<'py>(
        &self,
        py: Python<'py>,
        roots: RootArrays<'py>,
        scope: ScopeArgs,
        how: (usize, f64, f64),
        out: (Grid<'py, u32>, Grid<'py, f64>),
    ) -> PyResult<()> {
        let roots = roots.borrow()?;
        let roots = roots.roots()?;
        let (k, alpha, eps) = how;
        let (mut near, mut ranks) = (arrays::write(&out.0, "nodes")?, arrays::write(&out.1, "ranks")?);
        let near: &mut [NodeIndex] = arrays::slice_mut(&mut near)?;
        let ranks = ranks.as_slice_mut()?;
        self.read(py, |index| {
            let page_rank = PageRank { scope: scope.scope(index)?, alpha, eps, k };
            Ok(index.page_rank(&page_rank, roots, near, ranks)?)
        })
    }

    /// Nodes that are alive at a time, drawn.
    fn sample_nodes<'py>(
        &self,
        py: Python<'py>,
        what: (Vec<String>, String, Option<String>),
        n: usize,
        seed: u64,
        tick: i64,
    ) -> PyResult<Numbers<'py>> {
        let (types, choice, weight) = what;
        let drawn = self.read(py, |index| {
            let schema = index.schema();
            let types = types.iter().map(|name| lookup::node_type(schema, name));
            let types: Vec<NodeTypeId> = types.collect::<Result<_>>()?;
            let weight: Option<Name> = weight.map(Into::into);
            lookup::features(schema, false, weight.as_slice())?;
            let choice = word("choice", &choice, &CHOICES)?;
            let sampling = ElementSampling { weight, seed, ..ElementSampling::new(types, choice, n) };
            Ok(index.sample_nodes(&sampling, Time(tick), scope::as_of(false))?)
        })?;
        Ok(owned(py, drawn))
    }
}

/// Edge types are written as numbers of two bytes.
const _: () = assert!(size_of::<EdgeTypeId>() == size_of::<u16>());
