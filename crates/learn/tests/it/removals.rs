//! What goes next: removals of edges and ends of nodes, told from what stays.

use std::collections::VecDeque;

use timeweft_graph::{Action, EdgeIndex, Event, NodeIndex, NodeKey, Time};
use timeweft_learn::{Config, Freshness, LearnError, Link, Predict, Rule, Task, train};

use crate::worlds::{draw, edge, index, mixed, node, small};

fn user(id: u64) -> NodeKey {
    NodeKey::new("user", id)
}

fn item(id: u64) -> NodeKey {
    NodeKey::new("item", id)
}

/// Every ten ticks somebody buys something; the oldest of 30 purchases is taken back five ticks later.
fn first_in_first_out(n: u64) -> Vec<Event> {
    let mut events: Vec<Event> =
        (0..20).flat_map(|i| [user(i), item(i)]).map(|key| node(0, Action::Create, key)).collect();
    let mut bought = VecDeque::new();
    for i in 0..n {
        let (buyer, what, time) = (user(draw(3, 2 * i, 20)), item(draw(3, 2 * i + 1, 20)), 10 + 10 * i as i64);
        events.push(edge(time, Action::Create, buyer.clone(), "buys", what.clone(), i));
        bought.push_back((buyer, what, i));
        if bought.len() > 30 {
            let (buyer, what, key) = bought.pop_front().unwrap();
            events.push(edge(time + 5, Action::Delete, buyer, "buys", what, key));
        }
    }
    events
}

/// Every ten ticks a visit begins; the oldest of 30 is over five ticks later.
fn visits(n: u64) -> Vec<Event> {
    let visit = |id: u64| NodeKey::new("visit", id);
    let mut events: Vec<Event> = (0..10).map(|i| node(0, Action::Create, user(i))).collect();
    for i in 0..n {
        let time = 10 + 10 * i as i64;
        events.push(node(time, Action::Create, visit(i)));
        events.push(edge(time, Action::Create, user(draw(4, i, 10)), "pays", visit(i), 0));
        if i >= 30 {
            events.push(node(time + 5, Action::Delete, visit(i - 30)));
        }
    }
    events
}

fn config(predict: Predict) -> Config {
    let mut config = small();
    config.train.predict = predict;
    config.train.learning_rate = 5e-3;
    config.train.epochs = 6;
    config.train.patience = 0;
    config
}

#[test]
fn a_removed_edge_is_told_from_all_edges_that_stay() {
    let task = Task::new(index(&mixed(300, 2)), &config(Predict::Removed)).unwrap();
    let graph = task.index.clone();
    assert!(task.links.len() > 20, "{}", task.links.len());
    for (event, link) in task.links.iter().enumerate() {
        let fact = task.facts()[link.fact];
        assert_eq!((fact.action, fact.time), (Action::Delete, link.time));
        let (edge_type, removed) = fact.edge.unwrap();
        assert_eq!(graph.edge_ends(removed), (edge_type, link.source, link.destination));
        // A scan of every edge that ever was.
        let stays = |edge: &EdgeIndex| [link.time.before(), link.time].iter().all(|at| graph.edge_alive(*edge, *at));
        let all = (0..graph.n_edges() as u32).map(EdgeIndex).filter(stays);
        let mut wanted: Vec<_> = all.map(|edge| (graph.edge_ends(edge).1, graph.edge_ends(edge).2)).collect();
        let ends = |links: &[Link]| links.iter().map(|of| (of.source, of.destination)).collect::<Vec<_>>();
        let mut told = ends(&task.candidates(event, 0, 1));
        wanted.sort_unstable();
        told.sort_unstable();
        assert_eq!(told, wanted);
        let drawn = task.candidates(event, 8, 1);
        assert_eq!(drawn.len(), 8);
        assert!(ends(&drawn).iter().all(|pair| wanted.binary_search(pair).is_ok()));
        assert_ne!(drawn, task.candidates(event, 8, 2), "another seed draws others");
    }
}

#[test]
fn a_node_that_goes_is_told_from_all_of_its_type_that_stay() {
    let task = Task::new(index(&visits(80)), &config(Predict::Gone)).unwrap();
    let graph = task.index.clone();
    assert_eq!(task.links.len(), 50);
    for (event, link) in task.links.iter().enumerate() {
        assert_eq!(link.source, link.destination);
        let stays = |node: &NodeIndex| {
            let same = graph.node_type(*node) == graph.node_type(link.source);
            same && graph.alive(*node, link.time.before()) && graph.alive(*node, link.time)
        };
        let mut wanted: Vec<_> = (0..graph.n_nodes() as u32).map(NodeIndex).filter(stays).collect();
        let mut told: Vec<_> = task.candidates(event, 0, 1).iter().map(|of| of.source).collect();
        wanted.sort_unstable();
        told.sort_unstable();
        assert_eq!((told.len(), &told), (30, &wanted));
    }
}

