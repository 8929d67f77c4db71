//! What is asked of a trained model in service: embeddings, weights by name, and taking in what came since.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use timeweft_graph::{Direction, Event, NodeIndex, NodeKey, Time};
use timeweft_index::Index;
use timeweft_learn::nn::Tensor;
use timeweft_learn::pipeline::{Reader, Remembered, ask};
use timeweft_learn::{Bucket, Config, GraphContext, Query, Root, Space, Task, Trained, VectorStore, rebuild, train};

use crate::worlds::{draw, floats, index, mixed, small, variants, weights};

fn trained(events: &[Event], config: &Config) -> Trained {
    let mut config = config.clone();
    config.train.epochs = 1;
    let task = Task::new(index(events), &config).unwrap();
    train(&task, &config, |_| ()).unwrap()
}

fn worst(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

/// One row, from memory that is made of everything before its time: the slow reference.
fn embedding(trained: &Trained, node: NodeIndex, time: Time) -> Vec<f32> {
    let Trained { model, graph, config, .. } = trained;
    let store = rebuild(model, graph, config, graph.n_facts_before(time));
    let reader = Reader { model, graph, store: &store };
    let nothing = Remembered::nothing(&store);
    floats(reader.embed(&nothing, &reader.neighborhood(&nothing, &[Root { node, as_of: time }]), None))
}

/// What the predictor makes of two rows.
fn scored(trained: &Trained, query: &Query, rows: [&[f32]; 2]) -> f32 {
    let Trained { model, graph, config, .. } = trained;
    let store = &rebuild(model, graph, config, graph.n_facts_before(query.time));
    let reader = Reader { model, graph, store };
    let (roots, pairs) = ask(graph, &[*query]);
    let read = reader.neighborhood(&Remembered::nothing(store), &roots).root_read;
    let pairs = pairs.measure(&[*query], &read);
    let width = rows[0].len();
    let rows = Tensor::new(rows.concat(), [2, width]);
    floats(reader.score(rows, &[*query], &pairs))[0]
}

#[test]
fn embeddings_at_many_times_are_those_of_one_node_at_one_time_and_what_scores_are_made_of() {
    for (name, config) in variants() {
        let trained = trained(&mixed(90, 5), &config);
        let (index, width) = (&trained.graph.index, config.model.width);
        let asked: Vec<(NodeIndex, Time)> = (0..40)
            .map(|i| (NodeIndex(draw(3, 2 * i, 24) as u32), Time(draw(3, 2 * i + 1, 36) as i64 * 10 + 1)))
            .collect();
        let rows = trained.scorer().embed(&asked);
        assert_eq!(rows.len(), asked.len() * width);
        for (&(node, time), row) in asked.iter().zip(rows.chunks(width)) {
            let off = worst(row, &embedding(&trained, node, time));
            assert!(off < 1e-5, "{name}: node {} at {}: {off}", node.0, time.0);
        }
        let find = |of: &str, id: u64| index.node_index(&NodeKey::new(of, id)).unwrap();
        let time = Time(251);
        for (user, item) in [(0, 1), (3, 4), (7, 7)] {
            let (source, destination) = (find("user", user), find("item", item));
            let rows = trained.scorer().embed(&[(source, time), (destination, time)]);
            let (edge_type, direction) = (timeweft_graph::EdgeTypeId(0), Direction::Out);
            let query = Query { edge_type, direction, source, destination, time, as_of: time };
            let off =
                (trained.score(&[query], time)[0] - scored(&trained, &query, [&rows[..width], &rows[width..]])).abs();
            assert!(off < 1e-5, "{name}: {off}");
        }
        let cosine = |a: &[f32], b: &[f32]| {
            let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>();
            dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
        };
        let own = embedding(&trained, find("user", 3), time);
        for (node, told) in trained.nearest(find("user", 3), time, Space::Embedding, 4) {
            let off = (cosine(&own, &embedding(&trained, node, time)) - f64::from(told)).abs();
            assert!(off < 1e-5, "{name}: {off}");
        }
    }
}

/// All that memory holds of all nodes.
pub(crate) fn held(graph: &GraphContext, store: &VectorStore) -> (Vec<Option<Time>>, Vec<f32>) {
    let nodes = || (0..graph.index.n_nodes() as u32).map(NodeIndex);
    let mut numbers = Vec::new();
    for node in nodes() {
        numbers.extend_from_slice(store.state(node).unwrap_or_default());
        numbers.extend_from_slice(store.memory(node).unwrap_or_default());
    }
    (nodes().map(|node| store.last(node)).collect(), numbers)
}

/// Compares a model that caught up with the one that its checkpoint gives.
fn assert_same(name: &str, caught_up: &Trained, anew: &Trained) {
    let ((last, numbers), (last_anew, numbers_anew)) =
        (held(&caught_up.graph, &caught_up.store), held(&anew.graph, &anew.store));
    assert_eq!(last, last_anew, "{name}");
    let off = worst(&numbers, &numbers_anew);
    // Where batches are part of the model they are cut alike, so that nothing differs.
    let is_part = caught_up.config.model.bucket == Bucket::Batch || caught_up.config.model.sweeps > 0;
    assert!(off <= if is_part { 0.0 } else { 1e-5 }, "{name}: {off}");
    assert_eq!(caught_up.store.absorbed(), anew.store.absorbed(), "{name}");
    assert_eq!((caught_up.best, &caught_up.epochs), (anew.best, &anew.epochs), "{name}");
    assert!(weights(&caught_up.model) == weights(&anew.model), "{name}");
}

#[test]
fn a_model_that_catches_up_is_the_one_that_its_checkpoint_gives() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.twm");
    let mut cuts = [0, 0];
    for (seed, (name, config)) in (0..).zip(variants()) {
        let events = mixed(150, seed);
        let mut ends: Vec<usize> = (0..3).map(|i| 100 + draw(seed, i, events.len() as u64 - 99) as usize).collect();
        ends.sort_unstable();
        let mut model = trained(&events[..100], &config);
        model.save(&path, &[1]).unwrap();
        for end in ends {
            let newer = index(&events[..end]);
            let known = model.graph.facts().len();
            let (next, taken_in) = model.caught_up(newer.clone(), true, &path).unwrap();
            let anew = Trained::load(&path, newer, &[1, 2]).unwrap();
            // Facts of one time are taken in together: where memory has some of them it takes that time back.
            let facts = anew.graph.facts();
            let is_cut = facts.get(known).is_some_and(|next| next.time == facts[known - 1].time);
            let is_part = config.model.bucket == Bucket::Batch || config.model.sweeps > 0;
            let from = match is_cut {
                true if is_part => 0,
                true => facts.partition_point(|fact| fact.time < facts[known].time),
                false => known,
            };
            assert_eq!(taken_in, facts.len() - from, "{name}");
            cuts[usize::from(is_cut)] += 1;
            assert_same(name, &next, &anew);
            model = next;
        }
    }
    assert!(cuts.iter().all(|&cut| cut > 5), "{cuts:?}");
}

