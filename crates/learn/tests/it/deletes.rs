//! Deletes: what messages they are, what of them is read again, and what is forgotten.

use timeweft_graph::{Action, Deletes, Event, GraphView, NodeIndex, NodeKey, Time};
use timeweft_learn::{
    Config, GraphContext, Htgn, Query, Settled, Task, TrainStatistics, VectorStore, empty_store, expand, pipeline,
};

use crate::worlds::{edge, index, mixed, node, small};

fn user(id: u64) -> NodeKey {
    NodeKey::new("user", id)
}

fn item(id: u64) -> NodeKey {
    NodeKey::new("item", id)
}

/// A stream in which user 3 ends at 400 and begins again at 420.
fn with_an_end(explicit: bool) -> Vec<Event> {
    let mut events: Vec<Event> = mixed(90, 5).into_iter().filter(|event| event.time.0 < 300).collect();
    events.push(edge(350, Action::Create, user(3), "buys", item(1), 9_000));
    events.push(edge(350, Action::Create, user(4), "buys", item(2), 9_001));
    if explicit {
        // The same, with each delete of an edge told.
        let graph = index(&events);
        let at = timeweft_graph::At::time(Time(350));
        for direction in [timeweft_graph::Direction::Out, timeweft_graph::Direction::In] {
            for state in GraphView::neighbors(&*graph, &user(3), direction, None, at) {
                events.push(Event::new(Time(400), Action::Delete, timeweft_graph::Element::Edge(state.key)));
            }
        }
    }
    events.push(node(400, Action::Delete, user(3)));
    events.push(edge(410, Action::Create, user(4), "buys", item(3), 9_002));
    events.push(node(420, Action::Create, user(3)));
    events.push(edge(430, Action::Create, user(3), "buys", item(4), 9_003));
    events.push(edge(440, Action::Create, user(5), "buys", item(5), 9_004));
    events
}

fn graph(events: &[Event], config: &Config) -> (GraphContext, Task) {
    let task = Task::new(index(events), config).unwrap();
    (GraphContext::new(task.index.clone(), TrainStatistics::fit(&task, config)), task)
}

fn absorbed(model: &Htgn, graph: &GraphContext, config: &Config, until: Time, batch: usize) -> VectorStore {
    let mut config = config.clone();
    config.train.batch = batch;
    let mut store = empty_store(graph, &config);
    timeweft_learn::absorb(model, graph, &config, &mut store, graph.n_facts_before(until));
    store
}

#[test]
fn a_node_delete_is_its_edge_deletes_and_the_node_delete() {
    let config = small();
    let (implicit, _) = graph(&with_an_end(false), &config);
    let (explicit, _) = graph(&with_an_end(true), &config);
    let n_events = |graph: &GraphContext| GraphView::events(&*graph.index).len();
    assert!(n_events(&implicit) < n_events(&explicit));
    let facts =
        |graph: &GraphContext| graph.facts().iter().map(|fact| (fact.time, fact.action, fact.edge)).collect::<Vec<_>>();
    let (mut a, mut b) = (facts(&implicit), facts(&explicit));
    let key = |fact: &(Time, Action, Option<_>)| (fact.0, fact.2);
    a.sort_by_key(key);
    b.sort_by_key(key);
    assert_eq!(a, b);
    let empty = VectorStore::default();
    let expanded = |graph: &GraphContext| {
        let (messages, tokens) = expand(graph, 0..graph.facts().len(), &empty);
        (messages.relation, messages.kind, messages.gap, tokens.node, tokens.time, tokens.messages)
    };
    assert_eq!(expanded(&implicit), expanded(&explicit));
    let deleted = a.iter().filter(|fact| fact.0 == Time(400)).count();
    assert!(deleted > 2, "{deleted}");
}

#[test]
fn a_hard_delete_takes_the_row_away_and_a_soft_one_keeps_it() {
    for (rule, batch) in [(Deletes::Hard, 1), (Deletes::Hard, 1000), (Deletes::Soft, 1000)] {
        let mut config = small();
        config.model.deletes = rule;
        let (graph, _) = graph(&with_an_end(false), &config);
        let model = Htgn::new(&config, &graph);
        let gone = graph.index.node_index(&user(3)).unwrap();
        let at = |until: i64| absorbed(&model, &graph, &config, Time(until), batch);
        assert!(at(400).last(gone).is_some());
        let after = at(401);
        let kept = rule == Deletes::Soft;
        assert_eq!((after.last(gone).is_some(), after.memory(gone).is_some()), (kept, kept));
        // Who begins again begins with nothing, whether or not the end was in the same batch: as somebody who never was.
        if rule == Deletes::Hard {
            let stranger = NodeKey::new("user", 77u64);
            let mut events = with_an_end(false);
            events.retain(|event| event.time.0 <= 420);
            events.push(node(420, Action::Create, stranger.clone()));
            let (other, _) = self::graph(&events, &plain(&config));
            let model = Htgn::new(&plain(&config), &other);
            let store = absorbed(&model, &other, &plain(&config), Time(421), batch);
            let state = |key: &NodeKey| store.state(other.index.node_index(key).unwrap()).unwrap().to_vec();
            let apart = |a: &NodeKey, b: &NodeKey| {
                state(a).iter().zip(state(b)).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
            };
            assert!(apart(&user(3), &stranger) < 1e-6);
            assert!(apart(&user(3), &user(4)) > 1e-3);
        }
    }
}

/// Without identity, by which strangers differ.
fn plain(config: &Config) -> Config {
    let mut config = config.clone();
    config.model.identity = false;
    config
}

