// A made-up shop: users buy and like items, write documents that mention terms, items and terms hang together.
// The same name gives the same graph, to the last tick.

const DAY = 86_400;
const START = Date.UTC(2024, 0, 1) / 1000;
const END = START + 366 * DAY;
const SCALE = { s: 1n, ms: 1_000n, us: 1_000_000n, ns: 1_000_000_000n };

export const KINDS = { empty: { n: 0, unit: "s" }, small: { n: 20, unit: "s" }, steps: { n: 60, unit: "step" }, medium: { n: 500, unit: "ms" }, large: { n: 5_000, unit: "ns" } };

const FIRST = "Ann Bo Cleo Dai Elif Finn Grete Hana Ines Jun Kofi Lena Mirko Noor Olga Piet Quyen Rafa Sana Tove Uri Vera Wren Xenia Yusuf Zoë Łukasz Åse 北辰 नीला".split(" ");
const LAST = "Abara Berg Costa Dietz Eriksen Fontaine Garcia Hoang Ito Jensen Kaya Lindqvist Moreau Novak Okafor Petrov".split(" ");
const THING = "lamp desk chair shelf rug kettle bench clock mirror vase stool basket blanket tray hook bowl".split(" ");
const STUFF = "oak steel linen walnut brass glass wool cork birch marble cane copper".split(" ");
const FIELD = "ocean tundra forest estuary reef aquifer glacier wetland canopy soil shore spring".split(" ");
const SORT = "biome zone material process layer ecosystem deposit habitat".split(" ");

