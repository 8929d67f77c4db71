// Answers about one made-up graph: what it is, its timeline, neighbourhoods, nodes, search.
import { aliveAt, lifeAt, valueAt } from "./graph.mjs";

export class Refusal extends Error {
  constructor(status, code, message, hint = null) { super(message); Object.assign(this, { status, code, hint }); }
}

export const COMMIT = 6;

/** A time in seconds as the answer has it. */
export function time(graph, s) {
  if (s === null || s === undefined) return null;
  return { tick: String(graph.tick(s)), iso: graph.unit === "step" ? null : new Date(s * 1000).toISOString().replace(".000Z", "Z") };
}

/** Seconds of what a question gives as a time: ticks, RFC 3339, namespace@version. */
export function moment(graph, text) {
  if (text === null || text === undefined || text === "") return null;
  if (/^-?\d+$/.test(text)) return graph.seconds(text);
  const version = versions(graph).find((v) => `${v.namespace}@${v.version}` === text);
  if (version) return version.seconds;
  const ms = Date.parse(text);
  if (Number.isNaN(ms)) throw new Refusal(400, "bad_request", `"${text}" is not a time`, "Give ticks, a date such as 2024-03-01T00:00:00Z, or namespace@version.");
  return ms / 1000;
}

export function head(graph, query) {
  const commit = Number(query.get("commit") ?? COMMIT);
  if (commit > COMMIT || commit < 0) throw new Refusal(404, "not_found", `no commit ${commit}: the newest is ${COMMIT}`);
  return { commit, at: time(graph, moment(graph, query.get("at"))), deletes: query.get("deletes") ?? "hard" };
}

export const ref = (node) => ({ type: node.type, id: node.id, name: node.name });
const lives = (graph, list) => list.map(([created, removed]) => ({ created: time(graph, created), removed: time(graph, removed) }));

export function find(graph, type, id) {
  const node = graph.byKey.get(`${type}\n${id}`);
  if (node) return node;
  const known = [...new Set(graph.nodes.map((n) => n.type))];
  throw new Refusal(404, "not_found", `no ${known.includes(type) ? `${type} ${id}` : `node type ${type}`} at commit ${COMMIT}`, known.includes(type) ? "Search for a part of its name." : `There are ${known.join(", ")}.`);
}

export function page(list, query, one) {
  const limit = Math.min(1_000, Number(query.get("limit") ?? 50));
  const from = Number(query.get("cursor") ?? 0);
  return { items: list.slice(from, from + limit).map(one), next: from + limit < list.length ? String(from + limit) : null, total: list.length };
}

export function span(graph) {
  return graph.nodes.length ? { from: time(graph, graph.start), to: time(graph, graph.end) } : null;
}

export function info(graph, query) {
  const at = moment(graph, query.get("at"));
  const seen = (element) => (query.get("deletes") === "soft" ? element.lives[0][0] <= (at ?? Infinity) : aliveAt(element, at));
  const nodes = new Map();
  for (const node of graph.nodes) {
    const row = nodes.get(node.type) ?? { type: node.type, nodes: 0, features: Object.entries(node.features).map(([name, { kind }]) => ({ name, kind })) };
    row.nodes += seen(node) ? 1 : 0;
    nodes.set(node.type, row);
  }
  const edges = new Map();
  for (const edge of graph.edges) {
    const [source, destination] = [graph.nodes[edge.source].type, graph.nodes[edge.destination].type];
    const row = edges.get(`${source} ${edge.relation} ${destination}`) ?? { source, relation: edge.relation, destination, edges: 0, features: Object.entries(edge.features).map(([name, { kind }]) => ({ name, kind })) };
    row.edges += seen(edge) ? 1 : 0;
    edges.set(`${source} ${edge.relation} ${destination}`, row);
  }
  const sum = (rows, what) => [...rows.values()].reduce((total, row) => total + row[what], 0);
  return {
    ...head(graph, query), name: graph.name, unit: graph.unit, newest_commit: graph.nodes.length ? COMMIT : 0, read_only: false, span: span(graph),
    nodes: sum(nodes, "nodes"), edges: sum(edges, "edges"), merges: graph.merges.filter((m) => m.at <= (at ?? Infinity)).length,
    node_types: [...nodes.values()], edge_types: [...edges.values()], namespaces: graph.nodes.length ? ["shop", "envo"] : [],
    bytes: { log: graph.edges.length * 60, index: graph.edges.length * 107, models: graph.nodes.length ? 4_200_000 : 0, resident: graph.edges.length * 39 + 9e6 },
    freshness: { loaded: graph.nodes.length ? "2026-11-29T18:02:11Z" : null, behind: 0 },
    health: { state: "ok", messages: [] },
  };
}