/// MRR of the model, then of the rules, on the test part.
fn ranked(events: &[Event], config: &Config) -> Vec<(String, f64)> {
    let task = Task::new(index(events), config).unwrap();
    let trained = train(&task, config, |_| ()).unwrap();
    let test = task.split.val_end..task.split.end;
    let evaluation = trained.to_rank(&task, test, Freshness::Event).evaluate(|_| ());
    let names: Vec<_> = evaluation.rows[1..].iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, Rule::OF_ENDS.map(Rule::name));
    evaluation.rows.into_iter().map(|(name, metrics)| (name, metrics.mrr)).collect()
}

#[test]
fn a_model_learns_which_edge_is_removed_next() {
    let rows = ranked(&first_in_first_out(600), &config(Predict::Removed));
    // A guess among eight others comes to .31.
    assert!(rows[0].1 > 0.85 && rows[1..].iter().all(|(_, rule)| *rule < 0.8), "{rows:?}");
}

#[test]
fn a_model_learns_which_node_goes_next() {
    let rows = ranked(&visits(600), &config(Predict::Gone));
    assert!(rows[0].1 > 0.9 && rows[1].1 < 0.2, "{rows:?}");
}

#[test]
fn removals_are_of_the_relations_and_ends_of_the_types_that_are_asked_for() {
    let graph = index(&visits(80));
    let mut of = config(Predict::Gone);
    of.train.targets = vec!["user".into()];
    assert!(matches!(Task::new(graph.clone(), &of), Err(LearnError::TooLittle { links: 0 })), "no user goes");
    of.train.targets = vec!["pays".into()];
    let Err(LearnError::UnknownTarget { known, .. }) = Task::new(graph.clone(), &of) else { panic!("a relation") };
    assert_eq!(known, ["user", "visit"]);
    // Without a relation there is nothing that a score could be made of.
    let alone: Vec<Event> = visits(80).into_iter().filter(|event| !format!("{event:?}").contains("Edge")).collect();
    of.train.targets.clear();
    assert!(matches!(Task::new(index(&alone), &of), Err(LearnError::TooLittle { links: 0 })));
    // A payment ends with its visit.
    let mut of = config(Predict::Removed);
    of.train.targets = vec!["pays".into()];
    let task = Task::new(graph, &of).unwrap();
    assert_eq!((task.links.len(), task.links[0].time), (50, Time(10 + 300 + 5)));
}

#[test]
fn a_removal_is_explained_beside_the_other_edges_of_its_source() {
    let task = Task::new(index(&first_in_first_out(200)), &config(Predict::Removed)).unwrap();
    let mut config = config(Predict::Removed);
    config.train.epochs = 1;
    let trained = train(&task, &config, |_| ()).unwrap();
    let link = task.links[task.split.val_end];
    let (source, time) = (link.source, link.time);
    let others = trained.predict(link.edge_type, source, time, 100);
    assert!(others.len() > 1 && others.iter().any(|other| other.node == link.destination));
    let why = trained.explain(&link.question(link.destination, time));
    let rivals = || others.iter().filter(|other| other.node != link.destination).map(|other| other.logit);
    let mean = rivals().sum::<f32>() / rivals().count() as f32;
    assert!(rivals().count() <= 16 && (why.margin - (why.logit - mean)).abs() < 1e-4, "{} {mean}", why.margin);
}

#[test]
fn a_node_that_goes_is_explained_beside_the_others_of_its_type() {
    let config = config(Predict::Gone);
    let task = Task::new(index(&visits(200)), &config).unwrap();
    let trained = train(&task, &config, |_| ()).unwrap();
    let graph = &task.index;
    let link = task.links[task.split.val_end];
    let why = trained.explain(&link.question(link.destination, link.time));
    let others = trained.predict_gone(graph.node_type(link.source), link.time, 100);
    let logit = |node: NodeIndex| others.iter().find(|other| other.node == node).unwrap().logit;
    assert!((why.logit - logit(link.source)).abs() < 1e-4, "{} {}", why.logit, logit(link.source));
    // The mean of sixteen others lies between those of the best and of the worst sixteen.
    let rivals: Vec<f32> = others.iter().filter(|other| other.node != link.source).map(|other| other.logit).collect();
    let mean = |some: &[f32]| some.iter().sum::<f32>() / some.len() as f32;
    let bounds = mean(&rivals[rivals.len() - 16..]) - 1e-4..=mean(&rivals[..16]) + 1e-4;
    assert!(rivals.len() > 20 && bounds.contains(&(why.logit - why.margin)), "{} {bounds:?}", why.logit - why.margin);
    // It is one node: the one edge that it has, and each message to it, is told of once.
    assert!(why.neighbors.iter().all(|heard| heard.at_source) && why.neighbors.len() == 1);
    let mut facts: Vec<usize> = why.memory.iter().flat_map(|moment| moment.facts.clone()).collect();
    let told = facts.len();
    facts.sort_unstable();
    facts.dedup();
    assert!(why.memory.iter().all(|moment| moment.at_source) && (told, facts.len()) == (2, 2), "{told}");
    let curves =
        timeweft_learn::curves(&trained, &timeweft_learn::stretches(&task, task.split.val_end..task.split.end, 5));
    assert!(curves.iter().all(|curves| curves.links == 5 && curves.deletion.iter().all(|change| change.is_finite())));
}
