//! Learning from end to end: train, evaluate, predict, explain, demo.

#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Mutex, MutexGuard, OnceLock};

use serde_json::{Value, json};

/// A graph with a model of it, made once for all tests that only read.
struct World {
    folder: tempfile::TempDir,
    demo: Output,
    /// A graph is open in one process at a time.
    turn: Mutex<()>,
}

fn world() -> &'static World {
    static WORLD: OnceLock<World> = OnceLock::new();
    WORLD.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let demo = timeweft(folder.path(), &["demo", "--graph", "g", "--days", "21", "--epochs", "1"]);
        World { folder, demo, turn: Mutex::new(()) }
    })
}

impl World {
    fn turn(&self) -> MutexGuard<'_, ()> {
        self.turn.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    fn run(&self, args: &[&str]) -> Output {
        let _turn = self.turn();
        timeweft(self.folder.path(), args)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

fn timeweft(folder: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_timeweft"));
    command.current_dir(folder).env_remove("TIMEWEFT_GRAPH").args(args);
    command.output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Standard output of a run that ends well.
fn done(output: &Output) -> String {
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
    text(&output.stdout)
}

fn lines(output: &Output) -> Vec<Value> {
    done(output)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}")))
        .collect()
}

/// Asserts a failure with an exit code and a message that has all these parts.
fn fails(args: &[&str], code: i32, parts: &[&str]) {
    let output = world().run(args);
    let message = text(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{args:?}: {message}");
    for part in parts {
        assert!(message.contains(part), "{args:?}: `{part}` is not in: {message}");
    }
}

const MODEL: [&str; 4] = ["--graph", "g", "--model", "demo"];

#[test]
fn a_demo_where_no_history_is_tells_the_whole_path_on_a_made_up_one() {
    let story = done(&world().demo);
    for number in 1..=8 {
        assert!(story.contains(&format!("\n{number}. ")), "step {number}: {story}");
    }
    for part in ["made-up history", "0 rejected", "EdgeBank window", "freshness event", "this pair", "--model demo"] {
        assert!(story.contains(part), "`{part}` is not in: {story}");
    }
    assert!(world().path("g/report.html").exists() && world().path("g/models/demo.twm").exists());
}

#[test]
fn the_commands_that_a_demo_suggests_run() {
    let story = done(&world().demo);
    let learning = |line: &&str| line.contains(" predict ") || line.contains(" explain ");
    let suggested: Vec<&str> = story.lines().filter(|line| line.starts_with("  ")).filter(learning).collect();
    assert_eq!(suggested.len(), 2, "{story}");
    let _turn = world().turn();
    for line in suggested {
        let mut command = Command::new("sh");
        done(&command.arg("-c").arg(line).current_dir(world().folder.path()).output().unwrap());
    }
}

#[test]
fn a_demo_never_touches_a_graph_that_is_there() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("g")).unwrap();
    std::fs::write(folder.path().join("g/mine"), "mine").unwrap();
    let story = done(&timeweft(folder.path(), &["demo", "--graph", "g", "--days", "14", "--epochs", "1"]));
    assert!(story.contains("g is there already") && story.contains("g-2"), "{story}");
    assert_eq!(std::fs::read_dir(folder.path().join("g")).unwrap().count(), 1);
    assert!(folder.path().join("g-2/report.html").exists());
}

#[test]
fn a_demo_takes_events_from_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let mut csv = String::from("time,source,destination\n");
    (0..400).for_each(|n| csv.push_str(&format!("{},u{},i{}\n", 86_400 * n, n % 7, n % 5)));
    std::fs::write(folder.path().join("clicks.csv"), csv).unwrap();
    let story = done(&timeweft(folder.path(), &["demo", "--graph", "g", "--data", "clicks.csv", "--epochs", "1"]));
    assert!(story.contains("The events of clicks.csv") && story.contains("400 links"), "{story}");
}

