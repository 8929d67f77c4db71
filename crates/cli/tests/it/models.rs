//! Models survive what happens to their graph and their data, and training ends well when it is interrupted.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::world::{Answer, World, parse};

const CONFIG: &str = "[model]\nwidth = 8\nchannels = 8\nneighbors = 4\n\
    [train]\nepochs = 1\nnegatives = 4\npartners = 2\npatience = 0\nbatch = 50\n[evaluate]\ncandidates = 10\n";

/// Payments of 12 accounts to 7 merchants, an hour apart; of some the amount is given otherwise.
fn payments(n: u64, amount: impl Fn(u64) -> Option<&'static str>) -> String {
    let mut csv = String::from("time,source,destination,amount\n");
    for i in 0..n {
        let own = format!("{}.5", i * 7 % 90);
        csv += &format!("{},C{},M{},{}\n", 3600 * i, i * i % 12, (i + i * i) % 7, amount(i).unwrap_or(&own));
    }
    csv
}

/// A graph of payments with a model of it.
fn trained(amount: impl Fn(u64) -> Option<&'static str>) -> World {
    let world = World::new();
    let declared = r#"{"unit":"s","closed":false,"node_types":[{"name":"acct"},{"name":"merchant"}],"edge_types":[
        {"source":0,"relation":"link","destination":1,"features":[{"name":"amount","kind":"dense","dtype":"f64","scalar":true}]}]}"#;
    world.write("s.json", declared);
    world.write("c.toml", CONFIG);
    world.write("p.csv", &payments(160, amount));
    done(&world, "init --schema s.json");
    done(&world, "load events p.csv --source-type acct --destination-type merchant");
    world
}

fn done(world: &World, line: &str) -> Answer {
    world.run(line).expect(0, line)
}

fn fails(world: &World, line: &str, told: &str) -> Answer {
    let answer = world.run(line).expect(1, line);
    answer.says(told);
    answer
}

#[test]
fn nan_feature_is_a_missing_one_and_is_named() {
    let questions = [
        "evaluate --freshness event,batch:20 --json",
        "predict acct C1 --top 7 --json",
        "explain acct C1 merchant M2 --json",
        "nearest acct C1 --json",
        "nearest acct C1 --by memory --json",
    ];
    let answers = |amount: &'static str, at: u64| {
        let world = trained(|i| (i == at).then_some(amount));
        let told = done(&world, "train c.toml --json");
        // What a table says with `nan` is no value to the graph already.
        let named = !matches!(amount, "" | "nan");
        let warning = "warning: `amount` of acct -link-> merchant is";
        assert_eq!((told.err.contains(warning), told.err.contains("in 1 event")), (named, named), "{}", told.err);
        let all = questions.map(|question| {
            let told = done(&world, question);
            assert!(!told.out.contains("null") || question.starts_with("explain"), "{question}: {}", told.out);
            assert!(!told.err.contains("warning"), "named when it was trained: {}", told.err);
            told.out
        });
        assert!(!all.concat().contains("NaN"));
        all
    };
    // In the training part, the validation part and the test part.
    for at in [60, 120, 150] {
        let missing = answers("", at);
        for amount in if at == 60 { &["nan", "inf", "1e200"][..] } else { &["inf"] } {
            assert_eq!(answers(amount, at), missing, "{amount} at {at}");
        }
    }
}

#[test]
fn numbers_that_come_later_are_named_by_every_command() {
    let world = trained(|_| None);
    done(&world, "train c.toml");
    let event = |time: u64, key: &str, amount: &str| {
        format!(
            r#"{{"time":{time},"action":"create","entity":"edge","source":{{"type":"acct","id":"C1"}},"edge":{{"type":"link","key":"{key}","features":{{"amount":{amount}}}}},"destination":{{"type":"merchant","id":"M2"}}}}"#
        ) + "\n"
    };
    world.write("later.jsonl", &(event(600_000, "a", "\"nan\"") + &event(600_001, "b", "3")));
    done(&world, "load events later.jsonl");
    for question in ["evaluate", "predict acct C1", "explain acct C1 merchant M2", "nearest acct C1"] {
        let told = done(&world, question);
        assert!(told.err.contains("`amount` of acct -link-> merchant is NaN in 1 event"), "{}", told.err);
        assert!(!told.out.contains("NaN"), "{}", told.out);
    }
}

