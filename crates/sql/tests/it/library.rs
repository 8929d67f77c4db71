//! The library's answer to a query of the file, by the slow functions that make one element after the other.
//!
//! What it is asked stands in a comment of the query: `-- lib nodes type=user at=2016-02-01 | where age > 20 | show id age`.
//! A source gives rows; each step behind it takes rows and gives rows:
//!
//! | step | gives |
//! |---|---|
//! | `where COLUMN OP VALUE` | those that pass: `= != > >= < <=`, `null`, `some`, `in a,b` |
//! | `join SOURCE ... on a=b,c=d as x` | each with those of another source, whose columns have `x.` before them |
//! | `add x=FUNCTION a b 'c'` | a column of a scalar function, of columns and of constants |
//! | `count`, `count by a b` | how many; by value |
//! | `sum COLUMN`, `min COLUMN`, `max COLUMN` | one row |
//! | `distinct a`, `show a b`, `first N` | rows |

use std::collections::{BTreeMap, BTreeSet};

use timeweft::read::{EdgeState, GraphView, Life, NodeState};
use timeweft::{
    At, Commit, Deletes, Direction, EdgeKey, Element, Event, Graph, Interval, Name, NodeKey, Time, TimeUnit, Value,
    View,
};

/// A row: what is null is not there.
pub(crate) type Row = BTreeMap<String, String>;

const UNIT: TimeUnit = TimeUnit::Second;

/// A graph as the library answers it, with the settings of a session.
pub(crate) struct Library<'g> {
    pub(crate) graph: &'g Graph,
    pub(crate) at: Time,
    pub(crate) commit: Option<Commit>,
    pub(crate) deletes: Deletes,
}

/// The moment of a source.
struct Asked {
    view: View,
    at: At,
    words: BTreeMap<String, String>,
}

impl Asked {
    fn word(&self, name: &str) -> Option<&str> {
        self.words.get(name).map(String::as_str)
    }

    fn time(&self, name: &str) -> Option<Time> {
        self.word(name).map(|text| UNIT.parse(text).unwrap())
    }

    fn node(&self) -> NodeKey {
        NodeKey::new(self.word("type").unwrap(), self.word("id").unwrap())
    }
}

