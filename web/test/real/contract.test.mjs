// The program and the mock answer the same questions about the same histories with the same answers: the mock is what the page was made
// against, and counts in plain loops.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { KINDS, make, random } from "../mock/graph.mjs";
import { start } from "../mock.mjs";
import { startReal } from "./server.mjs";

const skip = process.env.TIMEWEFT_PROGRAM ? false : "TIMEWEFT_PROGRAM names no program";
const GRAPHS = ["empty", "small", "steps", "medium", "large"];
let mock, real;
before(async () => {
  if (skip) return;
  mock = await start();
  real = await startReal(process.env.TIMEWEFT_PROGRAM, { graphs: GRAPHS });
});
after(async () => { mock?.stop(); await real?.stop(); });

async function ask(server, path) {
  const response = await fetch(`${server.address}${path}`);
  const body = await response.json();
  return { status: response.status, body, etag: response.headers.get("etag") };
}

async function both(path) {
  const [a, b] = await Promise.all([ask(mock, path), ask(real, path)]);
  assert.equal(b.status, a.status, `${path}: ${JSON.stringify(b.body).slice(0, 300)}`);
  return [a.body, b.body];
}

const key = (node) => `${node.type}:${node.id}`;
const sorted = (list) => [...list].sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
/** What both must agree on: commits, sizes and kinds of features depend on how a history was loaded. */
const parts = {
  info: (a) => ({ unit: a.unit, span: a.span, nodes: a.nodes, edges: a.edges, merges: a.merges, node_types: sorted(a.node_types.map(({ type, nodes, features }) => [type, nodes, features.map(({ name }) => name).sort()])), edge_types: sorted(a.edge_types.map(({ source, relation, destination, edges }) => [source, relation, destination, edges])), at: a.at, deletes: a.deletes }),
  node: (a) => ({ type: a.type, id: a.id, name: a.name, state: a.state, deleted: a.deleted, lives: a.lives, features: sorted(a.features.map(({ name, value, from, until }) => [name, value, from.tick, until?.tick ?? null])), relations: sorted(a.relations.map(({ source, relation, destination, side, n }) => [source, relation, destination, side, n])), became: a.became.map(({ into, from }) => [key(into), from.tick]), came_from: sorted(a.came_from.map(({ node, from }) => [key(node), from.tick])), resolves_to: a.resolves_to && key(a.resolves_to) }),
  neighbors: (a) => sorted(a.neighbors.map((n) => [key(n.source), n.relation, key(n.destination), n.key, n.side, n.created.tick, n.removed?.tick ?? null, n.deleted, n.features])),
  tracks: (a) => sorted(a.tracks.map(({ feature, values }) => [feature, values.map(({ value, from, until }) => [value, from.tick, until?.tick ?? null])])),
  history: (a) => sorted(a.history.map((row) => [row.kind, row.from.tick, row.until?.tick ?? null, row.feature ?? null, row.edge ? `${key(row.edge.source)} ${row.edge.relation} ${key(row.edge.destination)} ${row.edge.key}` : row.into ? `${key(row.node)} ${key(row.into)}` : null])),
  subgraph: (a) => ({ unit: a.unit, from: a.from.tick, to: a.to.tick, total: a.total, nodes: sorted(a.nodes.map((n) => [key(n), n.name, n.hop, n.degree, n.lives, n.changes, n.merged && [key(a.nodes[n.merged.into]), n.merged.at], sorted(n.more)])), edges: sorted(a.edges.map((e) => [key(a.nodes[e.source]), e.relation, key(a.nodes[e.destination]), e.key, e.lives, e.changes])), marks: a.marks }),
};

/** Some nodes of a graph, the same every time. */
function someNodes(name, n) {
  const { nodes } = make(name);
  const draw = random(11);
  return nodes.length <= n ? nodes : Array.from({ length: n }, () => nodes[Math.floor(draw() * nodes.length)]);
}
const timesOf = (name) => (KINDS[name].unit === "step" ? ["", "0", "50", "200", "366"] : ["", "2024-01-01", "2024-03-03T05:00:00Z", "2024-07-02", "2024-12-30"]);
const pathOf = (name, node, rest, query) => `/v1/graphs/${name}/nodes/${encodeURIComponent(node.type)}/${encodeURIComponent(node.id)}${rest}?${new URLSearchParams(Object.entries(query).filter(([, value]) => value !== ""))}`;

for (const name of GRAPHS) {
  test(`${name}: what it is, at every time`, { skip }, async () => {
    for (const at of timesOf(name)) {
      for (const deletes of ["hard", "soft"]) {
        const [a, b] = await both(`/v1/graphs/${name}?${new URLSearchParams({ ...(at ? { at } : {}), deletes })}`);
        if (deletes === "hard") assert.deepEqual(parts.info(b), parts.info(a), `${name} at ${at || "the end"}, ${deletes}`);
        for (const field of Object.keys(a)) assert.ok(field in b, `${name} has no ${field}`);
      }
    }
  });

  test(`${name}: nodes, their neighbors, tracks and histories`, { skip }, async () => {
    for (const node of someNodes(name, 25)) {
      for (const at of timesOf(name)) {
        for (const [what, rest, query] of [["node", "", { at }], ["neighbors", "/neighbors", { at, limit: 1000 }], ["neighbors", "/neighbors", { at, side: "out", limit: 1000 }]]) {
          const path = pathOf(name, node, rest, query);
          const [a, b] = await both(path);
          if (!a.error) assert.deepEqual(parts[what](b), parts[what](a), path);
        }
      }
      for (const [what, rest, query] of [["tracks", "/tracks", {}], ["history", "/history", { limit: 1000 }], ["history", "/history", { limit: 1000, order: "newest" }]]) {
        const path = pathOf(name, node, rest, query);
        const [a, b] = await both(path);
        assert.deepEqual(parts[what](b), parts[what](a), path);
      }
    }
  });

  test(`${name}: neighborhoods of the whole span and of a window`, { skip }, async () => {
    for (const node of someNodes(name, 8)) {
      const root = `${encodeURIComponent(node.type)}:${encodeURIComponent(node.id)}`;
      for (const query of [{ hops: 1, k: 100 }, { hops: 2, k: 100, limit: 500 }, KINDS[name].unit === "step" ? { hops: 1, k: 100, from: 30, to: 120 } : { hops: 1, k: 100, from: "2024-02-01T00:00:00Z", to: "2024-05-01T00:00:00Z" }]) {
        const path = `/v1/graphs/${name}/subgraph?${new URLSearchParams({ root, ...query })}`;
        const [a, b] = await both(path);
        if (a.total > 500) continue; // Which of them are left out is a matter of taste.
        assert.deepEqual(parts.subgraph(b), parts.subgraph(a), path);
      }
    }
  });
}

test("an answer that did not change is not sent again", { skip }, async () => {
  const { etag } = await ask(real, "/v1/graphs/small");
  assert.ok(etag);
  assert.equal((await fetch(`${real.address}/v1/graphs/small`, { headers: { "if-none-match": etag } })).status, 304);
});