#[test]
fn one_new_type_does_not_kill_a_model() {
    let world = trained(|_| None);
    done(&world, "train c.toml");
    world.write("links.csv", "source_type,src,relation,destination_type,dst,time\nacct,C1,link,merchant,M2,500000\n");
    let questions = [
        "evaluate --json",
        "predict acct C1 --relation link --at 600000 --json",
        "explain acct C1 merchant M2 --relation link --at 600000 --json",
        "nearest acct C1 --at 600000 --json",
        "score links.csv",
    ];
    let ask = |questions: &[&str]| questions.iter().map(|question| done(&world, question).out).collect::<Vec<_>>();
    let before = ask(&questions);
    world.write("refunds.csv", "time,source,destination,amount\n590000,R1,C1,3\n590001,R2,C1,3\n");
    done(&world, "load events refunds.csv --source-type refund --destination-type acct --relation refunds");
    assert_eq!(ask(&questions), before);
    let told = done(&world, "predict acct C1");
    for name in ["does not know node type refund; edge type refund -refunds-> acct", "`timeweft train` takes them in"] {
        assert!(told.err.contains(name), "{}", told.err);
    }
    fails(&world, "predict refund R1 --relation refunds", "does not know the node type refund").says("merchant");
    fails(&world, "nearest refund R1", "does not know the node type refund");
    world.write(
        "new.csv",
        "source_type,src,relation,destination_type,dst\nrefund,R1,refunds,acct,C2\nacct,C1,link,merchant,M2\n",
    );
    let scores = parse(&done(&world, "score new.csv").out);
    assert!(scores[0]["score"].is_null() && scores[1]["score"].is_number(), "{scores:?}");
    // It is trained on, and answers as of the commits before and after; then the load is taken back.
    let resumed = parse(&done(&world, "train --resume --epochs 2 --json").out);
    assert_eq!(resumed[0]["epoch"], 2);
    let (newest, first) = (
        ask(&questions),
        ask(&questions.map(|question| format!("{question} --commit 1")).each_ref().map(|question| question.as_str())),
    );
    assert_eq!(newest, first);
    done(&world, "rollback 2");
    assert_eq!(ask(&questions), newest);
    fails(&world, "predict refund R1 --relation refunds", "refund");
    fails(&world, "evaluate --commit 9", "commit");
}

#[test]
fn what_was_taken_back_is_forgotten() {
    let world = trained(|_| None);
    let load = |name: &str, amount: &str| {
        world.write(name, &format!("time,source,destination,amount\n590000,C1,M1,{amount}\n590001,C1,M2,{amount}\n"));
        done(&world, &format!("load events {name} --source-type acct --destination-type merchant"));
    };
    let ask = || done(&world, "predict acct C1 --at 600000 --json").out;
    load("wrong.csv", "90000");
    done(&world, "train c.toml");
    let wrong = ask();
    done(&world, "rollback 2");
    load("right.csv", "3");
    let right = ask();
    assert_ne!(right, wrong);
    // The same model where the wrong load was never trained on: only what is remembered may differ, and does not.
    let model = std::fs::read(world.path("g/models/default.twm")).unwrap();
    let clean = trained(|_| None);
    clean.write("right.csv", "time,source,destination,amount\n590000,C1,M1,3\n590001,C1,M2,3\n");
    done(&clean, "load events right.csv --source-type acct --destination-type merchant");
    std::fs::create_dir_all(clean.path("g/models")).unwrap();
    std::fs::write(clean.path("g/models/default.twm"), model).unwrap();
    assert_eq!(done(&clean, "predict acct C1 --at 600000 --json").out, right);
}

#[test]
fn a_model_is_trained_on_a_commit_and_by_a_rule_of_deletes() {
    let world = trained(|_| None);
    let train = |options: &str| done(&world, &format!("train c.toml --json {options}")).out;
    let first = train("");
    world.write("later.csv", &payments(220, |_| None).replace(",C1,", ",C2,"));
    done(&world, "load events later.csv --source-type acct --destination-type merchant");
    assert_ne!(train(""), first);
    assert_eq!(train("--commit 1"), first);
    train("--name soft --deletes soft");
    for question in ["evaluate", "predict acct C1", "nearest acct C1", "explain acct C1 merchant M2"] {
        done(&world, &format!("{question} --model soft --deletes soft"));
        fails(&world, &format!("{question} --model soft --deletes hard"), "soft");
    }
    world.write("links.csv", "source_type,src,relation,destination_type,dst\nacct,C1,link,merchant,M2\n");
    done(&world, "score links.csv --model soft");
    fails(&world, "score links.csv --model soft --deletes hard", "soft");
}

