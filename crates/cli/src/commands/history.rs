//! `timeweft history`: everything that happened to a node.

use serde::Serialize;
use serde_json::{Value as Json, json};
use timeweft::read::{EdgeIndex, FeatureSpan, GraphView, MergeRecord};
use timeweft::{EdgeKey, Interval, NodeKey, Time};

use crate::context::Context;
use crate::input::lookup::ever_lived;
use crate::input::node::NodeArgs;
use crate::input::reading::{ReadArgs, Reading};
use crate::outcome::Outcome;
use crate::output::json::{EdgeJson, IntervalJson, MergeJson, SpanJson};

const AFTER_HELP: &str = "\
Examples:
  timeweft history term ENVO:00000015
  timeweft history term ENVO:00000015 --at 2016-05-17       (what was known to have happened by then)

Lists the lives of the node, the values of its features, its merges and its edges, in order of time.";

/// Arguments of `history`.
#[derive(clap::Args, Debug)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Args {
    #[command(flatten)]
    node: NodeArgs,
    #[command(flatten)]
    read: ReadArgs,
}

/// Something that held for a while.
#[derive(Clone)]
enum Happening {
    Life(Interval),
    Feature(FeatureSpan),
    Merge(MergeRecord),
    Edge(EdgeKey, Interval),
}

#[derive(Serialize)]
struct EdgeLife<'a> {
    #[serde(flatten)]
    edge: EdgeJson<'a>,
    #[serde(flatten)]
    life: IntervalJson,
}

/// Tells the history.
pub(crate) fn run(args: &Args, context: &Context) -> anyhow::Result<Outcome> {
    let reading = args.read.read(context)?;
    let key = args.node.key();
    ever_lived(&reading, &key)?;
    let of_node = node_happenings(&reading, &key);
    let edges = edge_lives(&reading, &key);
    if of_node.is_empty() && edges.is_empty() {
        anyhow::bail!("nothing had happened to {key} {}: give a later time with --at", reading.moment());
    }
    // A hub had millions of edges: each is made from its number when it is printed.
    let all = || in_order(&of_node, &edges, &reading);
    context.output.objects(all().map(|happening| happening.to_json()))?;
    context.output.rows(["from", "until", "what", "detail"], || {
        all().map(|happening| {
            let Interval { created, removed } = happening.interval();
            let (what, detail) = happening.words();
            [reading.unit().format(created), reading.unit().format(removed), what, detail]
        })
    })?;
    Ok(Outcome::Done)
}

/// What happened to the node itself and was known by then, in order of time.
fn node_happenings(reading: &Reading, key: &NodeKey) -> Vec<Happening> {
    let mut all = Vec::new();
    for life in reading.view.index().node_history(key) {
        all.push(Happening::Life(life.interval));
        all.extend(life.features.into_iter().map(Happening::Feature));
    }
    all.extend(reading.view.index().merges_of(key).into_iter().map(Happening::Merge));
    all.retain(|happening| happening.interval().created <= reading.at.time);
    all.sort_by_key(|happening| (happening.interval().created, happening.rank()));
    all
}

/// The numbers of the lives of edges at the node that had begun by then, in order of time, those of one time by name.
fn edge_lives(reading: &Reading, key: &NodeKey) -> Vec<EdgeIndex> {
    let created = |edge: EdgeIndex| reading.view.index().edge_interval(edge).created;
    let mut lives = reading.view.index().incident_lives(key);
    lives.retain(|&edge| created(edge) <= reading.at.time);
    lives.sort_by_key(|&edge| created(edge));
    lives
}

/// All of it in order of time, those of one time with edges last; an end that was still to come is open.
fn in_order<'a>(
    of_node: &'a [Happening],
    edges: &'a [EdgeIndex],
    reading: &'a Reading,
) -> impl Iterator<Item = Happening> + 'a {
    let edge = |&edge: &EdgeIndex| {
        Happening::Edge(reading.view.index().edge_key(edge), reading.view.index().edge_interval(edge))
    };
    let mut of_node = of_node.iter().cloned().peekable();
    let mut edges = edges.iter().map(edge).peekable();
    std::iter::from_fn(move || {
        let begins = |happening: &Happening| happening.interval().created;
        let mut next = match (of_node.peek(), edges.peek()) {
            (Some(first), Some(edge)) if begins(edge) < begins(first) => edges.next(),
            (None, _) => edges.next(),
            _ => of_node.next(),
        }?;
        next.open_end_after(reading.at.time);
        Some(next)
    })
}

impl Happening {
    fn interval(&self) -> Interval {
        match self {
            Happening::Life(interval) | Happening::Edge(_, interval) => *interval,
            Happening::Feature(span) => span.interval,
            Happening::Merge(merge) => merge.interval,
        }
    }

    fn interval_mut(&mut self) -> &mut Interval {
        match self {
            Happening::Life(interval) | Happening::Edge(_, interval) => interval,
            Happening::Feature(span) => &mut span.interval,
            Happening::Merge(merge) => &mut merge.interval,
        }
    }

    /// Leaves an end open that was still to come at a time.
    fn open_end_after(&mut self, time: Time) {
        let interval = self.interval_mut();
        if interval.removed > time {
            interval.removed = Time::FOREVER;
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Happening::Life(_) => 0,
            Happening::Feature(_) => 1,
            Happening::Merge(_) => 2,
            Happening::Edge(..) => 3,
        }
    }

    fn words(&self) -> (String, String) {
        match self {
            Happening::Life(_) => ("life".into(), String::new()),
            Happening::Feature(span) => (format!("feature {}", span.name), span.value.to_string()),
            Happening::Merge(merge) => ("merge".into(), format!("{} became {}", merge.from, merge.into)),
            Happening::Edge(edge, _) => ("edge".into(), edge.to_string()),
        }
    }

    fn to_json(&self) -> Json {
        match self {
            Happening::Life(interval) => json!({ "kind": "life", "life": IntervalJson::from(*interval) }),
            Happening::Feature(span) => json!({ "kind": "feature", "feature": SpanJson::from(span) }),
            Happening::Merge(merge) => json!({ "kind": "merge", "merge": MergeJson::from(merge) }),
            Happening::Edge(edge, life) => {
                json!({ "kind": "edge", "edge": EdgeLife { edge: edge.into(), life: (*life).into() } })
            }
        }
    }
}
