//! The model learns: overfitting, gradients, checkpoints, explanations, protocol.

use timeweft_graph::{Action, Deletes, Event, NodeKey, Schema, Time, TimeUnit};
use timeweft_index::Index;
use timeweft_learn::nn::{self, Module, Param, Tensor};
use timeweft_learn::{
    AdamW, Config, Freshness, GnnKind, Loss, MemoryCellKind, Metrics, Optimizer, Rule, Split, Task, Trained,
    average_precision, break_down, candidates, pipeline, rank, resume, train,
};

use crate::worlds::{data, draw, edge, floats, index, mixed, node, small, variants, weights};

/// 64 links that a model can learn by heart: each user has an item of its own that no counter tells.
fn by_heart() -> Vec<timeweft_graph::Event> {
    let mut events = Vec::new();
    for i in 0..16 {
        events.push(node(0, Action::Create, NodeKey::new("user", i)));
        events.push(node(0, Action::Create, NodeKey::new("item", i)));
    }
    for i in 0..65 {
        let user = draw(11, i, 16);
        let item = (5 * user + 3) % 16;
        events.push(edge(
            1 + i as i64,
            Action::Create,
            NodeKey::new("user", user),
            "buys",
            NodeKey::new("item", item),
            i,
        ));
    }
    events
}

/// Scores of the training links and of their candidates, by a model trained on just these, and its last loss.
fn overfitted(config: &Config, epochs: usize) -> (Vec<(f32, Vec<f32>)>, f64) {
    let mut config = config.clone();
    config.model.counters = false;
    config.train.epochs = epochs;
    config.train.learning_rate = 5e-3;
    // No validation part: no later link may choose other weights.
    config.train.split = [0.999, 0.9999];
    let task = Task::new(index(&by_heart()), &config).unwrap();
    assert_eq!((task.split.train_end, task.split.val_end), (64, 64));
    let trained = train(&task, &config, |_| ()).unwrap();
    let score = |(number, link): (usize, &timeweft_learn::Link)| {
        let others = task.candidates(number, 8, 1);
        let ask = |link: timeweft_learn::Link| link.question(link.destination, link.time);
        let queries: Vec<_> = std::iter::once(*link).chain(others).map(ask).collect();
        let logits = trained.score(&queries, link.time);
        (logits[0], logits[1..].to_vec())
    };
    (task.links[..64].iter().enumerate().map(score).collect(), trained.epochs.last().unwrap().loss)
}

#[test]
fn sixty_four_events_are_learnt_by_heart_by_every_cell_reading_and_loss() {
    for cell in [MemoryCellKind::Mamba, MemoryCellKind::Gru] {
        for gnn in [GnnKind::Transformer, GnnKind::Cooperative, GnnKind::None] {
            for loss in [Loss::Softmax, Loss::Bce] {
                let mut config = small();
                (config.model.cell, config.model.gnn, config.train.loss) = (cell, gnn, loss);
                let name = format!("{cell:?}, {gnn:?}, {loss:?}");
                // Decisions that are noisy in training take longer to settle.
                let (scores, last) = overfitted(&config, if gnn == GnnKind::Cooperative { 240 } else { 120 });
                assert!(last < 0.01, "{name}: loss {last}");
                if loss == Loss::Bce {
                    let (truths, others): (Vec<f32>, Vec<Vec<f32>>) = scores.into_iter().unzip();
                    assert_eq!(average_precision(&truths, &others.concat()), 1.0, "{name}");
                } else {
                    // The softmax compares the answers of one question: its scores have no common zero.
                    for (truth, others) in scores {
                        assert_eq!(average_precision(&[truth], &others), 1.0, "{name}: {truth} {others:?}");
                    }
                }
            }
        }
    }
}

#[test]
fn every_variant_trains_twice_to_the_same_bits_and_goes_on_where_it_stood() {
    for (name, mut config) in variants() {
        config.train.epochs = 3;
        let task = Task::new(index(&mixed(90, 1)), &config).unwrap();
        let whole = train(&task, &config, |_| ()).unwrap();
        assert!(whole.epochs.iter().all(|epoch| epoch.loss.is_finite()), "{name}");
        let mut first = config.clone();
        first.train.epochs = 1;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.twm");
        train(&task, &first, |_| ()).unwrap().save(&path, &[]).unwrap();
        let half = Trained::load(&path, task.index.clone(), &[]).unwrap();
        let resumed = resume(&task, &config, half, |_| (), &|| false).unwrap();
        let losses = |trained: &Trained| trained.epochs.iter().map(|epoch| epoch.loss).collect::<Vec<_>>();
        assert_eq!(losses(&whole), losses(&resumed), "{name}");
        assert!(weights(&whole.latest.model) == weights(&resumed.latest.model), "{name}");
        assert_eq!(whole.best, resumed.best, "{name}");
        assert!(whole.store == resumed.store, "{name}");
        assert!(one_more_step(&whole, &task) == one_more_step(&resumed, &task), "{name}");
    }
}

