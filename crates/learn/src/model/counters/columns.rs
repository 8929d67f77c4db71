//! The columns of the counters and how they are scaled: arguments of logarithms are written first, and the logarithms are
//! taken of whole blocks at once.

use crate::nn::LogColumns;

/// Widths of the parts, in the order in which a whole row has them.
pub(crate) const PAIR: usize = 15;
pub(crate) const ANY: usize = 10;
pub(crate) const REPLY: usize = 6;
pub(crate) const ANSWER: usize = 18;
pub(crate) const NODE: usize = 10;
pub(crate) const ASKER: usize = 10;
pub(crate) const WALKS: usize = 2;
pub(crate) const AFFINITY: usize = 3;

/// Width of the block of a candidate alone: ANSWER, NODE.
pub(crate) const NODE_BLOCK: usize = ANSWER + NODE;
/// Width of the block of a pair: PAIR, ANY, REPLY, WALKS, AFFINITY.
pub(crate) const PAIR_BLOCK: usize = MET + WALKS + AFFINITY;
/// Width of what of it says how the two met: PAIR, ANY, REPLY.
pub(crate) const MET: usize = PAIR + ANY + REPLY;
/// Width of a whole row.
pub(crate) const WIDTH: usize = PAIR_BLOCK + NODE_BLOCK + ASKER;

/// Windows in events over which answers are counted.
pub(crate) const WINDOWS: [u32; 4] = [100, 800, 6000, 40_000];

/// How a column is made of what is written into it; a 0 stays 0.
#[derive(Clone, Copy)]
enum Column {
    /// What is written.
    Plain,
    /// Of 1 + an age in T0: falls with its logarithm, 0 at the longest gap.
    Age,
    /// Of 1 + a count.
    Count,
    /// Of 1 + a rank or an age in events: falls with its logarithm.
    Nearness,
    /// Of a share.
    Share,
    /// Of 1 + a weight: its logarithm divided by a number.
    Log(f32),
}

use Column::{Age, Count, Log, Nearness, Plain, Share};

const SEEN: [Column; 6] = [Plain, Age, Count, Plain, Nearness, Nearness];

/// The logarithms of each block.
#[derive(Clone, Debug)]
pub(crate) struct Logarithms {
    pub(crate) asker: LogColumns,
    pub(crate) node: LogColumns,
    pub(crate) pair: LogColumns,
}

impl Logarithms {
    /// `longest` is the longest gap in T0.
    pub(crate) fn new(longest: f64) -> Logarithms {
        let span = (longest + 1.0).ln() as f32;
        let of = |columns: &[Column]| {
            let scaled = |column: &Column| match column {
                Plain => None,
                Age => Some((1.0, -1.0 / span)),
                Count => Some((0.0, 0.25)),
                Nearness => Some((1.0, -1.0 / 9.0)),
                Share => Some((1.0, 0.125)),
                Log(by) => Some((0.0, 1.0 / by)),
            };
            LogColumns::new(&columns.iter().map(scaled).collect::<Vec<_>>())
        };
        Logarithms { asker: of(&asker()), node: of(&node()), pair: of(&pair()) }
    }
}

fn asker() -> [Column; ASKER] {
    [Count, Count, Plain, Age, Count, Plain, Plain, Age, Nearness, Age]
}

fn node() -> [Column; NODE_BLOCK] {
    let mut columns = [Count; NODE_BLOCK];
    let (answer, node) = columns.split_at_mut(ANSWER);
    answer[..5].copy_from_slice(&[Plain, Age, Count, Nearness, Share]);
    answer[9..15].copy_from_slice(&[Plain, Age, Count, Nearness, Age, Age]);
    node[..4].copy_from_slice(&[Plain, Age, Count, Nearness]);
    node[7..].fill(Age);
    columns
}

fn pair() -> [Column; PAIR_BLOCK] {
    let mut columns = [Plain; PAIR_BLOCK];
    let (pair, rest) = columns.split_at_mut(PAIR);
    let (any, rest) = rest.split_at_mut(ANY);
    let (reply, rest) = rest.split_at_mut(REPLY);
    pair[..6].copy_from_slice(&SEEN);
    pair[11..].copy_from_slice(&[Count, Plain, Nearness, Nearness]);
    any[..6].copy_from_slice(&SEEN);
    any[9] = Nearness;
    reply.copy_from_slice(&SEEN);
    rest.copy_from_slice(&[Log(1.0), Log(1.0), Log(3.0), Log(4.0), Log(3.0)]);
    columns
}