/** Random numbers from 0 to 1, by a seed (mulberry32). */
export function random(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let x = Math.imul(state ^ (state >>> 15), 1 | state);
    x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x;
    return ((x ^ (x >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const pick = (draw, list) => list[Math.floor(draw() * list.length)];

/** Makes the graph of a name. Times within it are seconds; `tick` writes them in the graph's unit. */
export function make(name) {
  const { n, unit } = KINDS[name];
  const draw = random(name.length * 7919 + n);
  const graph = { name, unit, nodes: [], edges: [], byKey: new Map(), merges: [], start: START, end: END };
  graph.tick = unit === "step" ? (s) => BigInt(Math.round((s - START) / DAY)) : (s) => BigInt(Math.round(s)) * SCALE[unit];
  graph.seconds = unit === "step" ? (t) => START + Number(t) * DAY : (t) => Number(BigInt(t) / SCALE[unit]);
  if (n === 0) return graph;
  makeNodes(graph, n, draw);
  makeMerges(graph, draw);
  makeEdges(graph, draw);
  const times = [...graph.nodes, ...graph.edges].flatMap(({ lives, features: of }) => [...lives.flat(), ...Object.values(of).flatMap(({ values }) => values.map(({ from }) => from))]).filter((t) => t !== null);
  [graph.start, graph.end] = [times.reduce((a, b) => Math.min(a, b)), times.reduce((a, b) => Math.max(a, b))];
  graph.edges.forEach((edge) => { graph.nodes[edge.source].out.push(edge); graph.nodes[edge.destination].in.push(edge); });
  return graph;
}

function makeNodes(graph, n, draw) {
  const shares = [["user", 0.4], ["item", 0.3], ["document", 0.18], ["term", 0.12]];
  for (const [type, share] of shares) {
    const count = Math.max(2, Math.round(n * share));
    for (let i = 0; i < count && graph.nodes.length < n; i++) addNode(graph, type, i, count, draw);
  }
}

function addNode(graph, type, i, count, draw) {
  const created = when(graph, START + (i < count * 0.35 ? draw() * 20 : draw() * 320) * DAY);
  const lives = [[created, null]];
  if (draw() < 0.3) {
    const removed = when(graph, created + (20 + draw() * 200) * DAY);
    if (removed < END) {
      lives[0][1] = removed;
      const again = when(graph, removed + (15 + draw() * 60) * DAY);
      if (draw() < 0.3 && again < END) lives.push([again, null]);
    }
  }
  const node = { type, id: idOf(type, i), group: i % Math.max(1, Math.round(count / 9)), lives, features: {}, out: [], in: [], index: graph.nodes.length };
  node.name = nameOf(type, i, draw);
  features(graph, node, draw);
  graph.nodes.push(node);
  graph.byKey.set(`${type}\n${node.id}`, node);
}

function idOf(type, i) {
  return type === "term" ? `ENVO:${String(1_000 + i * 7).padStart(8, "0")}` : type === "document" ? `notes/${2020 + (i % 5)}/d${i}` : type === "item" ? `item-${i}` : `u${i}`;
}

function nameOf(type, i, draw) {
  if (i === 3) return "The one whose name never ends: " + Array.from({ length: 16 }, () => pick(draw, [...STUFF, ...FIELD])).join("-") + ", revised and enlarged";
  if (type === "user") return `${pick(draw, FIRST)} ${pick(draw, LAST)}`;
  if (type === "item") return i % 11 === 10 ? null : `${pick(draw, STUFF)} ${pick(draw, THING)}`;
  if (type === "term") return `${pick(draw, FIELD)} ${pick(draw, SORT)}`;
  return `On the ${pick(draw, FIELD)} ${pick(draw, SORT)} and its ${pick(draw, STUFF)} ${pick(draw, THING)}`;
}

const when = (graph, s) => (graph.unit === "step" ? START + Math.round((s - START) / DAY) * DAY : Math.round(s));

function features(graph, node, draw) {
  const [created, removed] = node.lives[0];
  const until = removed ?? END;
  const track = (name, kind, value, rate) => {
    const values = [];
    let from = created;
    let last = value(null);
    while (draw() < rate) {
      const next = when(graph, from + (5 + draw() * 50) * DAY);
      if (next >= until) break;
      const other = value(last);
      if (JSON.stringify(other) === JSON.stringify(last)) continue; // What does not change has no new value.
      values.push({ value: last, from, until: next });
      [from, last] = [next, other];
    }
    values.push({ value: last, from, until: removed });
    node.features[name] = { kind, values };
  };
  if (node.name) track("name", "text", () => node.name, 0);
  if (node.type === "item") {
    track("price", "f64", (old) => Math.round((old === null ? 10 + draw() * 180 : old * (0.8 + draw() * 0.45)) * 100) / 100, 0.8);
    track("tags", "json", () => [pick(draw, STUFF), pick(draw, FIELD)], 0.2);
  }
  if (node.type === "user") { track("city", "category", () => pick(draw, ["Oslo", "Porto", "Kyoto", "Accra", "Lima"]), 0.4); track("taste", "f32[4]", () => Array.from({ length: 4 }, () => Math.round(draw() * 100) / 100), 0.3); }
  if (node.type === "term") track("definition", "text", () => `A ${pick(draw, SORT)} that is shaped by ${pick(draw, FIELD)} and ${pick(draw, FIELD)}, and by what people have called ${pick(draw, STUFF)} since records began.`, 0.3);
  if (node.type === "document") track("words", "i64", (old) => Math.round((old ?? 200) * (1 + draw())), 0.6);
}

function makeMerges(graph, draw) {
  for (const node of graph.nodes) {
    const end = node.lives.length === 1 ? node.lives[0][1] : null;
    if (end === null || draw() > 0.35) continue;
    const into = graph.nodes.filter((other) => other.type === node.type && other.group === node.group && other !== node && aliveAt(other, end));
    if (into.length === 0) continue;
    node.merged = { into: pick(draw, into), from: end };
    graph.merges.push({ from: node, into: node.merged.into, at: end });
  }
}

function makeEdges(graph, draw) {
  const of = (type) => graph.nodes.filter((node) => node.type === type);
  const plans = [["user", "buys", "item", 2.2], ["user", "likes", "item", 1.1], ["user", "wrote", "document", 0.5], ["document", "mentions", "term", 1.6], ["item", "tagged", "term", 0.8], ["term", "is_a", "term", 0.9], ["user", "follows", "user", 0.6]];
  for (const [from, relation, to, rate] of plans) {
    const sources = of(from);
    const ends = of(to);
    for (let i = 0; i < sources.length * rate; i++) {
      const source = pick(draw, sources);
      const near = ends.filter((end) => end.group % 7 === source.group % 7 && end !== source);
      const destination = draw() < 0.85 && near.length ? near[Math.floor(near.length * draw() ** 2)] : pick(draw, ends);
      if (destination !== source) addEdge(graph, source, relation, destination, draw);
    }
  }
}

function addEdge(graph, source, relation, destination, draw) {
  const life = source.lives.at(-1);
  const other = destination.lives[0];
  const least = Math.max(life[0], other[0]);
  const most = Math.min(life[1] ?? END, other[1] ?? END);
  if (most - least < 2 * DAY) return;
  const created = when(graph, least + draw() ** 2 * (most - least - DAY));
  const closing = [life[1], other[1]].filter((t) => t !== null);
  const natural = closing.length ? Math.min(...closing) : null;
  const early = when(graph, created + (4 + draw() * 90) * DAY);
  const removed = draw() < 0.35 && early < most ? early : natural;
  const key = relation === "buys" ? String(graph.edges.length % 97) : null;
  if (graph.edges.some((edge) => edge.source === source.index && edge.destination === destination.index && edge.relation === relation && edge.key === key)) return; // An edge that is created again is the same edge with another life.
  const count = { value: 1 + Math.floor(draw() * 4), from: created, until: removed };
  graph.edges.push({ source: source.index, relation, destination: destination.index, key, lives: [[created, removed]], features: relation === "buys" ? { count: { kind: "i64", values: [count] } } : {} });
}

/** Whether an element is alive at a time in seconds; null is the end of time. */
export function aliveAt(element, at) {
  return lifeAt(element, at) !== undefined;
}

export function lifeAt(element, at) {
  return element.lives.find(([created, removed]) => (at === null ? removed === null : created <= at && (removed === null || at < removed)));
}

export function valueAt(track, at) {
  return track.values.find(({ from, until }) => (at === null ? until === null : from <= at && (until === null || at < until)));
}