impl Library<'_> {
    /// The rows of a question, as texts.
    pub(crate) fn answer(&self, question: &str) -> Vec<Vec<String>> {
        let mut steps = question.split('|').map(str::trim);
        let mut rows = self.source(steps.next().unwrap());
        let mut shown: Vec<String> = Vec::new();
        for step in steps {
            let (word, rest) = step.split_once(' ').unwrap_or((step, ""));
            match word {
                "where" => rows.retain(|row| passes(row, rest)),
                "join" => rows = self.join(rows, rest),
                "add" => rows.iter_mut().for_each(|row| self.add(row, rest)),
                "count" => (rows, shown) = count(&rows, rest),
                "sum" | "min" | "max" => (rows, shown) = total(&rows, word, rest),
                "distinct" => {
                    let mut seen = BTreeSet::new();
                    rows.retain(|row| seen.insert(row.get(rest).cloned()));
                }
                "first" => rows.truncate(rest.parse().unwrap()),
                "show" => shown = rest.split_whitespace().map(str::to_owned).collect(),
                other => panic!("no step {other}"),
            }
        }
        let cell = |row: &Row, name: &String| row.get(name).cloned().unwrap_or_else(|| "NULL".into());
        rows.iter().map(|row| shown.iter().map(|name| cell(row, name)).collect()).collect()
    }

    fn source(&self, text: &str) -> Vec<Row> {
        let mut words = text.split_whitespace();
        let source = words.next().unwrap();
        let words: BTreeMap<String, String> =
            words.filter_map(|word| word.split_once('=')).map(|(a, b)| (a.to_owned(), b.to_owned())).collect();
        let commit = words.get("commit").map(|text| Commit(text.parse().unwrap())).or(self.commit);
        let view = commit.map_or_else(|| self.graph.view(), |commit| self.graph.view_at(commit).unwrap());
        let time = words.get("at").map_or(self.at, |text| UNIT.parse(text).unwrap());
        let deletes = match words.get("deletes").map(String::as_str) {
            Some("soft") => Deletes::Soft,
            Some(_) => Deletes::Hard,
            None => self.deletes,
        };
        let asked = Asked { view, at: At { time, deletes }, words };
        let index = asked.view.index();
        match source {
            "nodes" => index.iter_nodes(asked.word("type"), asked.at).map(node_row).collect(),
            "edges" => index.iter_edges(asked.word("relation"), asked.at).map(edge_row).collect(),
            "merges" => index
                .merges()
                .into_iter()
                .filter(|merge| merge.interval.contains(asked.at.time))
                .map(|merge| {
                    let mut row = key_row("from_", &merge.from);
                    row.extend(key_row("into_", &merge.into));
                    row.extend(life(merge.interval));
                    row
                })
                .collect(),
            "events" => events(&asked),
            "neighbors" => neighbors(&asked),
            "history" => history(&asked),
            "diff" => diff(&asked),
            "relatives" => relatives(&asked),
            "loads" => self
                .graph
                .loads()
                .iter()
                .filter(|load| load.commit <= asked.view.commit())
                .map(|load| {
                    [("load", load.id.0), ("commit", load.commit.0), ("events", load.events)]
                        .map(|(name, n)| (name.to_owned(), n.to_string()))
                        .into()
                })
                .collect(),
            "one" => vec![Row::new()],
            other => panic!("no source {other}"),
        }
    }

    fn join(&self, rows: Vec<Row>, text: &str) -> Vec<Row> {
        let (source, rest) = text.split_once(" on ").unwrap();
        let (pairs, prefix) = rest.split_once(" as ").unwrap();
        let others = self.source(source);
        let matches = |row: &Row, other: &Row| {
            pairs.split(',').all(|pair| {
                let (a, b) = pair.split_once('=').unwrap();
                row.get(a).is_some() && row.get(a) == other.get(b)
            })
        };
        let with = |row: &Row, other: &Row| {
            let mut row = row.clone();
            row.extend(other.iter().map(|(name, value)| (format!("{prefix}.{name}"), value.clone())));
            row
        };
        rows.iter()
            .flat_map(|row| {
                others.iter().filter(|other| matches(row, other)).map(|other| with(row, other)).collect::<Vec<_>>()
            })
            .collect()
    }

    /// A scalar function, asked row by row.
    fn add(&self, row: &mut Row, text: &str) {
        let (name, call) = text.split_once('=').unwrap();
        let mut words = call.split_whitespace();
        let function = words.next().unwrap();
        let value = |word: &str| match word.strip_prefix('\'') {
            Some(constant) => Some(constant.trim_end_matches('\'').to_owned()),
            None => row.get(word).cloned(),
        };
        let values: Option<Vec<String>> = words.map(value).collect();
        let view = self.commit.map_or_else(|| self.graph.view(), |commit| self.graph.view_at(commit).unwrap());
        let answer = values.and_then(|values| scalar(&view, self.deletes, function, &values));
        row.extend(answer.map(|answer| (name.to_owned(), answer)));
    }
}

fn scalar(view: &View, deletes: Deletes, function: &str, values: &[String]) -> Option<String> {
    let index = view.index();
    let time = |at: usize| UNIT.parse(&values[at]).unwrap();
    let node = NodeKey::new(&values[0], values[1].as_str());
    match function {
        "feature_at" => index.node(&node, At { time: time(3), deletes })?.features.get(&*values[2]).map(shown),
        "degree_at" => {
            let sides: &[Direction] = match &*values[2] {
                "out" => &[Direction::Out],
                "in" => &[Direction::In],
                _ => &[Direction::Out, Direction::In],
            };
            let relation = values.get(4).map(String::as_str);
            let at = At { time: time(3), deletes };
            Some(sides.iter().map(|side| index.neighbors(&node, *side, relation, at).len()).sum::<usize>().to_string())
        }
        "alive_at" => Some(index.node(&node, At::time(time(2))).is_some().to_string()),
        "resolve_at" => Some(index.resolve(&node, time(2)).id.to_string()),
        "last_linked" => {
            let other = NodeKey::new(&values[3], values[4].as_str());
            let events = index.events().into_iter().filter(|event| event.time <= time(5));
            let made = events.filter(|event| event.action.name() == "create").filter(|event| match &event.element {
                Element::Edge(edge) => edge.source == node && edge.destination == other && *edge.relation == *values[2],
                _ => false,
            });
            made.map(|event| event.time).max().map(|time| UNIT.format(time))
        }
        other => panic!("no function {other}"),
    }
}

