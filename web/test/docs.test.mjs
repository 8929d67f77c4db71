// The page of all endpoints: found, read, tried; within its policy.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { DESK, missing, open, PHONE, violations } from "./browser.mjs";

const skip = missing ?? false;
let world;
before(async () => { if (!missing) world = await open({ allowed: /404/ }); });
after(() => world?.close());

test("endpoints: found by a word, read, tried with a parameter and with a body, kept in the address", { skip }, async () => {
  const page = await world.newPage();
  await page.goto("/docs");
  await page.getByRole("textbox", { name: "Find an endpoint" }).fill("search");
  const found = page.getByRole("button", { name: /GET.*\/search/ });
  await found.waitFor();
  assert.equal(await page.locator(".endpoint").count(), 1);
  await found.click();
  await page.waitForURL(/#search$/);
  await page.getByRole("textbox", { name: /^graph/ }).fill("small");
  await page.getByRole("textbox", { name: /^limit/ }).fill("2");
  await page.getByRole("button", { name: "Send GET" }).click();
  const answer = page.getByRole("region", { name: "Answer", exact: true });
  await answer.waitFor();
  assert.equal(JSON.parse(await answer.textContent()).nodes.length, 2);
  await page.getByText("etag: ").waitFor();
  await page.getByRole("textbox", { name: /^graph/ }).fill("nothing");
  await page.getByRole("button", { name: "Send GET" }).click();
  await page.getByText("404", { exact: true }).last().waitFor();
  await page.goto("/docs#sql");
  await page.reload();
  await page.getByRole("textbox", { name: /^graph/ }).fill("small");
  assert.match(await page.getByRole("textbox", { name: "Body" }).inputValue(), /SELECT type/);
  await page.getByRole("button", { name: "Send POST" }).click();
  await page.getByText(/"columns"/).waitFor();
  assert.deepEqual(page.errors, []);
  await page.context().close();
});

for (const [kind, size, scheme] of [["1,280 px", DESK, "light"], ["390 px, dark", PHONE, "dark"]]) {
  test(`endpoints at ${kind}: axe finds nothing, nothing sticks out, nothing is inline`, { skip }, async () => {
    const page = await world.newPage({ size, scheme });
    await page.goto("/docs#search");
    await page.getByRole("heading", { name: "Try it" }).waitFor();
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(wide <= 0, `${wide} px wider than the window`);
    assert.equal(await page.evaluate(() => document.querySelectorAll("script:not([src]), style").length), 0);
    assert.deepEqual([...(await violations(page)), ...page.errors], []);
    if (process.env.PICTURES) await page.screenshot({ path: `${process.env.PICTURES}/docs-${size.width}-${scheme}.png`, fullPage: true });
    await page.context().close();
  });
}
