// Takes a picture of every page at both widths: `node test/pictures.mjs FOLDER [WORD]`, only those whose name has the word.
import { mkdir } from "node:fs/promises";
import { DESK, open, PHONE, still } from "./browser.mjs";

const [folder = "pictures", word = ""] = process.argv.slice(2);
const ROOT = "item%3Aitem-0";
export const VIEWS = {
  graphs: "/",
  overview: "/g/medium/overview",
  "overview-large": "/g/large/overview?at=2024-05-01",
  "explore-start": "/g/medium/explore",
  explore: `/g/medium/explore?root=${ROOT}&at=2024-07-02T00:00:00Z`,
  "explore-selected": `/g/medium/explore?root=${ROOT}&at=2024-07-02T00:00:00Z&selected=${ROOT}&deletes=soft&rows=edges`,
  "explore-small": "/g/small/explore?root=user%3Au1&hops=3&at=2024-09-10",
  "explore-300": `/g/large/explore?root=${ROOT}&hops=3&k=5&at=2024-08-01&from=2024-05-01&to=2024-11-01`,
  "explore-500": `/g/large/explore?root=${ROOT}&hops=3&k=10&colour=age`,
  "explore-long": "/g/medium/explore?root=user%3Au3&hops=2&k=3",
  node: `/g/medium/node?node=${ROOT}&at=2024-07-02T00:00:00Z`,
  "node-over": "/g/medium/node?node=term%3AENVO%253A00001000",
  compare: "/g/medium/compare?a=2024-03-01&b=2024-08-01&open=node+item",
  predict: "/g/medium/predict?node=user%3Au6",
  models: "/g/medium/models",
  loads: "/g/medium/loads?load=3",
  "loads-new": "/g/medium/loads?new=1",
  sql: "/g/medium/sql?q=SELECT+type%2C+id%2C+name%2C+degree%2C+created%0AFROM+nodes",
  "sql-chart": "/g/medium/sql?q=SELECT+date_trunc('month'%2C+created)+AS+month%2C+count(*)+AS+edges%0AFROM+edges%0AGROUP+BY+month&view=chart",
  "sql-failed": "/g/medium/sql?q=SELECT+*+FROM+nodes+TABLESAMPLE+10",
  empty: "/g/empty/overview",
  "empty-explore": "/g/empty/explore",
  steps: "/g/steps/explore?root=user%3Au1&hops=2&at=200",
  unknown: "/g/nothing/overview",
};

const { newPage, close } = await open({ allowed: /404|400/ });
await mkdir(folder, { recursive: true });
const wanted = Object.entries(VIEWS).filter(([name]) => name.includes(word));
for (const [kind, size, scheme] of [["desk", DESK, "light"], ["phone", PHONE, "light"], ["dark", DESK, "dark"]]) {
  const page = await newPage({ size, scheme });
  for (const [name, path] of wanted) {
    if (kind === "dark" && !["overview", "explore", "predict", "node", "sql-chart"].includes(name)) continue;
    await page.goto(path);
    await still(page);
    await page.screenshot({ path: `${folder}/${name}-${kind}.png` });
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    if (wide > 0) console.log(`${name} ${kind}: ${wide} px wider than the window`);
  }
  for (const error of page.errors) console.log(`${kind}: ${error}`);
}
await close();
