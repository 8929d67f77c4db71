//! Two releases of an ontology, loaded as whole versions, and what changed between them.
//!
//! `cargo run -p timeweft --example releases`

use timeweft::{Graph, Result};

const FIRST: &str = "format-version: 1.2\n
[Term]\nid: X:1\nname: water\n
[Term]\nid: X:2\nname: sea\nis_a: X:1\n
[Term]\nid: X:3\nname: ocean\nis_a: X:1\n";

const SECOND: &str = "format-version: 1.2\n
[Term]\nid: X:1\nname: body of water\n
[Term]\nid: X:2\nname: sea\nis_a: X:1\nalt_id: X:3\n
[Term]\nid: X:4\nname: lake\nis_a: X:1\n";

fn main() -> Result<()> {
    let folder = tempfile::tempdir().expect("a folder for the example");
    let mut graph = Graph::open_or_create(folder.path().join("terms"), "ms")?;
    for (name, text) in [("2016-05-17", FIRST), ("2016-11-20", SECOND)] {
        let file = folder.path().join(format!("{name}.obo"));
        std::fs::write(&file, text).expect("a release");
        let report = graph.load(&file).namespace("terms").version(name, name).run()?;
        println!("{name}: {} events", report.accepted);
    }

    let view = graph.view();
    for change in view.diff("2016-05-17", "2016-11-20")?.changes().iter() {
        println!("{:?} {}", change.kind, change.element);
    }
    // What was merged is found under its new name.
    let ocean = view.node("term", "X:3")?;
    println!("{ocean} became {}", ocean.resolve("2017-01-01")?);
    // What a load brought can be taken back, as one more commit.
    let second = graph.loads()[1].id;
    graph.rollback(second)?;
    println!("{} terms without the second release", graph.view().now().counts().nodes);
    Ok(())
}
