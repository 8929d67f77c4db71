//! Weights by name, and as safetensors: a format that other programs read.

use safetensors::{Dtype, SafeTensors, View};

use crate::nn::{Module, NamedParam};
use crate::nn::{Moments, Optimizer};
use crate::{Htgn, Trained};

/// A weight of a model.
#[derive(Clone, PartialEq, Debug)]
pub struct Weight {
    /// Its name, as in the checkpoint: the path of fields that leads to it.
    pub name: String,
    /// Its shape.
    pub shape: Vec<usize>,
    /// Its values, row by row.
    pub values: Vec<f32>,
}

impl Trained {
    /// All weights of the chosen epoch, in the order of their names.
    pub fn weights(&self) -> Vec<Weight> {
        let weight = |param: NamedParam<'_>| {
            let (shape, values) = (param.shape.to_vec(), param.values().to_vec());
            Weight { name: param.name, shape, values }
        };
        let mut weights: Vec<Weight> = self.model.params().into_iter().map(weight).collect();
        weights.sort_by(|a, b| a.name.cmp(&b.name));
        weights
    }
}

/// Numbers of a tensor on their way into a file.
struct Numbers<'a> {
    shape: &'a [usize],
    values: &'a [f32],
}

impl View for Numbers<'_> {
    fn dtype(&self) -> Dtype {
        Dtype::F32
    }

    fn shape(&self) -> &[usize] {
        self.shape
    }

    fn data(&self) -> std::borrow::Cow<'_, [u8]> {
        self.values.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<u8>>().into()
    }

    fn data_len(&self) -> usize {
        size_of_val(self.values)
    }
}

/// The weights of a model as safetensors.
pub(super) fn to_bytes(model: &Htgn) -> Result<Vec<u8>, String> {
    let params = model.params();
    let views = params.iter().map(|param| (&param.name, Numbers { shape: param.shape, values: param.values() }));
    safetensors::serialize(views, None).map_err(|error| error.to_string())
}

/// Puts the weights of a file in the place of a model's: all of them, and no others.
pub(super) fn read_into(model: &mut Htgn, bytes: &[u8]) -> Result<(), String> {
    let file = SafeTensors::deserialize(bytes).map_err(|error| error.to_string())?;
    let params = model.params_mut();
    if file.len() != params.len() {
        return Err(format!("it has {} weights and its configuration says {}", file.len(), params.len()));
    }
    for param in params {
        let name = param.name.clone();
        let values = numbers(&file, &name, param.shape)?;
        param.into_values().copy_from_slice(&values);
    }
    Ok(())
}

/// The numbers of a tensor in a file.
fn numbers(file: &SafeTensors<'_>, name: &str, shape: &[usize]) -> Result<Vec<f32>, String> {
    let tensor = file.tensor(name).map_err(|error| error.to_string())?;
    if tensor.dtype() != Dtype::F32 || tensor.shape() != shape {
        return Err(format!(
            "{name} is {:?} {:?} and its configuration says {shape:?}",
            tensor.dtype(),
            tensor.shape()
        ));
    }
    Ok(tensor.data().as_chunks().0.iter().map(|&x| f32::from_le_bytes(x)).collect())
}

/// How many numbers the weights in a file are, by its header.
pub(super) fn count(bytes: &[u8]) -> Result<usize, String> {
    let file = SafeTensors::deserialize(bytes).map_err(|error| error.to_string())?;
    Ok(file.iter().map(|(_, tensor)| tensor.shape().iter().product::<usize>()).sum())
}

/// What the optimiser of a model remembers, as safetensors: `first.NAME` and `second.NAME` of each weight, and in `steps` how
/// many steps each has taken, in the order of the model's weights.
pub(super) fn optimizer_to_bytes(optimizer: &Optimizer, model: &Htgn) -> Result<Vec<u8>, String> {
    let params = model.params();
    let steps: Vec<f32> = optimizer.moments.iter().map(|moments| moments.time as f32).collect();
    let n_steps = [steps.len()];
    let mut views = vec![("steps".to_owned(), Numbers { shape: &n_steps, values: &steps })];
    for (param, moments) in params.iter().zip(&optimizer.moments) {
        for (which, values) in [("first", &moments.first), ("second", &moments.second)] {
            views.push((format!("{which}.{}", param.name), Numbers { shape: param.shape, values }));
        }
    }
    safetensors::serialize(views, None).map_err(|error| error.to_string())
}

/// Inverse of [`optimizer_to_bytes`].
pub(super) fn read_optimizer(model: &Htgn, bytes: &[u8], steps: usize) -> Result<Optimizer, String> {
    let file = SafeTensors::deserialize(bytes).map_err(|error| error.to_string())?;
    let params = model.params();
    let mut optimizer = Optimizer::default();
    optimizer.steps = steps;
    if steps == 0 {
        return Ok(optimizer);
    }
    for (param, time) in params.iter().zip(numbers(&file, "steps", &[params.len()])?) {
        let read = |which: &str| numbers(&file, &format!("{which}.{}", param.name), param.shape);
        let (first, second) = (read("first")?.into(), read("second")?.into());
        optimizer.moments.push(Moments { first, second, time: time as i32 });
    }
    Ok(optimizer)
}
