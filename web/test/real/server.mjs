// Starts the program as a server of graphs that it makes itself, in a folder of its own that goes with it.
import { execFile, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { ALL, makeGraphs } from "./graphs.mjs";

const free = () => new Promise((done) => { const probe = createServer().listen(0, "127.0.0.1", () => { const { port } = probe.address(); probe.close(() => done(port)); }); });
const wait = (ms) => new Promise((done) => setTimeout(done, ms));

/** Waits until the server answers; tells what it said where it ended instead. */
async function ready(address, server, said) {
  for (const begun = Date.now(); Date.now() - begun < 60_000; await wait(50)) {
    if (server.exitCode !== null) throw new Error(`the server ended with ${server.exitCode}: ${said()}`);
    if (await fetch(`${address}/readyz`).then(({ ok }) => ok, () => false)) return;
  }
  throw new Error(`the server does not answer at ${address}: ${said()}`);
}

/** Starts it; `token` makes one that is needed. Gives the address, the folder of graphs, the token, and how to stop it. */
export async function startReal(program, { graphs = ALL, token = false } = {}) {
  const folder = await mkdtemp(join(tmpdir(), "timeweft-page-"));
  const dirs = await makeGraphs(program, folder, graphs);
  const port = await free();
  const address = `http://127.0.0.1:${port}`;
  const more = [];
  let word = null;
  if (token) {
    const file = join(folder, "tokens.toml");
    const { stdout } = await promisify(execFile)(program, ["token", "create", "--roles", "read,load", "--name", "tester", "--json", file], { cwd: folder });
    word = JSON.parse(stdout).token;
    more.push("--tokens", file);
  }
  const server = spawn(program, ["serve", ...dirs, "--bind", `127.0.0.1:${port}`, ...more], { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  for (const stream of [server.stdout, server.stderr]) stream.on("data", (part) => { said = (said + part).slice(-4_000); });
  const stop = async () => {
    server.kill("SIGTERM");
    await Promise.race([new Promise((done) => server.once("exit", done)), wait(5_000)]);
    server.kill("SIGKILL");
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await ready(address, server, () => said);
  } catch (error) {
    await stop();
    throw error;
  }
  return { address, folder, token: word, stop };
}
