//! What several namespaces say of one node or edge.
//!
//! Two ontologies that import a term both list it: it is one node, and ends when the last namespace that holds it lets it
//! go. The log has one set of features an element, so the namespaces share it: the first one leads and has its features under
//! their own names, another one has its features under `namespace::feature`. The feature [`NAMESPACES`] lists the namespaces
//! that hold the element, unless only the one that began its life does. A shared element is therefore made of ordinary
//! events, and travels through time, splices and exports like any other.

use std::collections::{BTreeMap, BTreeSet};

use super::{Common, ElementReport, changes};
use crate::schema::{NAMESPACES, SEPARATOR};
use crate::{FeatureSpan, Features, Interval, Life, Name, OwnerName, Time, Value};

/// The values that a namespace gives an element.
type Values = BTreeMap<Name, Value>;

/// The namespaces that hold an element, each with its values; the first one leads.
#[derive(Clone, PartialEq, Debug)]
pub struct Shares(Vec<(Name, Values)>);

impl Shares {
    /// Reads them from all features of an element, given the namespace that began its life.
    pub fn of(features: impl IntoIterator<Item = (Name, Value)>, creator: &Name) -> Shares {
        let mut features: Values = features.into_iter().collect();
        let named = features.remove(NAMESPACES).and_then(|value| namespaces(&value));
        let named = named.unwrap_or_else(|| vec![creator.clone()]);
        let mut shares: Vec<(Name, Values)> = named.into_iter().map(|name| (name, Values::new())).collect();
        for (name, value) in features {
            let own = name.rsplit_once(SEPARATOR).and_then(|(namespace, feature)| {
                let at = shares.iter().skip(1).position(|(held_by, _)| **held_by == *namespace)?;
                Some((at + 1, Name::from(feature)))
            });
            let (at, feature) = own.unwrap_or((0, name));
            shares[at].1.insert(feature, value);
        }
        Shares(shares)
    }

    /// The namespaces, the leading one first.
    pub fn namespaces(&self) -> impl Iterator<Item = &Name> {
        self.0.iter().map(|(namespace, _)| namespace)
    }

    /// What a namespace says; none if it does not hold the element.
    pub fn get(&self, namespace: &str) -> Option<&BTreeMap<Name, Value>> {
        self.0.iter().find(|(held_by, _)| **held_by == *namespace).map(|(_, values)| values)
    }

    /// Whether a namespace beside this one holds the element.
    pub fn has_others(&self, namespace: &str) -> bool {
        self.0.iter().any(|(held_by, _)| **held_by != *namespace)
    }

    /// Notes what a namespace says. It holds the element from now on.
    pub fn set(&mut self, namespace: &Name, values: BTreeMap<Name, Value>) {
        match self.0.iter_mut().find(|(held_by, _)| held_by == namespace) {
            Some((_, known)) => *known = values,
            None => self.0.push((namespace.clone(), values)),
        }
    }

    /// A namespace lets the element go, with all that it said.
    pub fn remove(&mut self, namespace: &str) {
        self.0.retain(|(held_by, _)| **held_by != *namespace);
    }

    /// Gives an element that no namespace lists to those that need it as an end of their edges. None of them has a value of
    /// it.
    pub fn hand_over(&mut self, to: BTreeSet<Name>) {
        self.0 = to.into_iter().map(|namespace| (namespace, Values::new())).collect();
    }

    /// All features of the element. A namespace without a value does not lead where another one has values: a node that only
    /// stands in gives way to the namespace that lists it.
    pub fn into_features(mut self, creator: &Name) -> BTreeMap<Name, Value> {
        if let Some(speaks) = self.0.iter().position(|(_, values)| !values.is_empty()) {
            self.0[..=speaks].rotate_right(1);
        }
        let alone = matches!(&self.0[..], [(held_by, _)] if held_by == creator);
        let names: Vec<_> = self.namespaces().map(|name| serde_json::Value::from(&**name)).collect();
        let mut features = Values::new();
        for (at, (namespace, values)) in self.0.into_iter().enumerate() {
            let name = |feature: Name| match at {
                0 => feature,
                _ => Name::from(format!("{namespace}{SEPARATOR}{feature}").as_str()),
            };
            features.extend(values.into_iter().map(|(feature, value)| (name(feature), value)));
        }
        if !alone {
            features.insert(NAMESPACES.into(), Value::Json(names.into()));
        }
        features
    }
}

/// An element that lives, as the graph has it just before a version.
#[derive(Clone, PartialEq, Debug)]
pub struct Living {
    /// All its features.
    pub features: BTreeMap<Name, Value>,
    /// The namespace that began its life.
    pub creator: Name,
}

