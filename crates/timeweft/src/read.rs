//! What a graph answers: states of nodes and edges, their histories, differences, types and numbers.

pub use timeweft_graph::{
    Counts, DType, Dense, Diff, EdgeIndex, EdgeState, EdgeType, EdgeTypeId, ElementHistory, ExternalId, FeatureDef,
    FeatureId, FeatureKind, FeatureSpan, Features, GraphView, IdRef, Life, ListOrder, MergeRecord, NodeIndex,
    NodeState, NodeType, NodeTypeId, NumberType, Numbers, Owner, Sparse, Updated, ValueBytes, last_values,
};
pub use timeweft_index::{
    Change, ChangeCounts, ChangeKind, ChangeList, ChangePlace, Changes, Comparison, EdgeColumns, EdgeOrder, Expansion,
    Fact, Happening, Incident, Index, LABELS, More, NearEdge, NearNode, Neighborhood, NodeColumns, Recency,
    Surroundings, Timeline, TypeSet, damage, features, query,
};
pub use timeweft_source::{RootsReader, roots};

pub use crate::moments::{MomentError, Moments};
pub use crate::stats::{Stats, TypeCount};
pub use crate::time_slice::{Edges, Neighbors, TimeSlice};
