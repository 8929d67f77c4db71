//! `timeweft sample`: neighbors for training.

use timeweft::export::table_writer::{Cell, CellKind, Column};
use timeweft::read::EdgeTypeId;
use timeweft::read::features::{FlatRows, Owners};
use timeweft::sample::{AsOf, Choice, HopTime, NO_NODE, Samples, Sampling, Side, WeightBy};
use timeweft::{Deletes, Name, Time, View};

use super::features::{Values, add_features, feature_columns};
use crate::context::Context;
use crate::input::lookup;
use crate::input::named_values::choices;
use crate::input::reading::Reading;
use crate::input::roots::{
    Answers, Batch, IdsArg, MOST_SLOTS, RootArgs, RootQuestion, ScopeArgs, Table, node_cells, refused, time_cell,
    way_cells, way_columns,
};
use crate::outcome::{Outcome, UsageError};

const AFTER_HELP: &str = "\
Examples: roots.csv has the columns type, id, time
  timeweft sample roots.csv --count 10 --to s.parquet
  timeweft sample roots.csv --count 10,5 --choice uniform --edge-type buys --seed 7 --to s.parquet
  timeweft sample roots.csv --within 7d --to week.parquet           (edges of the last 7 days)
  timeweft sample roots.parquet --choice weighted --weight count --quota buys=5 --to s.jsonl

A row is a sampled neighbor: the row of its root in the file (from 0), the hop (from 1), its
slot in that hop, the slot of the hop before that it hangs on, the node, and the edge that led
there. Features of edges come behind (--feature). Slots that stay empty have no row. Answers depend on the graph, the roots and the seed
alone.";

/// Arguments of `sample`.
#[derive(clap::Args, Debug)]
#[command(after_help = AFTER_HELP, allow_negative_numbers = true)]
pub(crate) struct Args {
    #[command(flatten)]
    roots: RootArgs,
    /// How many neighbors a root; with commas: how many a node of each further hop.
    #[arg(long, value_name = "K", value_delimiter = ',', default_value = "10", value_parser = clap::value_parser!(u32).range(1..))]
    count: Vec<u32>,
    /// In place of --count: K edges of this type; may be given several times, slots come in this order.
    #[arg(long = "quota", value_name = "TYPE=K", conflicts_with_all = ["count", "edge_types"])]
    quotas: Vec<String>,
    /// Which of the edges are taken.
    #[arg(long, default_value = "last", value_parser = choices(CHOICES))]
    choice: Choice,
    /// The feature that is the weight of an edge; edges without a value weigh 1.
    #[arg(long, value_name = "FEATURE")]
    weight: Option<String>,
    /// Write this feature of the edges too, as of when they were seen; may be given several times.
    #[arg(long = "feature", value_name = "NAME")]
    features: Vec<String>,
    /// As of when further hops see the graph: the time of the root, or of the edge that led there.
    #[arg(long, default_value = "root", value_parser = choices(HOP_TIMES))]
    hop_time: HopTime,
    /// Equal seeds give equal samples.
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    #[command(flatten)]
    scope: ScopeArgs,
}

const CHOICES: [(&str, Choice, &str); 6] = [
    ("last", Choice::Last, "The most recently created, newest first"),
    ("uniform", Choice::Uniform, "Any with equal chance, each draw anew"),
    ("uniform-distinct", Choice::UniformDistinct, "Any with equal chance, none twice"),
    ("weighted", Choice::Weighted, "Any by its share of the weight, each draw anew"),
    ("weighted-distinct", Choice::WeightedDistinct, "Any by its share of the weight that is left, none twice"),
    ("heaviest", Choice::Heaviest, "The heaviest, heaviest first"),
];

const HOP_TIMES: [(&str, HopTime, &str); 2] = [
    ("root", HopTime::Root, "The time of the root"),
    ("edge", HopTime::Edge, "The time when the edge was created that led there"),
];

/// Samples and writes.
pub(crate) fn run(args: &Args, context: &Context) -> anyhow::Result<Outcome> {
    let asked = args.roots.open_nodes(context)?;
    let features = match args.features.as_slice() {
        [] => Vec::new(),
        names => feature_columns(&asked.reading, "edge", names)?,
    };
    let mut sampler = args.sampler(&asked, features.iter().map(|column| column.name.clone()).collect())?;
    let mut columns = columns(asked.ids());
    add_features(&mut columns, features);
    let answers = Answers { doing: "sampling", slots: sampler.slots, columns };
    asked.answer(answers, context.output, |view, batch, table| sampler.sample(view, batch, table))
}

fn columns(ids: IdsArg) -> Vec<Column> {
    let ints = ["root", "hop", "slot"].map(|name| Column::new(name, CellKind::Int));
    let last = [
        Column::new("created", CellKind::Int),
        Column::new("weight", CellKind::Float),
        Column::nullable("time", CellKind::Int),
    ];
    let parent = Column::nullable("parent", CellKind::Int);
    ints.into_iter().chain([parent]).chain(ids.node_columns()).chain(way_columns()).chain(last).collect()
}

/// How each batch is sampled.
struct Sampler {
    sampling: Sampling,
    /// Sides of a node that are seen.
    side: Side,
    hop_time: HopTime,
    /// Neighbors a node of each hop.
    sizes: Vec<usize>,
    /// Slots of a root in all hops.
    slots: usize,
    features: EdgeFeatures,
}

/// Features of the edges of each hop, as of when they were seen.
struct EdgeFeatures {
    names: Vec<Name>,
    as_of: AsOf,
    deletes: Deletes,
    /// Values of the slots of each hop, one after another.
    hops: Vec<FlatRows>,
}