#[test]
fn training_goes_on_only_with_its_own_configuration() {
    let mut config = small();
    config.train.epochs = 1;
    let task = Task::new(index(&mixed(90, 1)), &config).unwrap();
    let trained = train(&task, &config, |_| ()).unwrap();
    config.model.deletes = Deletes::Soft;
    let Err(error) = resume(&task, &config, trained, |_| (), &|| false) else {
        panic!("another configuration was taken")
    };
    assert!(error.to_string().contains("another configuration"), "{error}");
}

#[test]
fn training_stops_when_it_gets_no_better() {
    let mut config = small();
    (config.train.epochs, config.train.patience) = (200, 2);
    let task = Task::new(index(&mixed(120, 1)), &config).unwrap();
    let trained = train(&task, &config, |_| ()).unwrap();
    let n = trained.epochs.len();
    assert!(n < 200 && n == trained.best + 2, "{n} epochs, best {}", trained.best);
    let mrr = |epoch: usize| trained.epochs[epoch - 1].validation.mrr;
    assert!((1..=n).all(|epoch| mrr(epoch) <= mrr(trained.best)));
}

/// All weights after one more step of the optimiser from where it stood.
fn one_more_step(trained: &Trained, task: &Task) -> Vec<Vec<u32>> {
    let mut model = trained.latest.model.clone().tracked();
    let link = task.links[task.links.len() - 1];
    let query = link.question(link.destination, link.time);
    let nothing = pipeline::Remembered::nothing(&trained.store);
    let logits = pipeline::Reader { model: &model, graph: &trained.graph, store: &trained.store }.answer(
        &nothing,
        &[query],
        None,
    );
    let gradients = nn::total(logits).backward();
    trained.latest.optimizer.clone().step(0.1, &mut model, gradients);
    weights(&model)
}

/// Numbers in [-1, 1].
fn drawn(seed: u64, n: u64) -> Vec<f32> {
    (0..n).map(|i| draw(seed, i, 2001) as f32 / 1000.0 - 1.0).collect()
}

/// One step of a weight whose gradient is given.
fn step(optimizer: &mut Optimizer, weight: &mut Param<2>, gradient: Vec<f32>) {
    let gradients = nn::total(weight.val() * Tensor::new(gradient, [20, 3])).backward();
    optimizer.step(0.01, weight, gradients);
}

#[test]
fn adamw_steps_as_its_definition_does() {
    let unclipped = AdamW { clip: f32::INFINITY, ..AdamW::default() };
    let mut optimizer = Optimizer::from(unclipped.clone());
    let mut weight = Param::new(drawn(1, 60), [20, 3]).tracked();
    let gradients: Vec<Vec<f32>> = (0..20).map(|at| drawn(100 + at, 60)).collect();
    gradients.iter().for_each(|gradient| step(&mut optimizer, &mut weight, gradient.clone()));
    let AdamW { beta, epsilon, weight_decay, .. } = unclipped;
    let settings = [0.01, beta[0], beta[1], epsilon, weight_decay].map(f64::from);
    let expected = timeweft_oracle::kernels::adamw(&drawn(1, 60), &gradients, settings);
    let found = floats(weight.val());
    let worst = found.iter().zip(&expected).map(|(a, b)| (f64::from(*a) - b).abs()).fold(0.0, f64::max);
    assert!(worst < 3e-6, "{worst}");
    assert!(found.iter().zip(drawn(1, 60)).any(|(a, b)| (a - b).abs() > 1e-3));
}

#[test]
fn a_long_gradient_is_shortened_before_anything_else() {
    let length = drawn(7, 60).iter().map(|x| x * x).sum::<f32>().sqrt();
    let stepped = |length: f32| {
        let mut weight = Param::new(drawn(1, 60), [20, 3]).tracked();
        step(&mut Optimizer::default(), &mut weight, drawn(7, 60).iter().map(|x| x / length).collect());
        floats(weight.val())
    };
    let (long, short) = (stepped(length / 50.0), stepped(length));
    let worst = long.iter().zip(&short).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(worst < 1e-6, "{worst}");
}

