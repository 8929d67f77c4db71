//! A model is trained, measured, asked what comes next, and asked why.
//!
//! `cargo run --release -p timeweft --example predict_explain`

use std::ops::ControlFlow;

use timeweft::model::{Freshness, LearnProgress, Part};
use timeweft::{Config, Graph, Result, TrainOptions};

fn main() -> Result<()> {
    let folder = tempfile::tempdir().expect("a folder for the example");
    let events = folder.path().join("mail.csv");
    // Everybody writes to the same three people in turn.
    let rows: String = (0..300).map(|time| format!("a{},b{},{time}\n", time % 5, time % 3)).collect();
    std::fs::write(&events, format!("src,dst,time\n{rows}")).expect("the events");
    let mut graph = Graph::open_or_create(folder.path().join("mail"), "step")?;
    graph.load(&events).run()?;

    let mut config = Config::default();
    (config.train.epochs, config.model.width) = (2, 16);
    let options = TrainOptions::new(config).progress(|progress| {
        if let LearnProgress::Epoch(epoch) = progress {
            println!("epoch {}", epoch.epoch);
        }
        ControlFlow::Continue(())
    });
    let model = graph.train("links", options)?;
    let evaluations = model.evaluate(Part::Test, &[Freshness::Event], None)?;
    let (name, metrics) = &evaluations[0].rows[0];
    println!("{name}: {} links ranked, MRR {}", metrics.events, if metrics.mrr > 0.0 { "above 0" } else { "0" });
    let answers = model.predict("link", "a1").top(3)?;
    println!("{} answers", answers.len());
    let (source, first) = (graph.view().node("node", "a1")?.key(), &answers[0]);
    let why = model.explain("link", &source, &first.destination, model.next_time())?;
    println!("{} neighbors were attended to", if why.neighbors.is_empty() { "no" } else { "some" });
    Ok(())
}
