//! Models: a training that is stopped, and nodes that are named by their id alone.

use std::ops::ControlFlow;

use timeweft::load::Stop;
use timeweft::model::{Freshness, LearnError, LearnProgress, Links, ModelError, Part};
use timeweft::read::NodeIndex;
use timeweft::{Action, Config, EdgeKey, Element, Error, Event, Graph, Model, NodeKey, Time, TimeUnit, TrainOptions};

fn graph() -> (tempfile::TempDir, Graph) {
    let dir = tempfile::tempdir().unwrap();
    let mut graph = Graph::create(dir.path().join("graph"), TimeUnit::Step).unwrap();
    let rows: String = (0..200).map(|time| format!("a{},b{},{time}\n", time % 4, time % 3)).collect();
    let mails = dir.path().join("mail.csv");
    std::fs::write(&mails, format!("src,dst,time\n{rows}")).unwrap();
    graph.load(&mails).run().unwrap();
    (dir, graph)
}

fn small(epochs: usize) -> Config {
    let mut config = Config::default();
    (config.train.epochs, config.train.batch, config.model.width) = (epochs, 20, 8);
    config
}

#[test]
fn a_training_that_is_stopped_keeps_its_best_epoch_or_nothing() {
    let (_dir, graph) = graph();
    let at_once = TrainOptions::new(small(3)).progress(|_| ControlFlow::Break(()));
    let stopped = graph.train("links", at_once);
    assert!(matches!(stopped, Err(Error::Model(ModelError::Learn(LearnError::Interrupted)))), "{stopped:?}");
    assert!(graph.models().unwrap().is_empty());
    let after_one = TrainOptions::new(small(3)).progress(|progress| match progress {
        LearnProgress::Epoch(_) => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    });
    assert_eq!(graph.train("links", after_one).unwrap().epochs().len(), 1);
    assert_eq!(graph.resume("links", 2, TrainOptions::default()).unwrap().epochs().len(), 2);
    assert_eq!(graph.models().unwrap(), ["links"]);
}

#[test]
fn a_training_that_may_leave_nothing_leaves_the_model_of_its_name_as_it_was() {
    let (dir, graph) = graph();
    graph.train("links", TrainOptions::new(small(1))).unwrap();
    let file = dir.path().join("graph/models/links.twm");
    let before = std::fs::read(&file).unwrap();
    // After an epoch that is whole, too.
    let stopped = TrainOptions::new(small(3)).or_nothing().progress(|progress| match progress {
        LearnProgress::Epoch(_) => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    });
    let stopped = graph.train("links", stopped);
    assert!(matches!(stopped, Err(Error::Model(ModelError::Learn(LearnError::Stopped)))), "{stopped:?}");
    assert!(std::fs::read(&file).unwrap() == before);
    let through = TrainOptions::new(small(2)).or_nothing().progress(|_| ControlFlow::Continue(()));
    assert_eq!(graph.train("links", through).unwrap().epochs().len(), 2);
}

#[test]
fn figures_are_kept_with_the_weights_that_they_are_about() {
    let (dir, mut graph) = graph();
    let model = graph.train("links", TrainOptions::new(small(1))).unwrap();
    let summary = |graph: &Graph| graph.model_summary("links", &graph.view()).unwrap();
    let kept = |graph: &Graph| -> Vec<(Part, Freshness, u64)> {
        let of = summary(graph).evaluations;
        of.iter().map(|one| (one.part, one.evaluation.freshness, one.commit.0)).collect()
    };
    assert_eq!(kept(&graph), []);
    let evaluate = |model: &Model, part, freshness: &[Freshness]| {
        model.keep_evaluations(part, &model.evaluate(part, freshness, None).unwrap())
    };
    evaluate(&model, Part::Validation, &[Freshness::Event]).unwrap();
    evaluate(&model, Part::Test, &[Freshness::Batch(50), Freshness::Event]).unwrap();
    let (test, event) = (Part::Test, Freshness::Event);
    let first = [(test, event, 1), (test, Freshness::Batch(50), 1), (Part::Validation, event, 1)];
    assert_eq!(kept(&graph), first);
    // Another batch takes the place of the first, an earlier commit's does not that of a later one's.
    let more = dir.path().join("more.csv");
    std::fs::write(&more, "src,dst,time\na1,b1,300\na2,b1,301\n").unwrap();
    graph.load(&more).run().unwrap();
    evaluate(&graph.load_model("links").unwrap(), test, &[Freshness::Batch(20)]).unwrap();
    evaluate(&model, test, &[Freshness::Batch(10)]).unwrap();
    assert_eq!(kept(&graph)[1], (test, Freshness::Batch(20), 2));
    assert_eq!((summary(&graph).commit.0, summary(&graph).absorbed.0, summary(&graph).behind), (1, 1, 2));
    // Memory that is kept is of the same weights; another training has no figures yet.
    let newest = graph.load_model("links").unwrap();
    newest.keep_memory().unwrap();
    assert_eq!((summary(&graph).absorbed.0, summary(&graph).behind, kept(&graph).len()), (2, 0, 3));
    assert_eq!(summary(&graph).next_time, Time(302));
    let mut config = small(1);
    config.train.seed += 1;
    graph.train("links", TrainOptions::new(config)).unwrap();
    assert_eq!(kept(&graph), []);
    for replaced in [evaluate(&newest, test, &[event]), newest.keep_memory()] {
        assert!(matches!(replaced, Err(Error::Model(ModelError::Replaced(_)))), "{replaced:?}");
    }
    // What was taken in is taken back: memory begins anew.
    graph.load_model("links").unwrap().keep_memory().unwrap();
    graph.rollback(graph.loads().last().unwrap().id).unwrap();
    let all = graph.view().index().facts().len();
    assert_eq!(summary(&graph).behind, all);
}

