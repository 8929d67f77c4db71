// The drawing of a report: neighbourhoods that the file brings along, with the slider, the legend and the table of the page.
// It lives in a shadow tree, so that neither its styles nor the report's touch the other.
import { render } from "preact";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { change, kept, param, params } from "../address";
import type { GraphInfo, Subgraph } from "../api/types";
import { useSize } from "../drawing/camera";
import { GraphDrawing } from "../drawing/graph_drawing";
import { shownAt, type Look } from "../drawing/life";
import { lineKey, lineOfKey, sceneOf, type Scene } from "../drawing/scene";
import { chooseLine, chooseNode } from "../pages/explore/choices";
import { hiddenOf, Legend, paintsOf } from "../pages/explore/legend";
import { SceneTable } from "../pages/explore/scene_table";
import { Segments } from "../parts/controls";
import { plural } from "../parts/values";
import { Foot } from "../time/foot";
import { graph, marks, position, step, timeWindow, unit } from "../time/moment";
import { isoOf, least, most, written } from "../time/ticks";
import styles from "./report.css";
import { timelineOf } from "./timeline";

/** What the file brings: the types of the whole graph, so that a type looks the same in every drawing, and the neighbourhoods, each with the node in its middle first. */
type Brought = { types: string[]; drawings: { text: string; subgraph: Subgraph }[] };

function graphOf({ types }: Brought, { commit, unit, from, to }: Subgraph): GraphInfo {
  const time = { tick: from.tick, iso: isoOf(BigInt(from.tick), unit) };
  return {
    commit, at: null, deletes: "hard", name: "", unit, newest_commit: commit, read_only: true, span: { from: time, to: { tick: to.tick, iso: isoOf(BigInt(to.tick), unit) } },
    nodes: 0, edges: 0, merges: 0, node_types: types.map((type) => ({ type, nodes: 0, features: [] })), edge_types: [], namespaces: [],
    bytes: { log: 0, index: 0, models: 0, resident: 0 }, freshness: { loaded: null, behind: 0 }, health: { state: "ok", messages: [] },
  };
}

function Report({ brought }: { brought: Brought }) {
  const { drawings } = brought;
  const chosen = Math.min(drawings.length - 1, Number(param("drawing") ?? 0));
  const drawing = drawings[chosen]!;
  const [ref, size] = useSize<HTMLDivElement>();
  const scene = useMemo(() => (size.width > 0 ? sceneOf(drawing.subgraph, new Map(), size.width / Math.max(1, size.height)) : null), [drawing, size.width > 0]);
  const timeline = useMemo(() => timelineOf(drawing.subgraph, BigInt(drawing.subgraph.from.tick), BigInt(drawing.subgraph.to.tick)), [drawing]);
  useEffect(() => { marks.value = drawing.subgraph.marks.map(BigInt); }, [drawing]);
  return (
    <div class="report">
      {drawings.length > 1 && <div class="report-choice"><Segments label="Around" value={String(chosen)} options={drawings.map(({ text }, i) => ({ value: String(i), text }))} onChange={(value) => change({ drawing: value, selected: null, line: null, hide: null })} /></div>}
      <div class="explore">
        <div class="canvas" ref={ref}>{scene && <Drawn scene={scene} size={size} />}</div>
        {scene && <div class="beside" role="group" aria-label="What is drawn"><SceneTable scene={scene} look={lookNow()} /></div>}
      </div>
      <Foot given={timeline} />
    </div>
  );
}

const lookNow = (): Look => ({ at: position.value, step: step.value, soft: param("deletes") === "soft" });

function Drawn({ scene, size }: { scene: Scene; size: { width: number; height: number } }) {
  const svg = useRef<SVGSVGElement>(null);
  const look = lookNow();
  const hidden = params("hide");
  const paints = useMemo(() => paintsOf(scene, "type"), [scene]);
  const isHidden = useMemo(() => hiddenOf(hidden), [hidden.join("\n")]);
  const [from, to] = timeWindow.value;
  const there = scene.nodes.filter(({ lived }) => !["absent", "goes", "over"].includes(shownAt(lived, look))).length;
  return (
    <>
      <GraphDrawing scene={scene} look={look} size={size} svg={svg} inset={size.width > 560 ? 176 : 0} said={`${plural(there, "node")} at ${written(look.at, unit.value, to - from)}; the table beside has the same rows`} selected={param("selected")} roots={[scene.nodes[0]!.key]} pins={[]} hops={1}
        paintOf={(i) => paints[i]!} isHidden={isHidden} line={lineOfKey(scene, param("line"))} onLine={(i) => chooseLine(lineKey(scene, scene.lines[i]!))} onSelect={chooseNode} onOpen={chooseNode} />
      <Legend scene={scene} look={look} by="type" hidden={hidden} />
      {there === 0 && <p class="canvas-note">Nothing of this neighbourhood is there at this time. Move the handle to a mark.</p>}
    </>
  );
}

/** The span that all drawings have together: the slider holds still when another one is chosen. */
function together(brought: Brought): Brought {
  const ends = brought.drawings.map(({ subgraph }) => [BigInt(subgraph.from.tick), BigInt(subgraph.to.tick)] as const);
  const from = ends.map(([a]) => a).reduce(least);
  const to = ends.map(([, b]) => b).reduce(most);
  const time = (t: bigint) => ({ tick: String(t), iso: null });
  return { ...brought, drawings: brought.drawings.map((one) => ({ ...one, subgraph: { ...one.subgraph, from: time(from), to: time(to) } })) };
}

const text = document.getElementById("timeweft-graph")?.textContent;
const host = document.getElementById("timeweft-drawing");
if (text && host) {
  const read = JSON.parse(text) as Brought;
  if (read.drawings.length > 0) {
    const brought = together(read);
    kept.inMemory = true;
    graph.value = graphOf(brought, brought.drawings[0]!.subgraph);
    const root = host.attachShadow({ mode: "open" });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(styles);
    root.adoptedStyleSheets = [sheet];
    render(<Report brought={brought} />, root);
  }
}
