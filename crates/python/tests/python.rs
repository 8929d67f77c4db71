//! Runs the tests of the Python package where there is a Python, and says what is left out where there is none.
//!
//! `TIMEWEFT_PYTHON` names the Python; else the newest one that is found. One without NumPy and pytest gets a virtual
//! environment in the folder of the build.
#![allow(clippy::unwrap_used)]

use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;
use std::{env, fs, io::Write as _, thread};

/// Pythons that are looked for, the best first.
const PYTHONS: [&str; 5] = ["python3.13", "python3.12", "python3.11", "python3", "python"];
/// What the tests cannot do without.
const NEEDED: &str = "import numpy, pytest; assert int(numpy.__version__.split('.')[0]) >= 2";
/// What else is installed where it can be, so that fewer tests are left out.
const PACKAGES: [&str; 9] =
    ["numpy>=2", "pytest>=8", "hypothesis", "pyarrow", "polars", "pandas", "duckdb", "networkx", "scipy"];

#[test]
fn tests_of_the_python_package_pass() {
    let root = fs::canonicalize("../..").unwrap();
    let python = match python_with_packages() {
        Ok(python) => python,
        Err(why) => return say(&format!("left out: the tests of Python ({why})")),
    };
    let package = laid_out(&root);
    let mut tests = Command::new(&python);
    tests.args(["-m", "pytest", "-q", "-p", "no:cacheprovider", "python/tests"]).current_dir(&root);
    tests.env("PYTHONPATH", &package).env("PYTHONDONTWRITEBYTECODE", "1");
    let done = tests.output().unwrap();
    let told = String::from_utf8_lossy(&done.stdout).into_owned();
    assert!(done.status.success(), "{}{told}{}", python.display(), String::from_utf8_lossy(&done.stderr));
    for line in told.lines().filter(|line| line.starts_with("SKIPPED")) {
        say(&format!("left out: {}", line.trim_start_matches("SKIPPED").trim()));
    }
    say(&format!("Python's tests ({}): {}", python.display(), told.lines().last().unwrap_or_default()));
}

/// Writes a line past the runner, which keeps back what macros print in a test that passes.
fn say(line: &str) {
    std::io::stderr().write_all(format!("{line}\n").as_bytes()).unwrap();
}

/// A Python from 3.11 that has what the tests need, or why there is none.
fn python_with_packages() -> Result<PathBuf, String> {
    let named = env::var_os("TIMEWEFT_PYTHON").map(PathBuf::from);
    let python = match &named {
        Some(python) => {
            version(python).map(|_| python.clone()).ok_or(format!("{}: no Python from 3.11", python.display()))?
        }
        None => {
            let found = PYTHONS.iter().map(PathBuf::from).find(|python| version(python).is_some());
            found.ok_or("no Python from 3.11; TIMEWEFT_PYTHON names one")?
        }
    };
    if run(&python, ["-c", NEEDED]).is_some() {
        return Ok(python);
    }
    let known = version(&python).unwrap_or_default();
    let folder = build_folder().join(format!("python-{}", known.trim()));
    let own = folder.join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" });
    if run(&own, ["-c", NEEDED]).is_some() {
        return Ok(own);
    }
    let _ = fs::remove_dir_all(&folder);
    run(&python, [OsStr::new("-m"), OsStr::new("venv"), folder.as_os_str()])
        .ok_or("no virtual environment could be made")?;
    let mut install = Command::new(&own);
    install.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary", ":all:"]);
    install.args(["--retries", "2", "--timeout", "30"]).args(PACKAGES);
    let installed = patient(install, Duration::from_secs(600));
    if installed.is_some_and(|done| done.status.success()) && run(&own, ["-c", NEEDED]).is_some() {
        return Ok(own);
    }
    Err(format!(
        "{} has no NumPy from 2 and pytest, and they could not be installed: install them, or name a Python that has \
         them with TIMEWEFT_PYTHON",
        python.display()
    ))
}

/// The version of a Python that is new enough, as `3.11`.
fn version(python: &Path) -> Option<String> {
    let ask = "import sys; assert sys.version_info >= (3, 11); print('%d.%d' % sys.version_info[:2])";
    run(python, ["-c", ask]).map(|done| String::from_utf8_lossy(&done.stdout).into_owned())
}

/// What a Python said, if it ran and did not fail.
fn run<A: AsRef<OsStr>>(python: &Path, arguments: impl IntoIterator<Item = A>) -> Option<Output> {
    // What a shell that started this has set for its own Python would reach this one.
    let done = Command::new(python).args(arguments).env_remove("PYTHONPATH").env_remove("PYTHONHOME").output();
    done.ok().filter(|done| done.status.success())
}

/// What a program said, if it ended in time.
fn patient(mut program: Command, limit: Duration) -> Option<Output> {
    let mut child = program.spawn().ok()?;
    let mut waited = Duration::ZERO;
    while child.try_wait().ok()?.is_none() {
        if waited > limit {
            child.kill().ok()?;
        }
        thread::sleep(Duration::from_millis(200));
        waited += Duration::from_millis(200);
    }
    child.wait_with_output().ok()
}

/// The folder of the build with this profile.
fn build_folder() -> PathBuf {
    let own = env::current_exe().unwrap();
    own.parent().and_then(Path::parent).unwrap().to_owned()
}

/// The package with the extension that was just built, in a folder of its own: nothing is written into the sources.
fn laid_out(root: &Path) -> PathBuf {
    let build = build_folder();
    let folder = build.join("python-package");
    let package = folder.join("timeweft");
    let _ = fs::remove_dir_all(&folder);
    copied(&root.join("python/timeweft"), &package);
    let library = format!("{DLL_PREFIX}_core{DLL_SUFFIX}");
    let built = build.join("deps").join(library);
    let name = if cfg!(windows) { "_core.pyd" } else { "_core.abi3.so" };
    fs::copy(&built, package.join(name)).unwrap_or_else(|error| panic!("{}: {error}", built.display()));
    folder
}

/// Copies the sources of a package.
fn copied(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().flatten() {
        let (path, name) = (entry.path(), entry.file_name());
        if path.is_dir() && name != "__pycache__" {
            copied(&path, &to.join(name));
        } else if path.extension().is_some_and(|ext| ext == "py" || ext == "pyi" || ext == "typed")
            || name == "py.typed"
        {
            fs::copy(&path, to.join(name)).unwrap();
        }
    }
}
