// What needs no browser: ticks beyond 2^53, lives at a time, places that depend on nothing but nodes and links.
import assert from "node:assert/strict";
import { test } from "node:test";
import { build } from "esbuild";
import { random } from "./mock/graph.mjs";

/** One source file, bundled and imported. */
async function load(file) {
  const { outputFiles } = await build({ entryPoints: [new URL(`../src/${file}`, import.meta.url).pathname], bundle: true, write: false, format: "esm", logLevel: "error" });
  return import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].text).toString("base64")}`);
}
const ticks = await load("time/ticks.ts");
const { axis } = await load("time/axis.ts");
const { layout } = await load("drawing/layout.ts");
const { shownAt } = await load("drawing/life.ts");
const { pieces } = await load("pages/sql/colours.ts");
const openapi = await load("docs/openapi.ts");

test("a tick and its text are the same to the last digit, in every unit", () => {
  for (const [unit, t, text] of [
    ["s", 1_709_251_200n, "2024-03-01T00:00:00Z"], ["ms", 1_709_251_200_001n, "2024-03-01T00:00:00.001Z"], ["us", -1n, "1969-12-31T23:59:59.999999Z"],
    ["ns", 1_709_251_200_123_456_789n, "2024-03-01T00:00:00.123456789Z"], ["ns", 9_007_199_254_740_993n, "1970-04-15T05:59:59.254740993Z"],
  ]) {
    assert.equal(ticks.isoOf(t, unit), text);
    assert.equal(ticks.parseTick(text, unit), t);
  }
  const draw = random(7);
  for (let i = 0; i < 2_000; i++) {
    const t = BigInt(Math.floor((draw() - 0.5) * 4e9)) * 1_000_000_000n + BigInt(Math.floor(draw() * 1e9));
    assert.equal(ticks.parseTick(ticks.isoOf(t, "ns"), "ns"), t);
  }
});

test("what people write is read, and what is no time is not", () => {
  assert.equal(ticks.parseTick("2024-03-01", "s"), 1_709_251_200n);
  assert.equal(ticks.parseTick("2024-03-01 01:00+01:00", "s"), 1_709_251_200n);
  assert.equal(ticks.parseTick("2024", "s"), 1_704_067_200n);
  assert.equal(ticks.parseTick("2024-03-01T00:00:00.999", "s"), 1_709_251_200n, "between two ticks: the one before");
  assert.equal(ticks.parseTick("12", "step"), 12n);
  for (const text of ["", "soon", "2024-13-01", "2024-03-01T25:00", "1e9"]) assert.equal(ticks.parseTick(text, "s"), null, text);
  assert.equal(ticks.parseTick("2024-03-01", "step"), null);
});

test("far times are written as ticks, and an axis of them ends", () => {
  assert.equal(ticks.isoOf(9_223_372_036_854_775_807n, "s"), "9223372036854775807");
  for (const [from, to, unit] of [[0n, 1n, "s"], [0n, 9_223_372_036_854_775_807n, "s"], [0n, 366n, "step"], [-5n, 5n, "step"], [1_704_067_200_000_000_000n, 1_735_689_600_000_000_000n, "ns"]]) {
    const list = axis(from, to, unit, 10);
    assert.ok(list.length > 0 && list.length <= 40, `${from} to ${to} ${unit}: ${list.length}`);
    assert.ok(list.every(({ at }) => at >= from && at <= to));
  }
});

test("steps fill a window some twenty to a hundred times", () => {
  for (const [unit, width] of [["s", 366n * 86_400n], ["ms", 3_600_000n], ["ns", 40n], ["step", 366n], ["s", 3n]]) {
    const step = ticks.stepFor(width, unit);
    assert.ok(step > 0n && width / step <= 110n, `${unit} ${width}: ${step}`);
  }
});

test("an element is shown as what it is: half-open lives, one step of marks", () => {
  const lived = { lives: [[10n, 20n], [30n, null]], changes: [15n] };
  const at = (t, soft = false) => shownAt(lived, { at: t, step: 3n, soft });
  assert.deepEqual([9n, 10n, 12n, 13n, 15n, 18n, 19n, 20n, 22n, 23n, 30n, 33n].map((t) => at(t)), ["absent", "appears", "appears", "stays", "changes", "stays", "stays", "goes", "goes", "absent", "appears", "stays"]);
  assert.equal(at(25n, true), "over");
});

test("places depend on nodes and links alone, lie apart, and hold when the neighbourhood grows", () => {
  const draw = random(3);
  const keys = Array.from({ length: 500 }, (_, i) => `item:${i}`);
  const links = Array.from({ length: 900 }, () => ({ source: Math.floor(draw() * 500), target: Math.floor(draw() ** 3 * 500) })).filter(({ source, target }) => source !== target);
  const begun = performance.now();
  const places = layout(keys, links, new Map(), 1.5);
  const took = performance.now() - begun;
  assert.deepEqual(layout(keys, links, new Map(), 1.5), places);
  assert.ok(places.every(({ x, y }) => Number.isFinite(x) && Number.isFinite(y)));
  let close = 0;
  for (let i = 0; i < 500; i++) for (let j = 0; j < i; j++) if (Math.hypot(places[i].x - places[j].x, places[i].y - places[j].y) < 12) close++;
  assert.ok(close < 10, `${close} pairs lie on each other`);
  const grown = layout([...keys, "item:new"], [...links, { source: 0, target: 500 }], new Map(keys.map((key, i) => [key, places[i]])), 1.5);
  const moved = keys.map((_, i) => Math.hypot(grown[i].x - places[i].x, grown[i].y - places[i].y)).sort((a, b) => a - b);
  assert.ok(moved[250] < 25, `half of the nodes moved by more than ${moved[250]}`);
  assert.ok(took < 4_000, `500 nodes took ${took} ms`);
});

test("the colours of a query leave every letter where it is", () => {
  const kinds = (query) => pieces(query).filter(({ kind, text }) => kind !== "plain" || text.trim()).map(({ kind, text }) => `${kind}:${text}`);
  assert.deepEqual(kinds("select count(*) -- all\nFROM nodes TIMESTAMP AS OF '2024-06-01' WHERE n > 1.5e3"), ["word:select", "call:count", "plain:(*) ", "note:-- all", "word:FROM", "plain: nodes ", "clock:TIMESTAMP AS OF", "text:'2024-06-01'", "word:WHERE", "plain: n > ", "number:1.5e3"].map((one) => one));
  assert.deepEqual(kinds("'it''s' \"from\" node2"), ["text:'it''s'", "plain: \"from\" node2"]);
  const draw = random(3);
  const parts = ["SELECT", " ", "\n", "'", '"', "--", "/*", "*/", "é", "1.", ".5", "as of", "😀", "(", "x_1", "\\"];
  for (let i = 0; i < 2_000; i++) {
    const query = Array.from({ length: 1 + Math.floor(draw() * 12) }, () => parts[Math.floor(draw() * parts.length)]).join("");
    assert.equal(pieces(query).map(({ text }) => text).join(""), query);
  }
});

test("a schema is written as a type, and a sample has all that must be there", () => {
  const text = (schema) => openapi.written(schema).map((part) => (typeof part === "string" ? part : `<${part.type}>`)).join("");
  assert.equal(text({ type: ["string", "null"] }), "string | null");
  assert.equal(text({ type: "array", items: { oneOf: [{ type: "integer", format: "int64" }, { type: "null" }] } }), "(int64 | null)[]");
  assert.equal(text({ type: "object", required: ["a"], properties: { a: { $ref: "#/components/schemas/Life" }, b: { enum: ["x", 1] } } }), '{\n  a: <Life>;\n  b?: "x" | 1;\n}');
  assert.equal(text({ type: "array", prefixItems: [{ type: "string" }, { const: null }] }), "[string, null]");
  assert.deepEqual(openapi.sample({ $ref: "#/A" }, { A: { type: "object", required: ["x", "y"], properties: { x: { type: "string" }, y: { $ref: "#/A" }, z: {} } } }).x, "");
});