/// A value as JSON shows it, texts without quotes.
fn shown(value: &Value) -> String {
    match value.to_json() {
        serde_json::Value::String(text) => text,
        other => other.to_string(),
    }
}

fn life(life: Interval) -> Vec<(String, String)> {
    let mut cells = vec![("created".to_owned(), UNIT.format(life.created))];
    cells.extend((life.removed != Time::FOREVER).then(|| ("removed".to_owned(), UNIT.format(life.removed))));
    cells
}

fn key_row(prefix: &str, key: &NodeKey) -> Row {
    [(format!("{prefix}type"), key.node_type.to_string()), (format!("{prefix}id"), key.id.to_string())].into()
}

fn features(row: &mut Row, features: &BTreeMap<Name, Value>) {
    row.extend(features.iter().map(|(name, value)| (name.to_string(), shown(value))));
    let all: serde_json::Map<_, _> = features.iter().map(|(name, value)| (name.to_string(), value.to_json())).collect();
    row.insert("features".into(), serde_json::Value::Object(all).to_string());
}

fn node_row(node: NodeState) -> Row {
    let mut row = key_row("", &node.key);
    row.extend(life(node.life));
    row.insert("deleted".into(), node.deleted.to_string());
    features(&mut row, &node.features);
    row
}

fn edge_cells(key: &EdgeKey) -> Row {
    let mut row = key_row("source_", &key.source);
    row.extend(key_row("destination_", &key.destination));
    row.insert("relation".into(), key.relation.to_string());
    row.extend(key.key.iter().map(|key| ("key".to_owned(), key.to_string())));
    row
}

fn edge_row(edge: EdgeState) -> Row {
    let mut row = edge_cells(&edge.key);
    row.extend(life(edge.life));
    row.insert("deleted".into(), edge.deleted.to_string());
    features(&mut row, &edge.features);
    row
}

fn event_row(event: &Event) -> Row {
    let mut row = match &event.element {
        Element::Node(node) => key_row("source_", node),
        Element::Edge(edge) => edge_cells(edge),
        Element::Merge { from, into } => {
            let mut row = key_row("source_", from);
            row.extend(key_row("destination_", into));
            row
        }
    };
    row.insert("time".into(), UNIT.format(event.time));
    row.insert("action".into(), event.action.name().into());
    row.insert("entity".into(), event.element.kind().name().into());
    let set = event.features.iter().filter_map(|(name, value)| Some((name.clone(), value.clone()?))).collect();
    features(&mut row, &set);
    let ended = event.features.iter().filter(|(_, value)| value.is_none()).map(|(name, _)| name.to_string());
    row.insert("ended".into(), serde_json::Value::from(ended.collect::<Vec<_>>()).to_string());
    row
}

fn events(asked: &Asked) -> Vec<Row> {
    let mut events = asked.view.index().events();
    events.sort_by_key(|event| event.time);
    let from = asked.time("from").unwrap_or(Time::MIN);
    let until = asked.time("until").unwrap_or(Time::FOREVER);
    events.retain(|event| {
        event.time >= from && (event.time < until || until == Time::FOREVER) && event.time <= asked.at.time
    });
    let rows = events.iter().map(event_row);
    rows.filter(|row| {
        asked.word("relation").is_none_or(|relation| row.get("relation").is_some_and(|of| of == relation))
    })
    .collect()
}