export function versions(graph) {
  if (!graph.nodes.length) return [];
  return [0, 2, 5, 8].map((month, i) => {
    const seconds = Date.UTC(2024, month, 1) / 1000;
    return { namespace: i === 1 ? "envo" : "shop", version: `2024-${String(month + 1).padStart(2, "0")}`, seconds, at: time(graph, seconds), load: i + 1 };
  });
}

export function timeline(graph, query) {
  if (!graph.nodes.length) return { commit: 0, unit: graph.unit, from: null, to: null, edges: [], created: [], updated: [], removed: [], loads: [] };
  const from = graph.tick(moment(graph, query.get("from")) ?? graph.start);
  const to = graph.tick(moment(graph, query.get("to")) ?? graph.end);
  const width = to - from + 1n;
  const bins = Number(BigInt(Math.min(1_000, Number(query.get("bins") ?? 200))) < width ? Number(query.get("bins") ?? 200) : width);
  const borders = Array.from({ length: bins + 1 }, (_, i) => from + (width * BigInt(i)) / BigInt(bins));
  const counts = { created: Array(bins).fill(0), updated: Array(bins).fill(0), removed: Array(bins).fill(0) };
  const types = query.getAll("type");
  const put = (what, s) => {
    if (s === null) return;
    const bin = Number(((graph.tick(s) - from) * BigInt(bins)) / width);
    if (graph.tick(s) >= from && bin < bins) counts[what][bin]++;
  };
  const all = [...graph.nodes.filter((n) => !types.length || types.includes(n.type)), ...(types.length ? [] : graph.edges)];
  for (const element of all) {
    for (const [created, removed] of element.lives) { put("created", created); put("removed", removed); }
    for (const { values } of Object.values(element.features)) values.slice(1).forEach((value) => put("updated", value.from));
  }
  const loads = versions(graph).map((v) => ({ id: v.load, namespace: v.namespace, version: v.version, at: v.at, state: { is: "complete" } }));
  return { commit: COMMIT, unit: graph.unit, from: { ...time(graph, graph.seconds(from)), tick: String(from) }, to: { ...time(graph, graph.seconds(to)), tick: String(to) }, edges: borders.map(String), ...counts, loads };
}

const overlaps = (element, from, to) => element.lives.some(([created, removed]) => created <= to && (removed === null || removed > from));

/** Everything near the roots at some time of the window. */
export function subgraph(graph, query) {
  if (!graph.nodes.length) throw new Refusal(404, "not_found", "the graph has no nodes", "Load something first.");
  const from = moment(graph, query.get("from")) ?? graph.start;
  const to = moment(graph, query.get("to")) ?? graph.end;
  const [k, hops, limit] = [Number(query.get("k") ?? 10), Number(query.get("hops") ?? 1), Math.min(500, Number(query.get("limit") ?? 500))];
  const split = (text) => { const [type, id, ...rest] = text.split(":").map(decodeURIComponent); return [find(graph, type, id), rest]; };
  const hop = new Map(query.getAll("root").map((text) => [split(text)[0], 0]));
  let edge_of = [...hop.keys()];
  for (let h = 1; h <= hops; h++) {
    const next = [];
    for (const node of edge_of) for (const other of nearest(graph, node, from, to, k)) if (!hop.has(other)) { hop.set(other, h); next.push(other); }
    edge_of = next;
  }
  for (const text of query.getAll("expand")) {
    const [node, [relation, side]] = split(text);
    const far = node[side].filter((e) => e.relation === relation && overlaps(e, from, to)).map((e) => graph.nodes[side === "out" ? e.destination : e.source]);
    [...new Set(far)].slice(0, 50).forEach((other) => hop.has(other) || hop.set(other, hop.get(node) + 1));
  }
  const degree = (node) => [...node.out, ...node.in].filter((e) => overlaps(e, from, to)).length;
  const shown = [...hop.keys()].sort((a, b) => hop.get(a) - hop.get(b) || degree(b) - degree(a)).slice(0, limit);
  return drawn(graph, shown, hop, { from, to, degree });
}

