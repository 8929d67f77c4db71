//! Subgraphs around roots, handed over as arrays.

use numpy::{IntoPyArray, PyArray1};
use pyo3::prelude::*;
use timeweft::Direction;
use timeweft::read::EdgeTypeId;
use timeweft::sample::{EdgeTypes, Hops, Scope, Side, Subgraph};

use crate::arrays::owned;
use crate::samples::{RootArrays, SampleArgs};
use crate::scope::ScopeArgs;
use crate::view::View;

type Numbers<'py> = Bound<'py, PyArray1<u32>>;
type Ticks<'py> = Bound<'py, PyArray1<i64>>;

/// Nodes, times, roots, ends.
type NodeArrays<'py> = (Numbers<'py>, Ticks<'py>, Numbers<'py>, Numbers<'py>);

/// Edge type, whether they were sampled from their destinations, source, destination, edges, created, roots, ends.
type EdgeArrays<'py> = (u16, bool, Numbers<'py>, Numbers<'py>, Numbers<'py>, Ticks<'py>, Numbers<'py>, Numbers<'py>);

/// The nodes of each type, the edges of each type and side that were looked at, and types and places of the roots.
type SubgraphArrays<'py> = (Vec<NodeArrays<'py>>, Vec<EdgeArrays<'py>>, Bound<'py, PyArray1<u16>>, Numbers<'py>);

#[pymethods]
impl View {
    /// The hops around roots, relabelled: all in one call, since a loader asks for many small ones.
    fn subgraph<'py>(
        &self,
        py: Python<'py>,
        roots: RootArrays<'py>,
        scope: ScopeArgs,
        args: SampleArgs,
        joint: bool,
    ) -> PyResult<SubgraphArrays<'py>> {
        let roots = roots.borrow()?;
        let roots = roots.roots()?;
        let (found, scope) = self.read(py, |index| {
            let (sampling, time) = args.sampling(index, scope.scope(index)?)?;
            let mut found = Subgraph::default();
            index.subgraph(&sampling, &Hops { sizes: args.sizes(), time, joint }, roots, &mut found)?;
            Ok((found, sampling.scope))
        })?;
        Ok(arrays(py, found, &scope))
    }
}

fn arrays<'py>(py: Python<'py>, found: Subgraph, scope: &Scope) -> SubgraphArrays<'py> {
    let nodes = found.nodes.into_iter();
    let nodes =
        nodes.map(|of| (owned(py, of.nodes), owned(py, of.times), of.roots.into_pyarray(py), of.ends.into_pyarray(py)));
    let edges = found.edges.into_iter().filter(|of| is_in(scope, of.edge_type, of.direction));
    let edges = edges.map(|of| {
        (
            of.edge_type.0,
            of.direction == Direction::In,
            of.sources.into_pyarray(py),
            of.destinations.into_pyarray(py),
            owned(py, of.edges),
            owned(py, of.created),
            of.roots.into_pyarray(py),
            of.ends.into_pyarray(py),
        )
    });
    let root_types: Vec<u16> = found.root_types.iter().map(|of| of.0).collect();
    (nodes.collect(), edges.collect(), root_types.into_pyarray(py), found.root_places.into_pyarray(py))
}

/// Whether edges of a type are followed to this side at all.
fn is_in(scope: &Scope, edge_type: EdgeTypeId, direction: Direction) -> bool {
    let side = match scope.side {
        Side::Out => direction == Direction::Out,
        Side::In => direction == Direction::In,
        Side::Both => true,
    };
    side && match &scope.edge_types {
        EdgeTypes::All => true,
        EdgeTypes::Only(only) => only.contains(&edge_type),
    }
}
