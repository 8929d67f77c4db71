//! A model survives its graph: what comes after the training is not there for it, what is lost has nothing to tell.

use std::path::Path;
use std::sync::Arc;

use timeweft_graph::{Action, Element, Event, Name, NodeKey, Schema, Time, TimeUnit, Value};
use timeweft_index::Index;
use timeweft_learn::{
    Config, Freshness, GraphContext, Predict, Query, Space, Task, TrainStatistics, Trained, resume, train,
};

use crate::worlds::{edge, index, mixed, node, small, variants, weights};

fn user(id: u64) -> NodeKey {
    NodeKey::new("user", id)
}

fn item(id: u64) -> NodeKey {
    NodeKey::new("item", id)
}

/// The stream with a shop that sells items and that users visit, between its events: new types, some at known nodes, and a new
/// feature of known edges. The new types come first, so that the known ones have other numbers.
fn with_news(events: &[Event]) -> Vec<Event> {
    let shop = |id: u64| NodeKey::new("a shop", id);
    let mut all = vec![node(0, Action::Create, shop(0)), node(0, Action::Create, shop(1))];
    all.push(edge(0, Action::Create, shop(0), "a branch of", shop(1), 0));
    for (number, event) in (0..).zip(events) {
        let mut event = event.clone();
        if matches!(event.element, Element::Edge(_)) && event.action == Action::Create {
            let colour = (Name::from("a colour"), Some(Value::text("red")));
            event.features.insert(0, colour);
        }
        let time = event.time.0;
        all.push(event);
        if number >= 24 {
            all.push(edge(time, Action::Create, shop(number % 2), "sells", item(number % 12), 500_000 + number));
            all.push(edge(time, Action::Create, user(number % 12), "visits", shop(number % 2), 600_000 + number));
            all.push(edge(time, Action::Create, user(number % 12), "likes", item((number + 1) % 12), 700_000 + number));
        }
    }
    all
}

/// What a model says of a graph, by name: logits, ranks, neighbors in space, contributions.
#[derive(PartialEq, Debug)]
struct Said {
    logits: Vec<u32>,
    ranks: Vec<u64>,
    nearest: Vec<(NodeKey, u32)>,
    contributions: Vec<(NodeKey, u32)>,
    best: Vec<(NodeKey, u32)>,
}

fn said(trained: &Trained, config: &Config, times: &[i64]) -> Said {
    let index = &trained.graph.index;
    let find = |key: NodeKey| index.node_index(&key).unwrap();
    let edge_type = bought(index);
    let direction = timeweft_graph::Direction::Out;
    let query = |source: u64, destination: u64, time: i64| {
        let (source, destination, time) = (find(user(source)), find(item(destination)), Time(time));
        Query { edge_type, direction, source, destination, time, as_of: time }
    };
    let mut said = Said { logits: vec![], ranks: vec![], nearest: vec![], contributions: vec![], best: vec![] };
    for &time in times {
        let queries: Vec<Query> = (0..12).map(|number| query(number, (5 * number) % 12, time)).collect();
        said.logits.extend(trained.score(&queries, Time(time)).into_iter().map(f32::to_bits));
        let near = trained.nearest(find(user(3)), Time(time), Space::Embedding, 5);
        said.nearest.extend(near.into_iter().map(|(node, cosine)| (index.node_key(node), cosine.to_bits())));
        let why = trained.explain(&query(3, 4, time));
        let heard = why.neighbors.iter().map(|heard| (index.node_key(heard.node), heard.contribution.to_bits()));
        said.contributions.extend(heard);
        let best = trained.predict(edge_type, find(user(2)), Time(time), 4);
        said.best.extend(best.into_iter().map(|best| (index.node_key(best.node), best.logit.to_bits())));
    }
    let task = trained.graph.task(config).unwrap();
    let test = task.split.val_end..task.split.end;
    let measured = trained.to_rank(&task, test, Freshness::Event).evaluate(|_| ());
    said.ranks = measured.rows.iter().map(|(_, metrics)| metrics.mrr.to_bits()).collect();
    assert!(said.logits.iter().all(|logit| f32::from_bits(*logit).is_finite()));
    said
}

