// Answers that compare, predict, load and compute, about one made-up graph.
import { aliveAt, random, valueAt } from "./graph.mjs";
import { COMMIT, Refusal, edgeRef, find, head, moment, page, ref, time, versions } from "./reads.mjs";

const valuesAt = (element, at) => Object.fromEntries(Object.entries(element.features).map(([name, track]) => [name, valueAt(track, at)?.value ?? null]));

/** Every change between two times, nodes first, merges last. */
export function changes(graph, query) {
  const [from, to] = [moment(graph, query.get("from")), moment(graph, query.get("to"))];
  const rows = [];
  const compare = (what, element, name) => {
    const [was, is] = [aliveAt(element, from), aliveAt(element, to)];
    if (was && is) {
      const [before, after] = [valuesAt(element, from), valuesAt(element, to)];
      const differs = Object.keys(before).filter((f) => JSON.stringify(before[f]) !== JSON.stringify(after[f]));
      const only = (values) => Object.fromEntries(differs.map((f) => [f, values[f]]));
      if (differs.length) rows.push({ change: "updated", what, ...name, before: only(before), after: only(after) });
    } else if (was || is) rows.push({ change: is ? "created" : "removed", what, ...name, before: was ? valuesAt(element, from) : null, after: is ? valuesAt(element, to) : null });
  };
  graph.nodes.forEach((n) => compare("node", n, { node: ref(n) }));
  graph.edges.forEach((e) => compare("edge", e, { edge: edgeRef(graph, e) }));
  graph.merges.filter((m) => m.at > (from ?? Infinity) && m.at <= (to ?? Infinity)).forEach((m) => rows.push({ change: "merged", what: "merge", from: ref(m.from), into: ref(m.into), at: time(graph, m.at) }));
  return rows;
}

const typeOf = (row) => (row.what === "node" ? row.node.type : row.what === "edge" ? `${row.edge.source.type} -${row.edge.relation}-> ${row.edge.destination.type}` : row.from.type);

export function diff(graph, query) {
  const all = changes(graph, query);
  const counts = (what) => Object.fromEntries(["created", "updated", "removed"].map((change) => [change, all.filter((r) => r.what === what && r.change === change).length]));
  const types = new Map();
  for (const row of all.filter((r) => r.what !== "merge")) {
    const key = `${row.what} ${typeOf(row)}`;
    const found = types.get(key) ?? { what: row.what, type: typeOf(row), created: 0, updated: 0, removed: 0 };
    found[row.change]++;
    types.set(key, found);
  }
  const wanted = all.filter((r) => ["change", "what"].every((f) => (query.get(f) ?? r[f]) === r[f]) && (query.get("type") ?? typeOf(r)) === typeOf(r));
  const { items, ...rest } = page(wanted, query, (row) => row);
  return { ...rest, from: time(graph, moment(graph, query.get("from"))), to: time(graph, moment(graph, query.get("to"))), from_commit: COMMIT, to_commit: COMMIT, namespace: query.get("namespace"),
    summary: { nodes: counts("node"), edges: counts("edge"), merged: all.filter((r) => r.what === "merge").length, types: [...types.values()] }, changes: items };
}

export function modelList(graph) {
  if (graph.nodes.length < 50) return [];
  const model = (name, predicts, commit) => ({
    name, predicts, commit, trained: "2026-11-29T20:14:03Z", trained_until: time(graph, graph.start + 270 * 86_400), next_time: time(graph, graph.end + 1),
    absorbed: { commit, behind: COMMIT - commit ? 214 : 0 }, relations: predicts === "gone" ? [] : [{ source: "user", relation: "buys", destination: "item" }, { source: "document", relation: "mentions", destination: "term" }],
    node_types: ["user", "item", "document", "term"], parameters: 1_284_311, epochs: 12, mrr: predicts === "gone" ? 0.61 : 0.842, unknown: commit < COMMIT ? ["user -follows-> user"] : [],
  });
  return [model("default", "created", COMMIT), model("leavers", "gone", COMMIT - 1)];
}

