//! What can go wrong with a store. Errors of the libraries below are kept as sources, not as types.

use std::io;
use std::path::{Path, PathBuf};

use timeweft_graph::{Commit, DeltaError, LoadId, Name, Reject};

use crate::load::LoadReport;
use crate::log::codec::CodecError;
use crate::writer_name;

/// Why a store refused or failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// There is no directory, an empty one, or one in which the making of a graph was cut short.
    #[error("{}: there is no graph here: make one with `Graph::create` or `Graph::open_or_create`; or give the right directory", .0.display())]
    Missing(PathBuf),
    /// The directory is something else.
    #[error("{}: not a graph (it has no complete catalogue.redb): make one with `Graph::create`, or give the right directory", .0.display())]
    NotAGraph(PathBuf),
    /// There is a graph already.
    #[error("{}: there is a graph already: open it, or choose another directory", .0.display())]
    Exists(PathBuf),
    /// Another process has it open for writing.
    #[error("{}: the graph is open for writing in {}: wait until that is done; to read it meanwhile, use `Graph::open_read_only`", .dir.display(), .holder.as_deref().unwrap_or("another process"))]
    Locked {
        /// The graph's directory.
        dir: PathBuf,
        /// The process, as it named itself.
        holder: Option<String>,
    },
    /// It is open for reading only.
    #[error("{}: the graph is open for reading only: open it with `Graph::open` to change it", .0.display())]
    ReadOnly(PathBuf),
    /// A manifest is damaged, which says what a process that only reads may read.
    #[error("{}: {problem}: open the graph for writing (`Graph::open`), which makes it anew from the catalogue", .file.display())]
    Manifest {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// Written by a later version of timeweft.
    #[error("{}: format {found} is newer than format {known}, the newest that this timeweft reads: use a newer timeweft", .dir.display())]
    NewerFormat {
        /// The graph's directory.
        dir: PathBuf,
        /// Format of the graph.
        found: u64,
        /// Newest format that this library reads.
        known: u64,
    },
    /// Bytes on disk are not what was written.
    #[error("{}: corrupt: {problem}: restore this file from a copy, or make a new graph and load its sources again", .file.display())]
    Corrupt {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// What was written and is to be published is not what the graph took in.
    #[error("{}: what was written reads back as something else: {problem}: nothing was loaded: load again; if it happens again, check the memory and the disk of this machine, and report it", .file.display())]
    Misread {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// The disk, a quota or the limit of file sizes is used up.
    #[error("{}: no space left (disk, quota or limit of file sizes): make room", .0.display())]
    DiskFull(PathBuf),
    /// Reading or writing failed.
    #[error("{}: {source}", .path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The catalogue failed.
    #[error("{}: {source}", .path.display())]
    Catalogue {
        /// The catalogue's file.
        path: PathBuf,
        /// What the catalogue said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Events could not be written in the segment format.
    #[error("events cannot be encoded: {0}")]
    Encode(Box<dyn std::error::Error + Send + Sync>),
    /// A write failed in the middle of a load, a version or a rollback.
    #[error("{cause}: {}", if *.kept { "it failed at the very end, so it is not known whether it is kept: look with `Graph::loads`, and do it again only if it is not listed" } else { "nothing of it was kept: do it again once this is mended" })]
    Unwritten {
        /// What failed.
        cause: Box<StoreError>,
        /// Whether it may be in the graph nevertheless.
        kept: bool,
    },
    /// An earlier write failed, so that what the disk holds is unknown.
    #[error("an earlier write failed: open the graph again before loading")]
    Poisoned,
    /// The namespace has this version with other content.
    #[error("namespace `{namespace}` has version `{version}` already (load {load}) with other content: give this one another version", load = .load.0)]
    VersionTaken {
        /// The namespace.
        namespace: Name,
        /// The version.
        version: Name,
        /// The load that brought it.
        load: LoadId,
    },
    /// A load of a version names no version or no timestamp.
    #[error("a load of a version needs {0}")]
    Incomplete(&'static str),
    /// There is no delta to this version.
    #[error(transparent)]
    Delta(#[from] DeltaError),
    /// A version before others of its namespace.
    #[error(
        "timestamp {at} is before {newest}, the newest version of namespace `{namespace}`: to put it before later versions, load with `back_dated`; else give a later timestamp"
    )]
    TooEarly {
        /// The namespace.
        namespace: Name,
        /// Timestamp of the version, as people write it.
        at: String,
        /// Timestamp of the newest version.
        newest: String,
    },
    /// Two versions of a namespace at one time.
    #[error("namespace `{namespace}` has version `{version}` at {at} already: give this one another timestamp")]
    TimestampTaken {
        /// The namespace.
        namespace: Name,
        /// The version that is there.
        version: Name,
        /// The timestamp, as people write it.
        at: String,
    },
    /// An edge at a missing node, under the policy that refuses the load.
    #[error("{0}: nothing was loaded: load with `Dangling::Drop` or `Dangling::Stub`")]
    Dangling(Box<Reject>),
    /// The load was stopped while it ran ([`crate::LoadRequest::stop`]).
    #[error("the load was stopped: nothing was loaded")]
    Stopped,
    /// The reader of a version gave up.
    #[error(transparent)]
    Source(Box<dyn std::error::Error + Send + Sync>),
    /// The index has no numbers left.
    #[error("{0}: nothing was loaded")]
    Full(Box<timeweft_graph::Reason>),
    /// Not one record could be taken in.
    #[error("no record was accepted, {} were rejected, the first at {}: nothing was loaded", .0.n_rejected, first(.0))]
    NothingAccepted(Box<LoadReport>),
    /// More rejected records than the load allows.
    #[error("more than {max} rejected records, the first at {}: nothing was loaded", first(.report))]
    TooManyRejects {
        /// The limit.
        max: u64,
        /// What was found until then.
        report: Box<LoadReport>,
    },
    /// A load that the registry does not have.
    #[error("there is no load {}: `Graph::loads` lists them", .0.0)]
    UnknownLoad(LoadId),
    /// A load that cannot be taken back.
    #[error("load {} cannot be rolled back: {why}: to bring back what is gone, load the version again", .load.0)]
    NotUndoable {
        /// The load.
        load: LoadId,
        /// Why not.
        why: String,
    },
    /// A commit that the store does not have.
    #[error("there is no commit {}: the newest is {}", .asked.0, .newest.0)]
    UnknownCommit {
        /// The commit asked for.
        asked: Commit,
        /// The newest one.
        newest: Commit,
    },
}

fn first(report: &LoadReport) -> String {
    report.rejects.first().map_or_else(String::new, Reject::to_string)
}

impl StoreError {
    /// The error of a thread that panicked.
    pub(crate) fn broken_down() -> StoreError {
        StoreError::Source("a thread of the load broke down".into())
    }

    pub(crate) fn io(path: &Path, source: io::Error) -> StoreError {
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
                StoreError::DiskFull(path.into())
            }
            _ => StoreError::Io { path: path.into(), source },
        }
    }

    /// An error of reading a segment, which the catalogue says is there.
    pub(crate) fn of_segment(path: &Path, error: io::Error) -> StoreError {
        match error.kind() {
            io::ErrorKind::NotFound => StoreError::corrupt(path, "the file is missing"),
            _ => StoreError::io(path, error),
        }
    }

    pub(crate) fn corrupt(file: &Path, problem: impl ToString) -> StoreError {
        StoreError::Corrupt { file: file.into(), problem: problem.to_string() }
    }

    pub(crate) fn manifest(file: &Path, problem: impl ToString) -> StoreError {
        StoreError::Manifest { file: file.into(), problem: problem.to_string() }
    }

    /// The graph is open for writing in another process.
    pub(crate) fn locked(dir: &Path) -> StoreError {
        StoreError::Locked { dir: dir.into(), holder: writer_name::read(dir) }
    }

    /// Whether it leaves the disk in an unknown state, so that nothing more may be written.
    pub(crate) fn is_failed_write(&self) -> bool {
        matches!(self, StoreError::Io { .. } | StoreError::DiskFull(_) | StoreError::Catalogue { .. })
    }

    /// An error of the catalogue at `path`.
    pub(crate) fn catalogue(path: &Path, error: impl Into<redb::Error>) -> StoreError {
        match error.into() {
            redb::Error::Io(source) if source.kind() == io::ErrorKind::InvalidData => StoreError::corrupt(path, source),
            redb::Error::Io(source) => StoreError::io(path, source),
            redb::Error::DatabaseAlreadyOpen => StoreError::locked(path.parent().unwrap_or(path)),
            redb::Error::Corrupted(problem) => StoreError::corrupt(path, problem),
            other => StoreError::Catalogue { path: path.into(), source: Box::new(other) },
        }
    }

    /// An error of encoding or writing the segment at `path`.
    pub(crate) fn encode(path: &Path, error: CodecError) -> StoreError {
        match error {
            CodecError::Arrow(arrow_schema::ArrowError::IoError(_, source)) => StoreError::io(path, source),
            other => StoreError::Encode(Box::new(other)),
        }
    }
}
