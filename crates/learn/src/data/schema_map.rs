//! From the types and features of a graph to those of a model, by name: a graph gets new ones, loses some by a rollback, and
//! numbers them in the order in which they came.

use std::fmt;

use timeweft_graph::{EdgeTypeId, FeatureDef, FeatureId, FeatureKind, NodeTypeId, Owner, Schema, Value};

/// For each type and feature of a graph its number in the schema of a model.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct SchemaMap {
    nodes: Vec<Known>,
    edges: Vec<Known>,
}

/// What a model knows of one type.
#[derive(Clone, PartialEq, Debug)]
struct Known {
    /// Its number in the model; `None` if the model does not know it.
    number: Option<u16>,
    /// Number of each feature in the model.
    features: Vec<Option<FeatureId>>,
}

impl SchemaMap {
    /// How a model with one schema reads a graph with another.
    pub fn new(graph: &Schema, model: &Schema) -> SchemaMap {
        let known = |owner: Owner, own: Option<Owner>| Known {
            number: own.map(|own| match own {
                Owner::Node(NodeTypeId(number)) | Owner::Edge(EdgeTypeId(number)) => number,
                Owner::Merge => 0,
            }),
            features: graph
                .features(owner)
                .iter()
                .map(|def| own.and_then(|own| Some(model.feature(own, &def.name)?.0)))
                .collect(),
        };
        let nodes = (0..graph.node_types().len() as u16).map(NodeTypeId);
        let edges = (0..graph.edge_types().len() as u16).map(EdgeTypeId);
        SchemaMap {
            nodes: nodes.map(|id| known(Owner::Node(id), node_in(graph, model, id).map(Owner::Node))).collect(),
            edges: edges.map(|id| known(Owner::Edge(id), edge_in(graph, model, id).map(Owner::Edge))).collect(),
        }
    }

    /// Whether the model knows a node type of the graph.
    pub fn knows_node(&self, id: NodeTypeId) -> bool {
        self.nodes.get(id.at()).is_some_and(|known| known.number.is_some())
    }

    /// Whether the model knows an edge type of the graph.
    pub fn knows_edge(&self, id: EdgeTypeId) -> bool {
        self.edges.get(id.at()).is_some_and(|known| known.number.is_some())
    }

    /// Whether the model knows all types of the graph.
    pub fn knows_all_types(&self) -> bool {
        self.nodes.iter().chain(&self.edges).all(|known| known.number.is_some())
    }

    /// Whether the model knows no node type of the graph.
    pub fn knows_no_type(&self) -> bool {
        self.nodes.iter().all(|known| known.number.is_none())
    }

    /// The model's number of a node type; 0, its first, for one that it does not know and that nothing is asked about.
    pub fn node(&self, id: NodeTypeId) -> NodeTypeId {
        NodeTypeId(self.nodes.get(id.at()).and_then(|known| known.number).unwrap_or_default())
    }

    /// The model's number of an edge type; 0, its first, for one that it does not know.
    pub fn edge(&self, id: EdgeTypeId) -> EdgeTypeId {
        EdgeTypeId(self.edges.get(id.at()).and_then(|known| known.number).unwrap_or_default())
    }

    /// The graph's number of the model's first edge type, which stands for the relation of nodes that go; one that no edge has
    /// if the graph lost it.
    pub(crate) fn first_edge(&self) -> EdgeTypeId {
        let first = self.edges.iter().position(|known| known.number == Some(0));
        EdgeTypeId(first.map_or(u16::MAX, |at| at as u16))
    }

    /// The model's number of a feature of the graph; `None` if the model does not know it.
    pub fn feature(&self, owner: Owner, id: FeatureId) -> Option<FeatureId> {
        self.features(owner).get(id.at()).copied().flatten()
    }

