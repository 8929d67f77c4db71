"""The first tour: a graph, two loads, what it was and what changed. `.ci/python` measures it from an empty environment."""

import tempfile
from pathlib import Path

import timeweft as tw

with tempfile.TemporaryDirectory() as folder:
    events = Path(folder, "mail.csv")
    events.write_text("time,source,destination\n10,ann,bo\n20,bo,cy\n30,cy,ann\n")
    with tw.create(Path(folder, "mail"), unit="s") as graph:
        print(graph.load_events(events))
        view = graph.view(20)
        print(len(view.edges()), "edges at", view.at)
        assert len(view.edges()) == 2 and len(graph.view().edges()) == 3
