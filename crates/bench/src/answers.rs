//! Files of answers about many roots: two hops and page rank on a skewed graph of interactions, and where the time goes.

use std::fs::File;
use std::io::BufWriter;
use std::time::Instant;

use anyhow::Result;
use timeweft_graph::{Action, EdgeKey, Element, Event, Name, NodeIndex, NodeKey, Schema, Time, TimeUnit};
use timeweft_index::Index;
use timeweft_index::sample::{
    AsOf, Choice, EdgeTypes, HopTime, NO_NODE, PageRank, Roots, Samples, Sampling, Scope, Side,
};
use timeweft_source::table_writer::{Cell, CellKind, Column, TableFormat, TableWriter};

use crate::sampling::Random;

/// What to make and ask.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Interactions; both ends of each are roots.
    #[arg(long, default_value_t = 400_000)]
    interactions: usize,
    /// Users, of which the first ones interact most.
    #[arg(long, default_value_t = 7_000)]
    users: usize,
    /// Items, of which the first ones are used most.
    #[arg(long, default_value_t = 100)]
    items: usize,
    /// Roots of the question about two hops, the last ones.
    #[arg(long, default_value_t = 100_000)]
    roots: usize,
    /// Roots of page rank, at even distances.
    #[arg(long, default_value_t = 10_000)]
    ranked: usize,
    /// Ids in Parquet as numbers.
    #[arg(long)]
    number_ids: bool,
}

/// Neighbors of each of the two hops.
const SIZES: [usize; 2] = [10, 10];

/// Slots that are held at once, as in the command line.
const SLOTS: usize = 1 << 20;

pub(crate) fn run(args: &Args) -> Result<()> {
    let (index, nodes, times) = make(args)?;
    let last = nodes.len() - args.roots.min(nodes.len());
    hops(&index, (&nodes[last..], &times[last..]), args.number_ids)?;
    let step = (nodes.len() / args.ranked.max(1)).max(1);
    let nodes: Vec<NodeIndex> = nodes.into_iter().step_by(step).collect();
    let times: Vec<Time> = times.into_iter().step_by(step).collect();
    rank(&index, Roots::new(&nodes, &times)?)
}

fn make(args: &Args) -> Result<(Index, Vec<NodeIndex>, Vec<Time>)> {
    let mut index = Index::new(Schema::new(TimeUnit::Second));
    let (mut random, namespace) = (Random(1), Name::from(""));
    let mut create =
        |time, element| index.apply(&Event::new(Time(time), Action::Create, element), &namespace).map(drop);
    for (node_type, n) in [("user", args.users), ("item", args.items)] {
        (0..n as u64).try_for_each(|id| create(0, Element::Node(NodeKey::new(node_type, id))))?;
    }
    // Shares fall with the rank, so that half of the draws fall on the square root of all.
    let mut draw =
        |n: usize| ((n as f64 + 1.0).powf(random.below(1 << 30) as f64 / (1 << 30) as f64) - 1.0) as usize % n;
    let (mut nodes, mut times) = (Vec::new(), Vec::new());
    for at in 1..=args.interactions {
        let (user, item) = (draw(args.users), draw(args.items));
        let [source, destination] = [NodeKey::new("user", user as u64), NodeKey::new("item", item as u64)];
        let key = Some(at.to_string().as_str().into());
        create(at as i64, Element::Edge(EdgeKey { source, relation: "uses".into(), destination, key }))?;
        nodes.extend([user, args.users + item].map(|node| NodeIndex(node as u32)));
        times.extend([Time(at as i64); 2]);
    }
    Ok((index, nodes, times))
}

fn scope() -> Scope {
    Scope::new(EdgeTypes::All, Side::Both, AsOf::Before)
}