/// What a record of a namespace makes of an element that lives.
#[derive(Clone, PartialEq, Debug)]
pub struct Taken {
    /// Whether the namespace did not hold it before.
    pub joins: bool,
    /// Whether other namespaces hold it as well.
    pub shared: bool,
    /// What changes in what the namespace says of it.
    pub own: Features,
    /// What changes in the element.
    pub all: Features,
}

impl Taken {
    /// Counts it in a report.
    pub fn count(&self, report: &mut ElementReport, owner: &OwnerName, common: &Common) {
        report.shared += u64::from(self.shared);
        if self.joins {
            report.count_created(false);
        } else {
            report.count_changes(owner, &self.own, common);
        }
    }
}

impl Living {
    /// The namespaces that hold it.
    pub fn shares(&self) -> Shares {
        Shares::of(self.features.clone(), &self.creator)
    }

    /// A namespace lists it with these features, of which some count; the others stay as they are.
    pub fn take(&self, namespace: &Name, wanted: Values, counts: &dyn Fn(&Name) -> bool) -> Taken {
        let mut shares = self.shares();
        let known = shares.get(namespace).cloned();
        let joins = known.is_none();
        let mut values = known.unwrap_or_default();
        let mut own = changes(&values, wanted);
        own.retain(|(name, _)| counts(name));
        for (name, value) in &own {
            match value {
                Some(value) => _ = values.insert(name.clone(), value.clone()),
                None => _ = values.remove(name),
            }
        }
        shares.set(namespace, values);
        Taken { joins, shared: shares.has_others(namespace), own, all: self.become_of(shares) }
    }

    /// A namespace lists it no longer. None if no other one holds it.
    pub fn let_go(&self, namespace: &Name) -> Option<Features> {
        let mut shares = self.shares();
        shares.remove(namespace);
        let held = shares.namespaces().next().is_some();
        held.then(|| self.become_of(shares))
    }

    /// No namespace lists it, and edges of these namespaces need it.
    pub fn hand_over(&self, to: BTreeSet<Name>) -> Features {
        let mut shares = self.shares();
        shares.hand_over(to);
        self.become_of(shares)
    }

    /// A namespace lists it no longer, and needs it as an end of its edges.
    pub fn stand_in(&self, namespace: &Name) -> Features {
        let mut shares = self.shares();
        shares.set(namespace, Values::new());
        self.become_of(shares)
    }

    fn become_of(&self, shares: Shares) -> Features {
        changes(&self.features, shares.into_features(&self.creator))
    }
}

/// The names that a value of [`NAMESPACES`] has; none if it has not been written by a load of a version.
fn namespaces(value: &Value) -> Option<Vec<Name>> {
    let Value::Json(serde_json::Value::Array(names)) = value else { return None };
    let names: Option<Vec<Name>> = names.iter().map(|name| name.as_str().map(Name::from)).collect();
    names.filter(|names| !names.is_empty())
}

/// The namespaces that hold an element with this value of [`NAMESPACES`], which a namespace began.
pub fn held_by(value: Option<&Value>, creator: &Name) -> Vec<Name> {
    value.and_then(namespaces).unwrap_or_else(|| vec![creator.clone()])
}

/// The parts of a life in which a namespace held the element, with what it said of it, given the namespace that began it.
pub fn lives_of(life: &Life, creator: &Name, namespace: &str) -> Vec<Life> {
    let listed: Vec<_> = life.features.iter().filter(|span| *span.name == *NAMESPACES).collect();
    if listed.is_empty() {
        return if **creator == *namespace { vec![life.clone()] } else { Vec::new() };
    }
    let edges = listed.iter().flat_map(|span| [span.interval.created, span.interval.removed]);
    let cuts: BTreeSet<Time> = edges.chain([life.interval.created, life.interval.removed]).collect();
    let mut lives: Vec<Life> = Vec::new();
    for (&created, &removed) in cuts.iter().zip(cuts.iter().skip(1)) {
        let value = listed.iter().find(|span| span.interval.contains(created)).map(|span| &span.value);
        let held_by = held_by(value, creator);
        let (true, Some(interval)) = (held_by.iter().any(|name| **name == *namespace), Interval::new(created, removed))
        else {
            continue;
        };
        let part = part_of(life, interval, &held_by, namespace);
        match lives.last_mut().filter(|last| last.interval.removed == created) {
            Some(last) => extend(last, part),
            None => lives.push(part),
        }
    }
    lives
}

