// Jobs that depend on the program itself: models, loads, versions, SQL, tokens; looks and speed on its graphs.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { DESK, open, PHONE, REAL, still, violations, missing } from "../browser.mjs";

const skip = missing ?? (REAL ? false : "TIMEWEFT_PROGRAM names no program");
let world;
before(async () => { if (!skip) world = await open({ allowed: /400|404|401|409/ }); });
after(() => world?.close());

async function at(path, options) {
  const page = await world.newPage(options);
  await page.goto(path);
  await still(page);
  return page;
}
const clean = async (page) => { assert.deepEqual(page.errors, []); await page.context().close(); };
const main = (page) => page.getByRole("main");
const ask = async (path) => (await fetch(`${world.address}/v1/graphs/${path}`)).json();
const keyOf = ({ type, id }) => encodeURIComponent(`${encodeURIComponent(type)}:${encodeURIComponent(id)}`);
const busiest = async (graph, type) => (await ask(`${graph}/search?limit=1${type ? `&type=${type}` : ""}`)).nodes[0];

test("compare: two versions of an ontology, by their names", { skip }, async () => {
  const page = await at("/g/terms/compare?a=terms@2020-01-01&b=terms@2022-01-01");
  const branch = page.getByRole("button", { name: /^term/i }).first();
  await branch.click();
  await main(page).getByText("wetland").first().waitFor();
  await page.getByRole("button", { name: /^merges/ }).click();
  await page.getByText("became", { exact: true }).first().waitFor();
  await page.getByRole("group", { name: "Later" }).getByRole("combobox", { name: "or" }).selectOption({ label: "terms 2021-01-01" });
  await page.waitForURL(/b=terms%402021/);
  await still(page);
  await clean(page);
});

test("node: a term that became another leads there", { skip }, async () => {
  const { nodes } = await ask("terms/search?q=T:5");
  const page = await at(`/g/terms/node?node=${keyOf(nodes[0])}`);
  await main(page).getByText("became").first().waitFor();
  await page.getByRole("link", { name: "Go to what it became" }).click();
  await page.getByRole("heading", { level: 1, name: "bog" }).waitFor();
  await clean(page);
});

test("predict: ranks, explains, and takes a neighbor away", { skip }, async () => {
  const page = await at(`/g/office/predict?node=${keyOf(await busiest("office", "person"))}`);
  const answers = page.getByRole("region", { name: "What comes next" }).getByRole("listitem");
  assert.ok((await answers.count()) >= 5);
  await answers.nth(1).getByRole("button").click();
  await page.waitForURL(/destination=/);
  const why = page.getByRole("region", { name: "Why" });
  await why.getByText(/This very pair/).waitFor();
  await why.getByRole("button", { name: /^Without/ }).first().click();
  await why.getByText(/it would score/).waitFor();
  await why.getByRole("button", { name: "Put back" }).first().click();
  await why.getByText(/it would score/).waitFor({ state: "detached" });
  await clean(page);
});

test("models: curves, and the model beside rules", { skip }, async () => {
  const page = await at("/g/office/models");
  await page.getByRole("img", { name: /Loss by epoch/ }).waitFor();
  await main(page).getByText("Weights").first().waitFor();
  await clean(page);
});

