// Each page's job, done as a person would: by roles and labels.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { readFile } from "node:fs/promises";
import { missing, open, PHONE, REAL, still, violations } from "./browser.mjs";

let world;
const skip = missing ?? false;
/** What the mock makes up otherwise than the program: models, loads, versions. test/real has their tests against the program. */
const skipReal = skip || (REAL ? "its twin against the program is in test/real" : false);
before(async () => { if (!missing) world = await open({ allowed: /400|404|401|409/ }); });
after(() => world?.close());

async function at(path, options) {
  const page = await world.newPage(options);
  await page.goto(path);
  await still(page);
  return page;
}
const clean = async (page) => { assert.deepEqual(page.errors, []); await page.context().close(); };
const main = (page) => page.getByRole("main");

test("the list of graphs leads to a graph", { skip }, async () => {
  const page = await at("/");
  await page.getByRole("link", { name: /medium/ }).click();
  await page.getByRole("heading", { level: 1, name: "medium" }).waitFor();
  assert.match(page.url(), /\/g\/medium\/overview/);
  await clean(page);
});

test("overview counts at the time that is looked at", { skip }, async () => {
  const page = await at("/g/medium/overview");
  const count = () => main(page).locator("dt", { hasText: "Nodes" }).first().locator("xpath=following-sibling::dd").innerText();
  const last = await count();
  await page.getByRole("textbox", { name: "Time to look at" }).fill("2024-01-10");
  await page.keyboard.press("Enter");
  await page.waitForURL(/at=2024-01-10/);
  await page.waitForFunction((old) => document.querySelector("dd").textContent !== old, last);
  assert.ok(Number((await count()).replace(",", "")) < Number(last.replace(",", "")));
  await page.getByRole("button", { name: "End of time" }).click();
  await page.waitForURL((url) => !url.search.includes("at="));
  await clean(page);
});

test("explore: find a node, see its neighbours, filter by the legend, pin, expand, go to its page", { skip }, async () => {
  const page = await at("/g/medium/explore");
  await page.keyboard.press("/");
  const search = page.getByRole("combobox", { name: "Node in the middle" });
  await search.fill("glass rug");
  await page.getByRole("option", { name: /glass rug/ }).first().click();
  await page.waitForURL(/root=item/);
  await still(page);
  const rows = () => page.getByRole("region", { name: "nodes at this time" }).getByRole("row").count();
  const all = await rows();
  assert.ok(all > 5);
  await page.getByRole("group", { name: "Nodes", exact: true }).getByRole("button", { name: /user/ }).click();
  assert.ok((await rows()) < all, "the table has the same rows as the drawing");
  await page.waitForURL(/hide=node/);
  await page.getByRole("button", { name: "Show all", exact: true }).first().click();
  assert.equal(await rows(), all);
  await page.getByRole("row", { name: /glass rug/ }).getByRole("button").click();
  const chosen = page.getByRole("region", { name: "Selected node" });
  await chosen.getByRole("button", { name: "Pin" }).click();
  await page.waitForURL(/pin=/);
  const before = await page.locator(".graph .node").count();
  await page.getByRole("group", { name: "Expand by relation" }).getByRole("button").first().click();
  await page.waitForURL(/expand=/);
  await still(page);
  assert.ok((await page.locator(".graph .node").count()) >= before);
  await chosen.getByRole("link", { name: "Open" }).click();
  await page.getByRole("heading", { level: 1, name: "glass rug" }).waitFor();
  await clean(page);
});

test("explore: arrows walk from node to node, two presses make a node the middle", { skip }, async () => {
  const page = await at("/g/medium/explore?root=item%3Aitem-0");
  await page.locator('.graph .node[tabindex="0"]').focus();
  const first = await page.evaluate(() => document.activeElement.getAttribute("data-index"));
  await page.keyboard.press("ArrowRight");
  assert.notEqual(await page.evaluate(() => document.activeElement.getAttribute("data-index")), first);
  await page.keyboard.press("Enter");
  await page.waitForURL(/selected=/);
  await page.keyboard.press("Shift+Enter");
  await page.waitForURL((url) => url.searchParams.get("root") !== "item:item-0");
  await clean(page);
});