#[test]
fn checkpoint_answers_as_the_model_that_was_saved() {
    let config = small();
    let task = Task::new(index(&mixed(120, 1)), &config).unwrap();
    let trained = train(&task, &config, |_| ()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.twm");
    trained.save(&path, &[]).unwrap();
    let loaded = Trained::load(&path, task.index.clone(), &[]).unwrap();
    assert_eq!(trained.store, loaded.store);
    assert_eq!(one_more_step(&trained, &task), one_more_step(&loaded, &task));
    let part = task.split.val_end..task.split.end;
    let figures = |t: &Trained| t.to_rank(&task, part.clone(), Freshness::Event).evaluate(|_| ());
    assert_eq!(figures(&trained), figures(&loaded));

    let mut bytes = std::fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&path, &bytes).unwrap();
    let Err(error) = Trained::load(&path, task.index.clone(), &[]) else { panic!("a damaged checkpoint was read") };
    assert!(error.to_string().contains("damaged"), "{error}");
    std::fs::write(&path, &bytes[..40]).unwrap();
    assert!(Trained::load(&path, task.index.clone(), &[]).is_err());
    let other = Index::new(Schema::new(TimeUnit::Step));
    trained.save(&path, &[]).unwrap();
    let Err(error) = Trained::load(&path, other.into(), &[]) else { panic!("a model of another graph was read") };
    assert!(error.to_string().contains("another graph"), "{error}");
}

#[test]
fn contributions_are_first_order_shares_of_the_score() {
    let config = small();
    let task = Task::new(index(&mixed(120, 1)), &config).unwrap();
    let trained = train(&task, &config, |_| ()).unwrap();
    let link = task.links[task.split.end - 1];
    let query = link.question(link.destination, link.time);
    let explanation = trained.explain(&query);
    let logit = trained.score(std::slice::from_ref(&query), link.time)[0];
    assert!((explanation.logit - logit).abs() < 1e-5, "{} {logit}", explanation.logit);
    assert!(!explanation.neighbors.is_empty());
    for heard in &explanation.neighbors {
        assert!(heard.created < link.time);
        assert!(heard.attention.iter().all(|alpha| (0.0..=1.0).contains(alpha)));
        assert!(heard.contribution.is_finite());
    }
    let at_source: f32 =
        explanation.neighbors.iter().filter(|heard| heard.at_source).map(|heard| heard.attention[0]).sum();
    assert!(at_source < 1.0, "the sink keeps a share: {at_source}");
}

#[test]
fn rank_counts_ties_half_and_never_rewards_nan() {
    assert_eq!(rank(&1.0, &[0.0, 1.0, 2.0]), 2.5);
    assert_eq!(rank(&f32::NAN, &[0.0, 1.0]), 3.0);
    assert_eq!(rank(&1.0, &[f32::NAN]), 2.0);
}

#[test]
fn average_precision_equals_the_definition() {
    // Brute force: precision at each positive, in order of score.
    let (positives, negatives) = ([0.9, 0.4, 0.7], [0.8, 0.1, 0.5]);
    let expected = (1.0 / 1.0 + 2.0 / 3.0 + 3.0 / 5.0) / 3.0;
    assert!((average_precision(&positives, &negatives) - expected).abs() < 1e-12);
}

#[test]
fn a_split_never_cuts_a_timestamp() {
    let times = [0, 1, 2, 3, 4, 5, 5, 5, 5, 9];
    assert_eq!(Split::by_share(&times, [0.6, 0.9]), Split { train_end: 9, val_end: 9, end: 10 });
    assert_eq!(Split::by_time(&times, [3, 5]), Split { train_end: 4, val_end: 9, end: 10 });
}

#[test]
fn candidates_are_those_of_the_protocol() {
    // First draws of the reference implementation for event 5 of a pool of 1000, seed 1.
    let drawn = candidates(5, 1000, 1000, 3, 1);
    let expected: Vec<usize> =
        (0..3u64).map(|j| (timeweft_learn::splitmix64((1 << 48) ^ (5 << 16) ^ j) % 1000) as usize).collect();
    assert_eq!(drawn, expected);
    assert_eq!(candidates(5, expected[0], 1000, 2, 1), expected[1..]);
    assert!(candidates(0, 0, 1, 10, 1).is_empty());
}

#[test]
fn gradients_of_the_whole_model_match_finite_differences() {
    for (name, config) in variants() {
        eprintln!("{name}");
        crate::gradients::check_all(config);
    }
}

