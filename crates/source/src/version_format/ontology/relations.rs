//! Names of relations.

use rustc_hash::FxHashMap;
use timeweft_graph::Name;

use super::short;

/// What a file calls its properties, by id.
#[derive(Default)]
pub(crate) struct Relations {
    properties: FxHashMap<Box<str>, Property>,
}

/// Names of a property.
#[derive(Default)]
struct Property {
    label: Option<Box<str>>,
    shorthand: Option<Box<str>>,
}

/// Relations that no property declares, and that keep their names.
const OWN: [&str; 2] = ["is_a", "instance_of"];

impl Relations {
    /// Declares a property. The first declaration of an id counts.
    pub(crate) fn declare(&mut self, id: &str, label: Option<&str>, shorthand: Option<&str>) {
        let name = |text: Option<&str>| {
            text.map(str::trim).filter(|text| !text.is_empty()).map(|text| text.replace(' ', "_").into_boxed_str())
        };
        let property = Property { label: name(label), shorthand: name(shorthand) };
        self.properties.entry(id.into()).or_insert(property);
    }

    pub(crate) fn contains(&self, id: &str) -> bool {
        self.properties.contains_key(id)
    }

    /// Whether a relation has a name beside its id.
    pub(crate) fn is_named(&self, id: &str) -> bool {
        OWN.contains(&id) || self.properties.get(id).is_some_and(|names| names.label.is_some())
    }

    /// The id of a property as OBO text writes it: its shorthand, else its short value.
    pub(crate) fn written(&self, id: &str) -> String {
        let shorthand = self.properties.get(id).and_then(|names| names.shorthand.as_deref());
        shorthand.map_or_else(|| super::value(id).into_owned(), str::to_owned)
    }

    /// The names of the relations that a file uses: the label with `_` for spaces, else the shorthand, else the short id.
    /// Where two would get the same name, both go on to the next of these, at last to the whole id.
    pub(crate) fn names(&self, used: &[Name]) -> Vec<Name> {
        let choices: Vec<Vec<Name>> = used.iter().map(|id| self.choices(id)).collect();
        let mut at = vec![0; used.len()];
        loop {
            let mut takers = FxHashMap::<&Name, usize>::default();
            let now = |at: &[usize], n: usize| choices[n].get(at[n]).or(choices[n].last());
            (0..used.len()).filter_map(|n| now(&at, n)).for_each(|name| *takers.entry(name).or_default() += 1);
            let shared = |n: &usize| now(&at, *n).is_some_and(|name| takers[name] > 1);
            let moving: Vec<usize> =
                (0..used.len()).filter(shared).filter(|n| at[*n] + 1 < choices[*n].len()).collect();
            if moving.is_empty() {
                return (0..used.len()).filter_map(|n| now(&at, n).cloned()).collect();
            }
            moving.into_iter().for_each(|n| at[n] += 1);
        }
    }

    /// The names that a relation may have, the best one first; its whole id is the last one.
    fn choices(&self, id: &Name) -> Vec<Name> {
        if OWN.contains(&&**id) {
            return vec![id.clone()];
        }
        let names = self.properties.get(&**id);
        let given =
            [names.and_then(|names| names.label.as_deref()), names.and_then(|names| names.shorthand.as_deref())];
        let mut choices: Vec<Name> = given.into_iter().flatten().map(Name::from).collect();
        choices.extend([Name::from(&*short(id)), id.clone()]);
        choices
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(relations: &Relations, used: &[&str]) -> Vec<String> {
        let used: Vec<Name> = used.iter().map(|id| Name::from(*id)).collect();
        relations.names(&used).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_label_names_a_relation_where_no_other_has_it() {
        let mut relations = Relations::default();
        relations.declare("BFO:0000050", Some(" part of "), Some("part_of"));
        relations.declare("RO:1", Some("touches"), None);
        relations.declare("RO:2", Some("touches"), None);
        relations.declare("RO:3", Some("is a"), None);
        assert_eq!(names(&relations, &["BFO:0000050", "is_a", "x"]), ["part_of", "is_a", "x"]);
        assert_eq!(names(&relations, &["RO:1"]), ["touches"]);
        assert_eq!(names(&relations, &["RO:1", "RO:2", "is_a", "RO:3"]), ["RO:1", "RO:2", "is_a", "RO:3"]);
        let (a, b) = ("http://a.org/x#r", "http://b.org/y#r");
        assert_eq!(names(&relations, &[a]), ["r"]);
        assert_eq!(names(&relations, &[a, b]), [a, b]);
        assert_eq!(names(&relations, &[a, "r"]), [a, "r"]);
    }
}