#[test]
fn the_report_stands_alone() {
    done(&world().demo);
    let html = std::fs::read_to_string(world().path("g/report.html")).unwrap();
    // Loss, validation, and three ways of checking explanations.
    assert_eq!(html.matches("<svg").count(), 5);
    assert!(html.contains("prefers-color-scheme: dark") && html.contains("EdgeBank") && html.contains("push"));
    for outside in ["http://", "https://", "src=", "<link", "@import"] {
        // Names of XML, which nobody asks a server for.
        let own = html.replace("http://www.w3.org/", "");
        assert!(!own.contains(outside), "`{outside}` is in the report");
    }
    // The data of the drawing, and the drawing.
    assert_eq!(html.matches("<script").count(), 2);
    let data = html.split_once("id=\"timeweft-graph\">").unwrap().1.split_once("</script>").unwrap().0;
    let data: serde_json::Value = serde_json::from_str(data).unwrap();
    let drawings = data["drawings"].as_array().unwrap();
    assert!(!drawings.is_empty());
    for drawing in drawings {
        let root = &drawing["subgraph"]["nodes"][0];
        let name = format!("{} {}", root["type"].as_str().unwrap(), root["id"].as_str().unwrap());
        assert_eq!(drawing["text"], name, "the node in the middle comes first");
        assert!(drawing["subgraph"]["edges"].as_array().unwrap().len() > 1);
        assert!(drawing["subgraph"]["marks"].as_array().unwrap().len() > 1);
    }
}

#[test]
fn equal_seeds_train_equal_models() {
    let train = |name: &str, seed: &str| {
        let output = world().run(&[
            "train",
            "--graph",
            "g",
            "--name",
            name,
            "--target",
            "edited",
            "--epochs",
            "1",
            "--width",
            "8",
            "--seed",
            seed,
            "--freshness",
            "event",
            "--json",
        ]);
        let mut lines = lines(&output);
        let model = lines.pop().unwrap();
        assert_eq!(model["model"], name);
        assert!(
            std::fs::read_to_string(world().folder.path().join(model["report"].as_str().unwrap()))
                .unwrap()
                .contains("<svg")
        );
        lines
    };
    let (first, again, other) = (train("a", "1"), train("b", "1"), train("c", "2"));
    assert_eq!(first.len(), 1 + 5, "an epoch, the model and four rules");
    assert_eq!(first, again);
    assert_ne!(first, other);
    // A model that was loaded measures as the one that was just trained.
    let loaded = world().run(&["evaluate", "--graph", "g", "--model", "b", "--freshness", "event", "--json"]);
    assert_eq!(lines(&loaded), first[1..]);
}

#[test]
fn training_that_is_taken_up_again_ends_as_if_it_had_never_stopped() {
    let train = |rest: &[&str]| {
        let shared = ["train", "--graph", "g", "--freshness", "event", "--json"];
        lines(&world().run(&[&shared[..], rest].concat()))
    };
    let model = ["--target", "edited", "--width", "8"];
    let whole = train(&[&model[..], &["--name", "whole", "--epochs", "2"]].concat());
    let half = train(&[&model[..], &["--name", "half", "--epochs", "1"]].concat());
    let rest = train(&["--name", "half", "--resume", "--epochs", "2"]);
    assert_eq!([&half[..1], &rest[..1]].concat(), whole[..2], "the first epoch, then the second");
    assert_eq!(rest[1..rest.len() - 1], whole[2..whole.len() - 1], "what both rank");
    fails(&["train", "--graph", "g", "--name", "nobody", "--resume", "--epochs", "2"], 1, &["nobody"]);
}

#[test]
fn a_model_answers_by_the_deletes_it_was_trained_with() {
    let ask = |deletes: &'static str| [&["predict", "person", "ada", "--deletes", deletes][..], &MODEL].concat();
    done(&world().run(&ask("hard")));
    fails(&ask("soft"), 1, &["hard", "soft"]);
    fails(
        &[&["explain", "person", "ada", "document", "atlas-014", "--deletes", "soft"][..], &MODEL].concat(),
        1,
        &["hard"],
    );
    fails(&ask("both"), 2, &["soft"]);
}

