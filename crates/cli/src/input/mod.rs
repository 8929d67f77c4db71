//! What is asked for on the command line and in files of roots, and found in the graph.

pub(crate) mod lookup;
pub(crate) mod moment;
pub(crate) mod named_values;
pub(crate) mod node;
pub(crate) mod reading;
pub(crate) mod roots;
