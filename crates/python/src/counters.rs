//! Ids and numbers of nodes, their types as of a time, and counters of edges, for many at once.

use numpy::{IntoPyArray, PyArray1, PyReadonlyArray1};
use pyo3::prelude::*;
use timeweft::Time;
use timeweft::read::{EdgeIndex, EdgeTypeId, ExternalId, Index, NodeIndex};
use timeweft::sample::{Links, NO_EDGE};

use crate::arrays::{self, owned};
use crate::errors::{self, Result};
use crate::lookup;
use crate::samples::RootArrays;
use crate::scope::{self, ScopeArgs};
use crate::view::View;

type Numbers<'py> = Bound<'py, PyArray1<u32>>;
type Ticks<'py> = Bound<'py, PyArray1<i64>>;

/// How often, and when last: the smallest time where it never was.
type Recencies<'py> = (Numbers<'py>, Ticks<'py>);

/// Which edges are asked for: sources, names of edge types with the number of each question's among them, destinations,
/// times.
#[derive(FromPyObject)]
struct LinkArrays<'py>(Numbers<'py>, (Vec<String>, Bound<'py, PyArray1<u32>>), Numbers<'py>, Ticks<'py>);

/// The same, while they are read.
struct BorrowedLinks<'py> {
    sources: PyReadonlyArray1<'py, u32>,
    types: PyReadonlyArray1<'py, u32>,
    destinations: PyReadonlyArray1<'py, u32>,
    times: PyReadonlyArray1<'py, i64>,
}

impl<'py> LinkArrays<'py> {
    fn borrow(&self) -> PyResult<BorrowedLinks<'py>> {
        Ok(BorrowedLinks {
            sources: arrays::read(&self.0, "sources")?,
            types: arrays::read(&self.1.1, "edge_types")?,
            destinations: arrays::read(&self.2, "destinations")?,
            times: arrays::read(&self.3, "times")?,
        })
    }
}

/// The edge type of each question.
fn edge_types(index: &Index, names: &[String], of: &[u32]) -> Result<Vec<EdgeTypeId>> {
    let named = names.iter().map(|name| lookup::edge_type(index.schema(), "edge_types", name));
    let named: Vec<EdgeTypeId> = named.collect::<Result<_>>()?;
    let known = |at: &u32| named.get(*at as usize).copied();
    let missing = || errors::named("SampleError", "edge_types: a number has no name");
    of.iter().map(known).collect::<Option<Vec<_>>>().ok_or_else(missing)
}

fn recencies<'py>(py: Python<'py>, found: &[timeweft::read::Recency]) -> Recencies<'py> {
    let counts: Vec<u32> = found.iter().map(|recency| recency.count).collect();
    let last: Vec<Time> = found.iter().map(|recency| recency.last.unwrap_or(Time::MIN)).collect();
    (counts.into_pyarray(py), owned(py, last))
}