function nearest(graph, node, from, to, k) {
  const by = new Map();
  for (const [side, list] of [["out", node.out], ["in", node.in]]) {
    for (const edge of list.filter((e) => overlaps(e, from, to)).sort((a, b) => b.lives[0][0] - a.lives[0][0])) {
      const key = `${side} ${edge.relation}`;
      const found = by.get(key) ?? [];
      if (found.length < k) found.push(graph.nodes[side === "out" ? edge.destination : edge.source]);
      by.set(key, found);
    }
  }
  // What a node became, and what became it, is near it too.
  const merged = graph.merges.filter((m) => (m.from === node || m.into === node) && m.at <= to).map((m) => (m.from === node ? m.into : m.from)).filter((other) => overlaps(other, from, to));
  return [...by.values(), merged.slice(0, k)].flat();
}

function drawn(graph, shown, hop, { from, to, degree }) {
  const place = new Map(shown.map((node, i) => [node.index, i]));
  const inside = (s) => s !== null && s >= from && s <= to;
  const marks = new Set();
  const note = (element) => {
    element.lives.flat().filter(inside).forEach((s) => marks.add(s));
    const changes = Object.values(element.features).flatMap(({ values }) => values.slice(1).map((value) => value.from)).filter(inside);
    changes.forEach((s) => marks.add(s));
    return { lives: element.lives.filter(([c, r]) => c <= to && (r === null || r > from)).map((pair) => pair.map((s) => (s === null ? null : String(graph.tick(s))))), changes: [...new Set(changes)].sort((a, b) => a - b).map((s) => String(graph.tick(s))) };
  };
  const seen = graph.edges.filter((e) => place.has(e.source) && place.has(e.destination) && overlaps(e, from, to));
  const nodes = shown.filter((node) => overlaps(node, from, to) || hop.get(node) === 0).map((node) => ({ ...ref(node), hop: hop.get(node), degree: degree(node), ...note(node), merged: mergedInto(graph, node, place), more: left(graph, node, place, from, to) }));
  const edges = seen.map((edge) => ({ source: place.get(edge.source), relation: edge.relation, destination: place.get(edge.destination), key: edge.key, ...note(edge) }));
  return { commit: COMMIT, unit: graph.unit, from: time(graph, from), to: time(graph, to), nodes, edges, marks: [...marks].sort((a, b) => a - b).map((s) => String(graph.tick(s))), total: hop.size };
}

function mergedInto(graph, node, place) {
  const into = node.merged && place.get(node.merged.into.index);
  return into === undefined ? null : { into, at: String(graph.tick(node.merged.from)), until: null };
}

function left(graph, node, place, from, to) {
  const rows = new Map();
  for (const [side, list] of [["out", node.out], ["in", node.in]]) {
    for (const edge of list.filter((e) => overlaps(e, from, to))) {
      const other = side === "out" ? edge.destination : edge.source;
      if (place.has(other)) continue;
      const key = `${side} ${edge.relation}`;
      const row = rows.get(key) ?? { relation: edge.relation, side, type: graph.nodes[other].type, n: 0 };
      row.n++;
      rows.set(key, row);
    }
  }
  return [...rows.values()];
}

export function node(graph, type, id, query) {
  const found = find(graph, type, id);
  const at = moment(graph, query.get("at"));
  const alive = aliveAt(found, at);
  const state = alive ? "alive" : (at ?? Infinity) < found.lives[0][0] ? "not_yet" : at !== null && found.lives.some(([c]) => c > at) ? "between" : "over";
  const features = Object.entries(found.features).map(([name, track]) => ({ name, track, held: valueAt(track, at) ?? (query.get("deletes") === "soft" ? track.values.at(-1) : undefined) })).filter(({ held }) => held)
    .map(({ name, track, held }) => ({ name, kind: track.kind, value: held.value, from: time(graph, held.from), until: time(graph, held.until) }));
  const relations = new Map();
  for (const [side, list] of [["out", found.out], ["in", found.in]]) {
    for (const edge of list.filter((e) => aliveAt(e, at))) {
      const row = relations.get(side + edge.relation) ?? { source: graph.nodes[edge.source].type, relation: edge.relation, destination: graph.nodes[edge.destination].type, side, n: 0 };
      row.n++;
      relations.set(side + edge.relation, row);
    }
  }
  const became = found.merged && found.merged.from <= (at ?? Infinity) ? [{ into: ref(found.merged.into), from: time(graph, found.merged.from), until: null, features: { type: "replaced_by" } }] : [];
  return {
    ...head(graph, query), ...ref(found), state, deleted: !alive && query.get("deletes") === "soft", lives: lives(graph, found.lives), features, relations: [...relations.values()], became,
    came_from: graph.merges.filter((m) => m.into === found && m.at <= (at ?? Infinity)).map((m) => ({ node: ref(m.from), from: time(graph, m.at), until: null })),
    resolves_to: became.length ? ref(found.merged.into) : null, namespaces: [type === "term" ? "envo" : "shop"],
  };
}

