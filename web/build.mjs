// Bundles the page into dist/: one script, one style sheet, one document, with fixed names. The server tells versions apart by ETag.
import { build, context } from "esbuild";
import { copyFile, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { gzipSync } from "node:zlib";

const LIMIT = 90 * 1024;
const here = new URL(".", import.meta.url).pathname;
const watch = process.argv.includes("--watch");

await rm(`${here}dist`, { recursive: true, force: true });
await mkdir(`${here}dist/assets`, { recursive: true });
const options = {
  entryPoints: [{ in: `${here}src/main.tsx`, out: "app" }, { in: `${here}src/style/app.css`, out: "app" }],
  outdir: `${here}dist/assets`,
  bundle: true,
  minify: true,
  format: "esm",
  target: ["es2022", "chrome123", "edge123", "firefox121", "safari17.5"],
  jsx: "automatic",
  jsxImportSource: "preact",
  legalComments: "none",
  logLevel: "warning",
};
await copyFile(`${here}src/index.html`, `${here}dist/index.html`);
await copyFile(`${here}src/icon.svg`, `${here}dist/assets/icon.svg`);
if (watch) {
  await (await context(options)).watch();
} else {
  await build(options);
  let total = 0;
  const sizes = [];
  for (const file of ["index.html", "assets/app.js", "assets/app.css", "assets/icon.svg"]) {
    const bytes = await readFile(`${here}dist/${file}`);
    const gzip = gzipSync(bytes, { level: 9 }).length;
    total += gzip;
    sizes.push({ file, bytes: bytes.length, gzip });
  }
  await writeFile(`${here}dist/sizes.json`, JSON.stringify({ total_gzip: total, limit: LIMIT, files: sizes }, null, 1) + "\n");
  for (const { file, bytes, gzip } of sizes) console.log(file.padEnd(18), String(bytes).padStart(8), String(gzip).padStart(8), "gzip");
  console.log("first load".padEnd(18), " ".repeat(8), String(total).padStart(8), "gzip of", LIMIT);
  if (total > LIMIT) { console.error(`The first load is ${total} bytes of gzip: the limit is ${LIMIT}`); process.exit(1); }
}
