// What holds on every page: no rule of accessibility broken, nothing wider than the window, no console error, labels apart, quick, and within its policy.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { readFile } from "node:fs/promises";
import { DESK, missing, open, PHONE, still, violations } from "./browser.mjs";

let world;
const skip = missing ?? false;
const ROOT = "item%3Aitem-0";
const VIEWS = {
  graphs: "/", overview: "/g/medium/overview", "explore, no node": "/g/medium/explore", explore: `/g/medium/explore?root=${ROOT}&at=2024-07-02T00:00:00Z&selected=${ROOT}`,
  "explore, soft": `/g/small/explore?root=user%3Au1&hops=3&deletes=soft&rows=edges`, "explore, 5,000 nodes": `/g/large/explore?root=${ROOT}&hops=2&k=5&colour=degree`, node: `/g/medium/node?node=${ROOT}`,
  compare: "/g/medium/compare?a=2024-03-01&b=2024-08-01&open=node+item", predict: "/g/medium/predict?node=user%3Au6", models: "/g/medium/models", loads: "/g/medium/loads?load=3", "loads, new": "/g/medium/loads?new=1",
  sql: "/g/medium/sql?q=SELECT+type+FROM+nodes", "sql, chart": "/g/medium/sql?q=SELECT+type%2C+count(*)+AS+n&view=chart", "sql, refused": "/g/medium/sql?q=SELECT+TABLESAMPLE", empty: "/g/empty/overview", "empty, explore": "/g/empty/explore", "one 20 nodes": "/g/small/overview", unknown: "/g/nothing/overview",
};
before(async () => { if (!missing) world = await open({ allowed: /400|404/ }); });
after(() => world?.close());

for (const [kind, size, scheme] of [["1,280 px", DESK, "light"], ["390 px", PHONE, "light"], ["1,280 px, dark", DESK, "dark"]]) {
  test(`every page at ${kind}: axe finds nothing, nothing sticks out, no console error`, { skip }, async () => {
    const page = await world.newPage({ size, scheme });
    const wrong = [];
    for (const [name, path] of Object.entries(VIEWS)) {
      await page.goto(path);
      await still(page);
      if (process.env.PICTURES) await page.screenshot({ path: `${process.env.PICTURES}/${name.replace(/\W+/g, "-")}-${size.width}-${scheme}.png` });
      for (const line of await violations(page)) wrong.push(`${name}: ${line}`);
      const below = await page.evaluate(() => { const foot = document.querySelector(".foot"); scrollTo(0, 1e6); const gap = foot ? innerHeight - foot.getBoundingClientRect().bottom : 0; scrollTo(0, 0); return gap; });
      if (Math.abs(below) > 1) wrong.push(`${name}: the slider is ${below} px off the foot of the window`);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      if (wide > 0) wrong.push(`${name}: ${wide} px wider than the window`);
      const styled = await page.evaluate(() => document.querySelectorAll("script:not([src]), style").length);
      if (styled) wrong.push(`${name}: inline script or style`);
    }
    assert.deepEqual([...wrong, ...page.errors], []);
    await page.context().close();
  });
}

/** Boxes of all labels that are drawn, in pixels. */
const labelBoxes = (page) => page.evaluate(() => [...document.querySelectorAll(".graph .label")].map((label) => { const { left, right, top, bottom } = label.getBoundingClientRect(); return { text: label.textContent, left, right, top, bottom }; }));

test("labels of 300 and more nodes never overlap, at any zoom", { skip }, async () => {
  const page = await world.newPage();
  for (const path of [`/g/large/explore?root=${ROOT}&hops=3&k=7&deletes=soft`, `/g/large/explore?root=${ROOT}&hops=3&k=10&deletes=soft`, `/g/large/explore?root=user%3Au3&hops=3&k=25&deletes=soft`]) {
    await page.goto(path);
    await still(page);
    assert.ok((await page.locator(".graph .node").count()) >= 300, path);
    for (let zoom = 0; zoom < 3; zoom++) {
      const boxes = await labelBoxes(page);
      assert.ok(boxes.length > 20, `${boxes.length} labels`);
      const overlapping = boxes.flatMap((a, i) => boxes.slice(i + 1).filter((b) => a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 3 && b.top < a.bottom - 3).map((b) => `${a.text} | ${b.text}`));
      assert.deepEqual(overlapping, []);
      const covered = await page.evaluate(() => [...document.querySelectorAll(".zoom, .save")].map((one) => { const { left, right, top, bottom } = one.getBoundingClientRect(); return { left, right, top, bottom }; }));
      assert.deepEqual(boxes.filter((a) => covered.some((b) => a.left < b.right && b.left < a.right && a.top < b.bottom - 3 && b.top < a.bottom - 3)).map(({ text }) => text), [], "under a button");
      await page.getByRole("button", { name: "Zoom in" }).click();
    }
  }
  await page.context().close();
});

