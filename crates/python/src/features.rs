//! Features of nodes and edges, each as of its own time.

use numpy::{Element, IntoPyArray, PyArray1, PyArray2, PyReadonlyArray1};
use pyo3::prelude::*;
use timeweft::read::features::{Owners, SparseRows};
use timeweft::read::{EdgeIndex, FeatureKind, NodeIndex};
use timeweft::sample::Roots;
use timeweft::{Name, Time};
use timeweft_arrow::Numbers;

use crate::answer;
use crate::arrays;
use crate::errors;
use crate::lookup;
use crate::scope;
use crate::table::Columns;
use crate::view::View;

/// Nodes or edges, a time each, and which state of them is meant.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
struct OwnerArrays<'py> {
    owners: Bound<'py, PyArray1<u32>>,
    times: Bound<'py, PyArray1<i64>>,
    edges: bool,
    before: bool,
    soft: bool,
}

/// The same, while they are read.
struct BorrowedOwners<'py> {
    owners: PyReadonlyArray1<'py, u32>,
    times: PyReadonlyArray1<'py, i64>,
    edges: bool,
    before: bool,
    soft: bool,
}

impl<'py> OwnerArrays<'py> {
    fn borrow(&self) -> PyResult<BorrowedOwners<'py>> {
        let (owners, times) = (arrays::read(&self.owners, "owners")?, arrays::read(&self.times, "times")?);
        Ok(BorrowedOwners { owners, times, edges: self.edges, before: self.before, soft: self.soft })
    }
}

impl BorrowedOwners<'_> {
    fn owners(&self) -> PyResult<Owners<'_>> {
        let (as_of, times): (_, &[Time]) = (scope::as_of(self.before), arrays::slice(&self.times)?);
        let owners = if self.edges {
            Owners::edges(arrays::slice::<EdgeIndex>(&self.owners)?, times, as_of)
        } else {
            Roots::new(arrays::slice::<NodeIndex>(&self.owners)?, times).map(|roots| Owners::nodes(roots, as_of))
        };
        let owners = owners.map_err(errors::Raised::from)?;
        Ok(owners.deletes(scope::deletes(self.soft)))
    }
}

/// (points, 1 + coordinates) numbers, and a value for each point.
type SparseArrays<'py> = (Bound<'py, PyArray2<i64>>, Bound<'py, PyAny>);

/// Does the same for the element type of a name.
macro_rules! of_dtype {
    ($dtype:expr, $number:ident => $answer:expr) => {
        match $dtype {
            "float64" => {
                type $number = f64;
                $answer
            }
            "float32" => {
                type $number = f32;
                $answer
            }
            "float16" => {
                type $number = half::f16;
                $answer
            }
            "int64" => {
                type $number = i64;
                $answer
            }
            "int32" => {
                type $number = i32;
                $answer
            }
            "int16" => {
                type $number = i16;
                $answer
            }
            "int8" => {
                type $number = i8;
                $answer
            }
            "uint64" => {
                type $number = u64;
                $answer
            }
            "uint32" => {
                type $number = u32;
                $answer
            }
            "uint16" => {
                type $number = u16;
                $answer
            }
            "uint8" => {
                type $number = u8;
                $answer
            }
            other => Err(errors::named("SampleError", format!("dtype: {other} is no type of features")).into()),
        }
    };
}

