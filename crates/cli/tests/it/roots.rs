//! What people meet who ask about files of roots: the examples of the pages and of the help, and what is wrong with a file.

use std::fs::{self, File};
use std::path::Path;

use parquet::data_type::{ByteArray, ByteArrayType, DoubleType};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;

use crate::world::World;

const COMMANDS: [&str; 4] = ["sample", "walk", "page-rank", "features"];

fn page(name: &str) -> String {
    fs::read_to_string(Path::new("../../docs").join(name)).unwrap()
}

/// The shop of the guide, with the roots of the pages.
fn guided() -> World {
    let world = World::new();
    let guide = page("guide.md");
    let block = guide.split("`shop.jsonl` has one event a line").nth(1).unwrap().split("```").nth(1).unwrap();
    world.write("shop.jsonl", block.trim_start());
    world.run("load events shop.jsonl --graph shop --unit s").expect(3, "one of its events is rejected");
    world.write("roots.csv", "type,id,time\nuser,ann,2024-03-11\nitem,lamp,2024-03-11\n");
    let edges = "user,ann,buys,item,lamp,1,2024-03-11\nuser,bo,likes,item,lamp,,2024-03-11\n";
    world.write("edges.csv", &format!("source_type,src,relation,destination_type,dst,key,time\n{edges}"));
    world.run("features roots.csv --inclusive --graph shop --feature city --to roots.parquet").expect(0, "Parquet");
    world
}

#[test]
fn examples_of_the_pages_print_what_they_say() {
    let world = guided();
    for command in COMMANDS {
        let page = page(&format!("commands/{command}.md"));
        let example = page.split("## Example").nth(1).unwrap().split("```").nth(1).unwrap();
        let mut asked = 0;
        for part in example.split("\n$ ").skip(1) {
            let (line, told) = part.split_once('\n').unwrap();
            if let Some(file) = line.strip_prefix("cat ") {
                assert_eq!(fs::read_to_string(world.path(file)).unwrap(), format!("{told}\n"));
                continue;
            }
            let answer = world.run(line.strip_prefix("timeweft ").unwrap()).expect(0, line);
            assert_eq!(format!("{}{}", answer.out, answer.err), told, "{line}");
            asked += 1;
        }
        assert_eq!(asked, 1, "{command}");
    }
}

#[test]
fn examples_of_the_help_run() {
    let world = guided();
    for command in COMMANDS {
        let help = world.done(&format!("{command} --help"));
        let examples: Vec<&str> = help.lines().filter_map(|line| line.strip_prefix("  timeweft ")).collect();
        assert!(examples.len() >= 2, "{command}");
        for line in examples {
            let line = line.split("  ").next().unwrap();
            let told = world.run(&format!("{line} --graph shop --json")).expect(0, line);
            assert!(told.out.starts_with("{\"roots\":2,\"unknown\":0,\"rows\":"), "{line}: {}", told.out);
        }
    }
}

/// Each command on a file of roots that it must refuse: what it says, and no file behind.
fn refused(world: &World, file: &str, messages: &[&str]) {
    for command in COMMANDS {
        for out in ["out.jsonl", "out.parquet"] {
            let answer = world.run(&format!("{command} {file} --graph shop --to {out}")).expect(1, file);
            messages.iter().for_each(|message| _ = answer.says(message));
            let left = [out.to_owned(), format!("{out}.partial")];
            assert!(left.iter().all(|file| !world.path(file).exists()), "{command} {file}");
        }
    }
}

#[test]
fn wrong_cells_of_csv_are_told_with_their_line() {
    let world = guided();
    let cases = [
        (
            "type,id,time\nuser,ann,NaN\n",
            &["roots2.csv:2: time: expected ticks, a date or an RFC 3339 time, got `NaN`"][..],
        ),
        (
            "type,id,time\nuser,ann,3\nuser,bo,1.5\n",
            &["roots2.csv:3: time: `1.5` is not a time: give an integer, a date"],
        ),
        (
            "type,id,time\nuser,ann,99999999999999999999\n",
            &["roots2.csv:2: time: `99999999999999999999` is not a time"],
        ),
        ("type,id,time\nuser,ann,2024-13-01\n", &["roots2.csv:2: time"]),
        (
            "type,time\nuser,3\n",
            &["roots2.csv: there is no column `id`: give the columns", "the columns are: type, time"],
        ),
        ("", &["roots2.csv: there is no header: the file is empty; give a first line that names the columns"]),
        ("type,id,id\nuser,ann,ann\n", &["roots2.csv: column `id` is there twice"]),
        ("type,id,time\ncat,tom,3\n", &["roots2.csv:2: no node type `cat` in this graph: it has user, item"]),
    ];
    for (text, messages) in cases {
        world.write("roots2.csv", text);
        refused(&world, "roots2.csv", messages);
    }
    fs::write(world.path("roots2.csv"), b"type,id,time\nuser,\xff\xfe,3\n").unwrap();
    refused(&world, "roots2.csv", &["roots2.csv:2: id"]);
    world.write("roots2.csv", "src,dst,relation\nann,lamp,owns\n");
    world
        .run("features roots2.csv --graph shop")
        .expect(1, "edges")
        .says("roots2.csv:2: no edge type of the graph is like");
    fs::write(world.path("roots2.csv"), b"\xff\xfet\0y\0").unwrap();
    refused(&world, "roots2.csv", &["roots2.csv:1: the text is UTF-16: convert it to UTF-8"]);
    fs::write(world.path("roots2.csv"), b"type,i\xe9\nuser,ann\n").unwrap();
    refused(&world, "roots2.csv", &["roots2.csv: the header is not UTF-8 text: save the file as UTF-8"]);
}

