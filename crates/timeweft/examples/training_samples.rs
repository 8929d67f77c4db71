//! Neighbors of many nodes, each as of a time of its own, for training elsewhere.
//!
//! `cargo run -p timeweft --example training_samples`

use timeweft::sample::Side;
use timeweft::{Graph, Result};

fn main() -> Result<()> {
    let folder = tempfile::tempdir().expect("a folder for the example");
    let events = folder.path().join("mail.csv");
    let rows: String = (0..9).map(|time| format!("ann,p{},{time}\n", time % 4)).collect();
    std::fs::write(&events, format!("src,dst,time\n{rows}")).expect("the events");

    let mut graph = Graph::open_or_create(folder.path().join("mail"), "step")?;
    graph.load(&events).run()?;
    let view = graph.view();
    let ann = view.node("node", "ann")?;

    // Strictly before each time: nothing of the answer leaks into the question.
    let roots = (0..9).step_by(4).map(|time| (ann, time));
    let batch = view.sample(roots).side(Side::Out).relation("link").last(3)?;
    for root in 0..3 {
        println!("root {root}: {:?}", batch.neighbors(root));
    }
    // The same as flat arrays, (roots, 3), to hand on to a tensor.
    let arrays = batch.arrays();
    println!("counts {:?}", arrays.counts);
    println!("times {:?}", arrays.created.iter().map(|time| time.0).collect::<Vec<_>>());

    // Random draws are the same for the same seed, in any batches and on any number of threads.
    let draw = |seed| view.sample([(ann, 9)]).seed(seed).uniform(2);
    assert_eq!(draw(7)?.arrays().neighbors, draw(7)?.arrays().neighbors);
    Ok(())
}