#[test]
fn memory_begins_anew_where_facts_came_in_before_others_or_loads_are_gone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.twm");
    let (events, config) = (mixed(120, 3), small());
    let model = trained(&events[..110], &config);
    model.save(&path, &[1, 2]).unwrap();
    let check = |index: Arc<Index>, continues: bool, loads: &[u64]| {
        let (next, taken_in) = model.caught_up(index.clone(), continues, &path).unwrap();
        assert_eq!(taken_in, next.graph.facts().len(), "all of them");
        assert_same("anew", &next, &Trained::load(&path, index, loads).unwrap());
    };
    // One that is left out, and with it the order of those behind it.
    let late: Vec<Event> = [&events[..60], &events[61..]].concat();
    check(index(&late), true, &[1, 2, 3]);
    check(index(&events[..90]), true, &[1, 2]);
    check(index(&events), false, &[1, 7]);
    let other = index(&mixed(3, 1)[..1]);
    assert!(model.caught_up(other, true, &path).is_ok(), "it knows the users");
    let empty = Arc::new(Index::new(timeweft_graph::Schema::new(timeweft_graph::TimeUnit::Step)));
    let refused = |index| model.caught_up(index, true, Path::new("here")).err().map(|error| error.to_string());
    assert!(refused(empty).unwrap().starts_with("here: the model was trained on another graph"));
}

#[test]
fn weights_have_the_names_of_their_fields() {
    for (name, config) in variants() {
        let trained = trained(&mixed(60, 2), &config);
        let named = trained.weights();
        let names: BTreeSet<&str> = named.iter().map(|weight| &*weight.name).collect();
        assert_eq!(names.len(), named.len(), "{name}");
        assert!(names.contains("predictor.source.weight"), "{name}: {names:?}");
        assert!(named.is_sorted_by_key(|weight| &weight.name), "{name}");
        let bits = |values: &[f32]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
        let mut values: Vec<Vec<u32>> = named.iter().map(|weight| bits(&weight.values)).collect();
        let mut all = weights(&trained.model);
        values.sort();
        all.sort();
        assert!(values == all, "{name}");
        assert!(named.iter().all(|weight| weight.shape.iter().product::<usize>() == weight.values.len()), "{name}");
    }
}

#[test]
fn a_model_is_written_whole_though_another_process_takes_what_is_half_written() {
    let trained = trained(&mixed(60, 5), &small());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("copy.model");
    let is_partial = |path: &Path| path.extension().is_some_and(|extension| extension == "partial");
    let removed = || {
        let entries = std::fs::read_dir(folder.path()).unwrap().flatten().map(|entry| entry.path());
        entries.into_iter().any(|path| is_partial(&path) && std::fs::remove_file(path).is_ok())
    };
    std::thread::scope(|scope| {
        scope.spawn(|| while !removed() && !path.exists() {});
        trained.save(&path, &[1, 2]).unwrap();
    });
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing else is left");
    let again = Trained::load(&path, trained.graph.index.clone(), &[1, 2]).unwrap();
    assert_eq!(weights(&again.model), weights(&trained.model));
    assert!(again.store == trained.store);
}