    /// Values of an owner of the graph under the model's numbers, without those of features that it does not know.
    pub(crate) fn read(
        &self,
        owner: Owner,
        values: impl Iterator<Item = (FeatureId, Value)>,
    ) -> impl Iterator<Item = (FeatureId, Value)> {
        let features = self.features(owner);
        values.filter_map(|(id, value)| Some((features.get(id.at()).copied().flatten()?, value)))
    }

    fn features(&self, owner: Owner) -> &[Option<FeatureId>] {
        let known = match owner {
            Owner::Node(id) => self.nodes.get(id.at()),
            Owner::Edge(id) => self.edges.get(id.at()),
            Owner::Merge => None,
        };
        known.map_or(&[], |known| &known.features)
    }
}

fn node_in(graph: &Schema, model: &Schema, id: NodeTypeId) -> Option<NodeTypeId> {
    model.node_type(&graph.node_types().get(id.at())?.name)
}

fn edge_in(graph: &Schema, model: &Schema, id: EdgeTypeId) -> Option<EdgeTypeId> {
    let edge = graph.edge_types().get(id.at())?;
    let (source, destination) = (node_in(graph, model, edge.source)?, node_in(graph, model, edge.destination)?);
    model.edge_type(source, &edge.relation, destination)
}

/// What a graph has and a model does not know, because it came after the training.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Unknown {
    /// Names of node types.
    pub node_types: Vec<String>,
    /// Edge types as `source -relation-> destination`.
    pub edge_types: Vec<String>,
    /// Features as `name of owner`.
    pub features: Vec<String>,
    /// Features that the model reads as numbers and that hold something else now, or the other way round.
    pub changed: Vec<String>,
}

impl Unknown {
    /// Compares the schema of a graph with that of a model.
    pub fn new(graph: &Schema, model: &Schema) -> Unknown {
        let mut unknown = Unknown::default();
        for (id, node) in (0..).map(NodeTypeId).zip(graph.node_types()) {
            match node_in(graph, model, id) {
                None => unknown.node_types.push(node.name.to_string()),
                Some(own) => unknown.compare((graph, Owner::Node(id)), (model, Owner::Node(own))),
            }
        }
        for id in (0..graph.edge_types().len() as u16).map(EdgeTypeId) {
            match edge_in(graph, model, id) {
                None => unknown.edge_types.push(graph.owner_name(Owner::Edge(id))),
                Some(own) => unknown.compare((graph, Owner::Edge(id)), (model, Owner::Edge(own))),
            }
        }
        unknown
    }

    fn compare(&mut self, (graph, owner): (&Schema, Owner), (model, own): (&Schema, Owner)) {
        for FeatureDef { name, kind, .. } in graph.features(owner) {
            let full = format!("`{name}` of {}", graph.owner_name(owner));
            match model.feature(own, name) {
                None => self.features.push(full),
                Some((_, known)) if is_numbers(known.kind) != is_numbers(*kind) => {
                    self.changed.push(format!("{full} ({}, was {})", kind, known.kind));
                }
                Some(_) => {}
            }
        }
    }

    /// Whether the model knows everything.
    pub fn is_empty(&self) -> bool {
        [&self.node_types, &self.edge_types, &self.features, &self.changed].iter().all(|names| names.is_empty())
    }
}

/// Whether values are read as numbers and not as words.
fn is_numbers(kind: FeatureKind) -> bool {
    matches!(kind, FeatureKind::Dense { .. })
}