export const unreadable = (graph) => (graph.nodes.length < 50 ? [] : [{ name: "torn", message: "torn.twm: the file ends too early: train again" }]);

export function model(graph, name) {
  const found = modelList(graph).find((m) => m.name === name);
  if (!found) throw new Refusal(404, "not_found", `no model ${name}`, "Train one: timeweft train --graph DIR.");
  const draw = random(name.length);
  const curve = Array.from({ length: 12 }, (_, i) => ({ epoch: i + 1, loss: 0.3 + 2.4 * Math.exp(-i / 3) + draw() * 0.06, validation_mrr: 0.86 - 0.5 * Math.exp(-i / 2.6) - (i > 9 ? 0.012 * (i - 9) : 0) + draw() * 0.008, seconds: 42, kept: i === 9 }));
  const row = (model, kind, freshness, mrr) => ({ part: "test", freshness, model, kind, mrr, hits1: mrr * 0.88, hits10: Math.min(1, mrr * 1.12), links: 21_340 });
  const ranking = [row("HTGN", "model", "event", 0.842), row("last linked", "rule", "event", 0.788), row("most often", "rule", "event", 0.741), row("popular", "rule", "event", 0.212), row("HTGN", "model", "batch", 0.801), row("last linked", "rule", "batch", 0.729), row("most often", "rule", "batch", 0.718), row("popular", "rule", "batch", 0.208)];
  const bins = Array.from({ length: 10 }, (_, i) => ({ share: 0.05 + i / 10, observed: Math.max(0, Math.min(1, (0.05 + i / 10) ** 1.15 + (draw() - 0.5) * 0.03)), n: Math.round(9_000 / (i + 1)) }));
  return { ...found, curve, ranking, calibration: { part: "test", bins, error: 0.031 }, config: { model: { width: 64, layers: 2, cell: "mamba", gnn: "attention" }, train: { batch: 200, epochs: 12, seed: 7, predict: found.predicts } } };
}

export function predict(graph, body) {
  model(graph, body.model);
  const at = moment(graph, body.at) ?? graph.end + 1;
  const asks = body.id !== undefined && body.id !== null;
  const source = asks ? find(graph, body.type, body.id) : null;
  if (source && !aliveAt(source, at - 1)) throw new Refusal(404, "not_alive", `${body.type} ${body.id} is not alive just before the time`, "Choose an earlier time, or another node.");
  const to = body.destination_type ?? (asks ? (body.type === "document" ? "term" : "item") : body.type);
  const candidates = graph.nodes.filter((n) => n.type === to && aliveAt(n, at - 1));
  const seen = (n) => source?.out.filter((e) => graph.nodes[e.destination] === n && e.lives[0][0] < at) ?? [];
  const score = (n) => seen(n).length * 2.1 + n.in.length * 0.12 + (source && n.group % 7 === source.group % 7 ? 1.4 : 0) + random(n.index + 5)() * 2;
  const scored = candidates.map((n) => [n, score(n)]).sort((a, b) => b[1] - a[1]);
  const sum = scored.reduce((total, [, s]) => total + Math.exp(s), 0);
  const answers = scored.slice(0, body.top ?? 10).map(([n, s]) => ({ destination: ref(n), score: s, share: Math.exp(s) / sum, seen: { n: seen(n).length, last: time(graph, seen(n).at(-1)?.lives[0][0]) } }));
  return { commit: COMMIT, model: body.model, at: time(graph, at), question: { source: source && ref(source), relation: body.relation ?? null, destination_type: to }, candidates: candidates.length, answers, warnings: [] };
}

