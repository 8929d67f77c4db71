// A neighbourhood that moves with the slider, and beside it a table of the same rows.
import { useEffect, useMemo, useRef } from "preact/hooks";
import { change, graphName, hrefOf, param, params } from "../address";
import { graphPath, nodeKey, nodeOfKey, withQuery } from "../api/client";
import type { NodeRef, Search, Subgraph } from "../api/types";
import { useAnswer } from "../api/use_answer";
import { useSize } from "../drawing/camera";
import { GraphDrawing } from "../drawing/graph_drawing";
import type { Place } from "../drawing/layout";
import { shownAt, type Look } from "../drawing/life";
import { savePng, saveJson, saveSvg } from "../drawing/save";
import { lineKey, lineOfKey, sceneOf, type Scene } from "../drawing/scene";
import { Menu, Select } from "../parts/controls";
import { NodePicker } from "../parts/node_picker";
import { Empty, Failed, Loading } from "../parts/state";
import { NodeName, number, plural } from "../parts/values";
import { marks, position, span, step, timeWindow, unit } from "../time/moment";
import { isoOf, written } from "../time/ticks";
import { chooseLine, chooseNode, makeRoot } from "./explore/choices";
import { hiddenOf, Legend, paintsOf, type ColourBy } from "./explore/legend";
import { LineSelection } from "./explore/line_selection";
import { Selection } from "./explore/selection";
import { SceneTable } from "./explore/scene_table";

/** The question whose answer is drawn: it names the window, so the slider needs no other. */
function questionOf(): string | null {
  const [root, pins] = [params("root"), params("pin")];
  if (root.length + pins.length === 0) return null;
  const [from, to] = timeWindow.value;
  const whole = span.value!;
  const narrowed = from !== whole[0] || to !== whole[1];
  return withQuery(`${graphPath(graphName.value!)}/subgraph`, {
    root: [...new Set([...root, ...pins])], hops: param("hops") ?? "1", k: param("k") ?? "10", expand: params("expand"), commit: param("commit"),
    from: narrowed ? isoOf(from, unit.value) : null, to: narrowed ? isoOf(to, unit.value) : null,
  });
}

export function Explore() {
  const wanted = questionOf();
  const answer = useAnswer<Subgraph>(wanted);
  const places = useRef(new Map<string, Place>());
  const [ref, size] = useSize<HTMLDivElement>();
  const scene = useMemo(() => {
    if (!answer.data || answer.data.nodes.length === 0) return null;
    const made = sceneOf(answer.data, places.current, size.width ? (size.width - insetOf(size.width)) / Math.max(1, size.height) : 1.4);
    places.current = new Map(made.nodes.map(({ key }, i) => [key, made.places[i]!]));
    return made;
  }, [answer.data, size.width > 0]);
  useEffect(() => {
    marks.value = scene ? scene.subgraph.marks.map(BigInt) : [];
    return () => { marks.value = []; };
  }, [scene]);
  return (
    <div class="explore">
      <h1 class="unseen">Explore</h1>
      <Toolbar scene={scene} loading={answer.loading} />
      <div class="canvas" ref={ref}>
        {!wanted && <Start />}
        {answer.problem && <Failed problem={answer.problem} again={answer.again} />}
        {wanted && !answer.problem && !answer.data && <Loading rows={3} what="Looking around" />}
        {answer.data && answer.data.nodes.length === 0 && <Empty title="Nothing of this lives in the window"><p>Widen the window below, or choose another node.</p></Empty>}
        {scene && size.width > 0 && <Drawn scene={scene} size={size} />}
      </div>
      {scene && <Beside scene={scene} />}
    </div>
  );
}

/** Room that the legend stands over, where there is enough. */
const insetOf = (width: number): number => (width > 700 && innerWidth > 900 ? 184 : 0);

function lookNow(): Look {
  return { at: position.value, step: step.value, soft: param("deletes") === "soft" };
}