test("loads: a dry run, the load, and its rollback", { skip }, async () => {
  const page = await at("/g/small/loads?new=1");
  const lines = ['{"time":"2025-03-01","action":"create","entity":"node","source":{"type":"user","id":"late","features":{"name":"Late Comer"}}}', '{"time":"2025-03-02","action":"delete","entity":"node","source":{"type":"user","id":"nobody"}}'];
  await page.locator("input[type=file]").setInputFiles({ name: "late.jsonl", mimeType: "application/json", buffer: Buffer.from(lines.join("\n")) });
  await page.getByRole("button", { name: "Try it dry" }).click();
  await page.getByRole("heading", { name: "What it would do" }).waitFor();
  await page.getByRole("region", { name: "Refused records" }).getByText(/nobody/).waitFor();
  await page.getByRole("button", { name: "Load it" }).click();
  await page.getByRole("heading", { name: /Loaded as commit/ }).waitFor();
  await page.goto("/g/small/node?node=user%3Alate");
  await page.getByRole("heading", { level: 1, name: "Late Comer" }).waitFor();
  await page.goto("/g/small/loads");
  await page.getByRole("button", { name: "Load 4", exact: true }).click();
  await page.getByRole("button", { name: "Roll back" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByText("What becomes of the graph").waitFor();
  await dialog.getByRole("button", { name: "Roll back load 4" }).click();
  await dialog.getByText(/Done, as commit/).waitFor();
  await page.keyboard.press("Escape");
  await main(page).getByText(/rolled back by/).first().waitFor();
  await clean(page);
});

test("sql: rows at the clock above, a chart, an error that names the clause", { skip }, async () => {
  const page = await at("/g/medium/sql");
  const editor = page.getByRole("textbox", { name: "Query" });
  await editor.fill("SELECT type, count(*) AS n FROM nodes GROUP BY type ORDER BY type");
  await editor.press("Control+Enter");
  const count = () => page.getByRole("row", { name: /^user/ }).getByRole("cell").last().innerText();
  await page.getByRole("cell", { name: "user" }).waitFor();
  const last = await count();
  await page.getByRole("group", { name: "Both clocks" }).getByLabel("Time").fill("2024-01-05");
  await page.keyboard.press("Enter");
  await page.waitForFunction((old) => [...document.querySelectorAll("tbody tr")].some((row) => row.textContent.startsWith("user") && !row.textContent.endsWith(old)), last);
  await page.getByRole("button", { name: "Chart" }).click();
  await page.getByRole("img", { name: "n by type" }).waitFor();
  await editor.fill("SELECT * FROM nodes TABLESAMPLE (10 PERCENT)");
  await page.getByRole("button", { name: "Run" }).click();
  await page.getByRole("alert").getByText(/TABLESAMPLE|sample/i).waitFor();
  await clean(page);
});

test("every example of SQL runs", { skip }, async () => {
  const page = await at("/g/medium/sql");
  for (const graph of ["medium", "steps", "terms", "office", "empty"]) {
    await page.goto(`/g/${graph}/sql`);
    await still(page);
    await examplesRun(page, graph);
  }
  await clean(page);
});

async function examplesRun(page, graph) {
  const examples = page.getByRole("region", { name: "Examples" }).getByRole("button");
  for (let i = 0; i < (await examples.count()); i++) {
    await examples.nth(i).click();
    await still(page);
    assert.deepEqual(await page.getByRole("alert").allInnerTexts(), [], `${graph}: ${await examples.nth(i).innerText()}`);
    await page.getByRole("region", { name: "Rows", exact: true }).waitFor();
  }
}

test("endpoints: all of them are listed, and one answers", { skip }, async () => {
  const page = await world.newPage();
  await page.goto("/docs");
  await page.getByRole("button", { name: /subgraph/ }).waitFor();
  assert.ok((await page.locator(".endpoint").count()) > 25);
  await page.getByRole("button", { name: /GET\s*\/v1\/graphs(?!\/)/ }).first().click();
  await page.getByRole("button", { name: "Send GET" }).click();
  await page.getByRole("region", { name: "Answer", exact: true }).getByText(/"medium"/).waitFor();
  assert.deepEqual(await violations(page), []);
  await clean(page);
});

test("with a token: signing in, a wrong one refused, signing out", { skip }, async () => {
  const guarded = await open({ graphs: ["small"], token: "word", allowed: /401/ });
  try {
    const page = await guarded.newPage();
    await page.goto("/g/small/overview");
    await page.getByRole("heading", { name: "Sign in to timeweft" }).waitFor();
    await page.getByLabel("Token").fill("wrong");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("alert").waitFor();
    await page.getByLabel("Token").fill(guarded.token);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("heading", { level: 1, name: "small" }).waitFor();
    await page.reload();
    await page.getByRole("heading", { level: 1, name: "small" }).waitFor();
    await page.getByRole("button", { name: /Sign out/ }).click();
    await page.getByRole("heading", { name: "Sign in to timeweft" }).waitFor();
    assert.deepEqual(page.errors, []);
  } finally {
    await guarded.close();
  }
});

test("every page on graphs of 0, 20, 500 and 5,000 nodes: axe finds nothing, nothing sticks out, no console error", { skip }, async () => {
  const wrong = [];
  const views = { graphs: "/" };
  for (const graph of ["empty", "small", "medium", "large", "steps", "terms", "office"]) {
    const node = graph === "empty" ? null : keyOf(await busiest(graph));
    views[`${graph} overview`] = `/g/${graph}/overview`;
    views[`${graph} explore`] = node ? `/g/${graph}/explore?root=${node}&hops=${graph === "large" ? 3 : 2}&selected=${node}` : `/g/${graph}/explore`;
    if (node) views[`${graph} node`] = `/g/${graph}/node?node=${node}`;
    views[`${graph} compare`] = `/g/${graph}/compare`;
    views[`${graph} loads`] = `/g/${graph}/loads${node ? "?load=1" : ""}`;
  }
  const person = keyOf(await busiest("office", "person"));
  Object.assign(views, { predict: `/g/office/predict?node=${person}`, models: "/g/office/models", "no models": "/g/small/models", sql: "/g/large/sql?q=SELECT+type%2C+count(*)+AS+n+FROM+nodes+GROUP+BY+type&view=chart", "long names": "/g/large/explore?root=user%3Au3&hops=1" });
  for (const [kind, size, scheme] of [["desk", DESK, "light"], ["phone", PHONE, "dark"]]) {
    const page = await world.newPage({ size, scheme });
    for (const [name, path] of Object.entries(views)) {
      await page.goto(path);
      await still(page).catch((error) => wrong.push(`${name}, ${kind}: ${error.message}`));
      if (process.env.PICTURES) await page.screenshot({ path: `${process.env.PICTURES}/real-${name.replace(/\W+/g, "-")}-${kind}.png` });
      const problems = await page.getByRole("alert").allInnerTexts();
      if (problems.length) wrong.push(`${name}, ${kind}: ${problems.join("; ")}`);
      for (const line of await violations(page)) wrong.push(`${name}, ${kind}: ${line}`);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      if (wide > 0) wrong.push(`${name}, ${kind}: ${wide} px wider than the window`);
    }
    wrong.push(...page.errors.map((error) => `${kind}: ${error}`));
    await page.context().close();
  }
  assert.deepEqual(wrong, []);
});

test("a neighborhood of 300 nodes is painted within a second of the press that asks for it; a step of the slider takes a frame or few", { skip }, async () => {
  const page = await world.newPage();
  const node = keyOf(await busiest("large"));
  const painted = [];
  let nodes = 0;
  for (let run = 0; run < 5; run++) {
    await page.goto("/g/large/overview");
    await still(page);
    const took = await page.evaluate(async (href) => {
      const begun = performance.now();
      const link = Object.assign(document.createElement("a"), { href });
      document.body.append(link);
      link.click();
      link.remove();
      while (document.querySelectorAll(".graph .node").length < 50) await new Promise((done) => requestAnimationFrame(done));
      await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
      return performance.now() - begun;
    }, `/g/large/explore?root=${node}&hops=3&k=8&deletes=soft`);
    painted.push(took);
    nodes = await page.locator(".graph .node").count();
  }
  painted.sort((a, b) => a - b);
  const steps = await page.evaluate(async () => {
    const handle = document.querySelector('[role=slider][aria-label="Time"]');
    const took = [];
    for (let i = 0; i < 30; i++) {
      const from = performance.now();
      handle.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowLeft", bubbles: true, cancelable: true }));
      await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
      took.push(performance.now() - from);
    }
    return took.sort((a, b) => a - b);
  });
  console.log(`# ${nodes} nodes painted ${painted.map((ms) => ms.toFixed(0)).join(", ")} ms after the press; a step takes ${steps[15].toFixed(0)} ms, ${steps[28].toFixed(0)} at most but one`);
  assert.ok(nodes >= 250, `${nodes} nodes`);
  assert.ok(painted[2] < (process.env.SLOW ? 5_000 : 1_000), `${painted[2]} ms`);
  assert.ok(steps[15] < (process.env.SLOW ? 400 : 60), `${steps[15]} ms a step`);
  await clean(page);
});
