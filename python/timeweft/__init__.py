"""A temporal heterogeneous graph engine with learning built in.

>>> import timeweft as tw
>>> graph = tw.create("mail", unit="s")
>>> view = graph.view("2004-06-01")
"""

from . import errors
from ._arrays import NO_EDGE, NO_NODE
from ._core import __version__
from ._graph_reads import Diff, RollbackReport, VerifyReport
from ._query import Answer, Query
from ._schema import Schema
from ._view_features import Sparse
from ._view_reads import Edge, Node
from .explanation import Explanation
from .graph import Graph, create, open
from .model import Model
from .report import LoadReport
from .samples import Samples, Walks
from .subgraph import Subgraph, SubgraphEdges, SubgraphNodes
from .table import Table
from .view import View

__all__ = [
    "Answer",
    "Diff",
    "Edge",
    "Explanation",
    "Graph",
    "LoadReport",
    "Model",
    "NO_EDGE",
    "NO_NODE",
    "Node",
    "Query",
    "RollbackReport",
    "Samples",
    "Schema",
    "Sparse",
    "Subgraph",
    "SubgraphEdges",
    "SubgraphNodes",
    "Table",
    "VerifyReport",
    "View",
    "Walks",
    "__version__",
    "create",
    "errors",
    "open",
]
