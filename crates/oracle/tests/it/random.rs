//! Random sequences of versions: a small world in which everything collides, bad records included.

use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::json;
use timeweft_graph::{
    DType, Dangling, DeltaOptions, Dense, EdgeKey, FeatureDef, FeatureId, FeatureKind, Format, ListOrder,
    ListedDeletion, ListedMerge, Name, NodeKey, Numbers, Owner, Place, Reason, Reject, Schema, Scope, Sparse, Time,
    Unreadable, Value,
};
use timeweft_oracle::{Listed, Version};

/// One version of one namespace.
#[derive(Clone, Debug)]
pub(crate) struct Load {
    pub(crate) namespace: Name,
    pub(crate) at: Time,
    pub(crate) options: DeltaOptions,
    pub(crate) version: Version,
}

/// Namespaces, the first one most often.
pub(crate) const NAMESPACES: [&str; 3] = ["ours", "theirs", "third"];

/// Every node that a version may name; the last two are only named, by edges and merges.
pub(crate) fn node_keys() -> Vec<NodeKey> {
    let keys = [
        ("user", "1"),
        ("user", "2"),
        ("user", "x"),
        ("item", "1"),
        ("item", "y"),
        ("item", "z"),
        ("user", "out"),
        ("tag", "out"),
    ];
    keys.map(|(node_type, id)| NodeKey::new(node_type, id)).to_vec()
}

const LISTED: usize = 6;

/// Loads in order of time; the versions of a namespace have different times, those of two may have the same. Parts of a
/// version often are those of the one before it, as in real releases.
pub(crate) fn loads() -> impl Strategy<Value = Vec<Load>> {
    let namespace = prop_oneof![6 => Just(0usize), 3 => Just(1usize), 1 => Just(2usize)];
    vec((namespace, 0..3i64, options(), draft(), any::<[bool; 4]>()), 1..9).prop_map(|drafts| {
        let (mut now, mut newest) = (100i64, [0i64; 3]);
        let mut last: [Option<Draft>; 3] = [None, None, None];
        let load = |(space, step, options, draft, keep): (usize, i64, DeltaOptions, Draft, [bool; 4])| {
            now += step;
            if newest[space] == now {
                now += 1;
            }
            newest[space] = now;
            let draft = draft.after(last[space].take(), keep);
            let version = draft.version();
            last[space] = Some(draft);
            Load { namespace: NAMESPACES[space].into(), at: Time(now), options, version }
        };
        drafts.into_iter().map(load).collect()
    })
}

fn options() -> impl Strategy<Value = DeltaOptions> {
    let dangling = prop_oneof![6 => Just(Dangling::Drop), 3 => Just(Dangling::Stub), 1 => Just(Dangling::Reject)];
    let (allow_empty, add_fields) = (prop::bool::weighted(0.8), any::<bool>());
    let types = || prop::bool::weighted(0.5);
    let end_foreign_edges = prop::bool::weighted(0.2);
    (dangling, allow_empty, add_fields, types(), types(), end_foreign_edges).prop_map(
        |(dangling, allow_empty, add_fields, items, edges, end_foreign_edges)| {
            let types = [("item", items), ("likes", edges)].into_iter().filter(|(_, allowed)| *allowed);
            let empty_types = types.map(|(name, _)| name.into()).collect();
            DeltaOptions { dangling, allow_empty, empty_types, add_fields, end_foreign_edges }
        },
    )
}

/// Records that a draft of a version names, by numbers.
#[derive(Clone, Debug)]
struct Draft {
    nodes: Vec<(usize, Features)>,
    edges: Vec<((usize, usize, usize, usize), Features)>,
    merges: Vec<(usize, usize, Features)>,
    deleted: Vec<usize>,
    /// Which of the lines stands where.
    lines: Vec<u8>,
    fields: Option<[Vec<usize>; 4]>,
    /// Whether the reader says how the lists of nodes, edges and merges compare.
    declared: [bool; 3],
    reserved: bool,
    unreadable: Vec<Unread>,
    /// The kind of whole numbers: kinds grow wider from version to version, and narrower ones come back.
    whole: usize,
    /// Sections without a record.
    empty: [bool; 2],
}

