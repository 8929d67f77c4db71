//! Numbers that are none to a model: they are read as missing, and named.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

use timeweft_graph::{Action, DType, FeatureId, FeatureKind, Owner, Value};
use timeweft_index::Fact;

use crate::World;
use crate::data::features::is_number;

/// A feature with values that a model cannot read as numbers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NoNumbers {
    /// The feature, as `` `name` of owner ``.
    pub feature: String,
    /// Events that bring a NaN.
    pub nan: usize,
    /// Events that bring an infinity.
    pub infinite: usize,
    /// Events that bring a number beyond the range of `f32`, about 3.4e38.
    pub too_large: usize,
}

impl fmt::Display for NoNumbers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kinds = [("NaN", self.nan), ("infinite", self.infinite), ("beyond 3.4e38", self.too_large)];
        let told = kinds.iter().filter(|(_, events)| *events > 0).map(|(what, events)| {
            let plural = if *events == 1 { "" } else { "s" };
            format!("{what} in {events} event{plural}")
        });
        write!(f, "{} is {}", self.feature, told.collect::<Vec<_>>().join(", "))
    }
}

impl World {
    /// Features of some facts whose values are read as missing because they are no numbers to the model.
    pub fn no_numbers(&self, facts: Range<usize>) -> Vec<NoNumbers> {
        let (schema, types) = (self.index.schema(), self.graph.types());
        let mut found = BTreeMap::new();
        for fact in self.facts()[facts].iter().filter(|fact| fact.action != Action::Delete) {
            let owner = owner_of(self, fact);
            if !schema.features(owner).iter().any(|def| is_float(def.kind)) {
                continue;
            }
            let mut look = |(id, value): (FeatureId, Value)| {
                let Value::Dense(dense) = value else { return };
                if types.feature(owner, id).is_none() {
                    return;
                }
                let numbers = dense.numbers.to_f64();
                if numbers.iter().all(|x| is_number(*x)) {
                    return;
                }
                let seen: &mut [usize; 3] = found.entry((owner, id)).or_default();
                seen[0] += usize::from(numbers.iter().any(|x| x.is_nan()));
                seen[1] += usize::from(numbers.iter().any(|x| x.is_infinite()));
                seen[2] += usize::from(numbers.iter().any(|x| x.is_finite() && !is_number(*x)));
            };
            match fact.edge {
                None => self.index.node_features(fact.source, fact.time).for_each(&mut look),
                Some((_, edge)) => self.index.edge_features(edge, fact.time).for_each(&mut look),
            }
        }
        let told = found.into_iter().filter_map(|((owner, id), [nan, infinite, too_large])| {
            let name = &schema.features(owner).get(id.at())?.name;
            let feature = format!("`{name}` of {}", schema.owner_name(owner));
            Some(NoNumbers { feature, nan, infinite, too_large })
        });
        told.collect()
    }
}

fn owner_of(world: &World, fact: &Fact) -> Owner {
    match fact.edge {
        None => Owner::Node(world.index.node_type(fact.source)),
        Some((edge_type, _)) => Owner::Edge(edge_type),
    }
}

fn is_float(kind: FeatureKind) -> bool {
    matches!(kind, FeatureKind::Dense { dtype: DType::F16 | DType::F32 | DType::F64, .. })
}