fn bought(index: &Index) -> timeweft_graph::EdgeTypeId {
    let schema = index.schema();
    let [user, item] = ["user", "item"].map(|name| schema.node_type(name).unwrap());
    schema.edge_type(user, &"buys".into(), item).unwrap()
}

fn reloaded(trained: &Trained, folder: &Path, events: &[Event]) -> Trained {
    let path = folder.join("model.twm");
    trained.save(&path, &[1]).unwrap();
    Trained::load(&path, index(events), &[1, 2]).unwrap()
}

#[test]
fn new_types_and_features_change_no_score_of_what_a_model_knows() {
    let folder = tempfile::tempdir().unwrap();
    let events = mixed(120, 1);
    for (name, mut config) in variants() {
        config.train.epochs = 1;
        let task = Task::new(index(&events), &config).unwrap();
        let trained = train(&task, &config, |_| ()).unwrap();
        let after = reloaded(&trained, folder.path(), &with_news(&events));
        let times = [151, 301, 1000];
        assert_eq!(said(&trained, &config, &times), said(&after, &config, &times), "{name}");
        assert!(trained.graph.unknown().is_empty());
    }
}

#[test]
fn what_a_model_does_not_know_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let (events, config) = (mixed(90, 1), small());
    let task = Task::new(index(&events), &config).unwrap();
    let trained = train(&task, &config, |_| ()).unwrap();
    let after = reloaded(&trained, folder.path(), &with_news(&events));
    let told = after.graph.unknown().to_string();
    for name in ["a shop -a branch of-> a shop", "user -visits-> a shop", "user -likes-> item", "`a colour` of user"] {
        assert!(told.contains(name), "{told}");
    }
    assert!(!told.contains("buys-> item,") && !told.contains("`price`"), "{told}");
    let schema = after.graph.index.schema();
    assert!(!after.graph.knows_node_type(schema.node_type("a shop").unwrap()));
    assert!(after.graph.knows_edge_type(bought(&after.graph.index)));
}

#[test]
fn a_model_that_is_trained_on_stays_with_the_types_that_it_began_with() {
    let folder = tempfile::tempdir().unwrap();
    let events = mixed(90, 1);
    let mut config = small();
    // The parts are kept as times, as the product does: their borders do not move with new links.
    config.train.split_times = Some([181, 241]);
    let task = Task::new(index(&events), &config).unwrap();
    let whole = train(&task, &config, |_| ()).unwrap();
    config.train.epochs = 1;
    let half = reloaded(&train(&task, &config, |_| ()).unwrap(), folder.path(), &with_news(&events));
    config.train.epochs = 2;
    let task = half.graph.task(&config).unwrap();
    let resumed = resume(&task, &config, half, |_| (), &|| false).unwrap();
    assert!(weights(&whole.latest.model) == weights(&resumed.latest.model));
}

