// The pictures of docs/page.md, from the program itself: `TIMEWEFT_PROGRAM=path npm run pictures`.
import { mkdir, stat } from "node:fs/promises";
import { open, REAL, still } from "./browser.mjs";

if (!REAL) throw new Error("TIMEWEFT_PROGRAM must name the program: cargo build --release -p timeweft-cli --features serve,sql");
const MOST = 1_500_000;
const folder = new URL("../../docs/pictures/", import.meta.url).pathname;
await mkdir(folder, { recursive: true });
const world = await open({ graphs: ["office"] });
const page = await world.newPage({ size: { width: 1120, height: 760 } });
const ask = async (path, body) => (await fetch(`${world.address}/v1/graphs/office${path}`, body && { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) })).json();

const { span } = await ask("");
const day = (share) => new Date(Date.parse(span.from.iso) + share * (Date.parse(span.to.iso) - Date.parse(span.from.iso))).toISOString().slice(0, 10);
const { nodes } = await ask("/search?type=person&limit=3");
const person = `person%3A${encodeURIComponent(encodeURIComponent(nodes[0].id))}`;
let sum = 0;
async function picture(name, path, then) {
  await page.goto(`/g/office/${path}`);
  await still(page);
  await then?.();
  await still(page);
  await page.screenshot({ path: `${folder}${name}.png` });
  const { size } = await stat(`${folder}${name}.png`);
  sum += size;
  console.log(`${name}.png ${size} bytes`);
}

await picture("overview", "overview");
await picture("explore", `explore?root=${person}&hops=2&k=5&at=${day(0.6)}T12:00:00Z&step=86400`);
await picture("edge", `explore?root=${person}&k=10&at=${day(0.4)}&rows=edges`, async () => { await page.getByRole("region", { name: "edges at this time" }).getByRole("button").first().click(); });
await picture("node", `node?node=${person}&at=${day(0.6)}`);
await picture("compare", `compare?a=${day(0.5)}&b=${day(0.6)}`, async () => { await page.getByRole("button", { name: /^document \+/ }).click(); });
await picture("predict", `predict?node=${person}`);
await picture("sql", `sql?q=${encodeURIComponent("SELECT date_trunc('week', created) AS week, count(*) AS edits\nFROM edges\nWHERE relation = 'edited'\nGROUP BY week\nORDER BY week")}&view=chart`);
for (const error of page.errors) console.log(error);
await world.close();
if (sum > MOST) throw new Error(`the pictures have ${sum} bytes together: the limit is ${MOST}`);
if (page.errors.length) process.exitCode = 1;