/// A record that could not be read.
#[derive(Clone, Debug)]
enum Unread {
    Node(usize),
    Edge(usize, usize, usize, usize),
    EdgesFrom(usize),
    OneOf(usize),
}

/// Numbers of features with numbers of values.
type Features = Vec<(usize, usize)>;

fn draft() -> impl Strategy<Value = Draft> {
    // The last ones stand there less often, so that they can be merged.
    let node = prop_oneof![3 => 0..3usize, 1 => 0..LISTED];
    let nodes = prop_oneof![12 => vec((node, features(4)), 0..9), 1 => Just(Vec::new())];
    let ends = prop_oneof![5 => (0..LISTED, 0..LISTED), 1 => (0..LISTED + 2, 0..LISTED + 2)];
    let edge = (0..2usize, ends, 0..3usize).prop_map(|(relation, (from, to), key)| (relation, from, to, key));
    // A few edges most often, so that they stay, change and live again.
    let edge = prop_oneof![3 => (0..2usize).prop_map(|at| (0, at, at + 1, 0)), 2 => edge];
    let edges = vec((edge, features(2)), 0..7);
    let merge = prop_oneof![3 => (3..5usize, 0..3usize), 2 => (0..LISTED, 0..LISTED + 2)];
    let merges = vec((merge, features(1), 0..4usize), 0..4).prop_map(|merges| {
        let kind = |kind: usize| (kind < 2).then_some((TYPE, kind));
        merges
            .into_iter()
            .map(|((from, into), features, luck)| (from, into, features.into_iter().chain(kind(luck)).collect()))
            .collect()
    });
    let deleted = vec(0..LISTED + 2, 0..3);
    let known = || {
        vec(prop::bool::weighted(0.7), FEATURES.len()).prop_map(|known: Vec<bool>| {
            known.iter().enumerate().filter(|(_, known)| **known).map(|(at, _)| at).collect::<Vec<_>>()
        })
    };
    let fields = prop_oneof![2 => Just(None), 3 => [known(), known(), known(), known()].prop_map(Some)];
    let whole = prop_oneof![4 => Just(1usize), 2 => Just(0usize), 1 => Just(2usize)];
    let odd = (unreadable(), [0.2, 0.2].map(prop::bool::weighted), whole);
    let more = (any::<[bool; 3]>(), prop::bool::weighted(0.02), odd);
    (nodes, edges, merges, deleted, vec(any::<u8>(), 32), fields, more).prop_map(
        |(nodes, edges, merges, deleted, lines, fields, (declared, reserved, (unreadable, empty, whole)))| Draft {
            nodes,
            edges,
            merges,
            deleted,
            lines,
            fields,
            declared,
            reserved,
            unreadable,
            whole,
            empty,
        },
    )
}

/// In half of the versions everything can be read.
fn unreadable() -> impl Strategy<Value = Vec<Unread>> {
    let record = prop_oneof![
        3 => (0..LISTED).prop_map(Unread::Node),
        3 => (0..2usize, 0..LISTED, 0..LISTED, 0..2usize).prop_map(|(a, b, c, d)| Unread::Edge(a, b, c, d)),
        2 => (0..2usize).prop_map(|at| Unread::Edge(0, at, at + 1, 0)),
        1 => (0..LISTED).prop_map(Unread::EdgesFrom),
        2 => (0..6usize).prop_map(Unread::OneOf),
    ];
    prop_oneof![1 => Just(Vec::new()), 1 => vec(record, 0..4)]
}

/// The same values most often, so that elements stay as they are.
fn features(most: usize) -> impl Strategy<Value = Features> {
    vec(
        (prop_oneof![2 => 0..FEATURES.len(), 1 => 7..FEATURES.len()], prop_oneof![5 => Just(0usize), 4 => 1..4usize]),
        0..=most,
    )
}

/// Features are named after the kind of their values.
const FEATURES: [&str; 10] = ["number", "int", "vec", "sparse", "text", "category", "bytes", "list", "set", "multiset"];
/// Where the whole numbers stand among them, and their kinds.
const WHOLE: usize = 1;
const WHOLES: [DType; 3] = [DType::I32, DType::I64, DType::F64];
/// The type of a merge stands behind them.
const TYPE: usize = FEATURES.len();

