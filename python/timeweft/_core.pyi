# What `crates/python` gives. Arguments come checked by the package around it.

from typing import Literal, TypeAlias

Unit: TypeAlias = Literal["s", "ms", "us", "ns", "step"]

class Columns:
    names: list[str]
    def __len__(self) -> int: ...
    def __arrow_c_stream__(self, requested_schema: object = None) -> object: ...

class Graph:
    path: str
    unit: Unit
    commit: int
    read_only: bool
    @staticmethod
    def create(path: str, unit: str) -> Graph: ...
    @staticmethod
    def open(path: str) -> Graph: ...
    @staticmethod
    def open_read_only(path: str, commit: int | None = None) -> Graph: ...
    def close(self) -> None: ...
    def view(self, commit: int | None = None) -> View: ...

class View:
    commit: int

def parse_time(text: str, unit: str) -> int: ...