export function explain(graph, body) {
  const at = moment(graph, body.at) ?? graph.end + 1;
  const source = find(graph, body.source.type, body.source.id);
  const destination = body.destination ? find(graph, body.destination.type, body.destination.id) : null;
  const draw = random(source.index * 31 + (destination?.index ?? 0));
  const heard = (node, which) => [...node.out.map((e) => [e, true]), ...node.in.map((e) => [e, false])].filter(([e]) => e.lives[0][0] < at).slice(0, 9)
    .map(([e, outward]) => ({ at: which, node: ref(graph.nodes[outward ? e.destination : e.source]), relation: e.relation, outward, created: time(graph, e.lives[0][0]), attention: [draw(), draw()], push: (draw() - 0.35) * 1.2 }))
    .sort((a, b) => Math.abs(b.push) - Math.abs(a.push));
  const neighbors = [...heard(source, "source"), ...(destination ? heard(destination, "destination") : [])];
  const memory = neighbors.slice(0, 14).map((n) => ({ at: n.at, time: n.created, what: `${n.outward ? "" : "was "}${n.relation} ${n.node.name ?? n.node.id}`, push: (draw() - 0.3) * 0.8 })).sort((a, b) => Math.abs(b.push) - Math.abs(a.push));
  const without = (body.without ?? []).length ? { nodes: body.without.map((n) => ref(find(graph, n.type, n.id))), score: 8.05 - 1.31 * body.without.length, lead: 5.7 - 1.31 * body.without.length } : null;
  const pair = destination ? source.out.filter((e) => e.destination === destination.index) : [];
  const counters = destination ? [{ what: "pair", n: pair.length, last: time(graph, pair.at(-1)?.lives[0][0]) }, { what: "to_destination", n: destination.in.length, last: time(graph, destination.in.at(-1)?.lives[0][0]) }, { what: "from_source", n: source.out.length, last: time(graph, source.out.at(-1)?.lives[0][0]) }] : [];
  return { commit: COMMIT, model: body.model, at: time(graph, at), source: ref(source), relation: body.relation ?? null, destination: destination && ref(destination), score: 8.05, lead: 5.7, counting: 4.16, others: Array.from({ length: 16 }, () => draw() * 5), counters, neighbors, memory, without, warnings: [] };
}

const none = { created: 0, updated: 0, removed: 0 };
export const NO_COUNTS = { nodes: none, edges: none, merges: none };

export function loads(graph) {
  if (!graph.nodes.length) return [];
  const row = (id, extra) => ({
    id, commit: id, namespace: null, version: null, at: null, release: null, source: "rollback of load 4", format: null, state: { is: "complete" }, events: 0, rejected: 0, started: `2026-11-2${id + 2}T11:37:2${id}Z`, completed: `2026-11-2${id + 2}T11:37:2${id + 1}Z`,
    content_hash: "9f3c".repeat(8), counts: { nodes: none, edges: none, merges: none }, ...extra,
  });
  const counts = { nodes: { created: 142, updated: 1_204, removed: 305 }, edges: { created: 332, updated: 0, removed: 514 }, merges: { created: 301, updated: 0, removed: 0 } };
  const made = versions(graph).map((v, i) => row(v.load, { namespace: v.namespace, version: v.version, at: v.at, source: i === 1 ? "envo-2024-03.obo" : `snapshots/${v.version} by shop.toml`, format: i === 1 ? "obo" : "tables", events: 2_417 - i * 300, rejected: i === 2 ? 23 : 0, counts, state: i === 3 ? { is: "rolled_back", by: 5 } : { is: "complete" } }));
  return [...made, row(5, { state: { is: "rollback", of: 4 } }), row(6, { source: "today.jsonl", namespace: "events", events: 120, counts: { ...counts, merges: none } })].reverse();
}

export function report(row, dry) {
  const rejects = row.rejected ? Array.from({ length: row.rejected }, (_, i) => ({ file: "edges.csv", line: 13 + i * 7, reason: i % 3 ? "unknown node item chair" : "not a time: 31.02.2024", record: `u${i},buys,chair-${i}` })) : [];
  const reasons = row.rejected ? [{ reason: "unknown node", n: Math.ceil(row.rejected * 0.66) }, { reason: "not a time", n: Math.floor(row.rejected * 0.34) }] : [];
  return { counts: row.counts, events: row.events, unchanged: 5_402, rejected: row.rejected, rejects, reasons, warnings: row.rejected ? ["The column `note` is new: its values came in as a feature."] : [], seconds: 0.27, commit: dry ? null : row.commit };
}