/// A Parquet file with the columns type and id of one user, and a time as a number with a fraction or not a number.
fn timed(world: &World, name: &str, time: f64) {
    let message = "message roots { required binary type (UTF8); required binary id (UTF8); required double time; }";
    let schema = std::sync::Arc::new(parse_message_type(message).unwrap());
    let file = File::create(world.path(name)).unwrap();
    let mut writer = SerializedFileWriter::new(file, schema, std::sync::Arc::default()).unwrap();
    let mut group = writer.next_row_group().unwrap();
    for text in ["user", "ann"] {
        let mut column = group.next_column().unwrap().unwrap();
        column.typed::<ByteArrayType>().write_batch(&[ByteArray::from(text)], None, None).unwrap();
        column.close().unwrap();
    }
    let mut column = group.next_column().unwrap().unwrap();
    column.typed::<DoubleType>().write_batch(&[time], None, None).unwrap();
    column.close().unwrap();
    group.close().unwrap();
    writer.close().unwrap();
}

#[test]
fn wrong_columns_of_parquet_are_told_with_their_row() {
    let world = guided();
    timed(&world, "roots2.parquet", f64::NAN);
    refused(
        &world,
        "roots2.parquet",
        &["roots2.parquet:1: time: expected ticks, a date or an RFC 3339 time, got `nan`"],
    );
    timed(&world, "roots2.parquet", 3.5);
    refused(&world, "roots2.parquet", &["roots2.parquet:1: time: `3.5` is not a time: give an integer"]);
    world.done("page-rank roots.csv --inclusive --graph shop --to ranks.parquet");
    world.done("sample ranks.parquet --inclusive --graph shop --to again.parquet");
    let whole = fs::read(world.path("roots.parquet")).unwrap();
    for part in [&whole[..0], &whole[..whole.len() / 2], b"type,id\nuser,ann\n"] {
        fs::write(world.path("roots2.parquet"), part).unwrap();
        refused(&world, "roots2.parquet", &["roots2.parquet: this is no whole Parquet file ("]);
    }
}

#[test]
fn wrong_numbers_and_places_are_wrong_usage() {
    let world = guided();
    for (line, message) in [
        ("sample roots.csv --count -3", "invalid value '-3' for '--count"),
        ("sample roots.csv --count 0", "invalid value '0' for '--count"),
        ("sample roots.csv --quota buys=-1", "--quota buys=-1: give an edge type and a number above 0"),
        ("walk roots.csv --length -1", "invalid value '-1' for '--length"),
        ("walk roots.csv --walks 0", "invalid value '0' for '--walks"),
        ("walk roots.csv --p -1", "`p` is -1, but must be a number above 0"),
        ("walk roots.csv --q nan", "`q` is NaN, but must be a number above 0"),
        ("page-rank roots.csv --top -1", "invalid value '-1' for '--top"),
        ("page-rank roots.csv --eps 0", "`eps` is 0, but must be above 0"),
        ("page-rank roots.csv --eps 1e-323", "but must be above 0, and so that alpha * eps is"),
        ("page-rank roots.csv --alpha -0.5", "`alpha` is -0.5, but must be in (0, 1]"),
        ("features roots.csv --batch 0", "invalid value '0' for '--batch"),
        ("features roots.csv --to roots.txt", "--to roots.txt: give a name that ends in .jsonl, .parquet or .arrow"),
        ("features roots.parquet --to ./roots.parquet", "--to ./roots.parquet: that is the file of roots itself"),
    ] {
        world.run(&format!("{line} --graph shop")).expect(2, line).says(message);
    }
    for command in COMMANDS {
        world.done(&format!("{command} roots.csv --graph shop --to out.jsonl"));
        let first = fs::read(world.path("out.jsonl")).unwrap();
        // What goes wrong later leaves the older file as it was.
        world.write("bad.csv", "type,id,time\nuser,ann,2024-03-11\nuser,ann,\n");
        world
            .run(&format!("{command} bad.csv --graph shop --to out.jsonl"))
            .expect(1, command)
            .says("bad.csv:3: time is");
        assert_eq!(fs::read(world.path("out.jsonl")).unwrap(), first);
        assert!(!world.path("out.jsonl.partial").exists());
        world.done(&format!("{command} roots.csv --graph shop --to out.jsonl"));
        assert_eq!(fs::read(world.path("out.jsonl")).unwrap(), first, "an older file is replaced");
        fs::create_dir_all(world.path("folder.jsonl")).unwrap();
        let line = format!("{command} roots.csv --graph shop --to folder.jsonl");
        world.run(&line).expect(1, command).says("cannot write folder.jsonl");
        let line = format!("{command} roots.csv --graph shop --to none/out.parquet");
        world.run(&line).expect(1, command).says("cannot write none/out.parquet");
    }
    let full = world.shell("\"$0\" sample roots.csv --graph shop > /dev/full").expect(1, "a full disk");
    full.says("cannot write to standard output");
}
