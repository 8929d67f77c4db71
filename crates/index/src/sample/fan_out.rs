//! Neighbors of neighbors: each filled slot of a hop is a root of the next.

use timeweft_graph::{NodeIndex, Time};

use super::sampling::Sampling;
use super::scope::{Roots, SampleError};
use super::slots::Samples;
use crate::Index;

/// As of when the edges of later hops are seen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum HopTime {
    /// As of the time of the first root.
    Root,
    /// As of the time when the edge was created that led there. With [`super::AsOf::Before`] times fall from hop to hop.
    Edge,
}

impl Index {
    /// Samples `sizes.len()` hops, `sizes[h]` neighbors a root of hop `h`, into one [`Samples`] a hop. The roots of a hop
    /// are the slots of the hop before in their order; empty slots have no neighbors. Of `sampling`, `k` and quotas are not
    /// looked at.
    ///
    /// # Errors
    /// If the weight is no feature of one number.
    pub fn fan_out(
        &self,
        sampling: &Sampling,
        sizes: &[usize],
        hop_time: HopTime,
        roots: Roots<'_>,
        hops: &mut Vec<Samples>,
    ) -> Result<(), SampleError> {
        hops.resize(sizes.len(), Samples::default());
        let (mut nodes, mut times): (Vec<NodeIndex>, Vec<Time>) = (roots.nodes.into(), roots.times.into());
        let mut first_root = sampling.first_root;
        for (hop, (&k, samples)) in (0..).zip(sizes.iter().zip(hops)) {
            let own = Sampling { k, quotas: Vec::new(), first_root, ..sampling.clone() };
            self.sample_hop(&own, hop, Roots::new(&nodes, &times)?, samples.slots(nodes.len(), k))?;
            first_root = first_root.wrapping_mul(k as u64);
            times = match hop_time {
                HopTime::Root => times.iter().flat_map(|&time| std::iter::repeat_n(time, k)).collect(),
                HopTime::Edge => samples.created.clone(),
            };
            nodes.clone_from(&samples.neighbors);
            let filled = samples.counts.iter().flat_map(|&n| (0..k).map(move |slot| slot < n as usize));
            let empty = nodes.iter_mut().zip(filled).filter(|(_, filled)| !filled);
            empty.for_each(|(node, _)| *node = super::NO_NODE);
        }
        Ok(())
    }
}
