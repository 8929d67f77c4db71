//! What the taxonomies that come as lineages share: one type of nodes, one relation, and a parent for each taxon.

use rustc_hash::FxHashMap;
use timeweft_graph::{
    EdgeTypeId, FeatureDef, FeatureId, FeatureKind, Format, ListOrder, Name, NodeKey, NodeTypeId, Owner, Scope, Sink,
    Unreadable,
};

use crate::SourceError;

/// What a line of a taxonomy leaves unknown that does not show which taxon it is about, or tells several: any of them.
pub(crate) fn any_taxon() -> Vec<Unreadable> {
    let taxon = || Some(Name::from("taxon"));
    let edges = Scope::Edges { source: taxon(), relation: Some("child_of".into()), destination: taxon() };
    vec![Unreadable::OneOf(Scope::Nodes(taxon())), Unreadable::OneOf(edges)]
}

/// What a line of a taxonomy leaves unknown that shows its taxon: the taxon, and its parent.
pub(crate) fn taxon(id: &str) -> Vec<Unreadable> {
    let key = NodeKey::new("taxon", id);
    vec![Unreadable::Node(key.clone()), Unreadable::EdgesFrom(key)]
}

/// The numbers of what a taxonomy declares.
pub(crate) struct Taxonomy<const N: usize> {
    pub(crate) taxon: NodeTypeId,
    pub(crate) child_of: EdgeTypeId,
    /// The features, in the order in which they were given.
    pub(crate) features: [FeatureId; N],
}

impl<const N: usize> Taxonomy<N> {
    /// Declares the types and these features, and tells the sink the format.
    pub(crate) fn declare(
        format: &str,
        features: [(&str, FeatureKind); N],
        file: &Name,
        sink: &mut dyn Sink,
    ) -> Result<Taxonomy<N>, SourceError> {
        let taxonomy =
            Self::numbers(features, sink).ok_or_else(|| SourceError::TooManyTypes { file: file.clone(), line: 0 })?;
        let fields =
            vec![(Owner::Node(taxonomy.taxon), taxonomy.features.to_vec()), (Owner::Edge(taxonomy.child_of), vec![])];
        sink.format(Format { name: format.into(), fields: Some(fields) });
        Ok(taxonomy)
    }

    fn numbers(features: [(&str, FeatureKind); N], sink: &mut dyn Sink) -> Option<Taxonomy<N>> {
        let schema = sink.schema();
        let taxon = schema.add_node_type(&"taxon".into())?;
        let child_of = schema.add_edge_type(taxon, &"child_of".into(), taxon)?;
        let mut numbers = [FeatureId(0); N];
        for (number, (name, kind)) in numbers.iter_mut().zip(features) {
            let def = FeatureDef { name: name.into(), kind, order: ListOrder::List };
            *number = schema.add_feature(Owner::Node(taxon), def)?;
        }
        Some(Taxonomy { taxon, child_of, features: numbers })
    }
}

/// The taxa of the lineages so far. An id is made from a name in which some characters become `_`: two names that would
/// get one id never become one taxon.
#[derive(Default)]
pub(crate) struct Taxa(FxHashMap<Box<str>, Box<str>>);

impl Taxa {
    /// Takes in the taxa of a line, given as ids and names, and calls `add` with the place of each new one; an error, and
    /// nothing taken in, if an id belongs to another name.
    pub(crate) fn take<'a>(
        &mut self,
        taxa: impl Iterator<Item = (&'a str, &'a str)> + Clone,
        mut add: impl FnMut(usize),
    ) -> Result<(), String> {
        if let Some((id, name, known)) = self.other(taxa.clone()) {
            return Err(format!("taxon {id} is `{known}` already, and `{name}` would get the same id"));
        }
        for (at, (id, name)) in taxa.enumerate() {
            if !self.0.contains_key(id) {
                self.0.insert(id.into(), name.into());
                add(at);
            }
        }
        Ok(())
    }

    /// Whether a line was taken in.
    pub(crate) fn holds<'a>(&self, taxa: impl Iterator<Item = (&'a str, &'a str)>) -> bool {
        self.other(taxa).is_none()
    }

    /// The first id that belongs to another name, with both names.
    fn other<'a>(&self, mut taxa: impl Iterator<Item = (&'a str, &'a str)>) -> Option<(&'a str, &'a str, &str)> {
        taxa.find_map(|(id, name)| Some((id, name, &**self.0.get(id)?)).filter(|(_, name, known)| name != known))
    }
}

/// The parent that the first lineage gave each taxon.
#[derive(Default)]
pub(crate) struct Parents(FxHashMap<Box<str>, Box<str>>);

impl Parents {
    /// Whether the edge is new. Another parent than the first one is told, and no edge.
    pub(crate) fn is_new(&mut self, child: &str, parent: &str, line: u64, sink: &mut dyn Sink) -> bool {
        match self.0.get(child) {
            None => {
                self.0.insert(child.into(), parent.into());
                true
            }
            Some(known) => {
                if **known != *parent {
                    sink.warn(line, format!("taxon {child} is a child of {known} already: {parent} is left out"));
                }
                false
            }
        }
    }
}