/// What a namespace said of an element while the same namespaces held it.
fn part_of(life: &Life, interval: Interval, held_by: &[Name], namespace: &str) -> Life {
    let own = |name: &Name| match name
        .rsplit_once(SEPARATOR)
        .filter(|(by, _)| held_by[1..].iter().any(|held| **held == **by))
    {
        Some((by, feature)) => (*by == *namespace && *held_by[0] != *namespace).then(|| Name::from(feature)),
        None => (*held_by[0] == *namespace && **name != *NAMESPACES).then(|| name.clone()),
    };
    let spans = life.features.iter().filter_map(|span| {
        let (created, removed) =
            (span.interval.created.max(interval.created), span.interval.removed.min(interval.removed));
        Some(FeatureSpan {
            name: own(&span.name)?,
            interval: Interval::new(created, removed)?,
            value: span.value.clone(),
        })
    });
    Life { interval, features: spans.collect() }
}

/// Joins a part to the one before it; what it says stays under one span where it stays the same.
fn extend(life: &mut Life, part: Life) {
    life.interval.removed = part.interval.removed;
    for span in part.features {
        let ends = |known: &&mut FeatureSpan| {
            known.name == span.name && known.interval.removed == span.interval.created && known.value == span.value
        };
        match life.features.iter_mut().find(ends) {
            Some(known) => known.interval.removed = span.interval.removed,
            None => life.features.push(span),
        }
    }
    life.features.sort_by(|a, b| (&a.name, a.interval.created).cmp(&(&b.name, b.interval.created)));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(pairs: &[(&str, f64)]) -> BTreeMap<Name, Value> {
        pairs.iter().map(|(name, value)| (Name::from(*name), Value::number(*value))).collect()
    }

    #[test]
    fn features_tell_who_says_what() {
        let cl = Name::from("cl");
        let mut shares = Shares::of(values(&[("name", 1.0)]), &cl);
        assert!(!shares.has_others("cl"));
        shares.set(&"pato".into(), values(&[("name", 2.0), ("def", 3.0)]));
        let features = shares.clone().into_features(&cl);
        let names: Vec<&str> = features.keys().map(|name| &**name).collect();
        assert_eq!(names, [NAMESPACES, "name", "pato::def", "pato::name"]);
        assert_eq!(Shares::of(features, &cl), shares);

        shares.remove("cl");
        let features = shares.clone().into_features(&cl);
        assert_eq!(features.keys().map(|name| &**name).collect::<Vec<_>>(), [NAMESPACES, "def", "name"]);
        assert_eq!(Shares::of(features.clone(), &cl).get("pato"), Some(&values(&[("name", 2.0), ("def", 3.0)])));
        assert_eq!(held_by(features.get(NAMESPACES), &cl), ["pato".into()]);
        shares.set(&cl, BTreeMap::new());
        shares.remove("pato");
        assert_eq!(shares.into_features(&cl), BTreeMap::new());
    }

    #[test]
    fn only_the_last_one_that_lets_go_ends_it() {
        let [cl, pato] = ["cl", "pato"].map(Name::from);
        let alone = Living { features: values(&[("name", 1.0)]), creator: cl.clone() };
        assert_eq!((alone.let_go(&cl), alone.let_go(&pato)), (None, Some(Features::new())));
        let mut shares = alone.shares();
        shares.set(&pato, values(&[("name", 2.0)]));
        let both = Living { features: shares.into_features(&cl), creator: cl.clone() };
        let left: Features = vec![
            (NAMESPACES.into(), Some(Value::Json(serde_json::json!(["pato"])))),
            ("name".into(), Some(Value::number(2.0))),
            ("pato::name".into(), None),
        ];
        let mut told = both.let_go(&cl).unwrap_or_default();
        told.sort_by(|a, b| a.0.cmp(&b.0));
        assert_eq!(told, left);
    }

    #[test]
    fn who_says_nothing_gives_way() {
        let cl = Name::from("cl");
        let mut shares = Shares::of(values(&[]), &cl);
        shares.set(&"pato".into(), values(&[("name", 2.0)]));
        let features = shares.into_features(&cl);
        assert_eq!(features.get("name"), Some(&Value::number(2.0)));
        let mut shares = Shares::of(features, &cl);
        assert_eq!(shares.namespaces().map(|name| &**name).collect::<Vec<_>>(), ["pato", "cl"]);
        shares.hand_over(["b".into(), "a".into()].into());
        assert_eq!(shares.get("a"), Some(&BTreeMap::new()));
        assert_eq!(shares.into_features(&cl).len(), 1);
    }
}
