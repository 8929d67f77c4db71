// A server that answers API.md about made-up graphs. `node test/mock.mjs [--port 8650] [--token WORD] [--delay MS]`
import { createHash, randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { KINDS, make } from "./mock/graph.mjs";
import * as reads from "./mock/reads.mjs";
import { Refusal } from "./mock/reads.mjs";
import * as work from "./mock/work.mjs";

const DIST = new URL("../dist/", import.meta.url);
const CSP = "default-src 'self'; img-src 'self' blob: data:; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'";
const TYPES = { js: "text/javascript", css: "text/css", svg: "image/svg+xml", html: "text/html; charset=utf-8", json: "application/json" };
const graphs = new Map();
const jobs = new Map();

function graphOf(name) {
  if (!(name in KINDS)) throw new Refusal(404, "not_found", `no graph ${name}`, `There are ${Object.keys(KINDS).join(", ")}.`);
  if (!graphs.has(name)) graphs.set(name, make(name));
  return graphs.get(name);
}

async function bodyOf(request) {
  const parts = [];
  for await (const part of request) parts.push(part);
  const text = Buffer.concat(parts).toString("utf8");
  if ((request.headers["content-type"] ?? "").startsWith("multipart/")) return JSON.parse(/\r\n\r\n(\{.*?\})\r\n--/s.exec(text)[1]);
  return text ? JSON.parse(text) : {};
}

function startJob(kind, row, { dry = false, fails = null } = {}) {
  const job = { id: randomUUID(), kind, state: "running", started: new Date().toISOString(), seconds: 0, step: "reading", records: 0, bytes: 0, size: 2_400_000, report: null, error: null };
  jobs.set(job.id, job);
  const begun = Date.now();
  const clock = setInterval(() => {
    job.seconds = (Date.now() - begun) / 1000;
    const done = Math.min(1, job.seconds / 1.2);
    Object.assign(job, { records: Math.round(done * 24_000), bytes: Math.round(done * 2_400_000), step: done < 0.7 ? "reading" : "writing" });
    if (job.state === "running" && done === 1) { job.state = fails ? "failed" : "done"; job.error = fails; job.report = fails ? null : work.report(row, dry); }
    if (job.state !== "running") clearInterval(clock);
  }, 80);
  return job;
}

function sendEvents(response, job) {
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
  const send = () => {
    const over = job.state !== "running";
    response.write(`event: ${over ? "done" : "progress"}\ndata: ${JSON.stringify(job)}\n\n`);
    if (over) { clearInterval(clock); response.end(); }
  };
  const clock = setInterval(send, 100);
  response.on("close", () => clearInterval(clock));
}

const node = (answer) => (g, q, [, type, id]) => answer(g, decodeURIComponent(type), decodeURIComponent(id), q);
const GETS = [
  [/^$/, reads.info], [/^\/timeline$/, reads.timeline], [/^\/subgraph$/, reads.subgraph], [/^\/search$/, reads.search],
  [/^\/nodes\/([^/]+)\/([^/]+)$/, node(reads.node)], [/^\/nodes\/([^/]+)\/([^/]+)\/tracks$/, node(reads.tracks)],
  [/^\/nodes\/([^/]+)\/([^/]+)\/neighbors$/, node(reads.neighbors)], [/^\/nodes\/([^/]+)\/([^/]+)\/history$/, node(reads.history)],
  [/^\/diff$/, work.diff], [/^\/versions$/, (g) => ({ versions: reads.versions(g).map(({ seconds, ...v }) => v) })],
  [/^\/models$/, (g) => ({ models: work.modelList(g), unreadable: work.unreadable(g) })], [/^\/models\/([^/]+)$/, (g, q, [, name]) => work.model(g, decodeURIComponent(name))],
  [/^\/loads$/, (g, q) => { const { items, ...rest } = reads.page(work.loads(g), q, (row) => row); return { ...rest, loads: items }; }],
  [/^\/loads\/(\d+)$/, (g, q, [, n]) => { const row = work.loads(g).find((l) => l.id === Number(n)); if (!row) throw new Refusal(404, "not_found", `no load ${n}`); return { ...row, report: work.report(row) }; }],
  [/^\/loads\/(\d+)\/undo$/, (g, q, [, n]) => work.undo(g, Number(n))],
  [/^\/sql\/tables$/, (g) => ({ tables: work.tables(g) })],
];
const POSTS = { "/predict": work.predict, "/explain": work.explain, "/sql": work.sql };

function answerGet(graph, rest, query) {
  for (const [pattern, answer] of GETS) {
    const found = pattern.exec(rest);
    if (found) return answer(graph, query, found);
  }
  throw new Refusal(404, "not_found", `no such address: ${rest}`);
}

function session(options) {
  return { name: options.token ? "ann" : null, roles: ["read", "load", "train", "admin"], needs_token: Boolean(options.token), version: "0.9.0", features: options.withoutSql ? ["learn"] : ["sql", "learn"] };
}

async function answerSession(request, response, options) {
  if (request.method === "DELETE") return send(response, 204, null, { "set-cookie": "timeweft=; Max-Age=0; Path=/" });
  if (request.method === "POST") {
    if ((await bodyOf(request)).token !== options.token) throw new Refusal(401, "unauthorized", "The token is not known, or it has expired", "Ask who runs this server for a new one: timeweft token new.");
    return send(response, 200, session(options), { "set-cookie": "timeweft=in; HttpOnly; SameSite=Strict; Path=/" });
  }
  return send(response, 200, session(options));
}

async function api(request, response, url, options) {
  const signed = !options.token || (request.headers.cookie ?? "").includes("timeweft=in");
  if (url.pathname !== "/v1/session" || request.method !== "POST") if (!signed) throw new Refusal(401, "unauthorized", "This server needs a token", "Sign in with the token that you were given.");
  if (url.pathname === "/v1/session") return answerSession(request, response, options);
  if (url.pathname === "/v1/graphs") {
    const list = Object.keys(KINDS).map((name) => { const g = graphOf(name); return { name, unit: g.unit, commit: g.nodes.length ? reads.COMMIT : 0, nodes: g.nodes.length, edges: g.edges.length, span: reads.span(g), bytes: g.edges.length * 167, state: "ready", message: null }; });
    return send(response, 200, { graphs: list });
  }
  const [, name, rest] = /^\/v1\/graphs\/([^/]+)(.*)$/.exec(url.pathname) ?? [];
  if (!name) throw new Refusal(404, "not_found", `no such address: ${url.pathname}`);
  const graph = graphOf(decodeURIComponent(name));
  const jobPath = /^\/jobs\/([^/]+)(\/events)?$/.exec(rest);
  if (jobPath) return answerJob(request, response, jobPath);
  if (request.method === "POST" && rest === "/loads") {
    const options = await bodyOf(request);
    const fails = options.version === "taken" ? { code: "conflict", message: "namespace shop has a version taken already", hint: "Give another --version, or roll that load back." } : null;
    const row = work.loads(graph).find((l) => l.rejected) ?? { commit: 1, events: 12, rejected: 0, counts: { nodes: { created: 5, updated: 2, removed: 1 }, edges: { created: 2, updated: 0, removed: 1 }, merges: { created: 1, updated: 0, removed: 0 } } };
    return send(response, 202, { job: startJob("load", row, { dry: options.dry_run, fails }) });
  }
  if (request.method === "POST" && /^\/models\/[^/]+\/absorb$/.test(rest)) return send(response, 202, { job: startJob("absorb", { counts: work.NO_COUNTS, events: 214, rejected: 0, commit: reads.COMMIT }) });
  const undoing = request.method === "DELETE" && /^\/loads\/(\d+)$/.exec(rest);
  if (undoing) {
    const plan = work.undo(graph, Number(undoing[1]));
    return send(response, 202, { job: startJob("rollback", { counts: plan.counts, events: 0, rejected: 0, commit: 7 }) });
  }
  if (request.method === "POST" && rest in POSTS) return send(response, 200, POSTS[rest](graph, await bodyOf(request)));
  if (rest === "/diff" && request.headers.accept?.includes("ndjson")) return sendText(response, work.changes(graph, url.searchParams).map((row) => JSON.stringify(row)).join("\n"));
  return sendTagged(request, response, answerGet(graph, rest, url.searchParams), url);
}

function answerJob(request, response, [, id, events]) {
  const job = jobs.get(id);
  if (!job) throw new Refusal(404, "not_found", `no job ${id}`);
  if (request.method === "DELETE") { job.state = "stopped"; return send(response, 202, {}); }
  return events ? sendEvents(response, job) : send(response, 200, job);
}

function sendText(response, text) {
  response.writeHead(200, { "content-type": "application/x-ndjson" });
  response.end(text);
}

function sendTagged(request, response, body, url) {
  const tag = `"${body.commit ?? reads.COMMIT}-${createHash("sha256").update(url.pathname + [...url.searchParams].sort().join("&")).digest("hex").slice(0, 16)}"`;
  const headers = { etag: tag, "cache-control": "private, no-cache" };
  return request.headers["if-none-match"] === tag ? send(response, 304, null, headers) : send(response, 200, body, headers);
}

function send(response, status, body, headers = { "cache-control": "no-store" }) {
  response.writeHead(status, { "content-type": "application/json", ...headers });
  response.end(body === null ? undefined : JSON.stringify(body));
}

async function file(response, path) {
  const name = path === "/" || path.startsWith("/g/") ? "index.html" : path === "/docs" ? "docs/index.html" : path.slice(1);
  const bytes = await readFile(path === "/openapi.json" ? new URL("mock/openapi.json", import.meta.url) : new URL(name, DIST)).catch(() => null);
  const headers = { "content-security-policy": CSP, "x-content-type-options": "nosniff", "referrer-policy": "no-referrer", "cache-control": "no-cache" };
  response.writeHead(bytes ? 200 : 404, { ...headers, "content-type": TYPES[name.split(".").at(-1)] ?? "text/plain" });
  response.end(bytes ?? "not found");
}

/** Starts the server; port 0 takes a free one. Gives its address and how to stop it. */
export function start(options = {}) {
  const server = createServer(async (request, response) => {
    const url = new URL(request.url, "http://localhost");
    try {
      if (options.delay && url.pathname.startsWith("/v1/")) await new Promise((done) => setTimeout(done, options.delay));
      if (url.pathname.startsWith("/v1/")) await api(request, response, url, options);
      else await file(response, url.pathname);
    } catch (error) {
      if (!(error instanceof Refusal)) console.error(error);
      send(response, error.status ?? 500, { error: { code: error.code ?? "internal", message: error.message, hint: error.hint ?? null } });
    }
  });
  return new Promise((done) => server.listen(options.port ?? 0, "127.0.0.1", () => done({ address: `http://127.0.0.1:${server.address().port}`, stop: () => { server.closeAllConnections(); server.close(); } })));
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  const value = (name) => { const at = process.argv.indexOf(`--${name}`); return at < 0 ? undefined : process.argv[at + 1]; };
  const { address } = await start({ port: Number(value("port") ?? 8650), token: value("token"), delay: Number(value("delay") ?? 0) });
  console.log(`The made-up graphs are at ${address}`);
}