test("explore: a line is chosen in the drawing or in the table, says when its edges lived, and stays in the address", { skip }, async () => {
  const page = await at("/g/medium/explore?root=item%3Aitem-0&deletes=soft");
  // A spot on a line where no node and no label lies above it.
  const middle = await page.evaluate(() => {
    const svg = document.querySelector(".graph");
    const box = svg.getBoundingClientRect();
    for (const line of svg.querySelectorAll(".line:not(.is-merge)")) {
      for (const share of [0.4, 0.5, 0.6, 0.3, 0.7]) {
        const at = line.getPointAtLength(line.getTotalLength() * share);
        const [x, y] = [at.x + box.left, at.y + box.top];
        if ([[0, 0], [6, 6], [-6, -6]].every(([dx, dy]) => document.elementFromPoint(x + dx, y + dy) === svg)) return { x, y };
      }
    }
    return null;
  });
  assert.ok(middle);
  await page.mouse.click(middle.x, middle.y);
  const chosen = page.getByRole("region", { name: "Selected edge" });
  await chosen.getByRole("listitem").first().getByText(/2024-.* to /).waitFor();
  await page.waitForURL(/line=/);
  assert.equal(await page.locator(".graph .line.is-chosen").count(), 1);
  await page.reload();
  await still(page);
  await chosen.waitFor();
  await page.getByRole("button", { name: "Edges" }).click();
  await page.getByRole("region", { name: "edges at this time" }).getByRole("button", { pressed: false }).first().press("Enter");
  await chosen.waitFor();
  await chosen.getByRole("button", { name: /^Select / }).first().click();
  await page.getByRole("region", { name: "Selected node" }).waitFor();
  assert.equal(await chosen.count(), 0);
  await clean(page);
});

test("keys, signs and shapes are explained", { skip }, async () => {
  const page = await at("/g/medium/overview");
  await page.keyboard.press("?");
  const dialog = page.getByRole("dialog", { name: "Keys and signs" });
  for (const text of ["play or pause", /a cross and dashes/, "document"]) await dialog.getByText(text, { exact: typeof text === "string" }).first().waitFor();
  await page.keyboard.press("Escape");
  assert.equal(await dialog.count(), 0);
  await clean(page);
});

test("explore: saves a picture, a drawing and data", { skip }, async () => {
  const page = await at("/g/small/explore?root=user%3Au1&hops=2");
  const save = async (name) => {
    await page.getByText("Save", { exact: true }).click();
    const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name }).click()]);
    return readFile(await download.path());
  };
  const png = await save("Picture (PNG)");
  assert.equal(png.subarray(1, 4).toString(), "PNG");
  assert.ok(png.length > 8_000, "there is something in it");
  const svg = (await save("Picture (SVG)")).toString();
  assert.match(svg, /<path[^>]* fill="(rgb|color)/);
  assert.doesNotMatch(svg, / class=| style=/);
  assert.ok(JSON.parse(await save("Data (JSON)")).nodes.length > 1);
  await clean(page);
});

test("node: its features at a time, its story page by page, its edges by relation", { skip }, async () => {
  const page = await at("/g/medium/node?node=item%3Aitem-0&at=2024-07-02T00:00:00Z");
  await page.getByRole("img", { name: /^price:/ }).waitFor();
  const value = () => page.locator(".track-row", { hasText: "price" }).locator(".track-value").innerText();
  const now = await value();
  await page.getByRole("slider", { name: "Time" }).press("Home");
  for (let i = 0; i < 3; i++) await page.getByRole("slider", { name: "Time" }).press("ArrowRight");
  assert.notEqual(await value(), now);
  await page.getByRole("group", { name: "Relation" }).getByRole("button").first().waitFor({ state: "detached" }).catch(() => undefined);
  await page.getByRole("button", { name: "End of time" }).click();
  await still(page);
  await page.getByRole("group", { name: "Relation" }).getByRole("button", { name: /likes/ }).click();
  await page.waitForURL(/relation=in/);
  const list = page.locator(".history > li");
  const before = await list.count();
  await page.getByRole("region", { name: "History" }).getByRole("button", { name: "More" }).click();
  await page.waitForFunction((n) => document.querySelectorAll(".history > li").length > n, before);
  await page.getByRole("button", { name: "Oldest first" }).click();
  await page.waitForURL(/order=oldest/);
  await clean(page);
});

test("node: one that is over says what it became, and leads there", { skip }, async () => {
  const { make } = await import("./mock/graph.mjs");
  const gone = make("medium").merges[0];
  const page = await at(`/g/medium/node?node=${encodeURIComponent(`${encodeURIComponent(gone.from.type)}:${encodeURIComponent(gone.from.id)}`)}`);
  await main(page).getByText("became").first().waitFor();
  await page.getByRole("link", { name: "Go to what it became" }).click();
  await page.waitForURL((url) => url.searchParams.get("node").includes(encodeURIComponent(gone.into.id)));
  await clean(page);
});