#[pymethods]
impl View {
    /// Numbers of the nodes of a type by ids that are whole numbers.
    fn indices_of_numbers<'py>(
        &self,
        py: Python<'py>,
        node_type: &str,
        ids: Bound<'py, PyArray1<u64>>,
    ) -> PyResult<Numbers<'py>> {
        let ids = arrays::read(&ids, "ids")?;
        let ids = ids.as_slice()?;
        let nodes = self.read(py, |index| {
            lookup::node_type(index.schema(), node_type)?;
            Ok(index.node_indices(node_type, ids.iter().map(|id| timeweft::read::IdRef::Int(*id))))
        })?;
        Ok(owned(py, nodes))
    }

    /// The same by ids that are texts.
    fn indices_of_texts<'py>(&self, py: Python<'py>, node_type: &str, ids: Vec<String>) -> PyResult<Numbers<'py>> {
        let nodes = self.read(py, |index| {
            lookup::node_type(index.schema(), node_type)?;
            // A text that is a whole number is that number.
            let ids: Vec<ExternalId> = ids.iter().map(|id| ExternalId::from(id.as_str())).collect();
            Ok(index.node_indices(node_type, ids.iter().map(ExternalId::as_ref)))
        })?;
        Ok(owned(py, nodes))
    }

    /// The type of each node as of its time; -1 where it is not alive.
    fn types<'py>(&self, py: Python<'py>, roots: RootArrays<'py>, before: bool) -> PyResult<Bound<'py, PyArray1<i16>>> {
        let roots = roots.borrow()?;
        let roots = roots.roots()?;
        let types = self.read(py, |index| {
            let many = |_| errors::named("Error", "types: there are more types of nodes than numbers of two bytes");
            let number = |of: Option<timeweft::read::NodeTypeId>| of.map_or(Ok(-1), |of| i16::try_from(of.0));
            let types = index.node_types_of(roots, scope::as_of(before));
            types.into_iter().map(number).collect::<std::result::Result<Vec<i16>, _>>().map_err(many)
        })?;
        Ok(types.into_pyarray(py))
    }

    /// How many edges each root has.
    fn degrees<'py>(&self, py: Python<'py>, roots: RootArrays<'py>, scope: ScopeArgs) -> PyResult<Numbers<'py>> {
        let roots = roots.borrow()?;
        let roots = roots.roots()?;
        let counts = self.read(py, |index| {
            let mut counts = vec![0; roots.len()];
            index.degrees(&scope.scope(index)?, roots, &mut counts)?;
            Ok(counts)
        })?;
        Ok(counts.into_pyarray(py))
    }

    /// How many edges each root was ever given, and when the last.
    fn recencies<'py>(&self, py: Python<'py>, roots: RootArrays<'py>, scope: ScopeArgs) -> PyResult<Recencies<'py>> {
        let roots = roots.borrow()?;
        let roots = roots.roots()?;
        let found = self.read(py, |index| {
            let mut found = vec![Default::default(); roots.len()];
            index.recencies(&scope.scope(index)?, roots, &mut found)?;
            Ok(found)
        })?;
        Ok(recencies(py, &found))
    }

    /// How often each link was made, and when last.
    fn pair_recencies<'py>(&self, py: Python<'py>, links: LinkArrays<'py>, before: bool) -> PyResult<Recencies<'py>> {
        let (names, links) = (&links.1.0, links.borrow()?);
        let (sources, destinations): (&[NodeIndex], &[NodeIndex]) =
            (arrays::slice(&links.sources)?, arrays::slice(&links.destinations)?);
        let (types, times): (&[u32], &[Time]) = (links.types.as_slice()?, arrays::slice(&links.times)?);
        let found = self.read(py, |index| {
            let types = edge_types(index, names, types)?;
            let mut found = vec![Default::default(); sources.len()];
            index.pair_recencies(
                Links::new(sources, &types, destinations, times)?,
                scope::as_of(before),
                &mut found,
            )?;
            Ok(found)
        })?;
        Ok(recencies(py, &found))
    }

    /// The newest edge of each link that is seen.
    fn edges_between<'py>(
        &self,
        py: Python<'py>,
        links: LinkArrays<'py>,
        before: bool,
        soft: bool,
    ) -> PyResult<Numbers<'py>> {
        let (names, links) = (&links.1.0, links.borrow()?);
        let (sources, destinations): (&[NodeIndex], &[NodeIndex]) =
            (arrays::slice(&links.sources)?, arrays::slice(&links.destinations)?);
        let (types, times): (&[u32], &[Time]) = (links.types.as_slice()?, arrays::slice(&links.times)?);
        let edges: Vec<EdgeIndex> = self.read(py, |index| {
            let types = edge_types(index, names, types)?;
            let mut edges = vec![NO_EDGE; sources.len()];
            let links = Links::new(sources, &types, destinations, times)?;
            index.edges_between(links, scope::as_of(before), scope::deletes(soft), &mut edges)?;
            Ok(edges)
        })?;
        Ok(owned(py, edges))
    }
}
