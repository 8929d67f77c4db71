// The slider by keyboard and by drag: it is also the filter, and nothing jumps while it moves.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { missing, open, PHONE, still } from "./browser.mjs";
import { make } from "./mock/graph.mjs";

let world;
const skip = missing ?? false;
const EXPLORE = "/g/medium/explore?root=item%3Aitem-0";
const iso = (s) => new Date(s * 1000).toISOString().replace(".000Z", "Z");
const { start, end } = make("medium");
const WEEK = 7 * 86_400;
before(async () => { if (!missing) world = await open(); });
after(() => world?.close());

async function at(path, options) {
  const page = await world.newPage(options);
  await page.goto(path);
  await still(page);
  return page;
}
const clean = async (page) => { assert.deepEqual(page.errors, []); await page.context().close(); };
const slider = (page, name = "Time") => page.getByRole("slider", { name });
const said = (page, name) => slider(page, name).getAttribute("aria-valuetext");
const places = (page) => page.evaluate(() => Object.fromEntries([...document.querySelectorAll(".graph .node")].map((node) => [node.getAttribute("aria-label").replace(/, \w+$/, ""), node.firstElementChild.getAttribute("transform")])));

async function drag(page, from, to) {
  await page.mouse.move(...from);
  await page.mouse.down();
  for (let i = 1; i <= 8; i++) await page.mouse.move(from[0] + ((to[0] - from[0]) * i) / 8, from[1] + ((to[1] - from[1]) * i) / 8);
  await page.mouse.up();
}
async function centre(locator) {
  const box = await locator.boundingBox();
  return [box.x + box.width / 2, box.y + box.height / 2];
}

test("keys: a step, ten steps, the ends; the address follows", { skip }, async () => {
  const page = await at(EXPLORE);
  await slider(page).focus();
  await page.keyboard.press("Home");
  assert.equal(await said(page), iso(start));
  await page.keyboard.press("ArrowRight");
  assert.equal(await said(page), iso(start + WEEK));
  await page.keyboard.press("PageUp");
  assert.equal(await said(page), iso(start + 11 * WEEK));
  await page.keyboard.press("ArrowLeft");
  await page.waitForURL((url) => url.searchParams.get("at") === iso(start + 10 * WEEK));
  await page.keyboard.press("End");
  assert.equal(await said(page), iso(end));
  await clean(page);
});

test("with shift, and by the buttons: from event to event of what is shown", { skip }, async () => {
  const page = await at(`${EXPLORE}&at=2024-03-11T00:00:00Z`);
  const answer = await page.evaluate(() => fetch("/v1/graphs/medium/subgraph?root=item%3Aitem-0&hops=1&k=10").then((r) => r.json()));
  const next = answer.marks.map(Number).find((t) => t > Date.UTC(2024, 2, 11));
  await page.getByRole("button", { name: "To the next event" }).click();
  assert.equal(Date.parse(await said(page)), next);
  await slider(page).press("Shift+ArrowRight");
  assert.ok(Date.parse(await said(page)) > next);
  await slider(page).press("Shift+ArrowLeft");
  assert.equal(Date.parse(await said(page)), next);
  await clean(page);
});

test("by drag: time follows the pointer, and nodes keep their places", { skip }, async () => {
  const page = await at(`${EXPLORE}&at=2024-09-01T00:00:00Z`);
  const before = await places(page);
  const track = await page.locator(".track").boundingBox();
  await drag(page, await centre(slider(page)), [track.x + track.width * 0.5, track.y + 20]);
  const middle = Date.parse(await said(page));
  assert.ok(Math.abs(middle - Date.UTC(2024, 6, 2)) < 2 * 86_400_000, new Date(middle).toISOString());
  const after = await places(page);
  const both = Object.keys(after).filter((name) => name in before);
  assert.ok(both.length > 3);
  for (const name of both) assert.equal(after[name], before[name], `${name} jumped`);
  await page.waitForURL(/at=2024-07-0[123]/);
  await clean(page);
});

test("what appears and what goes is marked for one step, by more than colour", { skip }, async () => {
  const page = await at(EXPLORE);
  const answer = await page.evaluate(() => fetch("/v1/graphs/medium/subgraph?root=item%3Aitem-0&hops=1&k=10").then((r) => r.json()));
  const born = answer.nodes.find(({ lives }) => Number(lives[0][0]) > Date.UTC(2024, 1, 1));
  const name = new RegExp(`^${born.type} ${(born.name ?? born.id).replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}, `);
  const node = page.getByRole("button", { name });
  await page.goto(`${EXPLORE}&at=${born.lives[0][0]}`);
  await still(page);
  assert.match(await node.getAttribute("aria-label"), /appears$/);
  assert.equal(await node.locator(".sign").count(), 1, "a sign, not colour alone");
  await slider(page).press("ArrowRight");
  assert.doesNotMatch(await node.getAttribute("aria-label"), /appears$/);
  await slider(page).press("ArrowLeft");
  await slider(page).press("ArrowLeft");
  assert.equal(await node.count(), 0, "before its life it is not there");
  const edge = answer.edges.find(({ lives }) => lives[0][1] !== null && Number(lives[0][1]) < Date.UTC(2024, 11, 1));
  await page.goto(`${EXPLORE}&at=${edge.lives[0][1]}&rows=edges`);
  await still(page);
  const dash = await page.locator(".line.is-goes").first().evaluate((line) => getComputedStyle(line).strokeDasharray);
  assert.notEqual(dash, "none", "a dash, not colour alone");
  await page.getByRole("region", { name: "edges at this time" }).locator("tr.is-goes").first().waitFor();
  await clean(page);
});

