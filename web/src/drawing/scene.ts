// A neighbourhood made ready to draw: times as ticks, parallel edges together, places, who is near whom.
import { nodeKey } from "../api/client";
import type { SubEdge, SubNode, Subgraph } from "../api/types";
import type { Tick } from "../time/ticks";
import { layout, type Place } from "./layout";
import { livedOf, shownAt, type Lived, type Look, type Shown } from "./life";

export type SceneNode = { key: string; of: SubNode; lived: Lived };
export type SceneEdge = { of: SubEdge; lived: Lived };
/** Edges of one relation from one node to another: one line. */
export type Line = { source: number; target: number; relation: string; edges: SceneEdge[]; bend: number };
export type Scene = { nodes: SceneNode[]; edges: SceneEdge[]; lines: Line[]; merges: { from: number; into: number; at: Tick }[]; places: Place[]; subgraph: Subgraph };

/** Bends lines that join the same two nodes, so that each is seen. */
function bend(lines: Line[]): void {
  const between = new Map<string, Line[]>();
  for (const line of lines) {
    const key = line.source < line.target ? `${line.source} ${line.target}` : `${line.target} ${line.source}`;
    between.set(key, [...(between.get(key) ?? []), line]);
  }
  for (const list of between.values()) list.forEach((line, i) => {
    const side = line.source < line.target ? 1 : -1;
    line.bend = (i - (list.length - 1) / 2) * 22 * side;
  });
}

/** Makes a scene. `known` are places that hold still where nodes were drawn before. */
export function sceneOf(subgraph: Subgraph, known: Map<string, Place>, wide: number): Scene {
  const nodes = subgraph.nodes.map((of) => ({ key: nodeKey(of), of, lived: livedOf(of) }));
  const edges = subgraph.edges.map((of) => ({ of, lived: livedOf(of) }));
  const lines = new Map<string, Line>();
  for (const edge of edges) {
    const { source, destination, relation } = edge.of;
    const key = `${source} ${destination} ${relation}`;
    const line = lines.get(key) ?? { source, target: destination, relation, edges: [], bend: 0 };
    line.edges.push(edge);
    lines.set(key, line);
  }
  const merges = nodes.flatMap(({ of }, from) => (of.merged ? [{ from, into: of.merged.into, at: BigInt(of.merged.at) }] : []));
  const list = [...lines.values()];
  bend(list);
  const links = [...list.filter(({ source, target }) => source !== target), ...merges.map(({ from, into }) => ({ source: from, target: into }))];
  return { nodes, edges, lines: list, merges, places: layout(nodes.map(({ key }) => key), links, known, wide), subgraph };
}

/** A line by the names of its ends and its relation, as it stands in the address. */
export const lineKey = (scene: Scene, { source, target, relation }: Pick<Line, "source" | "target" | "relation">): string => `${scene.nodes[source]!.key} ${encodeURIComponent(relation)} ${scene.nodes[target]!.key}`;

/** The line of a name; null where it is not drawn. */
export function lineOfKey(scene: Scene, key: string | null): number | null {
  const found = key === null ? -1 : scene.lines.findIndex((line) => lineKey(scene, line) === key);
  return found < 0 ? null : found;
}

const STRENGTH: Shown[] = ["absent", "over", "stays", "changes", "goes", "appears"];

/** What is shown of a line: the most telling of its edges; and how many of them are there. */
export function lineAt(line: Line, look: Look): { shown: Shown; alive: number } {
  let shown: Shown = "absent";
  let alive = 0;
  for (const { lived } of line.edges) {
    const one = shownAt(lived, look);
    if (one !== "absent" && one !== "goes" && one !== "over") alive++;
    if (STRENGTH.indexOf(one) > STRENGTH.indexOf(shown)) shown = one;
  }
  return { shown: shown === "goes" && alive > 0 ? "changes" : shown, alive };
}