test("compare: counts, a tree of changes, values before and after, a drawing, all of it to keep", { skip }, async () => {
  const page = await at("/g/medium/compare?a=2024-03-01&b=2024-08-01");
  const branch = page.getByRole("button", { name: /^item \+/ });
  await branch.click();
  assert.equal(await branch.getAttribute("aria-expanded"), "true");
  await page.getByRole("group", { name: "Kind of change" }).getByRole("button", { name: /changed/ }).click();
  await page.waitForURL(/kind=updated/);
  await page.locator(".differing del").first().waitFor();
  await page.getByRole("region", { name: "Around what changed" }).locator(".node").first().waitFor();
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "Download" }).click()]);
  const lines = (await readFile(await download.path(), "utf8")).trim().split("\n").map(JSON.parse);
  assert.ok(lines.length > 100 && lines.every(({ change }) => change));
  if (!REAL) {
    await page.getByRole("group", { name: "Later" }).getByRole("combobox", { name: "or" }).selectOption({ label: "shop 2024-06" });
    await page.waitForURL(/b=shop/);
  }
  const { a, b } = Object.fromEntries(new URL(page.url()).searchParams);
  await page.getByRole("button", { name: "Swap" }).click();
  await page.waitForURL((url) => url.searchParams.get("a") === b && url.searchParams.get("b") === a);
  await clean(page);
});

test("predict: ranks, says what was seen, explains, and takes a neighbour away", { skip: skipReal }, async () => {
  const page = await at("/g/medium/predict?node=user%3Au6");
  const answers = page.getByRole("region", { name: "What comes next" }).getByRole("listitem");
  assert.equal(await answers.count(), 10);
  await answers.nth(1).getByRole("button").click();
  await page.waitForURL(/destination=/);
  const why = page.getByRole("region", { name: "Why" });
  await why.getByText(/This very pair/).waitFor();
  await why.getByRole("button", { name: /^Without/ }).first().click();
  await why.getByText(/it would score/).waitFor();
  await why.getByRole("button", { name: "Put back" }).first().click();
  await why.getByText(/it would score/).waitFor({ state: "detached" });
  await page.getByRole("combobox", { name: "Model" }).selectOption("leavers");
  await page.getByRole("combobox", { name: "Nodes of type" }).selectOption("item");
  await page.getByRole("region", { name: "What goes next" }).getByRole("listitem").first().waitFor();
  await clean(page);
});

test("models: curves, beside rules at two kinds of freshness, what it does not know", { skip: skipReal }, async () => {
  const page = await at("/g/medium/models");
  await page.getByRole("img", { name: /Mean reciprocal rank/ }).waitFor();
  await main(page).getByText("Model torn cannot be read: torn.twm: the file ends too early").waitFor();
  const best = () => page.getByRole("row", { name: /HTGN/ }).innerText();
  const event = await best();
  await page.getByRole("button", { name: "batch before" }).click();
  assert.notEqual(await best(), event);
  await page.getByRole("button", { name: "leavers" }).click();
  await main(page).getByText(/It does not know/).waitFor();
  await page.getByRole("button", { name: "Take in 214 new facts" }).click();
  await main(page).getByText("Its memory has taken in 214 facts.").waitFor();
  await clean(page);
});

test("loads: a dry run before a load, progress, refused records, stopping", { skip: skipReal }, async () => {
  const page = await at("/g/medium/loads");
  await page.getByRole("link", { name: "New load" }).click();
  await page.getByRole("button", { name: "A whole version" }).click();
  await page.getByLabel("or a path on the server").fill("envo.obo");
  await page.getByLabel("Namespace", { exact: true }).last().fill("envo");
  await page.getByLabel("Version", { exact: true }).fill("2024-10");
  await page.getByLabel("Takes effect at").fill("2024-10-01");
  await page.getByRole("button", { name: "Try it dry" }).click();
  await page.getByRole("progressbar").waitFor();
  await page.getByRole("heading", { name: "What it would do" }).waitFor();
  await page.getByText(/nothing was written/).waitFor();
  await page.getByRole("region", { name: "Refused records" }).getByText("edges.csv:13", { exact: true }).waitFor();
  await page.getByRole("button", { name: "Load it" }).click();
  await page.getByRole("heading", { name: /Loaded as commit/ }).waitFor();
  await page.getByRole("button", { name: "Load", exact: true }).click();
  await page.getByRole("button", { name: "Stop" }).click();
  await page.getByText("Stopped. Nothing of it is visible.").waitFor();
  await page.getByLabel("Version", { exact: true }).fill("taken");
  await page.getByRole("button", { name: "Load", exact: true }).click();
  await page.getByRole("alert").getByText(/taken already/).waitFor();
  await clean(page);
});