#[test]
fn an_answer_tells_of_what_and_what_was_seen() {
    let (_dir, graph) = graph();
    let model = graph.train("links", TrainOptions::new(small(1))).unwrap();
    let view = graph.view();
    let [ann, bo] = ["a1", "b2"].map(|id| view.node("node", id).unwrap().key());
    for time in [Time(90), model.next_time()] {
        let answer = model.predict("link", &ann).at(time).answer(4).unwrap();
        assert_eq!(answer.predictions, model.predict("link", &ann).at(time).top(4).unwrap());
        assert_eq!((&*answer.destination_type, answer.time), ("node", time));
        let all = model.predict("link", &ann).at(time).top(usize::MAX).unwrap();
        assert_eq!(answer.candidates, all.len());
        for (one, seen) in answer.predictions.iter().zip(&answer.seen) {
            let why = model.explain("link", &ann, &one.destination, time).unwrap();
            assert_eq!(*seen, why.counters.unwrap().pair);
            assert_eq!(why.score, one.score);
        }
    }
    // By no node, and by one that the graph never had.
    let why = model.why("link", &ann, &bo);
    let told = why.clone().explain().unwrap();
    let none = why.clone().without(&[]).unwrap();
    assert!((none.score - told.score).abs() < 1e-5 && (none.lead - told.lead).abs() < 1e-5);
    assert!(matches!(why.clone().without(&[NodeKey::new("node", "nobody")]), Err(Error::UnknownNode(_))));
    assert_ne!(why.clone().without(std::slice::from_ref(&bo)).unwrap().score, told.score);
    let stop = Stop::default();
    stop.ask();
    let stopped = why.at(Time(50)).until(&stop).explain();
    assert!(matches!(stopped, Err(Error::Model(ModelError::Learn(LearnError::Stopped)))));
    let stopped = model.predict("link", &ann).until(&stop).top(3);
    assert!(matches!(stopped, Err(Error::Model(ModelError::Learn(LearnError::Stopped)))));
}

#[test]
fn questions_name_nodes_by_id_by_key_or_by_handle() {
    let (_dir, graph) = graph();
    let model = graph.train("links", TrainOptions::new(small(1))).unwrap();
    let view = graph.view();
    let node = view.node("node", "a1").unwrap();
    let by_id = model.predict("link", "a1").top(3).unwrap();
    assert_eq!(by_id.len(), 3);
    assert_eq!(by_id, model.predict("link", &node.key()).top(3).unwrap());
    assert_eq!(by_id, model.predict("link", node).destination_type("node").at(model.next_time()).top(3).unwrap());
    assert!(matches!(model.predict("link", "nobody").top(3), Err(Error::UnknownNode(_))));
    assert!(matches!(model.predict("other", "a1").top(3), Err(Error::Model(ModelError::UnknownRelation { .. }))));
    assert!(matches!(model.predict("link", "a1").at("no time").top(3), Err(Error::Time(_))));
    assert!(matches!(graph.load_model("other"), Err(Error::Model(ModelError::NoModel { .. }))));
}

#[test]
fn links_by_numbers_have_the_scores_of_links_by_name() {
    let (_dir, graph) = graph();
    let model = graph.train("links", TrainOptions::new(small(1))).unwrap();
    let index = model.view().index().clone();
    let names = ["link".to_owned(), "likes".to_owned()];
    let n = index.n_nodes() as u32;
    // Times before, in and after the stream, and the end of time.
    let times = [-1, 3, 90, 250].map(Time).into_iter().chain([Time::FOREVER]);
    let (mut sources, mut relations, mut destinations, mut at, mut named) = (vec![], vec![], vec![], vec![], vec![]);
    for (i, time) in (0..).zip(times.cycle().take(200)) {
        let (source, relation, destination) = (NodeIndex(i % n), u32::from(i % 9 == 0), NodeIndex(i / 7 % n));
        let [from, to] = [source, destination].map(|node| index.node_key(node));
        let relation_name = names[relation as usize].as_str();
        let key = EdgeKey { source: from, relation: relation_name.into(), destination: to, key: None };
        sources.push(source);
        relations.push(relation);
        destinations.push(destination);
        at.push(time);
        named.push((key, time));
    }
    let links =
        |sources| Links { sources, relations: &relations, names: &names, destinations: &destinations, times: &at };
    let scores = model.score_links(links(&sources)).unwrap();
    assert_eq!(scores, model.score(&named).unwrap());
    let asked = scores.iter().flatten().count();
    assert!(asked > 100 && asked < 200, "{asked}");
    // Numbers that are no nodes cannot be asked about.
    let nobody = vec![NodeIndex(u32::MAX); 200];
    assert!(model.score_links(links(&nobody)).unwrap().iter().all(Option::is_none));
    let rows = model.embeddings(&[NodeIndex(u32::MAX), NodeIndex(0), NodeIndex(0)], &[Time(9), Time(-1), Time(9)]);
    let is_there: Vec<bool> = rows.chunks(8).map(|row| row.iter().all(|number| number.is_finite())).collect();
    assert_eq!(is_there, [false, false, true]);
}

