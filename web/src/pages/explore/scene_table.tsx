// The rows of the drawing as a table: the same nodes and edges, in the same state.
import { useState } from "preact/hooks";
import { change, param, params } from "../../address";
import { lifeAt, shownAt, WORDS, type Look, type Lived, type Shown } from "../../drawing/life";
import { lineKey, type Scene } from "../../drawing/scene";
import { Segments } from "../../parts/controls";
import { Glyph, number } from "../../parts/values";
import { timeWindow, unit } from "../../time/moment";
import { isoOf, written, type Tick } from "../../time/ticks";
import { chooseLine, chooseNode } from "./choices";
import { hiddenOf, StateSign } from "./legend";

const ORDER: Shown[] = ["appears", "goes", "changes", "stays", "over"];
const FIRST = 100;

type Row = { index: number; shown: Exclude<Shown, "absent">; life: [Tick, Tick | null] | null };

function rowsOf(all: { lived: Lived }[], look: Look, hides: (index: number, shown: Shown) => boolean): Row[] {
  return all.flatMap(({ lived }, index) => {
    const shown = shownAt(lived, look);
    return shown === "absent" || hides(index, shown) ? [] : [{ index, shown, life: lifeAt(lived, look.at) }];
  }).sort((a, b) => ORDER.indexOf(a.shown) - ORDER.indexOf(b.shown) || a.index - b.index);
}

export function SceneTable({ scene, look }: { scene: Scene; look: Look }) {
  const [all, setAll] = useState(false);
  const what = param("rows") === "edges" ? "edges" : "nodes";
  const isHidden = hiddenOf(params("hide"));
  const nodes = rowsOf(scene.nodes, look, (i, shown) => isHidden("node", scene.nodes[i]!.of.type) || isHidden("state", shown));
  const visible = new Set(nodes.map(({ index }) => index));
  const edges = rowsOf(scene.edges, look, (i, shown) => { const { source, destination, relation } = scene.edges[i]!.of; return isHidden("line", relation) || isHidden("state", shown) || !visible.has(source) || !visible.has(destination); });
  const rows = what === "nodes" ? nodes : edges;
  const shown = all ? rows : rows.slice(0, FIRST);
  return (
    <div class="scene-table">
      <Segments label="Rows" value={what} onChange={(value) => change({ rows: value === "nodes" ? null : value }, true)} options={[{ value: "nodes", text: <>Nodes <span class="segment-n">{number(nodes.length)}</span></> }, { value: "edges", text: <>Edges <span class="segment-n">{number(edges.length)}</span></> }]} />
      <div class="scroll" tabIndex={0} role="region" aria-label={`${what} at this time`}>
        <table class="rows is-tight">
          <thead><tr><th scope="col"><span class="unseen">State</span></th><th scope="col">{what === "nodes" ? "Node" : "Edge"}</th><th scope="col">Life</th></tr></thead>
          <tbody>{shown.map((row) => what === "nodes" ? <NodeRow key={row.index} scene={scene} row={row} /> : <EdgeRow key={row.index} scene={scene} row={row} />)}</tbody>
        </table>
        {rows.length === 0 && <p class="scroll-note">None at this time.</p>}
        {rows.length > shown.length && <button class="button quiet" onClick={() => setAll(true)}>All {number(rows.length)}</button>}
      </div>
    </div>
  );
}

function LifeCell({ life }: { life: Row["life"] }) {
  const [from, to] = timeWindow.value;
  const text = (t: Tick): string => written(t, unit.value, to - from);
  return <td class="life-cell" title={life ? `${isoOf(life[0], unit.value)} to ${life[1] === null ? "open" : isoOf(life[1], unit.value)}` : undefined}>{life && <><span>{text(life[0])}</span><span class={life[1] === null ? "is-open" : ""}>{life[1] === null ? "open" : text(life[1])}</span></>}</td>;
}

const State = ({ shown }: { shown: Row["shown"] }) => <td class="state-cell"><StateSign shown={shown} /><span class="unseen">{WORDS[shown]}</span></td>;

function NodeRow({ scene, row }: { scene: Scene; row: Row }) {
  const { key, of } = scene.nodes[row.index]!;
  const chosen = param("selected") === key;
  return (
    <tr class={`is-${row.shown}${chosen ? " is-chosen" : ""}`}>
      <State shown={row.shown} />
      <td class="is-cut"><button class="row-button" aria-pressed={chosen} onClick={() => chooseNode(chosen ? null : key)}><Glyph type={of.type} /><span class="node-name-text">{of.name ?? of.id}</span></button></td>
      <LifeCell life={row.life} />
    </tr>
  );
}

function EdgeRow({ scene, row }: { scene: Scene; row: Row }) {
  const { source, relation, destination, key } = scene.edges[row.index]!.of;
  const [a, b] = [scene.nodes[source]!, scene.nodes[destination]!];
  const line = lineKey(scene, { source, target: destination, relation });
  const chosen = param("line") === line;
  return (
    <tr class={`is-${row.shown}${chosen ? " is-chosen" : ""}`}>
      <State shown={row.shown} />
      <td class="is-cut"><button class="row-button" aria-pressed={chosen} onClick={() => chooseLine(chosen ? null : line)}><span class="edge-text">{a.of.name ?? a.of.id} <b>{relation}</b> {b.of.name ?? b.of.id}{key !== null && <span class="is-soft"> [{key}]</span>}</span></button></td>
      <LifeCell life={row.life} />
    </tr>
  );
}