impl View {
    fn dense<'py, T: timeweft::read::NumberType + Element>(
        &self,
        py: Python<'py>,
        owners: &OwnerArrays<'py>,
        features: &[(Name, usize)],
        out: &Bound<'py, PyAny>,
    ) -> PyResult<()> {
        let out = out.cast::<PyArray2<T>>().map_err(PyErr::from)?;
        let owners = owners.borrow()?;
        let (owners, mut out) = (owners.owners()?, arrays::write(out, "out")?);
        let out = out.as_slice_mut()?;
        self.read(py, |index| Ok(index.dense_features(features, owners, out)?))
    }

    fn sparse<'py, T: timeweft::read::NumberType + Element>(
        &self,
        py: Python<'py>,
        owners: &OwnerArrays<'py>,
        name: &Name,
    ) -> PyResult<SparseArrays<'py>> {
        let owners = owners.borrow()?;
        let owners = owners.owners()?;
        let mut rows = [SparseRows::<T>::default()];
        self.read(py, |index| Ok(index.sparse_features(std::slice::from_ref(name), owners, &mut rows)?))?;
        let [SparseRows { coordinates, values, dim }] = rows;
        let coordinates = coordinates.into_pyarray(py);
        let shaped = numpy::PyArrayMethods::reshape(&coordinates, [values.len(), dim as usize + 1])?;
        Ok((shaped, values.into_pyarray(py).into_any()))
    }
}

#[pymethods]
impl View {
    /// The kinds that a feature has at the types of nodes, or of edges, that have it: `dense`, `number`, `sparse`, `text`,
    /// `bytes`, `category` or `json`, and the element type of numbers as NumPy calls it.
    fn kinds_of_feature(
        &self,
        of_edges: bool,
        name: &str,
    ) -> PyResult<Vec<(&'static str, Option<&'static str>, String)>> {
        let known = lookup::features(self.view.schema(), of_edges, &[name.into()])?;
        let kind = |kind: FeatureKind| match kind {
            FeatureKind::Dense { dtype, scalar } => {
                (if scalar { "number" } else { "dense" }, Some(dtype.name()), kind.to_string())
            }
            FeatureKind::Sparse { dtype, .. } => ("sparse", Some(dtype.name()), kind.to_string()),
            FeatureKind::Text => ("text", None, kind.to_string()),
            FeatureKind::Bytes => ("bytes", None, kind.to_string()),
            FeatureKind::Category => ("category", None, kind.to_string()),
            FeatureKind::Json => ("json", None, kind.to_string()),
        };
        Ok(known.into_iter().flatten().map(kind).collect())
    }

    /// Dense features into a (N, sum of widths) array of a type of numbers.
    fn dense_features<'py>(
        &self,
        py: Python<'py>,
        owners: OwnerArrays<'py>,
        features: Vec<(String, usize)>,
        dtype: &str,
        out: Bound<'py, PyAny>,
    ) -> PyResult<()> {
        let features: Vec<(Name, usize)> = features.into_iter().map(|(name, dim)| (name.into(), dim)).collect();
        of_dtype!(dtype, T => self.dense::<T>(py, &owners, &features, &out))
    }

    /// The points of a sparse feature.
    fn sparse_features<'py>(
        &self,
        py: Python<'py>,
        owners: OwnerArrays<'py>,
        name: &str,
        dtype: &str,
    ) -> PyResult<SparseArrays<'py>> {
        let name: Name = name.into();
        of_dtype!(dtype, T => self.sparse::<T>(py, &owners, &name))
    }

    /// Features as they are, a column each, null where there is none.
    fn values<'py>(&self, py: Python<'py>, owners: OwnerArrays<'py>, names: Vec<String>) -> PyResult<Columns> {
        let owners = owners.borrow()?;
        let numbers = if owners.edges {
            Numbers::Edges(arrays::slice(&owners.owners)?)
        } else {
            Numbers::Nodes(arrays::slice(&owners.owners)?)
        };
        let at = (arrays::slice(&owners.times)?, scope::as_of(owners.before), scope::deletes(owners.soft));
        answer::table(py, || timeweft_arrow::values(&self.view, numbers, at, names))
    }

    /// Types and ids of nodes, null where there is no node.
    fn node_ids<'py>(&self, py: Python<'py>, nodes: Bound<'py, PyArray1<u32>>) -> PyResult<Columns> {
        let nodes = arrays::read(&nodes, "nodes")?;
        let nodes = arrays::slice(&nodes)?;
        answer::table(py, || timeweft_arrow::node_ids(&self.view, nodes))
    }
}