#[test]
fn a_graph_that_lost_a_type_is_one_in_which_nothing_of_it_happened() {
    let folder = tempfile::tempdir().unwrap();
    for predict in [Predict::Created, Predict::Gone] {
        let mut config = small();
        (config.train.predict, config.train.epochs) = (predict, 1);
        let mut events = with_news(&mixed(120, 1));
        if predict == Predict::Gone {
            let end = events.last().unwrap().time.0;
            events.extend((0..10).map(|id| node(100 + 20 * id as i64, Action::Create, NodeKey::new("visit", id))));
            events.extend((0..10).map(|id| node(end + 10 + id as i64, Action::Delete, NodeKey::new("visit", id))));
            events.sort_by_key(|event| event.time);
        }
        let graph = index(&events);
        let task = Task::new(graph.clone(), &config).unwrap();
        let trained = train(&task, &config, |_| ()).unwrap();
        let is_kept = |event: &&Event| match &event.element {
            Element::Edge(key) => &*key.relation == "buys",
            Element::Node(key) => &*key.node_type != "a shop",
            Element::Merge { .. } => true,
        };
        let kept: Vec<Event> = events.iter().filter(is_kept).cloned().collect();
        // With the types declared, and without them.
        let path = folder.path().join("model.twm");
        trained.save(&path, &[]).unwrap();
        let declared = Trained::load(&path, over(graph.schema().clone(), &kept), &[]).unwrap();
        let lost = Trained::load(&path, over(Schema::new(TimeUnit::Step), &kept), &[]).unwrap();
        assert!(lost.graph.index.schema().node_type("a shop").is_none() && lost.graph.unknown().is_empty());
        if predict == Predict::Gone {
            let gone = |trained: &Trained| {
                let index = &trained.graph.index;
                let visits = trained.predict_gone(index.schema().node_type("visit").unwrap(), Time(350), 20);
                visits.into_iter().map(|one| (index.node_key(one.node), one.logit.to_bits())).collect::<Vec<_>>()
            };
            assert_eq!(gone(&declared).len(), 10);
            assert_eq!(gone(&declared), gone(&lost));
        } else {
            let times = [151, 301, 1000];
            assert_eq!(said(&declared, &config, &times), said(&lost, &config, &times));
        }
    }
}

fn over(schema: Schema, events: &[Event]) -> Arc<Index> {
    let mut index = Index::new(schema);
    events.iter().for_each(|event| index.apply(event, &"".into()).unwrap());
    Arc::new(index)
}

/// The same events with other ages of users: facts that no order tells apart.
fn corrected(events: &[Event]) -> Vec<Event> {
    let mut other = events.to_vec();
    for (_, value) in other.iter_mut().flat_map(|event| &mut event.features) {
        if let Some(Value::Dense(_)) = value {
            *value = Some(Value::number(7.0));
        }
    }
    other
}

#[test]
fn memory_of_a_load_that_was_taken_back_begins_anew() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.twm");
    let (events, config) = (mixed(90, 1), small());
    let task = Task::new(index(&events), &config).unwrap();
    let trained = train(&task, &config, |_| ()).unwrap();
    trained.save(&path, &[1, 2]).unwrap();
    let other = index(&corrected(&events));
    let store = |loads: &[u64], index: &Arc<Index>| Trained::load(&path, index.clone(), loads).unwrap().store;
    let graph = GraphContext::new(other.clone(), trained.graph.statistics.clone());
    let anew = timeweft_learn::rebuild(&trained.model, &graph, &config, graph.facts().len());
    assert!(anew != trained.store, "features are part of what is remembered");
    assert!(store(&[1, 3], &other) == anew, "another load in place of the second");
    assert!(store(&[1], &other) == anew, "an earlier commit");
    assert!(store(&[1, 2, 3], &task.index) == trained.store, "a later load");
    let mut late = events.clone();
    late.insert(60, edge(events[60].time.0, Action::Create, user(1), "buys", item(2), 9_999));
    let late = index(&late);
    let graph = GraphContext::new(late.clone(), trained.graph.statistics.clone());
    let anew = timeweft_learn::rebuild(&trained.model, &graph, &config, graph.facts().len());
    assert!(store(&[1, 2, 3], &late) == anew, "a later load with an event before some that memory has seen");
    let fewer = index(&events[..events.len() - 20]);
    let graph = GraphContext::new(fewer.clone(), trained.graph.statistics.clone());
    assert!(store(&[1, 2], &fewer) == timeweft_learn::rebuild(&trained.model, &graph, &config, graph.facts().len()));
    assert_eq!(TrainStatistics::fit(&task, &config).schema, *task.index.schema());
}
