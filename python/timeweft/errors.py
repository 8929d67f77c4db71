"""Exceptions. All are of [Error][timeweft.errors.Error]; each message names what was wrong, where, and what to do."""

from __future__ import annotations

from typing import Any


class Error(Exception):
    """Whatever timeweft refuses or fails to do."""


class StoreError(Error):
    """The graph directory could not be read or written, or refused."""


class MissingError(StoreError):
    """There is no graph in the directory."""


class ExistsError(StoreError):
    """There is a graph in the directory already."""


class LockedError(StoreError):
    """Another process has the graph open for writing; the message says which."""


class ReadOnlyError(StoreError):
    """The graph is open for reading only."""


class NewerFormatError(StoreError):
    """A newer timeweft wrote the graph."""


class CorruptError(StoreError):
    """A file is not what was written; the message names it."""


class DiskFullError(StoreError):
    """There is no room on the disk."""


class ClosedError(StoreError):
    """The graph was closed."""


class CommitGoneError(StoreError):
    """There is no such commit, or its files were compacted away."""


class LoadError(Error):
    """A load was refused as a whole; nothing of it is in the graph."""

    report: Any = None
    """What the load would have reported, where there is something to report."""


class NothingAcceptedError(LoadError):
    """All records of a load were refused."""


class TooManyRejectsError(LoadError):
    """More records were refused than `max_rejects` allows."""


class VersionTakenError(LoadError):
    """The namespace has that version already, with other contents."""


class DanglingError(LoadError):
    """Edges at missing nodes, where `dangling` does not allow them."""


class StoppedError(Error, KeyboardInterrupt):
    """A load or a training was stopped; nothing of it is in the graph."""


class SqlError(Error):
    """A query in SQL has no answer; the message names the clause, the name or the argument, and says what to do."""


class SourceError(Error):
    """A source could not be read."""

    file: str | None = None
    """The file, where there is one."""
    line: int | None = None
    """The line or row, from 1, where it is known."""


class TimeError(Error, ValueError):
    """What was given is no time of the graph."""


class SampleError(Error, ValueError):
    """Samples, walks or ranks cannot be taken so."""


class FeatureKindError(SampleError):
    """A feature is of another kind than what was asked of it."""


class QueryError(Error, ValueError):
    """A question of a hierarchy cannot be asked so."""


class UnknownError(Error, KeyError):
    """The graph has no such node, type, relation or feature; the message says what it has."""

    def __str__(self) -> str:
        return str(self.args[0]) if self.args else ""


class ConfigError(Error, ValueError):
    """A configuration of a model is wrong; the message names the setting."""


class ModelError(Error):
    """A model could not be made, found or asked."""


class ForkError(Error, RuntimeError):
    """The process was forked after a graph was opened: use the start method `spawn`, or threads."""