function Drawn({ scene, size }: { scene: Scene; size: { width: number; height: number } }) {
  const svg = useRef<SVGSVGElement>(null);
  const look = lookNow();
  const by = (param("colour") ?? "type") as ColourBy;
  const hidden = params("hide");
  const paints = useMemo(() => paintsOf(scene, by), [scene, by]);
  const isHidden = useMemo(() => hiddenOf(hidden), [hidden.join("\n")]);
  const [from, to] = timeWindow.value;
  const there = scene.nodes.filter(({ lived }) => !["absent", "goes", "over"].includes(shownAt(lived, look))).length;
  const said = `${plural(there, "node")} at ${written(look.at, unit.value, to - from)}; the table beside has the same rows`;
  return (
    <>
      <GraphDrawing corners inset={insetOf(size.width)} scene={scene} look={look} size={size} svg={svg} said={said} selected={param("selected")} roots={params("root")} pins={params("pin")} hops={Number(param("hops") ?? 1)}
        paintOf={(i) => paints[i]!} isHidden={isHidden} line={lineOfKey(scene, param("line"))} onLine={(i) => chooseLine(lineKey(scene, scene.lines[i]!))} onSelect={chooseNode} onOpen={makeRoot} />
      <Legend scene={scene} look={look} by={by} hidden={hidden} />
      <div class="save"><Menu label="Save" icon="save" items={[
        { text: "Picture (PNG)", run: () => { if (svg.current) void savePng(svg.current, fileName(look)); } },
        { text: "Picture (SVG)", run: () => { if (svg.current) saveSvg(svg.current, fileName(look)); } },
        { text: "Data (JSON)", run: () => saveJson(scene.subgraph, fileName(look)) },
      ]} /></div>
      {there === 0 && <p class="canvas-note">Nothing of this neighbourhood is there at this time. Move the handle to a mark.</p>}
    </>
  );
}

const fileName = (look: Look): string => `${graphName.value}-${isoOf(look.at, unit.value).slice(0, 10)}`;

function Toolbar({ scene, loading }: { scene: Scene | null; loading: boolean }) {
  const root = params("root")[0];
  const shown = scene?.nodes.find(({ key }) => key === root)?.of ?? null;
  const parsed = root ? nodeOfKey(root) : null;
  return (
    <div class="toolbar">
      <NodePicker label="Node in the middle" value={shown ?? (parsed ? { ...parsed, name: null } : null)} focusKey="/" onPick={(node) => makeRoot(nodeKey(node))} />
      <Select label="Reach" value={param("hops") ?? "1"} options={[{ value: "1", text: "1 hop" }, { value: "2", text: "2 hops" }, { value: "3", text: "3 hops" }]} onChange={(value) => change({ hops: value === "1" ? null : value })} />
      <Select label="Of each type" value={param("k") ?? "10"} options={["3", "5", "10", "25", "50"].map((value) => ({ value, text: `${value} newest` }))} onChange={(value) => change({ k: value === "10" ? null : value })} />
      <Select label="Colour by" value={param("colour") ?? "type"} options={[{ value: "type", text: "type" }, { value: "hop", text: "distance" }, { value: "degree", text: "number of edges" }, { value: "age", text: "when it came" }]} onChange={(value) => change({ colour: value === "type" ? null : value })} />
      {scene && <span class={`toolbar-note${loading ? " is-busy" : ""}`}>{scene.subgraph.total > scene.nodes.length ? `${number(scene.nodes.length)} of ${number(scene.subgraph.total)} nodes in the window` : plural(scene.nodes.length, "node") + " in the window"}</span>}
    </div>
  );
}

function Beside({ scene }: { scene: Scene }) {
  const look = lookNow();
  const selected = scene.nodes.findIndex(({ key }) => key === param("selected"));
  const line = lineOfKey(scene, param("line"));
  return (
    <aside class="beside" aria-label="What is drawn">
      {selected >= 0 && <Selection scene={scene} index={selected} look={look} />}
      {line !== null && <LineSelection scene={scene} index={line} look={look} />}
      <SceneTable scene={scene} look={look} />
    </aside>
  );
}

/** Where nothing is chosen yet: the nodes with most edges to begin with. */
function Start() {
  const answer = useAnswer<Search>(withQuery(`${graphPath(graphName.value!)}/search`, { limit: 12 }));
  return (
    <Empty title="Choose a node to look around it">
      <p>Search above, or begin with one of those that have most edges.</p>
      {answer.data && <ul class="chips">{answer.data.nodes.map((node: NodeRef) => <li key={nodeKey(node)}><a class="chip" href={hrefOf("explore", { root: nodeKey(node) })}><NodeName node={node} plain /></a></li>)}</ul>}
    </Empty>
  );
}
