//! What input decides has a limit, and what the system refuses is an answer: no panic, no abort, no endless load.

use std::fs;

use crate::world::{Answer, World, shop};

const VERSION: &str = "--namespace n --version 1 --timestamp 700 --release-timestamp 700";

/// Inputs of every kind of load, and of what asks the graph.
fn write_all(world: &World) {
    let edges: String = (0..300).map(|at| format!("{},{},{at}\n", at * 7 % 30, at * 11 % 30)).collect();
    world.write("e.csv", &format!("src,dst,time\n{edges}"));
    let node = |at| format!("{{\"node_id\":{at},\"node_type\":0,\"node_weight\":1.0,\"created_at\":5,\"edge\":[]}}\n");
    world.write("i.jsonl", &(0..50).map(node).collect::<String>());
    let term = |at| format!("[Term]\nid: X:{at}\nname: n{at}\nis_a: X:{}\n\n", at / 2);
    world.write(
        "o.obo",
        &format!("format-version: 1.2\n\n[Term]\nid: X:0\n\n{}", (1..50).map(term).collect::<String>()),
    );
    fs::create_dir(world.path("t")).unwrap();
    let taxon =
        |id, rank| format!("{id}\t|\t1\t|\t{rank}\t|\t\t|\t8\t|\t0\t|\t1\t|\t0\t|\t0\t|\t0\t|\t0\t|\t0\t|\t\t|\n");
    world.write("t/nodes.dmp", &(taxon(1, "no rank") + &taxon(2, "species")));
    let names = "1\t|\troot\t|\t\t|\tscientific name\t|\n2\t|\tBug\t|\t\t|\tscientific name\t|\n";
    world.write("t/names.dmp", names);
    world.write(
        "roots.csv",
        &format!("type,id,time\n{}", (0..30).map(|at| format!("node,{at},500\n")).collect::<String>()),
    );
    world.write(
        "c.toml",
        "[model]\nwidth = 4\nchannels = 2\nstates = 2\nheads = 1\nfrequencies = 2\nneighbors = 2\n[train]\nepochs = 1\nnegatives = 2\n",
    );
}

fn commands() -> Vec<String> {
    let version = |source: &str, namespace: &str| format!("load version {source} {VERSION} --namespace {namespace}");
    let version = |source, namespace| version(source, namespace).replacen("--namespace n ", "", 1);
    let all = [
        "init --unit step".into(),
        "load events e.csv".into(),
        "load intervals i.jsonl --namespace i".into(),
        version("o.obo", "o"),
        version("t", "t"),
        "rollback 2".into(),
        "compact".into(),
        "verify".into(),
        "stats".into(),
        "sample roots.csv --count 3,3 --to s.jsonl".into(),
        "walk roots.csv --length 3 --to w.jsonl".into(),
        "page-rank roots.csv --to p.jsonl".into(),
        "features roots.csv --to f.jsonl".into(),
        "features roots.csv --to f.parquet".into(),
        "export --to x.jsonl".into(),
        "export --to x.parquet".into(),
        "query descendants term X:1".into(),
        "train c.toml --target link".into(),
        "predict node 1".into(),
    ];
    all.into()
}

#[test]
fn without_threads_every_command_does_its_work_with_the_same_result() {
    let (alone, beside) = (World::new(), World::new());
    alone.open_to_all();
    write_all(&alone);
    write_all(&beside);
    for line in commands() {
        let Some(answer) = alone.without_threads(&line) else {
            let line = "left out: without_threads_every_command_does_its_work (threads are not limited here)\n";
            std::io::Write::write_all(&mut std::io::stderr(), line.as_bytes()).unwrap();
            return;
        };
        let (answer, other) = (answer.expect(0, &line), beside.run(&line).expect(0, &line));
        if line.starts_with("predict") || line.starts_with("query") {
            assert_eq!(answer.out, other.out, "{line}");
        }
    }
    for file in ["s.jsonl", "w.jsonl", "p.jsonl", "f.jsonl", "f.parquet", "x.jsonl", "x.parquet"] {
        let read = |world: &World| fs::read(world.path(file)).unwrap();
        assert!(!read(&alone).is_empty() && read(&alone) == read(&beside), "{file} is the same");
    }
}

#[test]
fn devices_are_no_sources_whichever_way_they_are_named() {
    let world = shop();
    world.write("m.toml", "[[nodes]]\nfile = \"/dev/zero\"\nformat = \"csv\"\ntype = \"n\"\nid = \"id\"\n");
    let version = |source: &str| format!("load version {source} {VERSION}");
    for line in [
        "load events /dev/zero".to_owned(),
        "load intervals /dev/zero --format json".to_owned(),
        version("/dev/zero --format obo"),
        version("/dev/zero --format obograph"),
        version("/dev/zero --format tables"),
        version("m.toml"),
        "init --graph h --schema /dev/zero".to_owned(),
        "train /dev/zero".to_owned(),
    ] {
        world.run(&line).expect(1, &line).says("it is a device");
    }
    assert_eq!(world.pipe("load events - --format csv", "src,dst,time\na,b,9\n").code, 0, "a pipe is one");
}