test("loads: a file is sent as it is", { skip: skipReal }, async () => {
  const page = await at("/g/medium/loads?new=1");
  const [request] = await Promise.all([
    page.waitForRequest((one) => one.method() === "POST" && one.url().endsWith("/loads")),
    (async () => {
      await page.locator("input[type=file]").setInputFiles({ name: "shop.jsonl", mimeType: "application/json", buffer: Buffer.from('{"time":1}\n') });
      await page.getByRole("button", { name: "Try it dry" }).click();
    })(),
  ]);
  assert.match(request.headers()["content-type"], /^multipart\/form-data/);
  await page.getByRole("heading", { name: "What it would do" }).waitFor();
  await clean(page);
});

test("loads: a rollback says first what it would change", { skip: skipReal }, async () => {
  const page = await at("/g/medium/loads");
  await page.getByRole("button", { name: "Load 2", exact: true }).click();
  await page.getByRole("button", { name: "Roll back" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByText("What becomes of the graph").waitFor();
  await dialog.getByRole("button", { name: "Roll back load 2" }).click();
  await dialog.getByText(/Done, as commit 7/).waitFor();
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "detached" });
  await clean(page);
});

test("sql: both clocks, rows, a chart of two columns, an error that names the clause", { skip: skipReal }, async () => {
  const page = await at("/g/medium/sql");
  const editor = page.getByRole("textbox", { name: "Query" });
  await page.getByRole("group", { name: "Both clocks" }).getByLabel("Time").fill("2024-03-01");
  await page.keyboard.press("Enter");
  await editor.fill("SELECT type, count(*) AS n FROM nodes GROUP BY type");
  const [request] = await Promise.all([page.waitForRequest((one) => one.url().endsWith("/sql") && one.method() === "POST" && one.postData().includes("2024-03-01")), editor.press("Control+Enter")]);
  assert.equal(request.postDataJSON().at, "2024-03-01T00:00:00Z");
  await page.getByRole("cell", { name: "user" }).waitFor();
  assert.deepEqual(await page.locator(".editor-colours .sql-word").allTextContents(), ["SELECT", "AS", "FROM", "GROUP", "BY"]);
  await page.getByRole("button", { name: "Chart" }).click();
  await page.getByRole("img", { name: "n by type" }).waitFor();
  await page.reload();
  await page.getByRole("img", { name: "n by type" }).waitFor();
  await editor.fill("SELECT * FROM nodes TABLESAMPLE 10");
  await page.getByRole("button", { name: "Run" }).click();
  await page.getByRole("alert").getByText(/TABLESAMPLE is not understood/).waitFor();
  await clean(page);
});

test("an empty graph says what to do, and an unknown one what there is", { skip }, async () => {
  const page = await at("/g/empty/explore");
  await page.getByRole("heading", { name: /Nothing has happened/ }).waitFor();
  await page.getByRole("link", { name: "Load something" }).click();
  await page.getByRole("heading", { name: "New load" }).waitFor();
  await page.goto("/g/nothing/overview");
  await page.getByRole("alert").getByText(/no graph .?nothing/).waitFor();
  await clean(page);
});

test("the browser's back button leads back to the same state", { skip }, async () => {
  const page = await at("/g/medium/explore?root=item%3Aitem-0&at=2024-07-02T00:00:00Z");
  await page.getByRole("combobox", { name: "Reach" }).selectOption("2");
  await page.waitForURL(/hops=2/);
  await page.getByRole("link", { name: "Compare" }).click();
  await page.goBack();
  await page.waitForURL(/explore.*hops=2/);
  assert.equal(await page.getByRole("textbox", { name: "Time to look at" }).inputValue(), "2024-07-02");
  await clean(page);
});

test("sql: a server that is built without it says so, and how to build it", { skip: skipReal }, async () => {
  const without = await open({ withoutSql: true });
  try {
    const page = await without.newPage();
    await page.goto("/g/small/sql");
    await page.getByRole("heading", { name: "This server is built without SQL" }).waitFor();
    await page.getByText("--features serve,sql").waitFor();
    assert.deepEqual([await violations(page), page.errors], [[], []]);
  } finally {
    await without.close();
  }
});

test("with a token: signing in, a wrong one refused, signing out", { skip: skipReal }, async () => {
  const guarded = await open({ token: "right", allowed: /401/ });
  try {
    const page = await guarded.newPage({ size: PHONE });
    await page.goto("/g/small/overview");
    await page.getByLabel("Token").fill("wrong");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("alert").getByText(/not known/).waitFor();
    await page.getByLabel("Token").fill("right");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("heading", { level: 1, name: "small" }).waitFor();
    await page.getByRole("button", { name: /Sign out/ }).click();
    await page.getByLabel("Token").waitFor();
    assert.deepEqual(page.errors, []);
  } finally {
    await guarded.close();
  }
});