test("a neighbourhood of 300 nodes is painted within a second of its answer, and a step of the slider within a frame or few", { skip }, async () => {
  const page = await world.newPage();
  await page.goto("/g/large/overview");
  await still(page);
  const path = `/g/large/explore?root=${ROOT}&hops=3&k=8&deletes=soft`;
  const answered = page.waitForResponse((response) => response.url().includes("/subgraph?root=item"));
  await page.goto(path);
  await answered;
  const begun = Date.now();
  await page.locator(".graph .node").nth(50).waitFor();
  const painted = Date.now() - begun;
  const nodes = await page.locator(".graph .node").count();
  assert.ok(nodes >= 250, `${nodes} nodes`);
  const step = await page.evaluate(async () => {
    const handle = document.querySelector('[role=slider][aria-label="Time"]');
    const frames = [];
    for (let i = 0; i < 20; i++) {
      const from = performance.now();
      handle.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowLeft", bubbles: true, cancelable: true }));
      await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
      frames.push(performance.now() - from);
    }
    return frames.sort((a, b) => a - b)[10];
  });
  console.log(`# ${nodes} nodes painted ${painted} ms after their answer; a step takes ${step.toFixed(0)} ms`);
  assert.ok(painted < (process.env.SLOW ? 8_000 : 1_000), `${painted} ms`);
  assert.ok(step < (process.env.SLOW ? 400 : 60), `${step} ms a step`);
  await page.context().close();
});

test("appears, goes, changes and stays are told apart by people who see no red, no green or no blue", { skip }, async () => {
  const page = await world.newPage();
  for (const scheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme: scheme });
    await page.goto("/");
    const colours = await page.evaluate(() => {
      const probe = document.body.appendChild(document.createElement("i"));
      const of = (name) => { probe.style.color = `var(--${name})`; const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true }); canvas.fillStyle = getComputedStyle(probe).color; canvas.fillRect(0, 0, 1, 1); return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3); };
      return Object.fromEntries(["appears", "goes", "changes", "stays"].map((name) => [name, of(name)]));
    });
    // Machado, Oliveira and Fernandes 2009, severity 1, on linear light.
    const kinds = { none: [[1, 0, 0], [0, 1, 0], [0, 0, 1]], protan: [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]], deutan: [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]], tritan: [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]] };
    const linear = (c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4);
    const lab = ([r, g, b]) => { const f = (t) => (t > 216 / 24389 ? Math.cbrt(t) : (t * 24389 / 27 + 16) / 116); const [x, y, z] = [0.4124 * r + 0.3576 * g + 0.1805 * b, 0.2126 * r + 0.7152 * g + 0.0722 * b, 0.0193 * r + 0.1192 * g + 0.9505 * b]; const [fx, fy, fz] = [f(x / 0.9505), f(y), f(z / 1.089)]; return [116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)]; };
    for (const [kind, matrix] of Object.entries(kinds)) {
      const seen = Object.entries(colours).map(([name, rgb]) => [name, lab(matrix.map((row) => Math.max(0, Math.min(1, row.reduce((sum, weight, i) => sum + weight * linear(rgb[i]), 0)))))]);
      for (const [a, x] of seen) for (const [b, y] of seen) if (a < b) { const far = Math.hypot(...x.map((v, i) => v - y[i])); assert.ok(far > 12, `${a} and ${b} differ by ${far.toFixed(1)} for ${kind}, ${scheme}`); }
    }
  }
  await page.context().close();
});

test("the first load is under 90 kB of gzip, all of it from the server itself", { skip }, async () => {
  const sizes = JSON.parse(await readFile(new URL("../dist/sizes.json", import.meta.url), "utf8"));
  assert.ok(sizes.total_gzip < 90 * 1024, `${sizes.total_gzip}`);
  const page = await world.newPage();
  const foreign = [];
  page.on("request", (request) => { if (!request.url().startsWith(world.address)) foreign.push(request.url()); });
  await page.goto("/g/small/overview");
  await still(page);
  assert.deepEqual(foreign, []);
  await page.context().close();
});

test("waiting and failing are shown: grey rows first, then why and what to do", { skip }, async () => {
  const slow = await open({ delay: 700, allowed: /Failed to load|ERR_/ });
  try {
    const page = await slow.newPage();
    await page.goto("/g/small/overview");
    await page.getByRole("status").first().waitFor();
    await page.getByRole("heading", { level: 1, name: "small" }).waitFor();
    await page.route("**/v1/graphs/small/diff*", (route) => route.abort());
    await page.getByRole("link", { name: "Compare" }).click();
    await page.getByRole("alert").first().getByText("The server does not answer").waitFor();
    await page.unroute("**/v1/graphs/small/diff*");
    await page.getByRole("button", { name: "Try again" }).first().click();
    await page.getByRole("region", { name: "What changed", exact: true }).waitFor();
  } finally {
    await slow.close();
  }
});
