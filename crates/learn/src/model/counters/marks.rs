//! Numbers of nodes, forgotten at once.

use timeweft_graph::NodeIndex;

/// A number for some nodes: a look-up is one access, and to forget all costs nothing.
#[derive(Default)]
pub(crate) struct Marks {
    /// For each node the round in which it was given a number last, and the number.
    marks: Vec<[u32; 2]>,
    round: u32,
}

impl Marks {
    /// Forgets all numbers.
    pub(crate) fn clear(&mut self) {
        self.round = self.round.wrapping_add(1);
        if self.round == 0 {
            // After 2^32 rounds marks of the first would be met again.
            self.marks.fill([0; 2]);
            self.round = 1;
        }
    }

    /// The number of a node.
    pub(crate) fn get(&self, node: NodeIndex) -> Option<u32> {
        let &[round, number] = self.marks.get(node.at())?;
        (round == self.round).then_some(number)
    }

    /// Gives a node a number, once [`Marks::clear`] has begun a round.
    pub(crate) fn set(&mut self, node: NodeIndex, number: u32) {
        if self.marks.len() <= node.at() {
            self.marks.resize((node.at() + 1).next_power_of_two(), [0; 2]);
        }
        self.marks[node.at()] = [self.round, number];
    }
}
