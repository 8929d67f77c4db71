//! Weights, and what is made of them: every weight has a name, the path of fields that leads to it.

use super::arena::Buffer;
use super::tape::{Gradient, Gradients, Node};
use super::tensor::{AnyTensor, Tensor};

/// A weight of rank D.
#[derive(Clone)]
pub struct Param<const D: usize> {
    shape: [usize; D],
    any: AnyTensor,
}

impl<const D: usize> std::fmt::Debug for Param<D> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Param{:?}", self.shape)
    }
}

impl<const D: usize> Param<D> {
    /// A weight of given numbers, row after row.
    ///
    /// # Panics
    /// If there are not as many as the shape says.
    pub fn new(values: impl Into<Buffer>, shape: [usize; D]) -> Param<D> {
        Param { shape, any: Tensor::new(values, shape).any() }
    }

    /// Its value; tracked while it learns.
    pub fn val(&self) -> Tensor<D> {
        Tensor::of(self.any.clone(), self.shape)
    }

    /// The length of each axis.
    pub fn dims(&self) -> [usize; D] {
        self.shape
    }
}

/// A weight of any rank, by its name.
#[derive(Clone)]
pub struct NamedParam<'a> {
    /// The path of fields that leads to it.
    pub name: String,
    /// The length of each axis.
    pub shape: &'a [usize],
    any: &'a AnyTensor,
}

impl<'a> NamedParam<'a> {
    /// Its numbers, row after row.
    pub fn values(&self) -> &'a [f32] {
        self.any.values()
    }

    /// Its gradient, row after row; `None` if nothing was made of it.
    pub fn gradient(&self, gradients: &Gradients) -> Option<Buffer> {
        gradients.of(self.any.node.as_deref()?, self.values().len())
    }
}

/// A weight of any rank, by its name, to be changed.
pub struct NamedParamMut<'a> {
    /// The path of fields that leads to it.
    pub name: String,
    /// The length of each axis.
    pub shape: &'a [usize],
    any: &'a mut AnyTensor,
}

impl<'a> NamedParamMut<'a> {
    /// Its numbers, row after row; a copy of them first where something shares them.
    pub fn into_values(self) -> &'a mut [f32] {
        self.any.values_mut()
    }

    /// Takes its gradient out.
    pub(crate) fn take_gradient(&self, gradients: &mut Gradients) -> Option<Gradient> {
        gradients.take(self.any.node.as_deref()?)
    }
}

/// Something that has weights.
pub trait Module: Clone {
    /// Adds every weight to a list, in an order that does not change, its name under a path.
    fn collect<'a>(&'a self, path: &str, params: &mut Vec<NamedParam<'a>>);

    /// The same, to change them.
    fn collect_mut<'a>(&'a mut self, path: &str, params: &mut Vec<NamedParamMut<'a>>);

    /// Every weight.
    fn params(&self) -> Vec<NamedParam<'_>> {
        let mut params = Vec::new();
        self.collect("", &mut params);
        params
    }

    /// Every weight, to be changed.
    fn params_mut(&mut self) -> Vec<NamedParamMut<'_>> {
        let mut params = Vec::new();
        self.collect_mut("", &mut params);
        params
    }

    /// The same weights, tracked: what is made of them has gradients with respect to them.
    #[must_use]
    fn tracked(mut self) -> Self {
        self.params_mut().into_iter().for_each(|param| param.any.node = Some(Node::leaf()));
        self
    }

    /// The same weights as constants.
    #[must_use]
    fn detached(&self) -> Self {
        let mut model = self.clone();
        model.params_mut().into_iter().for_each(|param| param.any.node = None);
        model
    }
}

/// A name behind a path.
pub(crate) fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

impl<const D: usize> Module for Param<D> {
    fn collect<'a>(&'a self, path: &str, params: &mut Vec<NamedParam<'a>>) {
        params.push(NamedParam { name: path.to_owned(), shape: &self.shape, any: &self.any });
    }

    fn collect_mut<'a>(&'a mut self, path: &str, params: &mut Vec<NamedParamMut<'a>>) {
        params.push(NamedParamMut { name: path.to_owned(), shape: &self.shape, any: &mut self.any });
    }
}

impl<M: Module> Module for Option<M> {
    fn collect<'a>(&'a self, path: &str, params: &mut Vec<NamedParam<'a>>) {
        self.iter().for_each(|module| module.collect(path, params));
    }

    fn collect_mut<'a>(&'a mut self, path: &str, params: &mut Vec<NamedParamMut<'a>>) {
        self.iter_mut().for_each(|module| module.collect_mut(path, params));
    }
}

impl<M: Module> Module for Vec<M> {
    fn collect<'a>(&'a self, path: &str, params: &mut Vec<NamedParam<'a>>) {
        self.iter().enumerate().for_each(|(at, module)| module.collect(&join(path, &at.to_string()), params));
    }

    fn collect_mut<'a>(&'a mut self, path: &str, params: &mut Vec<NamedParamMut<'a>>) {
        self.iter_mut().enumerate().for_each(|(at, module)| module.collect_mut(&join(path, &at.to_string()), params));
    }
}

impl<M: Module, const N: usize> Module for [M; N] {
    fn collect<'a>(&'a self, path: &str, params: &mut Vec<NamedParam<'a>>) {
        self.iter().enumerate().for_each(|(at, module)| module.collect(&join(path, &at.to_string()), params));
    }

    fn collect_mut<'a>(&'a mut self, path: &str, params: &mut Vec<NamedParamMut<'a>>) {
        self.iter_mut().enumerate().for_each(|(at, module)| module.collect_mut(&join(path, &at.to_string()), params));
    }
}

/// Says which fields of a structure, or which variants of a choice, have weights.
macro_rules! module {
    ($name:ident { $($field:ident),* $(,)? }) => {
        impl $crate::nn::Module for $name {
            fn collect<'a>(&'a self, _path: &str, _params: &mut Vec<$crate::nn::NamedParam<'a>>) {
                $(self.$field.collect(&$crate::nn::join(_path, stringify!($field)), _params);)*
            }

            fn collect_mut<'a>(&'a mut self, _path: &str, _params: &mut Vec<$crate::nn::NamedParamMut<'a>>) {
                $(self.$field.collect_mut(&$crate::nn::join(_path, stringify!($field)), _params);)*
            }
        }
    };
    (one of $name:ident { $($variant:ident),* $(,)? }) => {
        impl $crate::nn::Module for $name {
            fn collect<'a>(&'a self, path: &str, params: &mut Vec<$crate::nn::NamedParam<'a>>) {
                match self {
                    $($name::$variant(module) => {
                        module.collect(&$crate::nn::join(path, stringify!($variant)), params);
                    })*
                }
            }

            fn collect_mut<'a>(&'a mut self, path: &str, params: &mut Vec<$crate::nn::NamedParamMut<'a>>) {
                match self {
                    $($name::$variant(module) => {
                        module.collect_mut(&$crate::nn::join(path, stringify!($variant)), params);
                    })*
                }
            }
        }
    };
}
pub(crate) use module;