export function undo(graph, id) {
  const row = loads(graph).find((l) => l.id === id);
  if (!row) throw new Refusal(404, "not_found", `no load ${id}`);
  if (row.state.is !== "complete") throw new Refusal(409, "conflict", `load ${id} does not count any more`, "Only a complete load can be rolled back.");
  const { nodes, edges } = row.counts;
  const turn = (c) => ({ created: c.removed, updated: c.updated, removed: c.created });
  return { undoes: id, counts: { nodes: turn(nodes), edges: turn(edges), merges: { ...none, removed: row.counts.merges.created } }, replaced: id < 3 ? [id + 1] : [], dropped: id === 1 ? [{ load: 3, why: "it updates nodes that would not be there" }] : [] };
}

export function tables(graph) {
  const types = [...new Set(graph.nodes.map((n) => n.type))];
  const view = (name, columns) => ({ name, kind: "view", columns, signature: null });
  const call = (name, signature) => ({ name, kind: "function", columns: [], signature });
  return [view("nodes", ["type", "id", "created", "removed", "deleted"]), view("edges", ["source_type", "source", "relation", "destination_type", "destination", "key", "created", "removed"]), view("events", ["time", "action", "what", "type", "id"]), view("merges", ["from", "into", "created", "removed"]), view("loads", ["id", "commit", "namespace", "version", "events", "rejected"]),
    ...types.map((type) => view(`"${type}"`, ["id", ...Object.keys(graph.nodes.find((n) => n.type === type).features)])),
    call("neighbors", "neighbors(type, id, side => , relation => , at => )"), call("history", "history(type, id)"), call("diff", "diff(start, stop, namespace => )"), call("feature_at", "feature_at(type, id, name, t)"), call("degree_at", "degree_at(type, id, side, t)")];
}

/** Answers the examples of the page; it is no SQL engine. */
export function sql(graph, body) {
  const query = new URLSearchParams(Object.entries(body).filter(([k, v]) => v !== null && ["at", "commit", "deletes"].includes(k)));
  const text = body.query.toLowerCase();
  const answer = (columns, rows) => ({ ...head(graph, query), columns, rows: rows.slice(0, body.limit ?? 1_000), truncated: rows.length > (body.limit ?? 1_000), seconds: 0.0124, scanned: graph.nodes.length + graph.edges.length });
  if (/tablesample/.test(text)) throw new Refusal(400, "bad_request", "TABLESAMPLE is not understood (line 1, column 21)", "Take it out: a clause that timeweft does not understand is never ignored.");
  if (!/select/.test(text)) throw new Refusal(400, "bad_request", `expected SELECT, found ${JSON.stringify(body.query.trim().split(/\s/)[0] ?? "")} (line 1, column 1)`, "SELECT, EXPLAIN and SET are understood.");
  const at = moment(graph, body.at);
  if (/date_trunc/.test(text)) {
    const rows = Array.from({ length: 12 }, (_, m) => { const s = Date.UTC(2024, m, 1) / 1000; return [new Date(s * 1000).toISOString().slice(0, 10), graph.edges.filter((e) => e.lives[0][0] >= s && e.lives[0][0] < s + 31 * 86_400).length]; });
    return answer([{ name: "month", type: "time" }, { name: "edges", type: "integer" }], rows);
  }
  if (/count/.test(text)) {
    const counts = new Map();
    graph.nodes.filter((n) => aliveAt(n, at)).forEach((n) => counts.set(n.type, (counts.get(n.type) ?? 0) + 1));
    return answer([{ name: "type", type: "text" }, { name: "n", type: "integer" }], [...counts]);
  }
  const rows = graph.nodes.filter((n) => aliveAt(n, at)).map((n) => [n.type, n.id, n.name, n.in.length + n.out.length, time(graph, n.lives[0][0]).iso ?? n.lives[0][0]]);
  return answer([{ name: "type", type: "text" }, { name: "id", type: "text" }, { name: "name", type: "text" }, { name: "degree", type: "integer" }, { name: "created", type: "time" }], rows);
}
