//! Scalar functions over columns, each row as of its own time: what `AS OF` cannot say.

use std::sync::Arc;

use datafusion::logical_expr::ScalarUDF;

use crate::asked::Asked;

/// Their names and how they are called.
pub(crate) const SIGNATURES: [(&str, &str); 0] = [];

/// The functions, of the view of the settings.
pub(crate) fn functions(_: &Arc<Asked>) -> Vec<Arc<ScalarUDF>> {
    Vec::new()
}
