//! Real data through the command line.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::world::{World, data};

fn load_envo(world: &World, release: &str, graph: &str, file: &std::path::Path) -> Value {
    let date = &release[1..];
    let line = format!(
        "load version {} --namespace envo --version {release} --timestamp {date} --unit ms --id-prefix ENVO --graph {graph} --json",
        file.display()
    );
    let answer = world.run(&line);
    assert!(answer.code == 0 || answer.code == 3, "{}", answer.err);
    serde_json::from_str(answer.out.lines().next().unwrap()).unwrap()
}

/// Two releases of ENVO, with numbers counted in the files: 68 terms new, 301 gone, each of them merged.
///
/// - Of the 301 merges 300 lead to FOODON terms, which the release names but does not list. They are kept and counted as
///   merges out of the graph.
/// - The stanzas of 1,060 terms differ. Edges are elements of their own: 10 of the 1,060 differ in their edges alone, so that
///   1,050 terms change.
#[test]
fn envo_releases_load_as_deltas() {
    let test = "envo_releases_load_as_deltas";
    let Some((first, second)) = data(test, "envo/v2016-05-17.obo").zip(data(test, "envo/v2016-11-20.obo")) else {
        return;
    };
    let world = World::new();
    load_envo(&world, "v2016-05-17", "g", &first);
    let report = load_envo(&world, "v2016-11-20", "g", &second);
    let nodes = &report["delta"]["nodes"];
    assert_eq!((&nodes["listed"], &nodes["new"], &nodes["gone"]), (&json!(1_949), &json!(68), &json!(301)));
    let merges = &report["delta"]["merges"];
    assert_eq!((&merges["merged"], &merges["target_outside"]), (&json!(301), &json!(300)));
    assert_eq!((&nodes["changed"], &nodes["unchanged"]), (&json!(1_050), &json!(831)));
    assert_eq!(report["delta"]["edges"]["listed"], json!(2_715));

    let again = load_envo(&world, "v2016-11-20", "g", &second);
    assert_eq!((&again["unchanged"], &again["accepted"]), (&json!(true), &json!(0)));
    assert_eq!(world.json("loads").len(), 2);

    for (release, file) in [("v2016-05-17", &first), ("v2016-11-20", &second)] {
        load_envo(&world, release, release, file);
        let date = &release[1..];
        let alone = state(&world.done(&format!("export --graph {release}")));
        assert_eq!(state(&world.done(&format!("export --at {date}"))), alone, "{release}");
    }
}

/// The elements of a state without the times when they began.
fn state(export: &str) -> BTreeSet<String> {
    export.lines().map(|line| line.split_once(',').unwrap().1.to_owned()).collect()
}

#[test]
fn wikipedia_and_uci_load_by_flags_alone() {
    let test = "wikipedia_and_uci_load_by_flags_alone";
    let Some((wiki, uci)) = data(test, "wikipedia/ml_wikipedia.txt").zip(data(test, "uci/events.csv")) else { return };
    let world = World::new();
    let columns = "--format columns --columns src,dst,time --source-type user --relation edits --destination-type page";
    world.done(&format!("load events {} --unit s {columns}", wiki.display()));
    let stats = world.json("stats");
    assert_eq!((&stats[0]["nodes"], &stats[0]["edges"]), (&json!(9_227), &json!(157_474)));
    world.done(&format!("load events {} --unit s --graph uci", uci.display()));
    let stats = world.json("stats --graph uci");
    assert_eq!((&stats[0]["nodes"], &stats[0]["edges"]), (&json!(1_899), &json!(59_835)));
}
