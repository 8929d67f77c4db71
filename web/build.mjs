// Bundles the page into dist/: one script, one style sheet, one document, with fixed names; beside them the page of all endpoints, and
// the drawing of reports, one script. The server tells versions apart by ETag.
import { build, context } from "esbuild";
import { copyFile, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { gzipSync } from "node:zlib";

const LIMIT = 90 * 1024;
const here = new URL(".", import.meta.url).pathname;
const watch = process.argv.includes("--watch");

const shared = {
  bundle: true,
  minify: true,
  target: ["es2022", "chrome123", "edge123", "firefox121", "safari17.5"],
  jsx: "automatic",
  jsxImportSource: "preact",
  legalComments: "none",
  logLevel: "warning",
};
const page = {
  ...shared,
  entryPoints: [{ in: `${here}src/main.tsx`, out: "app" }, { in: `${here}src/style/app.css`, out: "app" }],
  outdir: `${here}dist/assets`,
  format: "esm",
};

const docs = { ...page, entryPoints: [{ in: `${here}src/docs/main.tsx`, out: "docs" }, { in: `${here}src/docs/docs.css`, out: "docs" }], outdir: `${here}dist/docs` };

/** A style sheet with all that it imports, as the text that a shadow tree takes. */
const styleText = {
  name: "style text",
  setup: (of) => of.onLoad({ filter: /report\.css$/ }, async ({ path }) => {
    const { outputFiles } = await build({ ...shared, entryPoints: [path], write: false });
    return { contents: outputFiles[0].text.replaceAll(":root", ":host"), loader: "text" };
  }),
};
const report = { ...shared, entryPoints: [{ in: `${here}src/report/main.tsx`, out: "report" }], outdir: `${here}dist/report`, format: "iife", charset: "utf8", plugins: [styleText] };

/** What is written into an HTML file must not end its own element, nor look like another. */
async function checkReport() {
  const text = await readFile(`${here}dist/report/report.js`, "utf8");
  for (const tag of ["<script", "</script", "<svg", "<!--"]) if (text.includes(tag)) throw new Error(`dist/report/report.js holds ${tag}, which would break the report that it is written into`);
}

async function size(file) {
  const bytes = await readFile(`${here}dist/${file}`);
  return { file, bytes: bytes.length, gzip: gzipSync(bytes, { level: 9 }).length };
}

await rm(`${here}dist`, { recursive: true, force: true });
await mkdir(`${here}dist/assets`, { recursive: true });
await copyFile(`${here}src/index.html`, `${here}dist/index.html`);
await mkdir(`${here}dist/docs`);
await copyFile(`${here}src/docs/index.html`, `${here}dist/docs/index.html`);
await copyFile(`${here}src/icon.svg`, `${here}dist/assets/icon.svg`);
if (watch) {
  for (const of of [page, docs, report]) await (await context(of)).watch();
} else {
  await Promise.all([build(page), build(docs), build(report)]);
  await checkReport();
  const first = await Promise.all(["index.html", "assets/app.js", "assets/app.css", "assets/icon.svg"].map(size));
  const later = await Promise.all(["docs/index.html", "docs/docs.js", "docs/docs.css", "report/report.js"].map(size));
  const total = first.reduce((sum, { gzip }) => sum + gzip, 0);
  await writeFile(`${here}dist/sizes.json`, JSON.stringify({ total_gzip: total, limit: LIMIT, files: first, later }, null, 1) + "\n");
  for (const { file, bytes, gzip } of [...first, ...later]) console.log(file.padEnd(18), String(bytes).padStart(8), String(gzip).padStart(8), "gzip");
  console.log("first load".padEnd(18), " ".repeat(8), String(total).padStart(8), "gzip of", LIMIT);
  if (total > LIMIT) { console.error(`The first load is ${total} bytes of gzip: the limit is ${LIMIT}`); process.exit(1); }
}
