// All endpoints of the server, as /openapi.json tells them, each to be tried from here.
import { render } from "preact";
import { useEffect, useState } from "preact/hooks";
import { ask, Problem } from "../api/client";
import { Failed, Loading } from "../parts/state";
import { EndpointView, TypeText } from "./endpoint";
import { endpointsOf, type Endpoint, type OpenApi } from "./openapi";

function Docs() {
  const [api, setApi] = useState<OpenApi | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [words, setWords] = useState("");
  const [open, setOpen] = useState(() => decodeURIComponent(location.hash.slice(1)));
  useEffect(() => { ask<OpenApi>("/openapi.json").then(setApi, (error: unknown) => setProblem(error instanceof Problem ? error : new Problem(0, "unreadable", String(error), null))); }, []);
  useEffect(() => {
    const changed = (): void => setOpen(decodeURIComponent(location.hash.slice(1)));
    addEventListener("hashchange", changed);
    return () => removeEventListener("hashchange", changed);
  }, []);
  useEffect(() => { if (open) document.getElementById(open)?.scrollIntoView(); }, [api]);
  const said = words.trim().toLowerCase();
  const found = api ? endpointsOf(api).filter(({ method, path, of }) => `${method} ${path} ${of.summary ?? ""}`.toLowerCase().includes(said)) : [];
  const tags = [...new Set(found.map(({ tag }) => tag))];
  const schemas = api?.components?.schemas ?? {};
  const choose = (key: string): void => { const next = key === open ? "" : key; history.replaceState(null, "", next ? `#${encodeURIComponent(next)}` : location.pathname); setOpen(next); };
  return (
    <>
      <header class="docs-head"><a class="brand" href="/">timeweft</a><span>Endpoints</span>{api && <span class="is-soft">version {api.info.version}</span>}<a class="docs-raw" href="/openapi.json">openapi.json</a></header>
      <main class="docs" id="main">
        <h1>Endpoints</h1>
        {api?.info.description && <p class="docs-lead">{api.info.description}</p>}
        {problem && <Failed problem={problem} />}
        {!api && !problem && <Loading rows={8} what="Reading /openapi.json" />}
        {api && <p class="docs-find"><label class="unseen" for="docs-find">Find an endpoint</label><input id="docs-find" class="input" placeholder="Find an endpoint by its path or what it does" value={words} onInput={(event) => setWords(event.currentTarget.value)} /></p>}
        {api && found.length === 0 && <p class="none">No endpoint has “{words}” in its path or title.</p>}
        {tags.map((tag) => <Tag key={tag} tag={tag} list={found.filter((one) => one.tag === tag)} open={open} choose={choose} api={api!} />)}
        {Object.keys(schemas).length > 0 && !said && (
          <section aria-labelledby="types"><h2 id="types" class="docs-tag">Types</h2>{Object.entries(schemas).map(([name, schema]) => <details key={name} class="docs-type" id={`type-${name}`} open={open === `type-${name}`}><summary>{name}</summary>{schema.description && <p>{schema.description}</p>}<TypeText schema={schema} of={name} /></details>)}</section>
        )}
      </main>
    </>
  );
}

function Tag({ tag, list, open, choose, api }: { tag: string; list: Endpoint[]; open: string; choose: (key: string) => void; api: OpenApi }) {
  return <section aria-label={tag}><h2 class="docs-tag">{tag}</h2><ul>{list.map((one) => <EndpointView key={one.key} one={one} open={open === one.key} onToggle={() => choose(one.key)} schemas={api.components?.schemas ?? {}} />)}</ul></section>;
}

render(<Docs />, document.getElementById("docs")!);