/// Samples two hops and writes a row a neighbor, as `timeweft sample --count 10,10 --to FILE` does.
fn hops(index: &Index, (nodes, times): (&[NodeIndex], &[Time]), number_ids: bool) -> Result<()> {
    let scratch = tempfile::tempdir()?;
    let out = BufWriter::new(File::create(scratch.path().join("rows.parquet"))?);
    let mut table = TableWriter::new(TableFormat::Parquet, columns(number_ids), &[], out)?;
    let batch = SLOTS
        / SIZES
            .iter()
            .scan(1, |width, k| {
                Some({
                    *width *= k;
                    *width
                })
            })
            .sum::<usize>();
    let (mut hops, mut sampling, mut writing) = (Vec::new(), 0.0, 0.0);
    for (at, (nodes, times)) in nodes.chunks(batch).zip(times.chunks(batch)).enumerate() {
        let first = (at * batch) as u64;
        let last = Sampling { first_root: first, ..Sampling::new(scope(), Choice::Last, 0) };
        let started = Instant::now();
        index.fan_out(&last, &SIZES, HopTime::Root, Roots::new(nodes, times)?, &mut hops)?;
        sampling += started.elapsed().as_secs_f64();
        let started = Instant::now();
        (0..nodes.len()).try_for_each(|root| rows(index, (first as i64, root), (nodes, times), &hops, &mut table))?;
        writing += started.elapsed().as_secs_f64();
    }
    let (n, started) = (table.n_rows() as f64, Instant::now());
    table.finish()?;
    writing += started.elapsed().as_secs_f64();
    println!("two hops of {} roots, {n:.0} rows: sampling {sampling:.2} s, rows {writing:.2} s", nodes.len());
    println!("rows a second: {:.2} million", n / writing / 1e6);
    Ok(())
}

fn columns(number_ids: bool) -> Vec<Column> {
    let id = if number_ids { CellKind::NumberId } else { CellKind::Id };
    let ints = ["root", "hop", "slot"].map(|name| Column::new(name, CellKind::Int));
    let node = [Column::nullable("parent", CellKind::Int), Column::new("type", CellKind::Text), Column::new("id", id)];
    let edge = ["relation", "direction", "key"].map(|name| Column::nullable(name, CellKind::Text));
    let last = [Column::new("created", CellKind::Int), Column::new("weight", CellKind::Float)];
    let time = Column::nullable("time", CellKind::Int);
    ints.into_iter().chain(node).chain(edge).chain(last).chain([time]).collect()
}

fn rows(
    index: &Index,
    (first, root): (i64, usize),
    (nodes, times): (&[NodeIndex], &[Time]),
    hops: &[Samples],
    table: &mut TableWriter<BufWriter<File>>,
) -> Result<()> {
    let schema = timeweft_graph::GraphView::schema(index);
    let mut width = 1;
    for (hop, (samples, k)) in hops.iter().zip(SIZES).enumerate() {
        width *= k;
        for slot in 0..width {
            let (at, parent) = (root * width + slot, (root * width + slot) / k);
            let node = samples.neighbors[at];
            if node == NO_NODE {
                continue;
            }
            let from = if hop == 0 { nodes[root] } else { hops[hop - 1].neighbors[parent] };
            let (edge_type, source, _) = index.edge_ends(samples.edges[at]);
            table.row([
                Cell::Int(first + root as i64),
                Cell::Int(hop as i64 + 1),
                Cell::Int(slot as i64),
                (hop > 0).then_some((slot / k) as i64).into(),
                (&schema.node_types()[index.node_type(node).at()].name).into(),
                index.node_id(node).into(),
                (&schema.edge_types()[edge_type.at()].relation).into(),
                Cell::Text(if source == from { "out" } else { "in" }),
                index.parallel_key(samples.edges[at]).into(),
                Cell::Int(samples.created[at].0),
                Cell::Float(samples.weights[at]),
                Cell::Int(times[root].0),
            ])?;
        }
    }
    Ok(())
}

fn rank(index: &Index, roots: Roots<'_>) -> Result<()> {
    let page_rank = PageRank { scope: scope(), alpha: 0.15, eps: 1e-4, k: 10 };
    let (mut nodes, mut ranks) = (vec![NO_NODE; roots.len() * 10], vec![0.0; roots.len() * 10]);
    let started = Instant::now();
    index.page_rank(&page_rank, roots, &mut nodes, &mut ranks)?;
    let seconds = started.elapsed().as_secs_f64();
    println!("page rank of {} roots: {seconds:.2} s, {:.0} roots a second", roots.len(), roots.len() as f64 / seconds);
    Ok(())
}
