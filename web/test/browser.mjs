// Starts the mock (or the program that TIMEWEFT_PROGRAM names) and a real browser, and watches for what must not happen: console errors, failed requests, broken rules of accessibility.
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { start } from "./mock.mjs";
import { startReal } from "./real/server.mjs";

const CHROMIUM = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find((path) => path && existsSync(path));
/** The program that is tested; null: the mock. */
export const REAL = process.env.TIMEWEFT_PROGRAM || null;
export const PHONE = { width: 390, height: 844 };
export const DESK = { width: 1280, height: 800 };

/** Why the tests of this folder cannot run here; null where they can. */
export const missing = CHROMIUM ? null : "no Chromium: apt-get install chromium, or set CHROMIUM";

export async function open(options = {}) {
  const { chromium } = await import("playwright-core");
  const server = REAL ? await startReal(REAL, options) : await start(options);
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox", "--disable-gpu", "--font-render-hinting=none"] });
  const newPage = async ({ size = DESK, scheme = "light", motion = "reduce" } = {}) => {
    const context = await browser.newContext({ viewport: size, colorScheme: scheme, reducedMotion: motion, baseURL: server.address, acceptDownloads: true, hasTouch: size === PHONE });
    const page = await context.newPage();
    page.setDefaultTimeout(20_000);
    const errors = [];
    page.on("console", (message) => { if (message.type() === "error" && !options.allowed?.test(message.text())) errors.push(message.text()); });
    page.on("pageerror", (error) => errors.push(String(error)));
    const asked = new Set();
    page.on("request", (request) => { if (request.url().includes("/v1/") && request.resourceType() !== "eventsource") asked.add(request); });
    for (const end of ["requestfinished", "requestfailed"]) page.on(end, (request) => asked.delete(request));
    return Object.assign(page, { errors, asked });
  };
  return { newPage, address: server.address, token: server.token ?? options.token, close: async () => { await browser.close(); await server.stop(); } };
}

const axeSource = readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** Violations of WCAG 2.2 A and AA and of axe's good practices, one line each. */
export async function violations(page) {
  await page.evaluate(await axeSource);
  const found = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
  return found.violations.flatMap(({ id, help, nodes }) => nodes.slice(0, 3).map((node) => `${id}: ${help}: ${node.target.join(" ")} ${node.any[0]?.message ?? node.all[0]?.message ?? ""}`));
}

/** Waits until nothing loads any more. */
export async function still(page) {
  await page.waitForFunction(() => !document.querySelector(".loading") && document.querySelector("main"));
  let quiet = 0;
  for (const begun = Date.now(); quiet < 3; quiet = page.asked.size === 0 ? quiet + 1 : 0) {
    if (Date.now() - begun > 20_000) throw new Error(`still waiting for ${[...page.asked].map((request) => request.url()).join(", ")}`);
    await page.waitForTimeout(50);
  }
}