fn neighbors(asked: &Asked) -> Vec<Row> {
    let sides = match asked.word("side") {
        Some("out") => vec![Direction::Out],
        Some("in") => vec![Direction::In],
        _ => vec![Direction::Out, Direction::In],
    };
    let at_side = |side| {
        let edges = asked.view.index().neighbors(&asked.node(), side, asked.word("relation"), asked.at);
        edges
            .into_iter()
            .map(move |edge| {
                let (word, node) = match side {
                    Direction::Out => ("out", edge.key.destination.clone()),
                    Direction::In => ("in", edge.key.source.clone()),
                };
                let mut row = key_row("", &node);
                row.insert("side".into(), word.into());
                row.insert("relation".into(), edge.key.relation.to_string());
                row.extend(edge.key.key.iter().map(|key| ("key".to_owned(), key.to_string())));
                row.extend(life(edge.life));
                row
            })
            .collect::<Vec<_>>()
    };
    sides.into_iter().flat_map(at_side).collect()
}

fn history(asked: &Asked) -> Vec<Row> {
    let (index, node) = (asked.view.index(), asked.node());
    let row = |what: &str, interval: Interval, name: Option<String>, detail: Option<String>| {
        let removed = if interval.removed > asked.at.time { Time::FOREVER } else { interval.removed };
        let mut row: Row = life(Interval { removed, ..interval }).into_iter().collect();
        row.insert("what".into(), what.into());
        row.extend(name.map(|name| ("name".to_owned(), name)));
        row.extend(detail.map(|detail| ("detail".to_owned(), detail)));
        row
    };
    let mut rows = Vec::new();
    for Life { interval, features } in index.node_history(&node) {
        rows.push((interval, row("life", interval, None, None)));
        rows.extend(features.iter().map(|span| {
            (span.interval, row("feature", span.interval, Some(span.name.to_string()), Some(span.value.to_string())))
        }));
    }
    for merge in index.merges().into_iter().filter(|merge| merge.from == node || merge.into == node) {
        rows.push((
            merge.interval,
            row("merge", merge.interval, None, Some(format!("{} became {}", merge.from, merge.into))),
        ));
    }
    let made = index.events().into_iter().filter_map(|event| match event.element {
        Element::Edge(edge) if edge.source == node || edge.destination == node => Some(edge),
        _ => None,
    });
    for edge in made.collect::<BTreeSet<_>>() {
        for Life { interval, .. } in index.edge_history(&edge) {
            rows.push((interval, row("edge", interval, Some(edge.relation.to_string()), Some(edge.to_string()))));
        }
    }
    rows.into_iter().filter(|(interval, _)| interval.created <= asked.at.time).map(|(_, row)| row).collect()
}

fn diff(asked: &Asked) -> Vec<Row> {
    let index = asked.view.index();
    let diff = index.diff(asked.time("from").unwrap(), asked.time("to").unwrap_or(asked.at.time));
    let node = |change: &str, key: &NodeKey| {
        let mut row = key_row("", key);
        row.extend([("change".to_owned(), change.to_owned()), ("what".to_owned(), "node".to_owned())]);
        row
    };
    let edge = |change: &str, key: &EdgeKey| {
        let mut row = key_row("", &key.source);
        row.extend(key_row("destination_", &key.destination));
        row.insert("relation".into(), key.relation.to_string());
        row.extend([("change".to_owned(), change.to_owned()), ("what".to_owned(), "edge".to_owned())]);
        row
    };
    let names = |mut row: Row, features: &[Name]| {
        let names: Vec<&str> = features.iter().map(|name| &**name).collect();
        row.insert("features".into(), serde_json::Value::from(names).to_string());
        row
    };
    let mut rows: Vec<Row> = Vec::new();
    rows.extend(diff.nodes_created.iter().map(|key| node("created", key)));
    rows.extend(diff.nodes_removed.iter().map(|key| node("removed", key)));
    rows.extend(diff.nodes_updated.iter().map(|update| names(node("updated", &update.key), &update.features)));
    rows.extend(diff.edges_created.iter().map(|key| edge("created", key)));
    rows.extend(diff.edges_removed.iter().map(|key| edge("removed", key)));
    rows.extend(diff.edges_updated.iter().map(|update| names(edge("updated", &update.key), &update.features)));
    rows.extend(diff.merged.iter().map(|merge| {
        let mut row = key_row("", &merge.from);
        row.extend(key_row("destination_", &merge.into));
        row.extend([("change".to_owned(), "created".to_owned()), ("what".to_owned(), "merge".to_owned())]);
        row
    }));
    rows
}

