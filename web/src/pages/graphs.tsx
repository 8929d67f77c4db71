// All graphs of the server.
import { hrefOf } from "../address";
import type { GraphRow } from "../api/types";
import { useAnswer } from "../api/use_answer";
import { Answered, Empty } from "../parts/state";
import { bytes, plural, When } from "../parts/values";

export function Graphs() {
  const answer = useAnswer<{ graphs: GraphRow[] }>("/v1/graphs");
  return (
    <main id="main" class="page page-graphs">
      <h1>Graphs</h1>
      <Answered of={answer}>
        {({ graphs }) => graphs.length === 0
          ? <Empty title="This server has no graph"><p>Start it with the folder of one: <code>timeweft serve DIR</code></p></Empty>
          : <ul class="graph-list">{graphs.map((row) => <Row key={row.name} row={row} />)}</ul>}
      </Answered>
    </main>
  );
}

function Row({ row }: { row: GraphRow }) {
  return (
    <li>
      <a class="graph-card" href={hrefOf("overview", {}, row.name)}>
        <span class="graph-card-name">{row.name}</span>
        <span class="graph-card-size">{row.nodes + row.edges === 0 ? "nothing yet" : `${plural(row.nodes, "node")}, ${plural(row.edges, "edge")}`}</span>
        <span class="graph-card-span">{row.span ? <><When time={row.span.from} /> to <When time={row.span.to} /></> : "no time yet"}</span>
        <span class="graph-card-more">{row.state === "ready" ? `commit ${row.commit}, ${bytes(row.bytes)}` : (row.message ?? row.state)}</span>
      </a>
    </li>
  );
}
