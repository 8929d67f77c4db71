//! What training asks of many nodes at once: counts, neighbors, samples and walks as of a time of each.
//!
//! Questions take a slice of roots and write into flat arrays of the caller. They see the graph exactly as of each
//! root's time, also where edges have been removed and made again; a [`Scope`] says which edges, and whether the time
//! itself counts ([`AsOf::At`]) or only what was before ([`AsOf::Before`]).
//!
//! Random numbers are keyed by (seed, hop, position of the root, draw), so that an answer depends neither on the number of
//! threads nor on how roots are cut into batches, if [`Sampling::first_root`] counts on; those of joint [subgraphs](Hops) by
//! (seed, hop, node, time, draw). Work is spread over the threads of
//! the rayon pool that the caller is in.

mod alive;
mod choice;
mod choose;
mod elements;
mod fan_out;
mod forward;
mod links;
mod lists;
mod node2vec;
mod page_rank;
mod picks;
mod random;
mod sampling;
mod scale;
mod scope;
mod slots;
mod small_degree;
mod subgraph;
mod traversal;
mod walk;
pub(crate) mod weights;
mod window;

pub use choice::Choice;
pub use elements::ElementSampling;
pub use fan_out::HopTime;
pub use links::{Links, NO_EDGE};
pub use lists::{EdgeLists, Within};
pub use page_rank::PageRank;
pub use sampling::Sampling;
pub use scale::WeightBy;
pub use scope::{AsOf, EdgeTypes, NO_NODE, Roots, SampleError, Scope, Side};
pub use slots::{Missing, Samples, Slots};
pub use subgraph::{Hops, Subgraph, SubgraphEdges, SubgraphNodes};
pub use walk::{Steps, Walk, WalkTimes};

pub(crate) use scope::check_length;
