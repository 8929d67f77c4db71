"""A temporal heterogeneous graph engine with learning built in.

>>> import timeweft as tw
>>> graph = tw.create("mail", unit="s")
>>> view = graph.view("2004-06-01")
"""

from . import errors
from ._arrays import NO_EDGE, NO_NODE
from ._view_features import Sparse
from .explanation import Explanation
from .graph import Graph, create, open
from .model import Model
from .report import LoadReport
from .samples import Samples, Walks
from .table import Table
from .view import View

__all__ = [
    "NO_EDGE", "NO_NODE", "Explanation", "Graph", "LoadReport", "Model", "Samples", "Sparse", "Table", "View", "Walks",
    "create", "errors", "open",
]  # fmt: skip
