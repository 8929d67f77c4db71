//! Every system call of the commands that write, failing one at a time: what is said is what is there.
//!
//! A library that is preloaded (`failing_calls/calls.c`) counts the calls on files of a command, and has the n-th of them fail.
//! Then what the command said, its exit code and message, is compared with what its folder holds. Each scenario takes a sample
//! of the calls, each of them with one of the errors in turn; with `TIMEWEFT_FAULTS=all` all calls with all errors.

mod scenarios;

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::world::{Answer, World};

/// Set to `all`, every call fails with every error.
const FAULTS: &str = "TIMEWEFT_FAULTS";
/// Of so many calls each fails once; of more a sample of as many.
const CALLS: usize = 48;
/// Commands of which fewer calls fail are slow: with all faults each call fails once.
const FEW: usize = 20;
/// What the system says: the numbers of Linux.
const ERRORS: [(&str, i32); 5] = [("EIO", 5), ("ENOSPC", 28), ("EMFILE", 24), ("EACCES", 13), ("ENOMEM", 12)];

/// How a call goes wrong.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Failure {
    /// It alone fails with an error of the list.
    One(usize),
    /// From it on the disk is full.
    Full,
    /// The process is killed before it.
    Killed,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::One(error) => f.write_str(ERRORS[*error].0),
            Failure::Full => f.write_str("full disk"),
            Failure::Killed => f.write_str("killed"),
        }
    }
}

/// What a command left.
enum Found {
    /// What was there before it.
    Before,
    /// What it was to do, whole.
    After,
    /// Something else.
    Broken(String),
}

/// A command that writes, and how to see what it left.
struct Scenario {
    name: &'static str,
    line: &'static str,
    /// What is there before it.
    world: World,
    found: fn(&World) -> Found,
}

/// A run of the command with a call that went wrong.
struct Run {
    world: World,
    answer: Answer,
    /// The names of its calls.
    calls: Vec<String>,
}

/// The library, built once with the compiler that building the workspace needs too.
fn library() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let (source, folder) = (Path::new("tests/it/failing_calls/calls.c"), Path::new(env!("CARGO_TARGET_TMPDIR")));
        fs::create_dir_all(folder).unwrap();
        let named = folder.join("calls.so");
        if named.exists() && modified(&named) >= modified(source) {
            return named;
        }
        let built = folder.join(format!("calls-{}.so", std::process::id()));
        let mut build = Command::new(std::env::var_os("CC").unwrap_or_else(|| "cc".into()));
        build.args(["-shared", "-fPIC", "-O1", "-Wall", "-o"]).arg(&built).arg(source).arg("-ldl");
        let output = build.output().expect("a C compiler");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        // Several processes may build it at once.
        fs::rename(built, &named).unwrap();
        named
    })
}

fn modified(path: &Path) -> std::time::SystemTime {
    fs::metadata(path).unwrap().modified().unwrap()
}

impl Scenario {
    /// Runs the command; the call with a number, from 1 on, goes wrong. With 0 none does.
    fn run(&self, at: usize, failure: Failure) -> Run {
        let world = self.world.copy();
        let log = tempfile::NamedTempFile::new().unwrap();
        let mut command = world.command(self.line);
        let under = world.path("g").parent().map(Path::to_owned).unwrap();
        command.env("LD_PRELOAD", library()).env("CALLS_UNDER", under).env("CALLS_LOG", log.path());
        command.env("CALLS_AT", at.to_string());
        match failure {
            Failure::One(error) => command.env("CALLS_ERRNO", ERRORS[error].1.to_string()),
            Failure::Full => command.env("CALLS_ERRNO", "28").env("CALLS_FULL", "1"),
            Failure::Killed => command.env("CALLS_ERRNO", "0"),
        };
        let answer = command.output().unwrap().into();
        Run { world, answer, calls: names(&fs::read(log.path()).unwrap()) }
    }

    /// Why what a run said is not what is there; none if it is.
    fn problem(&self, run: &Run, failure: Failure) -> Option<String> {
        let found = (self.found)(&run.world);
        let Answer { code, err, .. } = &run.answer;
        let is_unknown = err.contains("it is not known whether");
        let wrong = match (&found, code) {
            (Found::Broken(how), _) => format!("left broken: {how}"),
            (_, -1) if failure == Failure::Killed => return None,
            (Found::After, 0) if err.contains("nothing of it was kept") => "done, and said that nothing is kept".into(),
            (Found::After, 0) => return None,
            (Found::Before, 0) => "said done, and is not".into(),
            (_, 1) if !err.contains("error: ") => "failed without a word".into(),
            (Found::Before, 1) => return None,
            (Found::After, 1) if is_unknown => return None,
            (Found::After, 1) => "said failed, and is done".into(),
            _ => format!("ended with {code}"),
        };
        Some(wrong)
    }