#[test]
fn explanations_are_checked_when_asked_for() {
    let ask = ["evaluate", "--freshness", "event", "--explanations", "20"];
    let table = done(&world().run(&[&ask[..], &MODEL].concat()));
    assert!(
        table.contains("by contribution") && table.contains("newest first") && table.contains("at random"),
        "{table}"
    );
    let rows = lines(&world().run(&[&ask[..], &["--json"], &MODEL].concat()));
    let curves = &rows[rows.len() - 3..];
    assert_eq!(
        ["contribution", "recency", "random"].map(|order| curves.iter().filter(|row| row["order"] == order).count()),
        [1; 3]
    );
    for row in curves {
        assert!(row["links"].as_u64().is_some_and(|links| links > 0 && links <= 20), "{row}");
        for curve in ["deletion", "insertion", "counterfactual"] {
            let points: Vec<f64> = row[curve].as_array().unwrap().iter().map(|point| point.as_f64().unwrap()).collect();
            assert!(points.len() == 5 && points.iter().all(|point| *point > 0.0), "{row}");
        }
        assert!(row["agreement"].as_f64().unwrap().abs() <= 1.0);
    }
}

#[test]
fn every_freshness_has_a_table_of_its_own() {
    let output = world().run(&[&["evaluate", "--freshness", "event,batch:50"][..], &MODEL].concat());
    let tables = done(&output);
    assert!(tables.contains("freshness event:") && tables.contains("freshness batch 50:"), "{tables}");
    assert_eq!(tables.matches("HTGN").count(), 2);
}

#[test]
fn predictions_are_ranked_and_explained() {
    let ask = ["--relation", "edited", "--json"];
    let predict = || world().run(&[&["predict", "person", "ada", "--top", "4"][..], &MODEL, &ask].concat());
    let answers = lines(&predict());
    assert_eq!(answers.len(), 4);
    assert!(answers.is_sorted_by(|a, b| a["score"].as_f64() >= b["score"].as_f64()));
    assert_eq!(answers, lines(&predict()));
    let first = &answers[0];
    let id = first["destination"]["id"].as_str().unwrap();
    let explain = world().run(&[&["explain", "person", "ada", "document", id][..], &MODEL, &ask].concat());
    let why = lines(&explain).remove(0);
    assert_eq!(why["destination"], first["destination"]);
    let difference = why["score"].as_f64().unwrap() - first["score"].as_f64().unwrap();
    assert!(difference.abs() < 1e-4, "an explanation explains the score that was given: {difference}");
    assert!(why["counting"].is_number() && why["counters"]["from_source"]["count"].as_u64().unwrap() > 0);
    let heard = why["neighbors"].as_array().unwrap();
    assert!(heard.iter().any(|heard| heard["at_source"] == true && heard["contribution"] != 0.0), "{why}");
}

#[test]
fn nothing_from_the_future_answers() {
    let at = |time: &str| {
        let output = world().run(
            &[&["explain", "person", "ada", "document", "atlas-000", "--at", time, "--json"][..], &MODEL].concat(),
        );
        lines(&output).remove(0)
    };
    let count = |why: &Value| why["counters"]["from_source"]["count"].as_u64().unwrap();
    let (early, late) = (at("2025-01-08"), at("2025-01-13"));
    assert!(count(&early) < count(&late));
    let time = early["time"].as_i64().unwrap();
    for heard in early["neighbors"].as_array().unwrap() {
        assert!(heard["created"].as_i64().unwrap() < time, "{heard}");
    }
}

#[test]
fn the_printed_configuration_trains() {
    let folder = world().folder.path();
    std::fs::write(folder.join("my.toml"), done(&world().run(&["train", "--print-config"]))).unwrap();
    let output = world().run(&[
        "train",
        "my.toml",
        "--graph",
        "g",
        "--name",
        "printed",
        "--target",
        "edited",
        "--epochs",
        "1",
        "--width",
        "8",
        "--freshness",
        "event",
        "--report",
        "own.html",
    ]);
    assert!(done(&output).contains("own.html") && folder.join("own.html").exists());
}

