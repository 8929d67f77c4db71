//! The programs in `examples` run, in a folder of their own.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Cargo puts examples beside the folder of the tests.
fn program(name: &str) -> PathBuf {
    let own = std::env::current_exe().unwrap();
    own.parent().and_then(Path::parent).unwrap().join("examples").join(name)
}

fn printed(name: &str, folder: &Path) -> String {
    let output = Command::new(program(name)).current_dir(folder).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{name}: {text}{}", String::from_utf8_lossy(&output.stderr));
    text
}

fn lines(name: &str) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    printed(name, folder.path()).lines().map(str::to_owned).collect()
}

#[test]
fn the_quick_start_goes_from_a_file_to_a_prediction() {
    let folder = tempfile::tempdir().unwrap();
    let day = |n: usize| format!("2004-{:02}-{:02}", 4 + n / 28, 1 + n % 28);
    let rows: String =
        (0..84).map(|n| format!("{},{},{}\n", ["ann", "bo"][n % 2], ["cy", "di", "ed"][n % 3], day(n))).collect();
    std::fs::write(folder.path().join("messages.csv"), format!("src,dst,time\n{rows}")).unwrap();
    let text = printed("quick_start", folder.path());
    let lines: Vec<&str> = text.lines().collect();
    // 31 of the 61 rows until 2004-06-05, one every second day, and each of them an edge of its own.
    assert!(lines[0].starts_with("node ann -link-> node cy"), "{text}");
    assert!(lines.iter().any(|line| line.starts_with("[node ")), "{text}");
    let predictions = lines.iter().filter(|line| line.starts_with("node ") && !line.contains("->"));
    let total: f64 = predictions.map(|line| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap()).sum();
    assert!((total - 1.0).abs() < 0.01, "{text}");
}

#[test]
fn time_travel_shows_every_state() {
    assert_eq!(
        lines("time_travel"),
        [
            "5 events, 0 rejected",
            "at 1: ann is in Rome, 0 bought",
            "at 2: ann is in Rome, 1 bought",
            "at 3: ann is in Rome, 1 bought",
            "at 4: ann is in Oslo, 1 bought",
            "at 5: ann is in Oslo, 0 bought",
            "user ann -buys-> item pen held from 2 to 5",
            "city was Rome from 1",
            "city was Oslo from 4",
        ]
    );
}

#[test]
fn releases_are_diffed_and_taken_back() {
    let lines = lines("releases");
    assert!(lines.contains(&"term X:3 became term X:2".to_owned()), "{lines:#?}");
    assert!(lines.iter().any(|line| line.contains("Created term X:4")), "{lines:#?}");
    assert_eq!(lines.last().map(String::as_str), Some("3 terms without the second release"));
}

#[test]
fn samples_hold_nothing_of_their_own_time() {
    assert_eq!(
        lines("training_samples"),
        [
            "root 0: []",
            "root 1: [node p3, node p2, node p1]",
            "root 2: [node p3, node p2, node p1]",
            "counts [0, 3, 3]",
            "times [-9223372036854775808, -9223372036854775808, -9223372036854775808, 3, 2, 1, 7, 6, 5]",
        ]
    );
}

#[test]
fn predictions_are_explained() {
    let lines = lines("predict_explain");
    assert_eq!(lines[..2], ["epoch 1", "epoch 2"]);
    assert!(lines[2].ends_with("MRR above 0"), "{lines:#?}");
    assert_eq!(lines[3], "3 answers");
    assert_eq!(lines[4], "some neighbors were attended to");
}

#[test]
fn events_that_are_wrong_say_why() {
    let lines = lines("event_stream");
    assert_eq!(lines[..3], ["refused: true", "0 loads", "4 taken in, 1 refused"]);
    assert!(lines[3].starts_with("line 3: unknown node page nowhere"), "{lines:#?}");
    assert_eq!(lines[4..], ["2024-01-01: 0 links", "2024-01-02: 1 links", "2024-01-04: 0 links"]);
}