#[test]
fn what_is_hard_deleted_is_never_read_again() {
    let config = small();
    let (graph, task) = graph(&with_an_end(false), &config);
    let model = Htgn::new(&config, &graph);
    let gone = graph.index.node_index(&user(3)).unwrap();
    let mut store = absorbed(&model, &graph, &config, Time(400), 20);
    // Poison the row of the node: after its delete nothing of it may surface.
    let (states, width) = (config.model.state_width(), config.model.memory_width());
    let position = store.absorbed();
    store.commit(&Settled {
        receivers: vec![gone],
        state: vec![f32::NAN; states].into(),
        memory: vec![f32::NAN; width].into(),
        last: vec![Some(Time(399))],
        absorbed: position,
    });
    let link = task.links.last().unwrap();
    let ask = |source: NodeIndex, time: i64| Query {
        edge_type: link.edge_type,
        direction: link.direction,
        source,
        destination: graph.index.node_index(&item(4)).unwrap(),
        time: Time(time),
        as_of: Time(time),
    };
    let reader = pipeline::Reader { model: &model, graph: &graph, store: &store };
    let remembered = reader.remember(position..graph.facts().len());
    // In the batch of the delete, by version; and after it, by row.
    let inside: Vec<Query> = [(gone, 405), (gone, 425), (gone, 435), (link.source, 435)].map(|(s, t)| ask(s, t)).into();
    let logits = crate::worlds::floats(reader.answer(&remembered, &inside, None));
    assert!(logits.iter().all(|logit| logit.is_finite()), "{logits:?}");
    remembered.commit(&mut store);
    let nothing = pipeline::Remembered::nothing(&store);
    let later = [ask(gone, 500), ask(link.source, 500)];
    let logits = crate::worlds::floats(
        pipeline::Reader { model: &model, graph: &graph, store: &store }.answer(&nothing, &later, None),
    );
    assert!(logits.iter().all(|logit| logit.is_finite()), "{logits:?}");
    let bytes = store.to_bytes();
    let again = VectorStore::from_bytes(&bytes, store.absorbed()).unwrap();
    assert_eq!(store, again);
}

#[test]
fn directed_messages_reach_destinations_only() {
    let mut config = small();
    config.model.directed = true;
    let (graph, _) = graph(&mixed(60, 3), &config);
    let (messages, tokens) = expand(&graph, 0..graph.facts().len(), &VectorStore::default());
    let edges = graph.facts().iter().filter(|fact| fact.edge.is_some()).count();
    assert_eq!(messages.relation.len(), graph.facts().len());
    let users = tokens.node.iter().filter(|&&node| graph.index.node_key(node).node_type == "user".into());
    let nodes = graph
        .facts()
        .iter()
        .filter(|fact| fact.edge.is_none() && graph.index.node_key(fact.source).node_type == "user".into());
    let mut own: Vec<_> = nodes.map(|fact| (fact.source, fact.time)).collect();
    own.sort();
    own.dedup();
    // Users are sources only: their tokens are of facts about themselves.
    assert!(edges > 0);
    assert_eq!(users.count(), own.len());
}

#[test]
fn erased_facts_leave_the_memory_of_a_log_without_them() {
    let config = small();
    let task = Task::new(index(&mixed(90, 5)), &config).unwrap();
    let trained = timeweft_learn::train(&task, &config, |_| ()).unwrap();
    let events = GraphView::events(&*task.index);
    // All purchases of user 3, and item 7 altogether: what depends on it falls as well.
    let told = |event: &Event| format!("{:?}", event.element);
    let is_erased = |event: &Event| match &event.element {
        timeweft_graph::Element::Edge(key) => key.source == user(3),
        timeweft_graph::Element::Node(key) => *key == item(7),
        timeweft_graph::Element::Merge { .. } => false,
    };
    let erased = (0u32..).zip(&events).filter(|(_, event)| is_erased(event)).map(|(at, _)| at).collect();
    let before = trained.store.clone();
    let fitted = trained.graph.statistics.clone();
    let model = trained.model.clone();
    let left = trained.erase(&erased);
    assert!(!left.dropped.is_empty());
    assert!(left.dropped.iter().all(|(at, _)| told(&events[*at as usize]).contains("item")));
    assert_ne!(left.trained.store, before);
    // The log as if the facts had never been told.
    let without: Vec<Event> = events
        .iter()
        .filter(|event| !is_erased(event))
        .filter(|event| !matches!(&event.element, timeweft_graph::Element::Edge(key) if key.destination == item(7)))
        .cloned()
        .collect();
    let graph = GraphContext::new(index(&without), fitted);
    let store = timeweft_learn::rebuild(&model, &graph, &config, graph.facts().len());
    assert_eq!(store, left.trained.store);
    assert!(left.trained.graph.index.node_index(&item(7)).is_none());
}

#[test]
fn a_model_answers_by_the_deletes_that_it_was_trained_with() {
    let mut config = small();
    (config.model.deletes, config.train.epochs) = (Deletes::Soft, 1);
    let task = Task::new(index(&mixed(90, 5)), &config).unwrap();
    let trained = timeweft_learn::train(&task, &config, |_| ()).unwrap();
    assert!(trained.expect_deletes(Deletes::Soft).is_ok());
    let error = trained.expect_deletes(Deletes::Hard).unwrap_err().to_string();
    assert!(error.contains("trained with soft deletes"), "{error}");
    // The setting goes with the checkpoint.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.twm");
    trained.save(&path, &[]).unwrap();
    let loaded = timeweft_learn::Trained::load(&path, task.index.clone(), &[]).unwrap();
    assert!(loaded.expect_deletes(Deletes::Hard).is_err());
    assert_eq!(loaded.graph.statistics.config.deletes, Deletes::Soft);
}