fn feature((at, which): (usize, usize), whole: usize) -> (Name, Value) {
    match at {
        TYPE => ("type".into(), Value::Category(["replaced_by", "consider"][which].into())),
        WHOLE => {
            let (value, kind) = (value(at, which), WHOLES[whole]);
            let value = value.widened(FeatureKind::Dense { dtype: kind, scalar: true }).unwrap_or(value);
            (FEATURES[at].into(), value)
        }
        _ => (FEATURES[at].into(), value(at, which)),
    }
}

/// One of three values of a kind, or JSON null, which is no value.
fn value(kind: usize, which: usize) -> Value {
    let small = which as u8 + 1;
    let names = ["one", "two", ""];
    let lists = [json!(["a", "b"]), json!(["b", "a", "b"]), json!(["b", "a"])];
    if which == 3 {
        return Value::Json(json!(null));
    }
    match kind {
        0 => Value::number([0.0, -0.0, f64::NAN][which]),
        1 => Value::Dense(Dense { numbers: Numbers::I64(vec![small.into()]), scalar: true }),
        2 => Value::floats([&[1.0, 2.0][..], &[], &[2.0, 1.0]][which]),
        3 => Value::Sparse(Sparse { rank: 2, coordinates: vec![0, small.into()], values: Numbers::U8(vec![7]) }),
        4 => Value::text(names[which]),
        5 => Value::Category(names[which].into()),
        6 => Value::Bytes(vec![small]),
        7 if which == 2 => Value::Json(json!({"n": 1.5, "list": ["b", "a"]})),
        _ => Value::Json(lists[which].clone()),
    }
}

fn def(at: usize, declared: bool, whole: usize) -> FeatureDef {
    let (name, sample) = feature((at, 0), whole);
    let order = match &*name {
        "set" if declared => ListOrder::Set,
        "multiset" if declared => ListOrder::Multiset,
        _ => ListOrder::List,
    };
    FeatureDef { name, kind: FeatureKind::of(&sample), order }
}

impl Unread {
    fn told(&self, keys: &[NodeKey]) -> Unreadable {
        match *self {
            Unread::Node(node) => Unreadable::Node(keys[node].clone()),
            Unread::EdgesFrom(node) => Unreadable::EdgesFrom(keys[node].clone()),
            Unread::Edge(relation, from, to, key) => Unreadable::Edge(EdgeKey {
                source: keys[from].clone(),
                relation: ["likes", "knows"][relation].into(),
                destination: keys[to].clone(),
                key: [None, Some("a")][key].map(Name::from),
            }),
            Unread::OneOf(scope) => Unreadable::OneOf(match scope {
                0 => Scope::Nodes(None),
                1 => Scope::Nodes(Some("item".into())),
                2 => Scope::Nodes(Some("nobody".into())),
                3 => edges_of("user", None, "user"),
                _ => Scope::Edges { source: None, relation: Some("likes".into()), destination: None },
            }),
        }
    }
}

fn edges_of(source: &str, relation: Option<&str>, destination: &str) -> Scope {
    Scope::Edges {
        source: Some(source.into()),
        relation: relation.map(Name::from),
        destination: Some(destination.into()),
    }
}

impl Draft {
    /// The draft with parts of the one before it: most of its elements, its merges with other features, its fields.
    fn after(self, last: Option<Draft>, keep: [bool; 4]) -> Draft {
        let Some(last) = last else { return self };
        let mut next = self.clone();
        if keep[0] {
            next.nodes = last.nodes;
            next.nodes.retain(|(key, _)| self.deleted.first() != Some(key));
        }
        if keep[1] {
            next.edges.extend(last.edges);
        }
        if keep[2] {
            let given = |at: usize| self.merges.get(at).map(|merge| merge.2.clone()).unwrap_or_default();
            let known = last.merges.into_iter().enumerate();
            next.merges = known.map(|(at, (from, into, _))| (from, into, given(at))).collect();
            next.merges.extend(self.merges.last().cloned());
        }
        if keep[3] {
            next.fields = last.fields;
        }
        next
    }