/// Loads a stream of real data as links of one relation.
fn stream(path: &std::path::Path, types: [&str; 2]) -> std::sync::Arc<Index> {
    let text = std::fs::read_to_string(path).unwrap();
    let mut known = std::collections::BTreeSet::new();
    let mut events = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let fields: Vec<&str> = line.split([',', ' ']).collect();
        let Ok(time) = fields[2].parse::<f64>() else { continue };
        let ends = [NodeKey::new(types[0], fields[0]), NodeKey::new(types[1], fields[1])];
        for end in &ends {
            if known.insert(end.clone()) {
                events.push(node(time as i64, Action::Create, end.clone()));
            }
        }
        let [source, destination] = ends;
        events.push(edge(time as i64, Action::Create, source, "link", destination, number as u64));
    }
    index(&events)
}

fn figure(rows: &[(Rule, Metrics)], rule: Rule) -> Metrics {
    rows.iter().find(|row| row.0 == rule).unwrap().1
}

fn near(figure: f64, published: f64) {
    assert!((figure - published).abs() <= 0.002, "{figure} against {published}");
}

#[test]
fn rules_reproduce_the_protocol_on_uci() {
    let Some(folder) = data("rules_reproduce_the_protocol_on_uci") else { return };
    let task = Task::new(stream(&folder.join("uci/events.csv"), ["user", "user"]), &Config::default()).unwrap();
    assert_eq!(task.links.len(), 59_835);
    let test = task.split.val_end..task.split.end;
    let fresh = figure(&Rule::evaluate(&task, test.clone(), Freshness::Event, 100, 1), Rule::Recency);
    near(fresh.mrr, 0.758);
    near(fresh.hits10, 0.888);
    let stale = figure(&Rule::evaluate(&task, test, Freshness::Batch(200), 100, 1), Rule::Recency);
    near(stale.mrr, 0.619);
    near(stale.hits10, 0.811);
}

#[test]
fn rules_reproduce_the_published_figures_on_wikipedia() {
    let Some(folder) = data("rules_reproduce_the_published_figures_on_wikipedia") else { return };
    let mut config = Config::default();
    config.train.split_times = Some([1_862_652, 2_218_288]);
    config.evaluate.candidates = 0;
    config.evaluate.batches_from_part = true;
    let task = Task::new(stream(&folder.join("wikipedia/ml_wikipedia.txt"), ["user", "page"]), &config).unwrap();
    let split = task.split;
    assert_eq!(
        [split.train_end, split.val_end - split.train_end, split.end - split.val_end],
        [110_232, 23_621, 23_621]
    );
    let parts = [split.train_end..split.val_end, split.val_end..split.end];
    for (part, [bank, window, stale, fresh]) in
        parts.into_iter().zip([[0.527, 0.600, 0.759, 0.842], [0.495, 0.571, 0.729, 0.821]])
    {
        let rows = Rule::evaluate(&task, part.clone(), Freshness::Batch(200), 0, 1);
        near(figure(&rows, Rule::EdgeBank).mrr, bank);
        near(figure(&rows, Rule::EdgeBankWindow).mrr, window);
        near(figure(&rows, Rule::Recency).mrr, stale);
        near(figure(&Rule::evaluate(&task, part, Freshness::Event, 0, 1), Rule::Recency).mrr, fresh);
    }
}

#[test]
fn kinds_of_wrong_answers_are_counted_as_a_scan_counts_them() {
    let mut config = small();
    config.train.epochs = 1;
    let task = Task::new(index(&mixed(300, 1)), &config).unwrap();
    let trained = train(&task, &config, |_| ()).unwrap();
    let test = task.split.val_end..task.split.end;
    let told = trained.to_rank(&task, test.clone(), Freshness::Event).evaluate(|_| ());
    // Answers to the same source that it reaches at this very time are not wrong.
    let graph = &task.index;
    let met = |link: &timeweft_learn::Link| -> Vec<_> {
        let before = task.links.iter().filter(|other| other.time < link.time && other.source == link.source);
        before.map(|other| other.destination).filter(|&node| !task.is_answer(link, node)).collect()
    };
    let (mut n_met, mut n_removed) = (0, 0);
    for link in &task.links[test.clone()] {
        let met = met(link);
        let gone = |node| !graph.is_linked(link.edge_type, link.source, node, link.time.before());
        n_met += usize::from(!met.is_empty());
        n_removed += usize::from(met.into_iter().any(gone));
    }
    assert!(0 < n_removed && n_removed < test.len(), "{n_removed}");
    let counts: Vec<_> = told.kinds.iter().map(|(name, _, count)| (name.as_str(), *count)).collect();
    let wanted = [
        ("any candidate", test.len()),
        ("answers of training links", test.len()),
        ("nodes met before", n_met),
        ("edges removed before", n_removed),
    ];
    // All items were bought in the training part: none is new.
    assert_eq!(counts, wanted);
    assert!(told.kinds.iter().all(|(_, precision, _)| (0.0..=1.0).contains(precision)));
    let bins = &told.calibration.bins;
    assert_eq!(bins.iter().map(|bin| bin.right).sum::<usize>(), test.len());
    assert_eq!(bins.iter().map(|bin| bin.candidates).sum::<usize>(), test.len() * 9);
    assert!((bins.iter().map(|bin| bin.expected).sum::<f64>() - test.len() as f64).abs() < 1e-6);
}

