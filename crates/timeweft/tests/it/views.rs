//! Views: handles of nodes and edges, and what they say as of a time.

use timeweft::sample::{Choice, Side};
use timeweft::{Error, Graph, TimeUnit};

/// Mails 1 to 2 at 5, 1 to 3 at 8; node 3 is deleted at 9.
fn graph() -> (tempfile::TempDir, Graph) {
    let dir = tempfile::tempdir().unwrap();
    let mut graph = Graph::create(dir.path().join("graph"), TimeUnit::Step).unwrap();
    let mails = dir.path().join("mail.csv");
    std::fs::write(&mails, "src,dst,time\n1,2,5\n1,3,8\n").unwrap();
    graph.load(&mails).run().unwrap();
    let gone = dir.path().join("gone.jsonl");
    std::fs::write(&gone, r#"{"time":9,"action":"delete","entity":"node","source":{"type":"node","id":3}}"#).unwrap();
    graph.load(&gone).run().unwrap();
    (dir, graph)
}

#[test]
fn edges_are_gone_through_one_by_one() {
    let (_dir, graph) = graph();
    let view = graph.view();
    let one = view.node("node", 1).unwrap();
    let out =
        |time: i64| view.at(time).unwrap().neighbors(one).into_iter().map(|edge| edge.to_string()).collect::<Vec<_>>();
    assert_eq!(out(4), [] as [&str; 0]);
    assert_eq!(out(8), ["node 1 -link-> node 2", "node 1 -link-> node 3"]);
    assert_eq!(out(9), ["node 1 -link-> node 2"]);
    assert_eq!(view.now().with_deleted().neighbors(one).count(), 2);
    assert_eq!(view.now().neighbors(one).relation("other").count(), 0);
    let three = view.node("node", 3).unwrap();
    let last = view.at(8).unwrap().neighbors(three).incoming().into_iter().next().unwrap();
    assert!(last.source() == one && last.destination() == three);
    assert_eq!((last.life().created.0, last.life().removed.0, &*last.relation()), (8, 9, "link"));
    assert!(view.now().state(three).is_none());
    assert_eq!(three.history().map(|life| life.interval.removed.0).collect::<Vec<_>>(), [9]);
}

#[test]
fn a_view_stays_as_it_is_and_an_older_commit_can_be_asked() {
    let (dir, mut graph) = graph();
    let before = graph.view();
    let more = dir.path().join("more.csv");
    std::fs::write(&more, "src,dst,time\n7,8,20\n").unwrap();
    graph.load(&more).run().unwrap();
    assert_eq!([before.now().counts().edges, graph.view().now().counts().edges], [1, 2]);
    assert_eq!(graph.view_at(before.commit()).unwrap().now().counts(), before.now().counts());
    assert!(matches!(before.node("node", 7), Err(Error::UnknownNode(_))));
}

#[test]
fn what_is_no_time_is_told_when_the_sample_is_taken() {
    let (_dir, graph) = graph();
    let view = graph.view();
    let one = view.node("node", 1).unwrap();
    assert!(matches!(view.at("yesterday"), Err(Error::Time(_))));
    assert!(matches!(view.sample([(one, "yesterday")]).last(1), Err(Error::Time(_))));
    let batch = view.sample([(one, 8), (one, 9)]).inclusive().side(Side::Out).take(Choice::Last, 2).unwrap();
    assert_eq!(batch.arrays().counts, [2, 1]);
    assert_eq!(format!("{:?}", batch.neighbors(0)), "[node 3, node 2]");
    assert_eq!(view.sample([(one, 8)]).relation("link").last(2).unwrap().arrays().counts, [1]);
    assert_eq!(view.sample([(one, 8)]).relation("no such").last(2).unwrap().arrays().counts, [0]);
}

#[test]
fn differences_and_states_come_one_by_one() {
    let (_dir, graph) = graph();
    let view = graph.view();
    let told = |from: i64, to: i64| {
        let changes = view.diff(from, to).unwrap().changes();
        changes.iter().map(|change| format!("{:?} {}", change.kind, change.element)).collect::<Vec<_>>()
    };
    assert_eq!(told(8, 9), ["Removed node 3", "Removed node 1 -link-> node 3"]);
    assert_eq!(view.at(8).unwrap().nodes_of("node").count(), 3);
    assert_eq!(view.at(8).unwrap().edges().count(), 2);
    assert_eq!(view.merges().count(), 0);
}

/// Readers in threads share views and models; a graph moves to the thread that loads.
#[test]
fn views_and_models_are_shared_among_threads() {
    fn shared<T: Send + Sync>(_: Option<&T>) {}
    fn moved<T: Send>(_: Option<&T>) {}
    let (_dir, graph) = graph();
    let view = graph.view();
    shared(Some(&view));
    shared::<timeweft::Model>(None);
    moved(Some(&graph));
    let counts = std::thread::scope(|scope| {
        [0, 1].map(|_| scope.spawn(|| view.now().counts())).map(|counted| counted.join().unwrap())
    });
    assert_eq!(counts, [view.now().counts(); 2]);
}