#[test]
fn mistakes_are_told_with_what_to_do() {
    done(&world().demo);
    std::fs::write(world().path("bad.toml"), "[model]\nwdth = 3\n").unwrap();
    fails(&["train", "bad.toml", "--graph", "g"], 1, &["bad.toml", "wdth"]);
    fails(&["train", "none.toml", "--graph", "g"], 1, &["none.toml"]);
    fails(&["train", "--graph", "g", "--target", "eats"], 1, &["eats", "edited"]);
    fails(&["train", "--graph", "g", "--name", "x/y"], 1, &["`x/y` is no name"]);
    fails(&["train", "--graph", "g", "--epochs", "0"], 1, &["train.epochs"]);
    fails(&["evaluate", "--graph", "g", "--model", "none"], 1, &["no model `none`", "demo"]);
    let ask = |args: &[&'static str]| [&["predict"], args, &MODEL].concat();
    fails(&ask(&["person", "nobody"]), 1, &["person nobody"]);
    fails(&ask(&["person", "ada", "--relation", "eats"]), 1, &["eats", "edited"]);
    fails(&ask(&["person", "ada", "--relation", "member_of"]), 1, &["member_of", "--target"]);
    fails(&ask(&["person", "ada", "--at", "2020-01-01"]), 1, &["not alive"]);
    fails(&ask(&["person", "ada", "--at", "noon"]), 2, &["noon", "--at"]);
    fails(&ask(&["person"]), 2, &["ID"]);
    fails(&["evaluate", "--graph", "g", "--freshness", "often"], 2, &["often", "batch:N"]);
}

#[test]
fn links_of_a_file_get_the_scores_that_single_questions_give() {
    let mut rows = String::from("source_type,src,relation,destination_type,dst,time\n");
    let mut wanted = Vec::new();
    // Not in order of time.
    for time in ["2025-01-13", "2025-01-08", "2025-01-17"] {
        let ask = ["predict", "person", "ada", "--relation", "edited", "--at", time, "--top", "3", "--json"];
        for answer in lines(&world().run(&[&ask[..], &MODEL].concat())) {
            let id = answer["destination"]["id"].as_str().unwrap();
            rows += &format!("person,ada,edited,document,{id},{time}\n");
            wanted.push(answer["score"].as_f64());
        }
    }
    // Nobody is there yet; and a relation that the model does not predict.
    rows += "person,ada,edited,document,atlas-000,2020-01-01\nperson,ada,member_of,project,atlas,2025-01-13\n";
    wanted.extend([None, None]);
    std::fs::write(world().path("links.csv"), rows).unwrap();
    for batch in ["2", "100"] {
        let score = world().run(&[&["score", "links.csv", "--batch", batch][..], &MODEL].concat());
        let told = lines(&score);
        assert_eq!(told.len(), 11);
        for (at, (row, wanted)) in told.iter().zip(&wanted).enumerate() {
            assert_eq!(row["root"], at);
            match (row["score"].as_f64(), wanted) {
                (Some(score), Some(wanted)) => assert!((score - wanted).abs() < 1e-4, "{row} {wanted}"),
                (score, wanted) => assert_eq!(score, *wanted, "{row}"),
            }
        }
    }
    std::fs::write(world().path("nodes.csv"), "type,id\nperson,ada\n").unwrap();
    fails(&["score", "nodes.csv", "--graph", "g", "--model", "demo"], 1, &["src", "dst"]);
}

#[test]
fn nodes_that_are_alike_are_of_one_type_and_in_order() {
    let near = |by: &str| {
        let ask = ["nearest", "person", "ada", "--by", by, "--top", "3", "--json"];
        lines(&world().run(&[&ask[..], &MODEL].concat()))
    };
    let (memory, embedding) = (near("memory"), near("embedding"));
    for found in [&memory, &embedding] {
        assert_eq!(found.len(), 3);
        assert!(found.iter().all(|row| row["node"]["type"] == "person" && row["node"]["id"] != "ada"));
        assert!(found.is_sorted_by(|a, b| a["cosine"].as_f64() >= b["cosine"].as_f64()));
        assert!(found.iter().all(|row| row["cosine"].as_f64().unwrap().abs() <= 1.0 + 1e-6));
    }
    assert_ne!(memory, embedding);
    fails(&["nearest", "person", "nobody", "--graph", "g", "--model", "demo"], 1, &["person nobody"]);
}

/// Visits that are paid for, thirty at a time: the oldest is over first.
fn visits() -> String {
    let node = |at: i64, action: &str, kind: &str, id: i64| {
        format!(
            "{{\"time\":{at},\"action\":\"{action}\",\"entity\":\"node\",\"source\":{{\"type\":\"{kind}\",\"id\":\"{id}\"}}}}\n"
        )
    };
    let mut events: String = (0..5).map(|id| node(0, "create", "user", id)).collect();
    for id in 0..200 {
        let at = 10 + 10 * id;
        events += &node(at, "create", "visit", id);
        events += &format!(
            "{{\"time\":{at},\"action\":\"create\",\"entity\":\"edge\",\"source\":{{\"type\":\"user\",\"id\":\"{}\"}},\
             \"edge\":{{\"type\":\"pays\"}},\"destination\":{{\"type\":\"visit\",\"id\":\"{id}\"}}}}\n",
            id % 5
        );
        if id >= 30 {
            events += &node(at + 5, "delete", "visit", id - 30);
        }
    }
    events
}

#[test]
fn what_goes_next_is_predicted_among_what_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let run = |args: &str| timeweft(folder.path(), &args.split(' ').collect::<Vec<_>>());
    std::fs::write(folder.path().join("visits.jsonl"), visits()).unwrap();
    done(&run("load events visits.jsonl --graph g --unit step"));
    for predict in ["gone", "removed"] {
        let config = format!(
            "[model]\nwidth = 8\nchannels = 8\n[train]\npredict = \"{predict}\"\nepochs = 2\nbatch = 20\n\
             [evaluate]\ncandidates = 10\n"
        );
        std::fs::write(folder.path().join("config.toml"), config).unwrap();
        let told = done(&run(&format!("train config.toml --graph g --name {predict}")));
        assert!(told.contains("idle") && !told.contains("EdgeBank"), "{told}");
    }
    let gone = lines(&run("predict visit --graph g --model gone --top 100 --json"));
    let ids: Vec<i64> = gone.iter().map(|row| row["destination"]["id"].as_i64().unwrap()).collect();
    assert_eq!(ids.len(), 30, "the visits that are not over");
    assert!(ids.iter().all(|id| (170..200).contains(id)), "{ids:?}");
    let removed = lines(&run("predict user 3 --graph g --model removed --top 100 --json"));
    assert_eq!(removed.len(), 6, "what user 3 pays for now: {removed:?}");
    let why = done(&run("explain user 3 visit 178 --relation pays --graph g --model removed"));
    assert!(why.contains("-pays-> visit 178 is removed at") && why.contains("remembers"), "{why}");
    let why = done(&run("explain visit 180 --graph g --model gone"));
    assert!(
        why.contains("Why visit 180 is deleted or merged at") && why.contains("What visit 180 listened to"),
        "{why}"
    );
    assert!(!why.contains("Counted"), "{why}");
    let why = lines(&run("explain visit 180 --graph g --model gone --json")).remove(0);
    assert_eq!((&why["predicts"], &why["relation"], &why["destination"]), (&json!("gone"), &json!(null), &json!(null)));
    assert_eq!((&why["source"]["id"], &why["counters"]), (&json!(180), &json!(null)));
    assert_eq!(why["memory"][0]["facts"].as_array().unwrap().len(), 2, "{why}");
    let told = done(&run("evaluate --graph g --model gone --explanations 5"));
    assert!(told.contains("without"), "{told}");
    let report = std::fs::read_to_string(folder.path().join("g/models/gone.html")).unwrap();
    for part in ["What comes next: nodes that go", "Which visit is deleted or merged?", "remembers</caption>"] {
        assert!(report.contains(part), "{part}");
    }
    std::fs::write(folder.path().join("links.csv"), "src,dst\n3,178\n").unwrap();
    for (args, parts) in [
        ("predict user 3 --relation pays --graph g --model gone", ["gone", "created"]),
        ("predict house --graph g --model gone", ["house", "visit"]),
        ("score links.csv --graph g --model gone", ["gone", "created"]),
        ("explain user 3 visit 177 --relation pays --graph g --model removed", ["no edge", "visit 177"]),
        ("explain user 3 visit 178 --relation pays --graph g --model gone", ["gone", "created"]),
        ("explain visit 180 --graph g --model removed", ["which edge", "destination"]),
        ("predict visit --graph g --model removed", ["ID", "visit"]),
    ] {
        let output = run(args);
        let message = text(&output.stderr);
        assert!(!output.status.success() && parts.iter().all(|part| message.contains(part)), "{args}: {message}");
    }
}
