//! Weights by name.

use std::collections::BTreeMap;

use burn_core::tensor::{Device, Gradients, Tensor, TensorData};
use timeweft_learn::Weight;

use crate::ReferenceError;
use crate::place::{Place, floats};

/// All weights, flat: shapes belong to those who read them.
#[derive(Clone, Debug)]
pub(crate) struct Weights {
    pub(crate) by_name: BTreeMap<String, Leaf>,
}

/// One weight.
#[derive(Clone, Debug)]
pub(crate) struct Leaf {
    shape: Vec<usize>,
    /// Row after row; a leaf of the gradient, where the device keeps one.
    pub(crate) values: Tensor<1>,
}

impl Weights {
    pub(crate) fn new(weights: &[Weight], device: &Device) -> Result<Weights, ReferenceError> {
        let mut by_name = BTreeMap::new();
        for Weight { name, shape, values } in weights {
            let n = values.len();
            if shape.iter().product::<usize>() != n {
                return Err(wrong(name, shape, n, "as many values as the shape says"));
            }
            let tensor = Tensor::from_data(TensorData::new(values.clone(), [n]), device);
            let values = if device.is_autodiff() { tensor.require_grad() } else { tensor };
            by_name.insert(name.clone(), Leaf { shape: shape.clone(), values });
        }
        Ok(Weights { by_name })
    }

    /// The weights as they are now.
    pub(crate) fn values(&self) -> Vec<Weight> {
        let weight = |(name, leaf): (&String, &Leaf)| {
            let (shape, values) = (leaf.shape.clone(), floats(leaf.values.clone().inner()));
            Weight { name: name.clone(), shape, values }
        };
        self.by_name.iter().map(weight).collect()
    }

    /// The gradient of each weight, zeros for one that nothing read.
    pub(crate) fn gradients(&self, gradients: &Gradients) -> BTreeMap<String, Vec<f32>> {
        let gradient = |leaf: &Leaf| match leaf.values.grad(gradients) {
            Some(gradient) => floats(gradient),
            None => vec![0.0; leaf.values.dims()[0]],
        };
        self.by_name.iter().map(|(name, leaf)| (name.clone(), gradient(leaf))).collect()
    }
}

/// The weights below a path of fields, and where they live.
#[derive(Clone, Debug)]
pub(crate) struct Part<'a> {
    pub(crate) weights: &'a Weights,
    pub(crate) place: &'a Place,
    pub(crate) path: String,
}

impl Part<'_> {
    /// A field of this part.
    pub(crate) fn at(&self, field: &str) -> Self {
        let dot = if self.path.is_empty() { "" } else { "." };
        Part { path: format!("{}{dot}{field}", self.path), ..self.clone() }
    }

    /// Whether the model has any weight here or below.
    pub(crate) fn is_there(&self) -> bool {
        let is_below = |name: &String| name.strip_prefix(&self.path).is_some_and(|rest| rest.starts_with('.'));
        self.weights.by_name.contains_key(&self.path) || self.weights.by_name.keys().any(is_below)
    }

    fn leaf(&self) -> Result<&Leaf, ReferenceError> {
        self.weights.by_name.get(&self.path).ok_or_else(|| ReferenceError::NoWeight(self.path.clone()))
    }

    /// The weight that is here, of one axis.
    pub(crate) fn vector(&self) -> Result<Tensor<1>, ReferenceError> {
        match self.leaf()? {
            Leaf { shape, values } if shape.len() == 1 => Ok(values.clone()),
            other => Err(self.wrong(other, "one axis")),
        }
    }

    /// The weight that is here, of two axes.
    pub(crate) fn matrix(&self) -> Result<Tensor<2>, ReferenceError> {
        match self.leaf()? {
            Leaf { shape, values } if let [rows, columns] = shape[..] => Ok(values.clone().reshape([rows, columns])),
            other => Err(self.wrong(other, "two axes")),
        }
    }

    fn wrong(&self, leaf: &Leaf, expected: &'static str) -> ReferenceError {
        wrong(&self.path, &leaf.shape, leaf.values.dims()[0], expected)
    }
}

fn wrong(name: &str, shape: &[usize], values: usize, expected: &'static str) -> ReferenceError {
    ReferenceError::Shape { name: name.to_owned(), shape: shape.to_vec(), values, expected }
}