    /// Files that are not whole, which only a process that was killed may leave.
    fn unfinished(world: &World) -> Vec<String> {
        let folders = ["", "g", "g/log", "g/index", "g/models"].map(|folder| world.path(folder));
        let entries = folders.iter().filter_map(|folder| fs::read_dir(folder).ok()).flatten();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name.ends_with(".tmp") || name.ends_with(".partial")).collect()
    }

    /// Lets calls fail, at most so many of them, and compares.
    fn check(&self, most: usize) {
        self.check_plan(|calls| plan(calls, most));
    }

    /// The same with the second half of the calls, in which a load commits and what is behind it follows.
    fn check_end(&self, most: usize) {
        self.check_plan(|calls| {
            let later = calls / 2;
            plan(later, most).into_iter().map(|(at, failure)| (at + calls - later, failure)).collect()
        });
    }

    /// The same with calls of choice. Where nothing came of the command it must work when it is repeated.
    fn check_plan(&self, plan: impl Fn(usize) -> Vec<(usize, Failure)>) {
        let whole = self.run(0, Failure::Full);
        assert_eq!(whole.answer.code, 0, "{}: {}", self.name, whole.answer.err);
        assert!(matches!((self.found)(&whole.world), Found::After), "{}: what is done is not found", self.name);
        assert!(matches!((self.found)(&self.world), Found::Before), "{}", self.name);
        assert!(whole.calls.len() > 20, "{}: only {} calls were seen", self.name, whole.calls.len());
        let (mut counts, mut wrong) = (BTreeMap::<String, u32>::new(), Vec::new());
        for (at, failure) in plan(whole.calls.len()) {
            let run = self.run(at, failure);
            let call = run.calls.get(at - 1).cloned().unwrap_or_default();
            *counts.entry(failure.to_string()).or_default() += 1;
            *counts.entry(call.clone()).or_default() += 1;
            if let Some(problem) = self.problem(&run, failure).or_else(|| self.aftermath(&run, &call, failure)) {
                wrong.push(format!("call {at} ({call}), {failure}: {problem}: {}", run.answer.err));
            }
        }
        // Not by a macro: the runner keeps back what macros print in a test that passes.
        let line = format!("{}: {} calls, made to fail: {counts:?}\n", self.name, whole.calls.len());
        std::io::Write::write_all(&mut std::io::stderr(), line.as_bytes()).unwrap();
        assert!(wrong.is_empty(), "{}: {} wrong\n{}", self.name, wrong.len(), wrong.join("\n"));
    }

    /// Whether a command that failed left something of it, or does not work when it is repeated.
    fn aftermath(&self, run: &Run, call: &str, failure: Failure) -> Option<String> {
        let left = Scenario::unfinished(&run.world);
        if failure != Failure::Killed && call != "unlink" && run.answer.code == 1 && !left.is_empty() {
            return Some(format!("left {left:?}"));
        }
        if !matches!((self.found)(&run.world), Found::Before) {
            return None;
        }
        let again = run.world.run(self.line);
        let done = again.code == 0 && matches!((self.found)(&run.world), Found::After);
        (!done).then(|| format!("does not work again: {}", again.err))
    }
}

/// The names in the log of the library.
fn names(log: &[u8]) -> Vec<String> {
    let number = log.first_chunk().map_or(0, |number| u64::from_le_bytes(*number)) as usize;
    let text = |name: &[u8]| String::from_utf8_lossy(name).trim_end_matches('\0').to_owned();
    log[16..].chunks(16).take(number).map(text).collect()
}

/// Which calls go wrong how: all with everything, or each of a sample once, with a full disk and a kill in between.
fn plan(calls: usize, most: usize) -> Vec<(usize, Failure)> {
    let ways = (0..ERRORS.len()).map(Failure::One).chain([Failure::Full, Failure::Killed]);
    let all = std::env::var_os(FAULTS).is_some_and(|faults| faults == "all");
    if all && most >= FEW {
        return ways.flat_map(|failure| (1..=calls).map(move |at| (at, failure))).collect();
    }
    let most = if all { calls } else { most };
    let way = |n: usize| match n % 8 {
        0 => Failure::Full,
        4 => Failure::Killed,
        _ => Failure::One(n % ERRORS.len()),
    };
    let sample = sample(calls, most);
    sample.into_iter().enumerate().map(|(n, at)| (at, way(n))).collect()
}

/// Numbers from 1 on, at most so many, drawn from a seed.
fn sample(of: usize, most: usize) -> Vec<usize> {
    let mut random = 0x9e37_79b9_u64;
    let mut numbers: Vec<usize> = (1..=of).collect();
    for last in (1..of).rev() {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        numbers.swap(last, (random >> 33) as usize % (last + 1));
    }
    numbers.truncate(most);
    numbers
}
