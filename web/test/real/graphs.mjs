// Graphs for a real server: the made-up histories of the mock written as events and loaded by the program, so that the same tests hold for
// both; an ontology in three versions; and an office with a trained model.
import { execFile } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { KINDS, make } from "../mock/graph.mjs";

const run = promisify(execFile);
/** Within one tick: nodes come before their edges, and go after them. */
const RANK = { "create node": 0, "update node": 1, "create edge": 2, "update edge": 3, "delete edge": 4, "delete node": 5, "create merge": 6 };

/** All events of a made-up graph, in order of time. */
export function eventsOf(graph) {
  const events = [];
  const add = (s, action, entity, of) => events.push({ s, rank: RANK[`${action} ${entity}`], line: { time: graph.unit === "step" ? Number(graph.tick(s)) : new Date(s * 1000).toISOString(), action, entity, ...of } });
  const values = (features, from, firstOf) => Object.fromEntries(Object.entries(features).flatMap(([name, track]) => track.values.filter((value, i) => (i === 0) === firstOf && value.from === from).map(({ value }) => [name, value])));
  const ref = (node) => ({ type: node.type, id: node.id });
  for (const node of graph.nodes) {
    for (const [created, removed] of node.lives) {
      add(created, "create", "node", { source: { ...ref(node), features: values(node.features, created, true) } });
      if (removed !== null) add(removed, "delete", "node", { source: ref(node) });
    }
    const changes = new Set(Object.values(node.features).flatMap(({ values: list }) => list.slice(1).map(({ from }) => from)));
    for (const from of changes) add(from, "update", "node", { source: { ...ref(node), features: values(node.features, from, false) } });
  }
  for (const edge of graph.edges) {
    const [source, destination] = [graph.nodes[edge.source], graph.nodes[edge.destination]];
    const of = (features) => ({ source: ref(source), edge: { type: edge.relation, ...(edge.key === null ? {} : { key: edge.key }), ...(features ? { features } : {}) }, destination: ref(destination) });
    const [created, removed] = edge.lives[0];
    add(created, "create", "edge", of(values(edge.features, created, true)));
    // Where a node ends, its edges end with it.
    if (removed !== null && ![source, destination].some(({ lives }) => lives.some(([, end]) => end === removed))) add(removed, "delete", "edge", of());
  }
  for (const { from, into, at } of graph.merges) add(at, "create", "merge", { source: ref(from), destination: ref(into) });
  return events.sort((a, b) => a.s - b.s || a.rank - b.rank).map(({ line }) => line);
}

/** The versions of a small ontology: terms come, change, go, and become others. */
const TERMS = [
  ["2020-01-01", [["T:1", "place"], ["T:2", "wet place", "T:1"], ["T:3", "dry place", "T:1"], ["T:4", "bog", "T:2"], ["T:5", "mire", "T:2"]]],
  ["2021-01-01", [["T:1", "place"], ["T:2", "wetland", "T:1"], ["T:3", "dry place", "T:1"], ["T:4", "bog", "T:2"], ["T:5", "mire", null, "T:4"], ["T:6", "dune", "T:3"]]],
  ["2022-01-01", [["T:1", "place"], ["T:2", "wetland", "T:1"], ["T:4", "bog", "T:2"], ["T:5", "mire", null, "T:4"], ["T:6", "dune", "T:1"], ["T:7", "salt marsh", "T:2"]]],
];
const obo = (terms) => ["format-version: 1.2", "", ...terms.flatMap(([id, name, parent, became]) => ["[Term]", `id: ${id}`, `name: ${became ? "obsolete " : ""}${name}`, ...(parent ? [`is_a: ${parent}`] : []), ...(became ? ["is_obsolete: true", `replaced_by: ${became}`] : []), ""])].join("\n");

/** Makes one graph, if it is not there. */
const MAKERS = {
  terms: async (timeweft, folder) => {
    for (const [version, terms] of TERMS) {
      const file = join(folder, `terms-${version}.obo`);
      await writeFile(file, obo(terms));
      await timeweft("load", "version", file, "--graph", join(folder, "terms"), "--unit", "s", "--namespace", "terms", "--version", version, "--timestamp", version);
    }
  },
  office: (timeweft, folder) => timeweft("demo", "--graph", join(folder, "office"), "--days", "21", "--epochs", "1"),
};

async function madeUp(timeweft, folder, name) {
  const graph = make(name);
  const dir = join(folder, name);
  await timeweft("init", "--graph", dir, "--unit", graph.unit);
  const events = eventsOf(graph);
  const parts = events.length === 0 ? 0 : 3;
  for (let i = 0; i < parts; i++) {
    const file = join(folder, `${name}-${i + 1}.jsonl`);
    const part = events.slice(Math.floor((events.length * i) / parts), Math.floor((events.length * (i + 1)) / parts));
    await writeFile(file, part.map((one) => JSON.stringify(one)).join("\n"));
    await timeweft("load", "events", file, "--graph", dir, "--namespace", "shop", "--version", `part-${i + 1}`);
  }
}

/** Makes the graphs of these names in a folder. Gives the folder of each. */
export async function makeGraphs(program, folder, names) {
  const timeweft = async (...args) => {
    try {
      await run(program, args, { cwd: folder, maxBuffer: 1 << 26 });
    } catch (error) {
      if (error.code !== 3) throw new Error(`timeweft ${args.join(" ")}: ${error.stderr || error.message}`);
      throw new Error(`timeweft ${args.join(" ")} rejected records: ${error.stdout.slice(0, 2_000)}`);
    }
  };
  await mkdir(folder, { recursive: true });
  for (const name of names) await (MAKERS[name] ?? ((by, to) => madeUp(by, to, name)))(timeweft, folder);
  return names.map((name) => join(folder, name));
}

export const ALL = [...Object.keys(KINDS), "terms", "office"];