#[test]
fn a_scorer_that_goes_forward_in_time_scores_as_one_question_after_the_other() {
    let task = Task::new(index(&mixed(120, 1)), &small()).unwrap();
    let trained = train(&task, &small(), |_| ()).unwrap();
    let mut queries: Vec<_> = task.links.iter().map(|link| link.question(link.destination, link.time)).collect();
    // Backwards, and a second time: memory has to begin anew.
    queries.reverse();
    let mut scorer = trained.scorer();
    for _ in 0..2 {
        for (query, told) in queries.iter().zip(scorer.score(&queries)) {
            let wanted = trained.score(&[*query], query.time)[0];
            assert!((told - wanted).abs() < 1e-4, "{told} {wanted}");
        }
    }
}

#[test]
fn the_nearest_by_memory_have_the_largest_cosines() {
    let task = Task::new(index(&mixed(120, 1)), &small()).unwrap();
    let trained = train(&task, &small(), |_| ()).unwrap();
    let graph = &task.index;
    let (node, now) = (task.links[0].source, timeweft_graph::Time(10_000));
    let cosine = |a: &[f32], b: &[f32]| {
        let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
        dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
    };
    let vector = |node| trained.store.memory(node).unwrap();
    let others = (0..graph.n_nodes() as u32).map(timeweft_graph::NodeIndex).filter(|other| {
        *other != node && graph.node_type(*other) == graph.node_type(node) && trained.store.memory(*other).is_some()
    });
    let mut wanted: Vec<_> = others.map(|other| (other, cosine(vector(node), vector(other)))).collect();
    wanted.sort_by(|a, b| b.1.total_cmp(&a.1));
    let told = trained.nearest(node, now, timeweft_learn::Space::Memory, 100);
    assert_eq!(told.len(), wanted.len());
    for ((_, told), (_, wanted)) in told.iter().zip(&wanted) {
        assert!((told - wanted).abs() < 1e-5, "{told} {wanted}");
    }
    assert_eq!(trained.nearest(node, now, timeweft_learn::Space::Embedding, 4).len(), 4);
}

#[test]
fn links_are_told_apart_by_what_the_asking_node_had_met() {
    let buys = |time: i64, user: u64, item: u64| {
        let (user, item) = (NodeKey::new("user", user), NodeKey::new("item", item));
        edge(time, Action::Create, user, "buys", item, time as u64)
    };
    let nodes = (0..3).flat_map(|id| ["user", "item"].map(|kind| node(0, Action::Create, NodeKey::new(kind, id))));
    let mut events: Vec<Event> = nodes.collect();
    // Nobody before, then the last one, never, before, last; and somebody new.
    events.extend([(1, 0, 0), (2, 0, 0), (3, 0, 1), (4, 0, 0), (5, 0, 0), (6, 1, 0)].map(|(t, u, i)| buys(t, u, i)));
    let mut config = small();
    config.train.split = [0.4, 0.5];
    let task = Task::new(index(&events), &config).unwrap();
    assert_eq!(task.links.len(), 6);
    let ranks = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0];
    let mrr = |as_of: &dyn Fn(usize) -> Time, name: &str| {
        let rows = break_down(&task, 0..6, &ranks, as_of);
        rows.iter().find(|(of, _)| of == name).map(|(_, metrics)| (metrics.events, metrics.mrr))
    };
    let fresh = |number: usize| task.links[number].time;
    assert_eq!(mrr(&fresh, "the answer was met last"), Some((2, (1.0 / 2.0 + 1.0 / 16.0) / 2.0)));
    assert_eq!(mrr(&fresh, "the answer was met before"), Some((1, 1.0 / 8.0)));
    assert_eq!(mrr(&fresh, "the answer was never met"), Some((1, 1.0 / 4.0)));
    assert_eq!(mrr(&fresh, "the asking node had met nobody"), Some((2, (1.0 + 1.0 / 32.0) / 2.0)));
    // As of the second link, the first one alone is known.
    let stale = |_| Time(2);
    assert_eq!(mrr(&stale, "the answer was met last").map(|(links, _)| links), Some(4));
    assert_eq!(mrr(&stale, "the answer was met before"), None);
}
