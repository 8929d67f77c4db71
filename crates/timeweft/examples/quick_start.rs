//! From a file of messages to a prediction, on one page.

use timeweft::{Graph, Result, TrainOptions};

fn main() -> Result<()> {
    let mut graph = Graph::open_or_create("mail", "s")?;
    graph.load("messages.csv").run()?; // format and kind from the file
    let view = graph.view();
    let ann = view.node("node", "ann")?; // a handle
    for edge in view.at("2004-06-01")?.neighbors(ann).relation("link") {
        println!("{edge}");
    }
    let batch = view.sample([(ann, "2004-06-01")]).last(10)?; // as of just before; owns its arrays
    println!("{:?}", batch.neighbors(0));
    let model = graph.train("links", TrainOptions::default())?;
    for p in model.predict("link", "ann").top(5)? {
        println!("{} {:.3}", p.destination, p.probability);
    }
    Ok(())
}