/// Most names of a kind in a message.
const LISTED: usize = 5;

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kinds = [
            ("node type", &self.node_types),
            ("edge type", &self.edge_types),
            ("feature", &self.features),
            ("changed feature", &self.changed),
        ];
        let mut between = "";
        for (what, names) in kinds.into_iter().filter(|(_, names)| !names.is_empty()) {
            let plural = if names.len() == 1 { "" } else { "s" };
            let listed = names[..names.len().min(LISTED)].join(", ");
            write!(f, "{between}{what}{plural} {listed}")?;
            if names.len() > LISTED {
                write!(f, " and {} more", names.len() - LISTED)?;
            }
            between = "; ";
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use timeweft_graph::{DType, ListOrder, TimeUnit};

    use super::*;

    fn schema(nodes: &[&str], edges: &[[&str; 3]]) -> Schema {
        let mut schema = Schema::new(TimeUnit::Step);
        nodes.iter().for_each(|name| _ = schema.add_node_type(&(*name).into()));
        for [source, relation, destination] in edges {
            let ends = [source, destination].map(|name| schema.node_type(name).unwrap());
            schema.add_edge_type(ends[0], &(*relation).into(), ends[1]);
        }
        schema
    }

    fn declare(schema: &mut Schema, node: &str, feature: &str, kind: FeatureKind) {
        let owner = Owner::Node(schema.node_type(node).unwrap());
        schema.add_feature(owner, FeatureDef { name: feature.into(), kind, order: ListOrder::List });
    }

    const NUMBER: FeatureKind = FeatureKind::Dense { dtype: DType::F64, scalar: true };

    #[test]
    fn types_and_features_are_known_by_name_whatever_their_number() {
        let mut model = schema(&["user", "item"], &[["user", "buys", "item"]]);
        declare(&mut model, "user", "age", NUMBER);
        let mut graph = schema(
            &["shop", "item", "user"],
            &[["user", "visits", "shop"], ["item", "buys", "user"], ["user", "buys", "item"]],
        );
        declare(&mut graph, "user", "name", FeatureKind::Text);
        declare(&mut graph, "user", "age", NUMBER);
        let map = SchemaMap::new(&graph, &model);
        assert_eq!([0, 1, 2].map(|id| map.knows_node(NodeTypeId(id))), [false, true, true]);
        assert_eq!([1, 2].map(|id| map.node(NodeTypeId(id)).0), [1, 0]);
        assert_eq!([0, 1, 2].map(|id| map.knows_edge(EdgeTypeId(id))), [false, false, true], "the ends count");
        assert_eq!((map.edge(EdgeTypeId(2)).0, map.first_edge().0), (0, 2));
        let values = [(FeatureId(0), Value::text("ann")), (FeatureId(1), Value::number(3.0))];
        let read: Vec<_> = map.read(Owner::Node(NodeTypeId(2)), values.into_iter()).collect();
        assert_eq!(read, [(FeatureId(0), Value::number(3.0))]);
        let unknown = Unknown::new(&graph, &model).to_string();
        let wanted = "node type shop; edge types user -visits-> shop, item -buys-> user; feature `name` of user";
        assert_eq!(unknown, wanted);
        let same = SchemaMap::new(&model, &model);
        assert!(same.knows_all_types() && Unknown::new(&model, &model).is_empty() && !map.knows_all_types());
        // A graph that lost a type: its weights stay, nothing asks for them.
        let lost = SchemaMap::new(&schema(&["item"], &[]), &model);
        assert_eq!((lost.node(NodeTypeId(0)).0, lost.first_edge().0, lost.knows_all_types()), (1, u16::MAX, true));
        assert!(SchemaMap::new(&schema(&["city"], &[]), &model).knows_no_type());
    }

    #[test]
    fn numbers_that_widen_are_known_and_numbers_that_become_words_are_named() {
        let of = |kind| {
            let mut schema = schema(&["user"], &[]);
            declare(&mut schema, "user", "age", kind);
            schema
        };
        let whole = of(FeatureKind::Dense { dtype: DType::I32, scalar: true });
        assert!(Unknown::new(&of(NUMBER), &whole).is_empty());
        let unknown = Unknown::new(&of(FeatureKind::Text), &whole).to_string();
        assert_eq!(unknown, "changed feature `age` of user (text, was i32)");
        let many = schema(&["a", "b", "c", "d", "e", "f", "g"], &[]);
        assert_eq!(Unknown::new(&many, &of(NUMBER)).to_string(), "node types a, b, c, d, e and 2 more");
    }
}
