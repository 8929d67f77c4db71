//! A graph as of any time: events with deletes go in, and every state of it comes out.
//!
//! `cargo run -p timeweft --example time_travel`

use timeweft::{Graph, Result};

const EVENTS: &str = r#"
{"time":1,"action":"create","entity":"node","source":{"type":"user","id":"ann","features":{"city":"Rome"}}}
{"time":1,"action":"create","entity":"node","source":{"type":"item","id":"pen"}}
{"time":2,"action":"create","entity":"edge","source":{"type":"user","id":"ann"},"edge":{"type":"buys"},"destination":{"type":"item","id":"pen"}}
{"time":4,"action":"update","entity":"node","source":{"type":"user","id":"ann","features":{"city":"Oslo"}}}
{"time":5,"action":"delete","entity":"node","source":{"type":"item","id":"pen"}}
"#;

fn main() -> Result<()> {
    let folder = tempfile::tempdir().expect("a folder for the example");
    let events = folder.path().join("shop.jsonl");
    std::fs::write(&events, EVENTS.trim_start()).expect("the events");

    let mut graph = Graph::open_or_create(folder.path().join("shop"), "step")?;
    let report = graph.load(&events).run()?;
    println!("{} events, {} rejected", report.accepted, report.n_rejected);

    let view = graph.view();
    let ann = view.node("user", "ann")?;
    for time in 1..=5 {
        let then = view.at(time)?;
        let city = then.state(ann).and_then(|ann| ann.features.get("city").map(ToString::to_string));
        let bought = then.neighbors(ann).relation("buys").count();
        println!("at {time}: ann is in {}, {bought} bought", city.unwrap_or_default());
    }
    // What is deleted is still known, to those who ask for it.
    for edge in view.now().with_deleted().neighbors(ann) {
        println!("{edge} held from {} to {}", edge.life().created, edge.life().removed);
    }
    for life in ann.history() {
        for value in life.features {
            println!("{} was {} from {}", value.name, value.value, value.interval.created);
        }
    }
    Ok(())
}