impl EdgeFeatures {
    fn read(&mut self, view: &View, hops: &[Samples], times: &[Vec<Time>]) -> anyhow::Result<()> {
        if self.names.is_empty() {
            return Ok(());
        }
        self.hops.resize_with(hops.len(), FlatRows::default);
        for ((samples, times), values) in hops.iter().zip(times).zip(&mut self.hops) {
            let owners = Owners::edges(&samples.edges, times, self.as_of)?.deletes(self.deletes);
            view.index().encoded_features(&self.names, owners, values);
        }
        Ok(())
    }
}

impl Args {
    fn sampler(&self, asked: &RootQuestion<'_>, features: Vec<Name>) -> anyhow::Result<Sampler> {
        let scope = self.scope.scope(asked)?;
        let features = EdgeFeatures { names: features, as_of: scope.as_of, deletes: scope.deletes, hops: Vec::new() };
        let quotas = quotas(&self.quotas, &asked.reading)?;
        let weight = self.weight.as_deref().map_or(WeightBy::One, |name| WeightBy::Feature(name.into()));
        let sampling = Sampling::new(scope, self.choice, 0).quotas(quotas).weight(weight).seed(self.seed);
        let sizes = match sampling.width() {
            0 => self.count.iter().map(|k| *k as usize).collect(),
            width => vec![width],
        };
        let mut width = Some(1usize);
        let slots = sizes.iter().try_fold(0usize, |sum, k: &usize| {
            width = width?.checked_mul(*k);
            sum.checked_add(width?)
        });
        let slots = slots.filter(|slots| *slots <= MOST_SLOTS).ok_or_else(|| {
            UsageError(format!("--count: that makes more than {MOST_SLOTS} slots a root: take fewer, or fewer hops"))
        })?;
        Ok(Sampler { sampling, side: self.scope.direction, hop_time: self.hop_time, sizes, slots, features })
    }
}

/// `TYPE=K` of each quota.
fn quotas(given: &[String], reading: &Reading) -> anyhow::Result<Vec<(EdgeTypeId, usize)>> {
    let mut quotas = Vec::with_capacity(given.len());
    for quota in given {
        let parsed =
            quota.rsplit_once('=').and_then(|(name, k)| Some((name, k.parse::<u32>().ok().filter(|k| *k > 0)?)));
        let Some((name, k)) = parsed else {
            return Err(UsageError(format!("--quota {quota}: give an edge type and a number above 0 as TYPE=K")).into());
        };
        let types = lookup::edge_types(reading, name)?;
        if types.len() > 1 {
            let names = types.iter().map(|id| reading.view.schema().owner_name(timeweft::read::Owner::Edge(*id)));
            let names = names.collect::<Vec<_>>().join(", ");
            return Err(UsageError(format!(
                "--quota {quota}: that relation is of several edge types: name one of {names}"
            ))
            .into());
        }
        quotas.extend(types.into_iter().map(|id| (id, k as usize)));
    }
    Ok(quotas)
}

impl Sampler {
    fn sample(&mut self, view: &View, batch: &Batch, table: &mut Table<'_>) -> anyhow::Result<()> {
        let sampling = Sampling { first_root: batch.first, ..self.sampling.clone() };
        let mut hops = Vec::new();
        if sampling.quotas.is_empty() {
            view.index().fan_out(&sampling, &self.sizes, self.hop_time, batch.roots()?, &mut hops).map_err(refused)?;
        } else {
            hops.resize_with(1, Default::default);
            view.index()
                .sample(&sampling, batch.roots()?, hops[0].slots(batch.nodes.len(), sampling.width()))
                .map_err(refused)?;
        }
        let times = self.times(batch, &hops);
        self.features.read(view, &hops, &times)?;
        let mut values: Vec<_> = self.features.hops.iter().map(Values::of).collect();
        values.resize_with(hops.len(), Values::default);
        for (root, row) in batch.rows().enumerate() {
            let mut width = 1;
            for (hop, (samples, k)) in hops.iter().zip(&self.sizes).enumerate() {
                width *= k;
                for slot in 0..width {
                    let (at, parent) = (root * width + slot, (root * width + slot) / k);
                    let node = samples.neighbors[at];
                    let features = values[hop].next(self.features.names.len());
                    if node == NO_NODE {
                        continue;
                    }
                    let before = hop.checked_sub(1).map(|hop| &hops[hop]);
                    let from = before.map_or(batch.nodes[root], |before| before.neighbors[parent]);
                    let parent = before.map(|_| (slot / k) as i64);
                    let place = [row, hop as i64 + 1, slot as i64].map(Cell::Int).into_iter().chain([parent.into()]);
                    let edge_cells = way_cells(view, samples.edges[at], from, self.side);
                    let created: Time = samples.created[at];
                    let last = [Cell::Int(created.0), Cell::Float(samples.weights[at]), time_cell(times[hop][at])];
                    table.row(place.chain(node_cells(view, node)).chain(edge_cells).chain(last).chain(features))?;
                }
            }
        }
        Ok(())
    }

    /// As of when the edge of each slot of each hop was seen.
    fn times(&self, batch: &Batch, hops: &[Samples]) -> Vec<Vec<Time>> {
        let mut times: Vec<Vec<Time>> = Vec::with_capacity(hops.len());
        for (hop, k) in self.sizes.iter().enumerate().take(hops.len()) {
            let before = hop.checked_sub(1).map(|before| match self.hop_time {
                HopTime::Edge => hops[before].created.as_slice(),
                HopTime::Root => times[before].as_slice(),
            });
            let of = before.unwrap_or(&batch.times).iter();
            let own = of.flat_map(|time| std::iter::repeat_n(*time, *k)).collect();
            times.push(own);
        }
        times
    }
}
