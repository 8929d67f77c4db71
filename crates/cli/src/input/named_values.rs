//! Options whose values have names.

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use timeweft::Deletes;
use timeweft::load::Dangling;
use timeweft::sample::Side;

/// Names of the values that an option takes, each with its meaning and its help.
type Choices<T, const N: usize> = [(&'static str, T, &'static str); N];

/// Reads one of these names.
pub(crate) fn choices<T: Clone + Send + Sync + 'static, const N: usize>(
    of: Choices<T, N>,
) -> impl TypedValueParser<Value = T> {
    let names = of.each_ref().map(|(name, _, help)| PossibleValue::new(*name).help(*help));
    PossibleValuesParser::new(names).try_map(move |given| {
        of.iter().find(|(name, ..)| *name == given).map(|(_, value, _)| value.clone()).ok_or("there is no such value")
    })
}

/// What a view does with deleted elements.
pub(crate) const DELETES: Choices<Deletes, 2> = [
    ("hard", Deletes::Hard, "Deleted elements are gone"),
    ("soft", Deletes::Soft, "Deleted elements stay visible with their last values, marked"),
];

/// Which edges at a node.
pub(crate) const SIDES: Choices<Side, 3> = [
    ("out", Side::Out, "The node is the source"),
    ("in", Side::In, "The node is the destination"),
    ("both", Side::Both, "Either"),
];

/// What becomes of edges at nodes that are not there.
pub(crate) const DANGLING: Choices<Dangling, 3> = [
    ("drop", Dangling::Drop, "The edge is left out and reported"),
    ("reject", Dangling::Reject, "The whole load is refused"),
    ("stub", Dangling::Stub, "The missing node is created without features"),
];