#[test]
fn a_question_is_not_answered_by_who_asks_it() {
    let world = World::new();
    let mut csv = String::from("time,source,destination\n");
    (0..150).for_each(|i| csv += &format!("{i},{},{}\n", i % 5, (i + 1 + i / 5 % 4) % 5));
    // One sends to itself.
    csv += "150,4,4\n";
    world.write("c.toml", CONFIG);
    world.write("m.csv", &csv);
    done(&world, "load events m.csv --unit step");
    done(&world, "train c.toml");
    let offers = |id: u64| {
        let told = parse(&done(&world, &format!("predict node {id} --json")).out);
        assert!((told.iter().map(|one| one["probability"].as_f64().unwrap()).sum::<f64>() - 1.0).abs() < 1e-4);
        let mut ids: Vec<u64> = told.iter().map(|one| one["destination"]["id"].as_u64().unwrap()).collect();
        ids.sort_unstable();
        ids
    };
    assert_eq!((offers(0), offers(4)), (vec![1, 2, 3, 4], vec![0, 1, 2, 3, 4]));
}

#[test]
fn sizes_that_no_machine_has_are_refused_by_name() {
    let world = trained(|_| None);
    let refused = [
        ("model", "width = 1000000", "model.width is 1000000: it must be at least 1 and at most 4096"),
        ("model", "channels = 1000000000", "model.channels"),
        ("model", "states = 1000000000", "model.states"),
        ("model", "frequencies = 1000000000", "model.frequencies"),
        ("model", "neighbors = 1000000000", "model.neighbors"),
        ("model", "sweeps = 1000000000", "model.sweeps"),
        ("train", "negatives = 1000000000", "train.negatives"),
        ("train", "window = 1000000000", "train.window"),
        ("train", "batch = 18446744073709551615", "train.batch"),
        ("train", "batch = -3", "expected a whole number from 0"),
        ("train", "epochs = \"many\"", "expected a whole number from 0"),
        ("train", "learning_rate = inf", "train.learning_rate"),
        ("evaluate", "candidates = 1000000000", "evaluate.candidates"),
    ];
    for (section, line, told) in refused {
        world.write("bad.toml", &format!("[{section}]\n{line}\n"));
        let output = fails(&world, "train bad.toml", told);
        assert!(!output.out.contains("epoch") && !output.err.contains("usize"), "{line}: {}", output.err);
    }
    fails(&world, "train --width 1000000", "model.width");
    world.write("steep.toml", &CONFIG.replace("[train]\n", "[train]\nlearning_rate = 1e30\n"));
    let output = fails(&world, "train steep.toml", "with finite inputs: lower train.learning_rate");
    assert!(!output.out.contains("epoch"), "no header of a table without rows: {}", output.out);
}

#[cfg(unix)]
#[test]
fn ctrl_c_in_training_keeps_the_best_epoch() {
    for signal in ["INT", "TERM"] {
        let world = trained(|_| None);
        let mut command = Command::new(env!("CARGO_BIN_EXE_timeweft"));
        command.current_dir(world.path("")).env("TIMEWEFT_GRAPH", "g");
        command.args(["train", "c.toml", "--epochs", "100000", "--freshness", "event", "--json"]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut told = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let first: Value = serde_json::from_str(&told.next().unwrap()).unwrap();
        assert_eq!(first["epoch"], 1);
        let sent = Command::new("kill").args([&format!("-{signal}"), &child.id().to_string()]).status().unwrap();
        assert!(sent.success());
        let told: Vec<Value> = told.map(|line| serde_json::from_str(&line).unwrap()).collect();
        let output = child.wait_with_output().unwrap();
        let message = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(130), "{message}");
        assert!(message.contains("interrupted") && message.contains("Ctrl-C again leaves at once"), "{message}");
        let epochs = 1 + told.iter().filter(|object| object["epoch"].is_number()).count();
        let last = told.last().unwrap();
        assert!(last["interrupted"] == true && last["best_epoch"].as_u64().unwrap() <= epochs as u64, "{last}");
        assert!(told.iter().any(|object| object["model"] == "HTGN"), "it is ranked: {told:?}");
        // What was kept is a model like any other, and goes on.
        done(&world, "evaluate");
        let goal = (epochs + 1).to_string();
        let resumed = parse(&done(&world, &format!("train --resume --epochs {goal} --json")).out);
        assert_eq!(
            (&resumed[0]["epoch"], &resumed.last().unwrap()["interrupted"]),
            (&(epochs + 1).into(), &false.into())
        );
    }
}