    fn version(&self) -> Version {
        let (keys, mut lines) = (node_keys(), self.lines.iter());
        // Records stand in any order, each at a place of its own in one of two files.
        let mut taken = 0;
        let mut place = || {
            let at = lines.next().copied().unwrap_or_default();
            taken += 1;
            Place::new(&["one", "two"][usize::from(at % 2)].into(), u64::from(at / 2) * 64 + taken)
        };
        let named = |features: &Features| features.iter().map(|&at| feature(at, self.whole)).collect::<Vec<_>>();
        let mut version = Version::new(self.schema());
        version.format = self.format(&version.schema);
        for (key, features) in &self.nodes {
            version.nodes.push(Listed { key: keys[*key].clone(), features: named(features), place: place() });
        }
        for ((relation, from, to, key), features) in &self.edges {
            let key = EdgeKey {
                source: keys[*from].clone(),
                relation: ["likes", "knows"][*relation].into(),
                destination: keys[*to].clone(),
                key: [None, Some("a"), Some("b")][*key].map(Name::from),
            };
            version.edges.push(Listed { key, features: named(features), place: place() });
        }
        for (from, into, features) in &self.merges {
            let features = named(features).into_iter().map(|(name, value)| (name, Some(value))).collect();
            version.merges.push(ListedMerge {
                from: keys[*from].clone(),
                into: keys[*into].clone(),
                features,
                place: place(),
            });
        }
        for node in &self.deleted {
            version.deleted.push(ListedDeletion { node: keys[*node].clone(), place: place() });
        }
        for unread in &self.unreadable {
            version.unreadable.push((version.rejects.len(), unread.told(&keys)));
            version.rejects.push(Reject { place: place(), reason: Reason::Malformed("not readable".into()) });
        }
        let sections = [Scope::Nodes(Some("item".into())), edges_of("user", Some("likes"), "user")];
        let empty = sections.into_iter().zip(self.empty).filter(|(_, empty)| *empty);
        version.empty = empty.map(|(section, _)| (section, Place::new(&"empty".into(), 0))).collect();
        if let Some(node) = version.nodes.first_mut().filter(|_| self.reserved) {
            node.features.push(("created".into(), Value::text("then")));
        }
        version
    }

    /// The types for which the reader says something.
    fn schema(&self) -> Schema {
        let mut schema = Schema::default();
        let owners = ["user", "item"].map(|name| schema.add_node_type(&name.into()).unwrap());
        let edge = schema.add_edge_type(owners[0], &"likes".into(), owners[0]).map(Owner::Edge).unwrap();
        let all = [Owner::Node(owners[0]), Owner::Node(owners[1]), edge, Owner::Merge];
        for (place, owner) in all.into_iter().enumerate() {
            let declared = self.declared[place.saturating_sub(1)];
            let known = self.fields.as_ref().map_or(&[][..], |fields| &fields[place]);
            let lists = [8usize, 9].into_iter().filter(|_| declared);
            lists
                .chain(known.iter().copied())
                .for_each(|at| _ = schema.add_feature(owner, def(at, declared, self.whole)));
        }
        schema
    }

    fn format(&self, schema: &Schema) -> Format {
        let owner = |place: usize| match place {
            0 | 1 => Owner::Node(schema.node_type(["user", "item"][place]).unwrap()),
            2 => Owner::Edge(timeweft_graph::EdgeTypeId(0)),
            _ => Owner::Merge,
        };
        let ids = |owner, known: &Vec<usize>| -> Vec<FeatureId> {
            known.iter().filter_map(|&at| Some(schema.feature(owner, FEATURES[at])?.0)).collect()
        };
        // Some readers do not name a type at all; those with seven features here are as good as any.
        let fields = self.fields.as_ref().map(|fields| {
            let known = fields.iter().enumerate().filter(|(_, known)| known.len() != 7);
            known.map(|(place, known)| (owner(place), ids(owner(place), known))).collect()
        });
        Format { name: "random".into(), fields }
    }
}