#[test]
fn text_in_utf_16_is_named_in_every_format() {
    let world = shop();
    let utf16 = |name: &str, text: &str| {
        let bytes: Vec<u8> = [0xfeff].into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
        fs::write(world.path(name), bytes).unwrap();
    };
    utf16("e.csv", "src,dst,time\na,b,1\n");
    utf16("e.jsonl", "{\"time\":1}\n");
    utf16("i.tsv", "1\t0\t1.0\n");
    utf16("i.json", "{\"node_id\":1}\n");
    utf16("o.obo", "format-version: 1.2\n");
    utf16("g.json", "{\"graphs\":[]}");
    utf16("m.toml", "[[nodes]]\n");
    utf16("c.toml", "[model]\n");
    utf16("r.csv", "type,id\n");
    world.write("t.toml", "[[nodes]]\nfile = \"e.csv\"\ntype = \"n\"\nid = \"src\"\n");
    world.write("j.toml", "[[nodes]]\nfile = \"e.jsonl\"\ntype = \"n\"\nid = \"time\"\n");
    let version = |source: &str| format!("load version {source} {VERSION}");
    for line in [
        "load events e.csv".to_owned(),
        "load events e.jsonl".to_owned(),
        "load intervals i.tsv".to_owned(),
        "load intervals i.json".to_owned(),
        version("o.obo"),
        version("g.json"),
        version("m.toml"),
        version("t.toml"),
        version("j.toml"),
        "train c.toml".to_owned(),
        "sample r.csv --to s.jsonl".to_owned(),
    ] {
        world.run(&line).expect(1, &line).says("the text is UTF-16: convert it to UTF-8");
    }
}

#[test]
fn a_damaged_ontology_never_points_at_the_option_that_deletes_everything() {
    let world = World::new();
    let load = |text: &str| -> Answer {
        world.write("o.obo", text);
        world.run(&format!("load version o.obo --unit step {VERSION}"))
    };
    let answer = load("\u{1}\u{2} this is\nno ontology\n");
    answer.says("expected `tag: value`");
    assert!(answer.code == 1 && !answer.err.contains("--allow-empty"), "{}", answer.err);
    let old_mac = "format-version: 1.2\r\r[Term]\rid: X:1\rname: one\r";
    assert_eq!(load(old_mac).code, 0, "lines of old Macs are lines");
}

#[test]
fn counts_beyond_all_there_is_take_no_more_memory() {
    let world = shop();
    world.write("roots.csv", "type,id,time\nuser,ann,3\n");
    for line in [
        "page-rank roots.csv --top 4294967295 --to p.jsonl",
        "page-rank roots.csv --top 4294967295 --batch 18446744073709551615 --to p.jsonl",
        "walk roots.csv --length 100000 --batch 18446744073709551615 --to w.jsonl",
        "neighbors user ann --at 3 --limit 4294967295",
    ] {
        world.run(line).expect(0, line);
    }
    let line = "walk roots.csv --length 4294967295 --walks 4294967295 --to w.jsonl";
    world.run(line).expect(2, line).says("take fewer");
}

#[test]
fn a_model_that_is_larger_than_memory_is_refused_before_it_is_made() {
    let world = World::new();
    write_all(&world);
    world.done("load events e.csv --unit step");
    world.write(
        "large.toml",
        "[model]\nwidth = 4096\nchannels = 8192\nstates = 1024\nheads = 1\n[train]\nbatch = 10000000\n",
    );
    let answer = world.run("train large.toml --target link").expect(1, "8 million numbers a message");
    answer.says("model.channels 8192 x model.states 1024").says("is all there is: make it smaller");
    for (key, value) in [("batch", "18446744073709551615"), ("negatives", "1000000000")] {
        world.write("wrong.toml", &format!("[train]\n{key} = {value}\n"));
        let answer = world.run("train wrong.toml --target link").expect(1, key);
        answer.says("wrong.toml").says(key);
    }
}

#[test]
fn an_id_that_is_no_name_is_rejected_with_its_line() {
    let world = shop();
    let long = "x".repeat((64 << 10) + 1);
    let node = |id: &str| {
        let key = format!("{{\"type\":\"user\",\"id\":\"{id}\"}}");
        format!("{{\"time\":9,\"action\":\"create\",\"entity\":\"node\",\"source\":{key}}}\n")
    };
    world.write("e.jsonl", &(node(&long) + &node(&long[1..])));
    world.write("e.csv", &format!("src,dst,time\na,b,9\n{long},b,9\n"));
    world.write("t.csv", &format!("id,note\na,1\n{long},2\n"));
    world.write("m.toml", "[[nodes]]\nfile = \"t.csv\"\ntype = \"n\"\nid = \"id\"\n");
    for (line, place) in [
        ("load events e.jsonl".to_owned(), "e.jsonl:1: "),
        ("load events e.csv".to_owned(), "e.csv:3: "),
        (format!("load version m.toml {VERSION}"), "t.csv:3: "),
    ] {
        let answer = world.run(&line).expect(3, &line);
        answer.says(place).says("is longer than 64 KiB: keep it as a feature").says("1 rejected record");
    }
}
