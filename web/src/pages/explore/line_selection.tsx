// The line that is chosen: which edges it stands for, when each lived, and what they carry.
import { graphName } from "../../address";
import { nodePath, withQuery } from "../../api/client";
import type { EdgeType, NodeRef, Neighbors } from "../../api/types";
import { useAnswer } from "../../api/use_answer";
import { shownAt, WORDS, type Look, type Shown } from "../../drawing/life";
import { lineAt, type Scene, type SceneEdge } from "../../drawing/scene";
import { Icon } from "../../parts/icon";
import { NodeName, plural, ValueText } from "../../parts/values";
import { clocks, graph, timeWindow, unit } from "../../time/moment";
import { written } from "../../time/ticks";
import { chooseLine, chooseNode } from "./choices";
import { StateSign } from "./legend";

/** Edges of one line that are listed: a pair may have hundreds. */
const LISTED = 50;

const stateWord = (shown: Shown): string => (shown === "absent" ? "not there now" : WORDS[shown]);

export function LineSelection({ scene, index, look }: { scene: Scene; index: number; look: Look }) {
  const line = scene.lines[index]!;
  const [a, b] = [scene.nodes[line.source]!, scene.nodes[line.target]!];
  const { shown } = lineAt(line, look);
  const type = graph.value?.edge_types.find((one) => one.source === a.of.type && one.relation === line.relation && one.destination === b.of.type);
  return (
    <section class="selection" aria-label="Selected edge">
      <header><h2><span>{line.relation}</span></h2><button class="tool" aria-label="Close" onClick={() => chooseLine(null)}><Icon name="close" /></button></header>
      <p class="line-ends"><NodeName node={a.of} /> <span class="arrow" aria-hidden="true">→</span><span class="unseen">to</span> <NodeName node={b.of} /></p>
      <p class="selection-id">{line.edges.length > 1 ? plural(line.edges.length, "edge") + " in the window " : ""}<span class={`state-word is-${shown}`}>{stateWord(shown)}</span></p>
      <div class="selection-actions">{[a, b].map(({ key, of }) => <button key={key} class="button small" onClick={() => chooseNode(key)}>Select {(of.name ?? of.id).slice(0, 18)}</button>)}</div>
      <ul class="line-lives">{line.edges.slice(0, LISTED).map((edge, i) => <EdgeLives key={i} edge={edge} look={look} />)}</ul>
      {line.edges.length > LISTED && <p class="is-soft">and {line.edges.length - LISTED} more, in the table below</p>}
      {type && type.features.length > 0 && <Carried source={a.of} destination={b.of} type={type} />}
    </section>
  );
}

function EdgeLives({ edge, look }: { edge: SceneEdge; look: Look }) {
  const [from, to] = timeWindow.value;
  const shown = shownAt(edge.lived, look);
  return (
    <li>
      {shown !== "absent" ? <StateSign shown={shown} /> : <span class="state-sign" />}
      <span>{edge.of.key !== null && <code>{edge.of.key}</code>} {edge.lived.lives.map(([created, removed]) => `${written(created, unit.value, to - from)} to ${removed === null ? "open" : written(removed, unit.value, to - from)}`).join(", ")}</span>
    </li>
  );
}

/** What the edges carry at the time: the drawing knows lives alone. */
function Carried({ source, destination, type }: { source: NodeRef; destination: NodeRef; type: EdgeType }) {
  const answer = useAnswer<Neighbors>(withQuery(`${nodePath(graphName.value!, source)}/neighbors`, { ...clocks.value, side: "out", relation: type.relation, limit: 200 }), `${source.id} ${destination.id}`);
  const found = answer.data?.neighbors.filter((row) => row.destination.type === destination.type && row.destination.id === destination.id).slice(0, 3) ?? [];
  const features = found.flatMap((row) => Object.entries(row.features).map(([name, value]) => ({ name, value })));
  if (features.length === 0) return null;
  return <dl class="feature-list">{features.slice(0, 8).map(({ name, value }, i) => <div key={i}><dt>{name}</dt><dd><ValueText value={value} /></dd></div>)}</dl>;
}