export function tracks(graph, type, id) {
  const found = find(graph, type, id);
  return { commit: COMMIT, tracks: Object.entries(found.features).map(([feature, { kind, values }]) => ({ feature, kind, values: values.map((v) => ({ value: v.value, from: time(graph, v.from), until: time(graph, v.until) })), left_out: 0 })) };
}

export const edgeRef = (graph, edge) => ({ source: ref(graph.nodes[edge.source]), relation: edge.relation, destination: ref(graph.nodes[edge.destination]), key: edge.key });

export function neighbors(graph, type, id, query) {
  const found = find(graph, type, id);
  const at = moment(graph, query.get("at"));
  const side = query.get("side") ?? "both";
  if (!aliveAt(found, at) && query.get("deletes") !== "soft") throw new Refusal(404, "not_alive", `${type} ${id} is not alive then`, "Give a time within its lives, or deletes=soft.");
  const list = [...(side !== "in" ? found.out.map((e) => ["out", e]) : []), ...(side !== "out" ? found.in.map((e) => ["in", e]) : [])]
    .filter(([, e]) => (query.get("relation") ?? e.relation) === e.relation && aliveAt(e, at)).sort((a, b) => b[1].lives[0][0] - a[1].lives[0][0]);
  const { items, ...rest } = page(list, query, ([direction, e]) => {
    const life = lifeAt(e, at);
    return { ...edgeRef(graph, e), side: direction, created: time(graph, life[0]), removed: time(graph, life[1]), deleted: false, features: Object.fromEntries(Object.entries(e.features).map(([name, t]) => [name, t.values[0].value])) };
  });
  return { ...head(graph, query), ...rest, neighbors: items };
}

export function history(graph, type, id, query) {
  const found = find(graph, type, id);
  const rows = [
    ...found.lives.map(([from, until]) => ({ from, until, kind: "life" })),
    ...Object.entries(found.features).flatMap(([feature, { values }]) => values.map(({ value, from, until }) => ({ from, until, kind: "feature", feature, value }))),
    ...[...found.out, ...found.in].flatMap((e) => e.lives.map(([from, until]) => ({ from, until, kind: "edge", edge: edgeRef(graph, e) }))),
    ...graph.merges.filter((m) => m.from === found || m.into === found).map((m) => ({ from: m.at, until: null, kind: "merge", node: ref(m.from), into: ref(m.into) })),
  ].sort((a, b) => a.from - b.from);
  if (query.get("order") === "newest") rows.reverse();
  const { items, ...rest } = page(rows, query, (row) => ({ ...row, from: time(graph, row.from), until: time(graph, row.until) }));
  return { ...head(graph, query), ...rest, history: items };
}

export function search(graph, query) {
  const words = (query.get("q") ?? "").toLowerCase();
  const types = query.getAll("type");
  const limit = Number(query.get("limit") ?? 50);
  const match = (n) => (n.id.toLowerCase().startsWith(words) ? "id" : (n.name ?? "").toLowerCase().includes(words) ? "name" : null);
  const of = graph.nodes.filter((n) => !types.length || types.includes(n.type));
  const found = words ? of.filter(match) : [...of].sort((a, b) => b.out.length + b.in.length - a.out.length - a.in.length);
  return { ...head(graph, query), nodes: found.slice(0, limit).map((n) => ({ ...ref(n), lives: lives(graph, n.lives), matched: match(n) ?? "name", excerpt: null })), total: found.length };
}
