//! A stream of events with deletes and with rows that are wrong: what is refused says why, and a load may be watched.
//!
//! `cargo run -p timeweft --example event_stream`

use std::ops::ControlFlow;

use timeweft::load::Dangling;
use timeweft::{Error, Graph, Result};

const EVENTS: &str = r#"
{"time":"2024-01-01","action":"create","entity":"node","source":{"type":"page","id":"home"}}
{"time":"2024-01-02","action":"create","entity":"edge","source":{"type":"page","id":"home"},"edge":{"type":"links"},"destination":{"type":"page","id":"news"}}
{"time":"2024-01-03","action":"delete","entity":"node","source":{"type":"page","id":"nowhere"}}
{"time":"2024-01-04","action":"delete","entity":"edge","source":{"type":"page","id":"home"},"edge":{"type":"links"},"destination":{"type":"page","id":"news"}}
"#;

fn main() -> Result<()> {
    let folder = tempfile::tempdir().expect("a folder for the example");
    let events = folder.path().join("pages.jsonl");
    std::fs::write(&events, EVENTS.trim_start()).expect("the events");
    let mut graph = Graph::open_or_create(folder.path().join("pages"), "s")?;

    // A load is whole or not at all: with one wrong row too many, nothing of it is kept.
    if let Err(Error::Store(refused)) = graph.load(&events).dangling(Dangling::Stub).max_rejects(0).run() {
        println!("refused: {}", refused.to_string().contains("more than 0 rejected records"));
    }
    println!("{} loads", graph.loads().len());

    let watched = graph.load(&events).dangling(Dangling::Stub).progress(|progress| {
        eprintln!("{} records", progress.records);
        ControlFlow::Continue(())
    });
    let report = watched.run()?;
    println!("{} taken in, {} refused", report.accepted, report.n_rejected);
    println!("line {}: {}", report.rejects[0].place.line, report.rejects[0].reason);

    let view = graph.view();
    let home = view.node("page", "home")?;
    for date in ["2024-01-01", "2024-01-02", "2024-01-04"] {
        println!("{date}: {} links", view.at(date)?.neighbors(home).count());
    }
    Ok(())
}