test("soft deletes keep what is over, dashed, and stay in the address", { skip }, async () => {
  const page = await at(`${EXPLORE}&at=2024-12-20T00:00:00Z`);
  const hard = await page.locator(".graph .line").count();
  await page.getByRole("switch", { name: "Show what is over" }).click();
  await page.waitForURL(/deletes=soft/);
  await still(page);
  assert.ok((await page.locator(".graph .line").count()) > hard);
  assert.ok((await page.locator(".graph .line.is-over").count()) > 0);
  await clean(page);
});

test("the brush is the window: by drag, by keys, moved whole, given back", { skip }, async () => {
  const page = await at(EXPLORE);
  const brush = await page.locator(".brush").boundingBox();
  const y = brush.y + brush.height / 2;
  await drag(page, [brush.x + brush.width, y], [brush.x + brush.width * 0.6, y]);
  await drag(page, [brush.x, y], [brush.x + brush.width * 0.3, y]);
  await page.waitForURL(/from=2024-04.*to=2024-08/);
  await still(page);
  const [from, to] = [await said(page, "Window start"), await said(page, "Window end")];
  await drag(page, [brush.x + brush.width * 0.45, y], [brush.x + brush.width * 0.55, y]);
  const [later, end] = [await said(page, "Window start"), await said(page, "Window end")];
  assert.ok(Date.parse(later) > Date.parse(from) && Date.parse(end) > Date.parse(to));
  assert.ok(Math.abs(Date.parse(end) - Date.parse(later) - (Date.parse(to) - Date.parse(from))) < 1_000, "its width holds");
  await slider(page, "Window start").press("ArrowLeft");
  assert.ok(Date.parse(await said(page, "Window start")) < Date.parse(later));
  await page.getByRole("button", { name: "Whole span" }).click();
  await page.waitForURL((url) => !url.search.includes("from="));
  await clean(page);
});

test("play goes step by step to the end of the window and stops", { skip }, async () => {
  const page = await at(`${EXPLORE}&at=2024-12-12T00:00:00Z`);
  await page.keyboard.press("Space");
  await page.getByRole("button", { name: "Pause" }).waitFor();
  await page.getByRole("button", { name: "Play" }).waitFor();
  assert.equal(await said(page), iso(end));
  await clean(page);
});

test("a choice made right after a step does not take the time back", { skip }, async () => {
  const page = await at(`${EXPLORE}&at=2024-07-02T00:00:00Z`);
  await page.evaluate(() => {
    document.querySelector('[role=slider][aria-label="Time"]').dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowRight", bubbles: true, cancelable: true }));
    [...document.querySelectorAll("button")].find((button) => button.textContent.startsWith("Edges")).click();
  });
  await page.waitForURL(/rows=edges/);
  assert.equal(await said(page), "2024-07-09T00:00:00Z");
  await page.waitForURL(/at=2024-07-09/);
  await clean(page);
});

test("ticks beyond 2^53 keep every digit", { skip }, async () => {
  const page = await at("/g/large/explore?root=item%3Aitem-0&at=2024-05-01T00:00:00.123456789Z");
  assert.equal(await said(page), "2024-05-01T00:00:00.123456789Z");
  await slider(page).press("ArrowRight");
  assert.equal(await said(page), "2024-05-08T00:00:00.123456789Z");
  await page.waitForURL(/00.123456789Z/);
  await clean(page);
});

test("a graph of steps counts in steps", { skip }, async () => {
  const page = await at("/g/steps/explore?root=user%3Au1&at=200");
  assert.equal(await said(page), "200");
  await slider(page).press("ArrowRight");
  assert.ok(Number(await said(page)) > 200);
  await clean(page);
});

test("on a phone step, window and commit are one press away", { skip }, async () => {
  const page = await at(EXPLORE, { size: PHONE });
  await page.getByRole("button", { name: "Step, window and commit" }).click();
  await page.getByRole("combobox", { name: "Step" }).selectOption({ label: "1 month" });
  await page.waitForURL(/step=/);
  await page.getByRole("switch", { name: "Show what is over" }).click();
  await page.waitForURL(/deletes=soft/);
  await clean(page);
});

test("on a phone the slider is dragged by touch", { skip }, async () => {
  const page = await at(EXPLORE, { size: PHONE });
  const track = await page.locator(".track").boundingBox();
  await page.touchscreen.tap(track.x + track.width * 0.25, track.y + 20);
  const t = Date.parse(await said(page));
  assert.ok(Math.abs(t - Date.UTC(2024, 3, 1)) < 6 * 86_400_000, new Date(t).toISOString());
  await clean(page);
});
