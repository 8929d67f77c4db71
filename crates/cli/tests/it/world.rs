//! What the tests share: a folder, the binary run in it, and its answers.

use std::fs;
use std::io::Write;
use std::os::fd::AsRawFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// A folder of its own, with a graph in `g` unless a test says otherwise.
pub(crate) struct World {
    folder: tempfile::TempDir,
}

/// What a run of the binary gave.
pub(crate) struct Answer {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl World {
    pub(crate) fn new() -> World {
        World { folder: tempfile::tempdir().unwrap() }
    }

    /// A world of its own with the same files.
    pub(crate) fn copy(&self) -> World {
        let copy = World::new();
        copy_folder(self.folder.path(), copy.folder.path());
        copy
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file and gives its name.
    pub(crate) fn write<'a>(&self, name: &'a str, text: &str) -> &'a str {
        fs::write(self.path(name), text).unwrap();
        name
    }

    /// The binary, with the words of a line, in the folder.
    pub(crate) fn command(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_timeweft"));
        command.current_dir(self.folder.path()).env("TIMEWEFT_GRAPH", "g").args(line.split_whitespace());
        command
    }

    /// Runs the binary with the words of a line.
    pub(crate) fn run(&self, line: &str) -> Answer {
        self.command(line).output().unwrap().into()
    }

    /// Runs the binary with something on standard input.
    pub(crate) fn pipe(&self, line: &str, input: &str) -> Answer {
        let piped = self.command(line).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut child = piped.unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        child.wait_with_output().unwrap().into()
    }

    /// Runs the binary with the words of a line where it can start no thread; `None` where the system limits nobody's
    /// threads. The limit is one of a user, and not of root: root becomes somebody else.
    pub(crate) fn without_threads(&self, line: &str) -> Option<Answer> {
        // Found by its number: the folder of the binary may be root's alone.
        let binary = fs::File::open(env!("CARGO_BIN_EXE_timeweft")).unwrap();
        let path = format!("/proc/self/fd/{}", binary.as_raw_fd());
        let shell = limited(Command::new("sh").args(["-c", "true | true"])).output().ok()?;
        if shell.status.success() {
            return None;
        }
        let mut command = Command::new(path);
        command.current_dir(self.folder.path()).env("TIMEWEFT_GRAPH", "g").env("HOME", ".");
        Some(limited(command.args(line.split_whitespace())).output().ok()?.into())
    }

    /// Lets anybody write into the folder.
    pub(crate) fn open_to_all(&self) {
        fs::set_permissions(self.folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
    }

    /// Runs the binary through a shell, where a test needs one.
    pub(crate) fn shell(&self, script: &str) -> Answer {
        let mut shell = Command::new("sh");
        shell.current_dir(self.folder.path()).env("TIMEWEFT_GRAPH", "g").arg("-c").arg(script);
        shell.arg(env!("CARGO_BIN_EXE_timeweft")).output().unwrap().into()
    }

    /// Runs the binary and expects success.
    pub(crate) fn done(&self, line: &str) -> String {
        self.run(line).expect(0, line).out
    }

    /// The JSON lines of a run that succeeds.
    pub(crate) fn json(&self, line: &str) -> Vec<Value> {
        parse(&self.done(&format!("{line} --json")))
    }
}

/// A command that can start neither a thread nor a process.
#[allow(unsafe_code, reason = "what is done between two processes is one system call")]
fn limited(command: &mut Command) -> &mut Command {
    if rustix::process::geteuid().is_root() {
        // A user that nobody else is.
        command.uid(54_321).gid(54_321);
    }
    let limit = || {
        let one = rustix::process::Rlimit { current: Some(1), maximum: Some(1) };
        Ok(rustix::process::setrlimit(rustix::process::Resource::Nproc, one)?)
    };
    unsafe { command.pre_exec(limit) }
}

impl Answer {
    /// The same, if the exit code is this.
    pub(crate) fn expect(self, code: i32, what: &str) -> Answer {
        assert_eq!(self.code, code, "{what}\n{}\n{}", self.out, self.err);
        self
    }

    /// Checks that the message for people holds a text.
    pub(crate) fn says(&self, text: &str) -> &Answer {
        assert!(self.err.contains(text), "no `{text}` in: {}", self.err);
        self
    }
}

impl From<Output> for Answer {
    fn from(output: Output) -> Answer {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Answer { code: output.status.code().unwrap_or(-1), out: text(output.stdout), err: text(output.stderr) }
    }
}

fn copy_folder(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let (path, copy) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() {
            fs::create_dir(&copy).unwrap();
            copy_folder(&path, &copy);
        } else {
            fs::copy(path, copy).unwrap();
        }
    }
}

/// JSON lines as values.
pub(crate) fn parse(lines: &str) -> Vec<Value> {
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// A file of the real data, or a line that says that the test is left out.
pub(crate) fn data(test: &str, name: &str) -> Option<PathBuf> {
    let beside = "../../../shared/data";
    let root = std::env::var_os("TIMEWEFT_DATA").map_or_else(|| PathBuf::from(beside), PathBuf::from);
    let path = root.join(Path::new(name));
    if path.exists() {
        return path.canonicalize().ok();
    }
    // Not by a macro: the runner keeps back what macros print in a test that passes.
    let line = format!("left out: {test} (no data folder)\n");
    std::io::Write::write_all(&mut std::io::stderr(), line.as_bytes()).unwrap();
    None
}

/// A small shop: two nodes, an edge with a feature that changes, and an end.
pub(crate) const SHOP: &str = r#"{"time":1,"action":"create","entity":"node","source":{"type":"user","id":"ann","features":{"age":31}}}
{"time":1,"action":"create","entity":"node","source":{"type":"item","id":"pen"}}
{"time":2,"action":"create","entity":"edge","source":{"type":"user","id":"ann"},"edge":{"type":"buys","features":{"price":9.5}},"destination":{"type":"item","id":"pen"}}
{"time":4,"action":"update","entity":"node","source":{"type":"user","id":"ann","features":{"age":32}}}
{"time":7,"action":"delete","entity":"node","source":{"type":"item","id":"pen"}}
"#;

/// A world with the shop loaded.
pub(crate) fn shop() -> World {
    let world = World::new();
    world.write("shop.jsonl", SHOP);
    world.done("load events shop.jsonl --unit step");
    world
}
