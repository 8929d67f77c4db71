// The drawing of reports: in a file, without a server, inside a page with other styles.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { DESK, missing, open, PHONE, violations } from "./browser.mjs";

const skip = missing ?? false;
let world, folder, file;

/** A file as the command line writes it; `TIMEWEFT_REPORT` names one that it did write. */
async function written() {
  if (process.env.TIMEWEFT_REPORT) return process.env.TIMEWEFT_REPORT;
  const asked = async (root) => (await fetch(`${world.address}/v1/graphs/medium/subgraph?root=${root}&hops=1&k=6`)).json();
  const drawings = await Promise.all(["item:item-0", "user:u3", "user:u6"].map(async (root) => ({ text: `Around ${root}`, subgraph: await asked(root) })));
  const data = JSON.stringify({ types: ["document", "item", "term", "user"], drawings }).replaceAll("<", "\\u003c");
  const style = "svg { width: 100%; height: auto } table { width: 100%; background: red } p { max-width: 10rem } .legend, .graph { display: none }";
  const path = join(folder, "report.html");
  await writeFile(path, `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark"><title>Report</title><style>${style}</style><main><h1>Report</h1><section><h2>The graph through time</h2><div id="timeweft-drawing"></div></section></main><script type="application/json" id="timeweft-graph">${data}</script><script>${await readFile(new URL("../dist/report/report.js", import.meta.url), "utf8")}</script></html>`);
  return path;
}
before(async () => {
  if (missing) return;
  folder = await mkdtemp(join(tmpdir(), "timeweft-report-"));
  world = await open();
  file = pathToFileURL(await written()).href;
});
after(async () => { await world?.close(); if (folder) await rm(folder, { recursive: true }); });

async function opened(options) {
  const page = await world.newPage(options);
  const foreign = [];
  page.on("request", (request) => { if (request.url() !== file) foreign.push(request.url()); });
  await page.goto(file);
  await page.locator(".graph .node").first().waitFor();
  return Object.assign(page, { foreign });
}

test("the drawing of a report moves with its slider, filters by its legend, and asks for nothing", { skip }, async () => {
  const page = await opened();
  const rows = () => page.getByRole("region", { name: "nodes at this time" }).getByRole("row").count();
  const handle = page.getByRole("slider", { name: "Time" });
  const last = await handle.getAttribute("aria-valuetext");
  const all = await rows();
  await handle.focus();
  await page.keyboard.press("Home");
  await page.waitForFunction(() => document.getElementById("timeweft-drawing").shadowRoot.querySelectorAll("tbody tr").length < 99);
  const early = await rows();
  assert.ok(early < all, `${early} rows at the start, ${all} at the end`);
  assert.notEqual(await handle.getAttribute("aria-valuetext"), last);
  await page.keyboard.press("Shift+ArrowRight");
  await page.keyboard.press("End");
  assert.equal(await rows(), all);
  await page.getByRole("group", { name: "Nodes", exact: true }).getByRole("button").last().click();
  assert.ok((await rows()) < all);
  await page.getByRole("button", { name: "Show all", exact: true }).click();
  const field = page.getByRole("textbox", { name: "Time to look at" });
  await field.fill("2000 01");
  await field.press("Enter");
  await page.getByRole("alert").waitFor();
  assert.equal(await page.getByRole("button", { name: "Pause" }).count(), 0, "a space in a field does not play");
  const other = page.getByRole("group", { name: "Around" }).getByRole("button").nth(1);
  if (await other.count()) {
    const first = await page.locator(".graph").getAttribute("aria-label");
    await other.click();
    await page.waitForFunction((old) => document.getElementById("timeweft-drawing").shadowRoot.querySelector(".graph")?.getAttribute("aria-label") !== old, first).catch(() => undefined);
    assert.equal(await other.getAttribute("aria-pressed"), "true");
  }
  assert.deepEqual([...page.foreign, ...page.errors], []);
  await page.context().close();
});

for (const [kind, size, scheme] of [["1,280 px", DESK, "light"], ["390 px, dark", PHONE, "dark"]]) {
  test(`a report at ${kind}: axe finds nothing in it, nothing sticks out`, { skip }, async () => {
    const page = await opened({ size, scheme });
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(wide <= 0, `${wide} px wider than the window`);
    assert.deepEqual([...(await violations(page)), ...page.errors], []);
    if (process.env.PICTURES) await page.screenshot({ path: join(process.env.PICTURES, `report-${size.width}-${scheme}.png`), fullPage: true });
    await page.context().close();
  });
}
