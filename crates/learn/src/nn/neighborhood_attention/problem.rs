use super::layout::Layout;

/// How long ago the edge of each neighbor appeared.
#[derive(Clone, Copy, Debug)]
pub struct Ages<'a> {
    /// E: ticks since then, not negative.
    pub gap: &'a [f64],
    /// Cycles a tick of each cosine, as in [`crate::nn::time_encoding`].
    pub frequencies: &'a [f64],
    /// Ticks that the logarithm `log(1 + gap / scale)` counts by.
    pub scale: f64,
}

/// The same, owned.
#[derive(Debug)]
pub(super) struct Clock {
    pub(super) gap: Vec<f64>,
    pub(super) frequencies: Vec<f64>,
    pub(super) scale: f64,
}

impl Clock {
    pub(super) fn new(ages: Ages<'_>) -> Clock {
        Clock { gap: ages.gap.to_vec(), frequencies: ages.frequencies.to_vec(), scale: ages.scale }
    }
}

/// Sizes, structure and clock of one attention.
#[derive(Debug)]
pub(super) struct Problem {
    pub(super) layout: Layout,
    pub(super) clock: Option<Clock>,
    pub(super) heads: usize,
    /// d: width of an entry.
    pub(super) width: usize,
    /// d_h: width of a head.
    pub(super) head: usize,
    /// W: width of the features of an edge, 0 without.
    pub(super) edges: usize,
    pub(super) n_relations: usize,
    pub(super) sink: bool,
    pub(super) gate: bool,
}

impl Problem {
    /// F: width of a token.
    pub(super) fn token(&self) -> usize {
        self.width + self.time() + self.edges
    }

    /// Width of an encoded gap.
    pub(super) fn time(&self) -> usize {
        self.clock.as_ref().map_or(0, |clock| clock.frequencies.len() + 1)
    }

    /// Leading columns of a token that roots read through the table, not by absorbed queries.
    pub(super) fn skip(&self) -> usize {
        if self.layout.rows.projected.is_some() { self.width } else { 0 }
    }

    /// Columns of a token that absorbed queries read.
    pub(super) fn rest(&self) -> usize {
        self.token() - self.skip()
    }

    /// The same in a scratch row, which is never empty.
    pub(super) fn rest_padded(&self) -> usize {
        padded(self.rest().max(1))
    }

    /// Absorbed queries of all heads.
    pub(super) fn rest_row(&self) -> usize {
        self.heads * self.rest_padded()
    }

    pub(super) fn head_padded(&self) -> usize {
        padded(self.head)
    }

    /// Queries of all heads in a scratch row.
    pub(super) fn query_row(&self) -> usize {
        self.heads * self.head_padded()
    }

    /// Queries of all heads as the caller has them.
    pub(super) fn output_row(&self) -> usize {
        self.heads * self.head
    }

    /// Keys of all heads, then values of all heads.
    pub(super) fn table_row(&self) -> usize {
        2 * self.query_row()
    }

    /// Key weights of a relation and head, `[d_h, F]`; those of values are `[F, d_h]`.
    pub(super) fn weight(&self) -> usize {
        self.head * self.token()
    }

    /// What queries are multiplied with: `1 / sqrt(d_h)`.
    pub(super) fn temperature(&self) -> f32 {
        1.0 / (self.head as f32).sqrt()
    }
}

fn padded(width: usize) -> usize {
    width.next_multiple_of(crate::nn::lanes::LANES)
}

/// The inputs as slices.
#[derive(Clone, Copy)]
pub(super) struct Inputs<'a> {
    pub(super) entries: &'a [f32],
    pub(super) query: &'a [f32],
    pub(super) keys: &'a [f32],
    pub(super) values: &'a [f32],
    pub(super) prior: &'a [f32],
    pub(super) sink: Option<&'a [f32]>,
    pub(super) gate: Option<&'a [f32]>,
    pub(super) edges: Option<&'a [f32]>,
}

/// Positions of the inputs; a sink, gates and features of edges follow in this order where there are any.
pub(super) const ENTRIES: usize = 0;
pub(super) const QUERY: usize = 1;
pub(super) const KEYS: usize = 2;
pub(super) const VALUES: usize = 3;
pub(super) const PRIOR: usize = 4;

impl Problem {
    pub(super) fn inputs<'a>(&self, inputs: &[&'a [f32]]) -> Inputs<'a> {
        let optional = |at: Option<usize>| at.map(|at| inputs[at]);
        Inputs {
            entries: inputs[ENTRIES],
            query: inputs[QUERY],
            keys: inputs[KEYS],
            values: inputs[VALUES],
            prior: inputs[PRIOR],
            sink: optional(self.sink_at()),
            gate: optional(self.gate_at()),
            edges: optional(self.edges_at()),
        }
    }

    pub(super) fn sink_at(&self) -> Option<usize> {
        self.sink.then_some(PRIOR + 1)
    }

    pub(super) fn gate_at(&self) -> Option<usize> {
        self.gate.then_some(PRIOR + 1 + usize::from(self.sink))
    }

    pub(super) fn edges_at(&self) -> Option<usize> {
        (self.edges > 0).then_some(PRIOR + 1 + usize::from(self.sink) + usize::from(self.gate))
    }
}
