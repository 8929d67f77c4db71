//! Models: a training that is stopped, and nodes that are named by their id alone.

use std::ops::ControlFlow;

use timeweft::model::{LearnError, LearnProgress, ModelError};
use timeweft::{Config, Error, Graph, TimeUnit, TrainOptions};

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
