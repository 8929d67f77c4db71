//! Random numbers that depend on what they are for and on nothing else: the same for any threads, batches and order.

use timeweft_graph::{NodeIndex, Time};

/// The numbers for one hop; those of each root follow from it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stream(u64);

impl Stream {
    /// The numbers of a hop.
    pub(crate) fn new(seed: u64, hop: u64) -> Stream {
        Stream(mix(seed.wrapping_add(GOLDEN.wrapping_mul(hop.wrapping_add(1)))))
    }

    /// The numbers of a root, counted over all batches.
    #[inline]
    pub(crate) fn root(self, root: u64) -> Draws {
        Draws { state: mix(self.0.wrapping_add(root.wrapping_mul(OTHER))) }
    }
}

/// The numbers for one root of one hop. Each is a mix of the key and its position (splitmix64: Steele, Lea, Flood 2014).
#[derive(Clone, Debug)]
pub(crate) struct Draws {
    state: u64,
}

const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// Another odd number, so that hops and roots do not stand for each other.
const OTHER: u64 = 0xd1b5_4a32_d192_ed03;

impl Draws {
    /// The numbers of a root, counted over all batches, at a hop.
    pub(crate) fn new(seed: u64, hop: u64, root: u64) -> Draws {
        Stream::new(seed, hop).root(root)
    }

    /// The next two numbers below a small `n`, which is not 0: off from uniform by less than n / 2^32.
    #[inline]
    pub(crate) fn two_below(&mut self, n: u32) -> [u32; 2] {
        let (next, n) = (self.next(), u64::from(n));
        [(((next >> 32) * n) >> 32) as u32, (((next & u64::from(u32::MAX)) * n) >> 32) as u32]
    }

    /// The next number, any of 64 bits.
    #[inline]
    pub(crate) fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(GOLDEN);
        mix(self.state)
    }

    /// The next number below `n`, which is not 0. Off from uniform by less than n / 2^64 (Lemire 2019).
    #[inline]
    pub(crate) fn below(&mut self, n: usize) -> usize {
        ((u128::from(self.next()) * n as u128) >> 64) as usize
    }

    /// The next number in `[0, 1)`, of 53 bits.
    #[inline]
    pub(crate) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
    }

    /// The next numbers of 31 bits: the upper ones of those that are drawn, and the lower ones.
    #[inline(always)]
    pub(crate) fn short<const N: usize>(&mut self) -> [[i32; N]; 2] {
        let (mut upper, mut lower) = ([0; N], [0; N]);
        for (n, (upper, lower)) in (1u64..).zip(upper.iter_mut().zip(&mut lower)) {
            let next = mix(self.state.wrapping_add(GOLDEN.wrapping_mul(n)));
            (*upper, *lower) = ((next >> 33) as i32, (next as u32 >> 1) as i32);
        }
        self.state = self.state.wrapping_add(GOLDEN.wrapping_mul(N as u64));
        [upper, lower]
    }

    /// The next number in `(0, 1]`, whose logarithm is finite.
    pub(crate) fn positive(&mut self) -> f64 {
        1.0 - self.unit()
    }
}

/// A number that stands for a node as of a time, where draws depend on these and not on a position.
pub(crate) fn key(node: NodeIndex, time: Time) -> u64 {
    mix(mix(time.0 as u64).wrapping_add(GOLDEN.wrapping_mul(u64::from(node.0))))
}

#[inline(always)]
fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_of_neighboring_keys_have_nothing_in_common() {
        let mut seen = std::collections::HashSet::new();
        for (seed, hop, root) in (0..4).flat_map(|s| (0..4).flat_map(move |h| (0..64).map(move |r| (s, h, r)))) {
            let mut draws = Draws::new(seed, hop, root);
            assert!((0..64).all(|_| seen.insert(draws.next())), "{seed} {hop} {root}");
        }
    }

    #[test]
    fn keys_of_neighboring_nodes_and_times_differ() {
        let mut seen = std::collections::HashSet::new();
        for (node, time) in (0..300).flat_map(|node| (-300..300).map(move |time| (NodeIndex(node), Time(time)))) {
            assert!(seen.insert(key(node, time)), "{node:?} {time:?}");
        }
    }

    #[test]
    fn numbers_below_n_are_uniform() {
        let mut counts = [0u32; 7];
        (0..700).for_each(|root| {
            let mut draws = Draws::new(1, 0, root);
            (0..100).for_each(|_| counts[draws.below(7)] += 1);
        });
        // Chi-square with 6 degrees of freedom: 22.46 is exceeded once in a thousand.
        let chi: f64 = counts.iter().map(|&n| (f64::from(n) - 1e4).powi(2) / 1e4).sum();
        assert!(chi < 22.46, "{counts:?}");
    }
}
