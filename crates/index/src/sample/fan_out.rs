//! Neighbors of neighbors: each filled slot of a hop is a root of the next.

use timeweft_graph::{NodeIndex, Time};

use super::sampling::Sampling;
use super::scope::{Roots, SampleError, check_length};
use super::slots::{Samples, Slots};
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
    /// If the weight is no feature of one number, or the window is empty.
    pub fn fan_out(
        &self,
        sampling: &Sampling,
        sizes: &[usize],
        hop_time: HopTime,
        roots: Roots<'_>,
        hops: &mut Vec<Samples>,
    ) -> Result<(), SampleError> {
        hops.resize(sizes.len(), Samples::default());
        let mut n = roots.len();
        let slots = sizes.iter().zip(hops).map(|(&k, samples)| {
            let slots = samples.slots(n, k);
            n *= k;
            slots
        });
        self.fan_out_into(sampling, sizes, hop_time, roots, slots.collect())
    }

    /// The same into the slots of each hop, which must have neighbors, times of creation and counts.
    ///
    /// # Errors
    /// If the weight is no feature of one number, the window is empty, or an array is missing or has the wrong length.
    pub fn fan_out_into(
        &self,
        sampling: &Sampling,
        sizes: &[usize],
        hop_time: HopTime,
        roots: Roots<'_>,
        hops: Vec<Slots<'_>>,
    ) -> Result<(), SampleError> {
        check_length("hops", hops.len(), sizes.len())?;
        let (mut nodes, mut times): (Vec<NodeIndex>, Vec<Time>) = (roots.nodes.into(), roots.times.into());
        let mut first_root = sampling.first_root;
        for (hop, (&k, mut slots)) in (0..).zip(sizes.iter().zip(hops)) {
            let own = Sampling { k, quotas: Vec::new(), first_root, ..sampling.clone() };
            self.sample_hop(&own, hop, Roots::new(&nodes, &times)?, slots.reborrow())?;
            first_root = first_root.wrapping_mul(k as u64);
            let Slots { neighbors: Some(neighbors), created: Some(created), counts: Some(counts), .. } = slots else {
                return Err(SampleError::Length {
                    what: "neighbors, created or counts",
                    len: 0,
                    wanted: nodes.len() * k,
                });
            };
            times = match hop_time {
                HopTime::Root => times.iter().flat_map(|&time| std::iter::repeat_n(time, k)).collect(),
                HopTime::Edge => created.to_vec(),
            };
            nodes = neighbors.to_vec();
            let filled = counts.iter().flat_map(|&n| (0..k).map(move |slot| slot < n as usize));
            let empty = nodes.iter_mut().zip(filled).filter(|(_, filled)| !filled);
            empty.for_each(|(node, _)| *node = super::NO_NODE);
        }
        Ok(())
    }
}