#[test]
fn a_model_takes_in_what_is_loaded_and_begins_anew_where_that_is_taken_back() {
    let (dir, mut graph) = graph();
    let mut model = graph.train("links", TrainOptions::new(small(1))).unwrap();
    assert_eq!(model.update(&graph).unwrap(), 0);
    let more = dir.path().join("more.csv");
    std::fs::write(&more, "src,dst,time\na1,b1,300\na2,b9,301\n").unwrap();
    graph.load(&more).run().unwrap();
    // An edge, and a node with its edge.
    assert_eq!(model.update(&graph).unwrap(), 3);
    assert_eq!((model.view().commit(), model.next_time()), (graph.commit(), Time(302)));
    let links: Vec<(EdgeKey, Time)> = (0..4)
        .map(|i| {
            let [source, destination] = [format!("a{i}"), format!("b{}", i % 3)].map(|id| NodeKey::new("node", &*id));
            (EdgeKey { source, relation: "link".into(), destination, key: None }, Time(310))
        })
        .collect();
    let scores = model.score(&links).unwrap();
    assert!(scores.iter().all(Option::is_some));
    let anew = graph.load_model("links").unwrap().score(&links).unwrap();
    assert!(scores.iter().zip(&anew).all(|(a, b)| (a.unwrap() - b.unwrap()).abs() < 1e-5));
    graph.rollback(graph.loads().last().unwrap().id).unwrap();
    let whole = model.update(&graph).unwrap();
    assert_eq!(whole, model.view().index().facts().len());
    assert_eq!(model.score(&links).unwrap(), graph.load_model("links").unwrap().score(&links).unwrap());
    assert_ne!(model.score(&links).unwrap(), scores);
}

/// A mail, by the names of its ends.
fn mail(source: &str, destination: &str) -> EdgeKey {
    let [source, destination] = [source, destination].map(|id| NodeKey::new("node", id));
    EdgeKey { source, relation: "link".into(), destination, key: None }
}

#[test]
fn events_that_come_one_by_one_are_answered_as_if_they_were_loaded() {
    let (dir, mut graph) = graph();
    graph.train("links", TrainOptions::new(small(1))).unwrap();
    let mut model = graph.load_model("links").unwrap();
    // One of the time of the last that is there, two of one time, and one with a node of its own.
    let mails = [("a1", "b1", 199), ("a2", "b2", 300), ("a3", "b9", 300), ("a1", "b1", 305)];
    let links: Vec<(EdgeKey, Time)> = [300, 305, 306, 150]
        .into_iter()
        .flat_map(|time| (0..4).map(move |i| (mail(&format!("a{i}"), "b1"), Time(time))))
        .collect();
    for (source, destination, time) in mails {
        let event = Event::new(Time(time), Action::Create, Element::Edge(mail(source, destination)));
        assert!(model.absorb(&[event]).rejected.is_empty());
        assert!(model.score(&links).unwrap().iter().all(Option::is_some));
    }
    assert_eq!(
        (model.next_time(), graph.view().index().facts().len() + 5),
        (Time(306), model.view().index().facts().len())
    );
    let refused = model.keep_memory().unwrap_err().to_string();
    assert!(refused.contains("has taken in 5 facts") && refused.contains("load these events"), "{refused}");
    let rows: String =
        mails.iter().map(|(source, destination, time)| format!("{source},{destination},{time}\n")).collect();
    std::fs::write(dir.path().join("more.csv"), format!("src,dst,time\n{rows}")).unwrap();
    graph.load(dir.path().join("more.csv")).run().unwrap();
    let loaded = graph.load_model("links").unwrap();
    assert_eq!(model.score(&links).unwrap(), loaded.score(&links).unwrap());
    let top = |model: &Model| model.predict("link", "a1").top(9).unwrap();
    assert_eq!(top(&model), top(&loaded));
    // What is loaded counts from now on, and is kept.
    assert!(model.update(&graph).unwrap() > 0);
    assert_eq!(top(&model), top(&loaded));
    model.keep_memory().unwrap();
    assert_eq!(top(&graph.load_model("links").unwrap()), top(&loaded));
}
