//! Which neighbors a sample takes.
//!
//! A new choice is a variant here, an arm and a function in `choose`, an option of the command line, and a test. Each match
//! names all choices, so the compiler finds what is missing.

/// Which of the edges in scope are taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Choice {
    /// The most recently created ones, newest first; of one time, those that arrived last.
    Last,
    /// Any with equal chance, each draw anew.
    Uniform,
    /// Any with equal chance, none twice; all of them, in random order, where there are no more.
    UniformDistinct,
    /// Any by its share of the weight, each draw anew.
    Weighted,
    /// One after another by its share of the weight that is left, none twice.
    WeightedDistinct,
    /// The heaviest, heaviest first; of one weight, the newest.
    Heaviest,
}

/// The choices that have a loop of their own for roots with few edges.
#[derive(Clone, Copy)]
pub(crate) enum SmallChoice {
    Last,
    Uniform,
    UniformDistinct,
    Weighted,
}

/// How a random choice draws.
#[derive(Clone, Copy)]
pub(crate) struct Drawing {
    /// Whether nothing is drawn twice.
    pub(crate) distinct: bool,
    pub(crate) by_weight: bool,
}

impl Choice {
    /// The same choice where all edges weigh alike.
    pub(crate) fn unweighted(self) -> Choice {
        match self {
            Choice::Last | Choice::Heaviest => Choice::Last,
            Choice::Uniform | Choice::Weighted => Choice::Uniform,
            Choice::UniformDistinct | Choice::WeightedDistinct => Choice::UniformDistinct,
        }
    }

    /// Whether it reads weights.
    pub(crate) fn is_by_weight(self) -> bool {
        match self {
            Choice::Last | Choice::Uniform | Choice::UniformDistinct => false,
            Choice::Weighted | Choice::WeightedDistinct | Choice::Heaviest => true,
        }
    }

    /// How it draws; `None` if it takes the first ones in an order of their own.
    pub(crate) fn drawing(self) -> Option<Drawing> {
        match self {
            Choice::Last | Choice::Heaviest => None,
            Choice::Uniform => Some(Drawing { distinct: false, by_weight: false }),
            Choice::UniformDistinct => Some(Drawing { distinct: true, by_weight: false }),
            Choice::Weighted => Some(Drawing { distinct: false, by_weight: true }),
            Choice::WeightedDistinct => Some(Drawing { distinct: true, by_weight: true }),
        }
    }

    /// The loop for roots with few edges, if it has one.
    #[inline]
    pub(crate) fn small(self) -> Option<SmallChoice> {
        match self {
            Choice::Last => Some(SmallChoice::Last),
            Choice::Uniform => Some(SmallChoice::Uniform),
            Choice::UniformDistinct => Some(SmallChoice::UniformDistinct),
            Choice::Weighted => Some(SmallChoice::Weighted),
            Choice::WeightedDistinct | Choice::Heaviest => None,
        }
    }
}
