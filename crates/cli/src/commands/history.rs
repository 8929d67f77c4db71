//! `timeweft history`: everything that happened to a node.

use serde::Serialize;
use serde_json::{Value as Json, json};
use timeweft::{
    At, Deletes, Direction, EdgeKey, ExternalId, FeatureSpan, GraphView, Interval, MergeRecord, NodeKey, Time,
};

use crate::context::{Context, Outcome, ReadArgs, Reading};
use crate::lookup::ever_lived;
use crate::output::Table;
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
    /// Type of the node.
    #[arg(value_name = "TYPE")]
    node_type: String,
    /// Id of the node within its type.
    id: String,
    #[command(flatten)]
    read: ReadArgs,
}

/// Something that held for a while.
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
    let key = NodeKey::new(&args.node_type, ExternalId::from(args.id.as_str()));
    ever_lived(&reading, &key)?;
    let mut all = node_happenings(&reading, &key);
    all.extend(edge_happenings(&reading, &key));
    all.retain_mut(|happening| happening.known_by(reading.at.time));
    all.sort_by_key(|happening| (happening.interval().created, happening.rank()));
    if all.is_empty() {
        anyhow::bail!("nothing had happened to {key} {}: give a later time with --at", reading.moment());
    }
    context.output.objects(all.iter().map(Happening::to_json))?;
    let mut table = Table::new(["from", "until", "what", "detail"]);
    for happening in &all {
        let Interval { created, removed } = happening.interval();
        let (what, detail) = happening.words();
        table.row([reading.unit().format(created), reading.unit().format(removed), what, detail]);
    }
    context.output.table(&table)?;
    Ok(Outcome::Done)
}

fn node_happenings(reading: &Reading, key: &NodeKey) -> Vec<Happening> {
    let mut all = Vec::new();
    for life in reading.view.node_history(key) {
        all.push(Happening::Life(life.interval));
        all.extend(life.features.into_iter().map(Happening::Feature));
    }
    let merges = reading.view.merges().into_iter().filter(|merge| merge.from == *key || merge.into == *key);
    all.extend(merges.map(Happening::Merge));
    all
}

fn edge_happenings(reading: &Reading, key: &NodeKey) -> Vec<Happening> {
    let ever = At { time: Time::FOREVER, deletes: Deletes::Soft };
    let at_side = |direction| reading.view.neighbors(key, direction, None, ever);
    let mut edges: Vec<EdgeKey> =
        [Direction::Out, Direction::In].into_iter().flat_map(at_side).map(|edge| edge.key).collect();
    edges.sort();
    edges.dedup();
    let lives = |edge: EdgeKey| {
        let history = reading.view.edge_history(&edge);
        history.into_iter().map(move |life| Happening::Edge(edge.clone(), life.interval))
    };
    edges.into_iter().flat_map(lives).collect()
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

    /// Whether it had begun by a time; an end that was still to come is left open.
    fn known_by(&mut self, time: Time) -> bool {
        let interval = self.interval_mut();
        if interval.removed > time {
            interval.removed = Time::FOREVER;
        }
        interval.created <= time
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