/// By breadth: each node once, at its fewest hops.
fn relatives(asked: &Asked) -> Vec<Row> {
    let (index, start) = (asked.view.index(), asked.node());
    let side = if asked.word("way") == Some("up") { Direction::Out } else { Direction::In };
    let depth: usize = asked.word("depth").map_or(100, |text| text.parse().unwrap());
    let relations: Vec<&str> =
        asked.word("relation").map_or_else(|| vec!["is_a", "child_of"], |relation| vec![relation]);
    let mut seen = BTreeSet::from([start.clone()]);
    let (mut layer, mut rows) = (vec![start], Vec::new());
    for hops in 1..=depth {
        let beside = layer
            .iter()
            .flat_map(|key| relations.iter().flat_map(|relation| index.neighbors(key, side, Some(relation), asked.at)));
        let next = beside.map(|edge| if side == Direction::Out { edge.key.destination } else { edge.key.source });
        layer = next.filter(|key| seen.insert(key.clone())).collect();
        for node in layer.iter().filter_map(|key| index.node(key, asked.at)) {
            let mut row = node_row(node);
            row.insert("depth".into(), hops.to_string());
            rows.push(row);
        }
    }
    rows
}

fn passes(row: &Row, condition: &str) -> bool {
    let words: Vec<&str> = condition.splitn(3, ' ').collect();
    let value = row.get(words[0]);
    match (words[1], value) {
        ("null", value) => value.is_none(),
        ("some", value) => value.is_some(),
        (_, None) => false,
        ("in", Some(value)) => words[2].split(',').any(|one| one == value),
        (op, Some(value)) => {
            let order = match (value.parse::<f64>(), words[2].parse::<f64>()) {
                (Ok(a), Ok(b)) => a.total_cmp(&b),
                _ => value.as_str().cmp(words[2]),
            };
            match op {
                "=" => order.is_eq(),
                "!=" => order.is_ne(),
                ">" => order.is_gt(),
                ">=" => order.is_ge(),
                "<" => order.is_lt(),
                "<=" => order.is_le(),
                other => panic!("no comparison {other}"),
            }
        }
    }
}

fn count(rows: &[Row], by: &str) -> (Vec<Row>, Vec<String>) {
    let names: Vec<String> = by.split_whitespace().skip(1).map(str::to_owned).collect();
    if names.is_empty() {
        return (vec![[("n".to_owned(), rows.len().to_string())].into()], vec!["n".into()]);
    }
    let mut groups: BTreeMap<Vec<Option<String>>, usize> = BTreeMap::new();
    for row in rows {
        *groups.entry(names.iter().map(|name| row.get(name).cloned()).collect()).or_default() += 1;
    }
    let row = |(values, n): (Vec<Option<String>>, usize)| {
        let cells = names.iter().cloned().zip(values).filter_map(|(name, value)| Some((name, value?)));
        cells.chain([("n".to_owned(), n.to_string())]).collect()
    };
    (groups.into_iter().map(row).collect(), names.iter().cloned().chain(["n".into()]).collect())
}

fn total(rows: &[Row], which: &str, column: &str) -> (Vec<Row>, Vec<String>) {
    let values: Vec<&String> = rows.iter().filter_map(|row| row.get(column)).collect();
    let numbers = || values.iter().map(|value| value.parse::<i64>().unwrap());
    let answer = match which {
        "sum" => Some(numbers().sum::<i64>().to_string()),
        "min" => values.iter().min().map(|value| (*value).clone()),
        _ => values.iter().max().map(|value| (*value).clone()),
    };
    (vec![answer.map(|answer| ("n".to_owned(), answer)).into_iter().collect()], vec!["n".into()])
}
