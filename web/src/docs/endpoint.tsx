// One endpoint: what it takes, what it gives, and a form that asks it.
import { useState } from "preact/hooks";
import { Icon } from "../parts/icon";
import { sample, written, type Endpoint, type Operation, type Parameter, type Schema } from "./openapi";

/** A schema as a type; names lead to their own place on the page. */
export const TypeText = ({ schema, of }: { schema: Schema | undefined; of: string }) => <pre class="type-text" tabIndex={0} role="region" aria-label={`Type of ${of}`}><code>{written(schema).map((part, i) => (typeof part === "string" ? part : <a key={i} href={`#type-${part.type}`}>{part.type}</a>))}</code></pre>;

const short = (schema: Schema | undefined): string => written(schema).map((part) => (typeof part === "string" ? part : part.type)).join("").replace(/\s+/g, " ");

type Props = { one: Endpoint; open: boolean; onToggle: () => void; schemas: Record<string, Schema> };

export function EndpointView({ one, open, onToggle, schemas }: Props) {
  const { method, path, of } = one;
  return (
    <li class="endpoint" id={one.key}>
      <button class="endpoint-head" aria-expanded={open} onClick={onToggle}><Icon name={open ? "down" : "right"} /><span class={`method is-${method}`}>{method.toUpperCase()}</span><code>{path}</code><span class="endpoint-what">{of.summary}</span></button>
      {open && <div class="endpoint-body"><Told of={of} /><Try one={one} schemas={schemas} /></div>}
    </li>
  );
}

function Told({ of }: { of: Operation }) {
  const body = of.requestBody && Object.entries(of.requestBody.content);
  return (
    <>
      {of.description && of.description !== of.summary && <p class="endpoint-text">{of.description}</p>}
      {body?.map(([type, { schema }]) => <section key={type}><h3>Body <code>{type}</code></h3><TypeText schema={schema} of={`the body as ${type}`} /></section>)}
      {of.responses && <section><h3>Answers</h3><dl class="answers">{Object.entries(of.responses).map(([status, { description, content }]) => (
        <div key={status}><dt class={status.startsWith("2") ? "is-appears" : status.startsWith("3") ? undefined : "is-goes"}>{status}</dt><dd>{description}{content && Object.entries(content).map(([type, { schema }]) => <div key={type}><code>{type}</code>{schema && <TypeText schema={schema} of={`answer ${status} as ${type}`} />}</div>)}</dd></div>
      ))}</dl></section>}
    </>
  );
}

type Answered = { status: number; text: string; headers: string; took: number };

function Try({ one: { method, path, of }, schemas }: { one: Endpoint; schemas: Record<string, Schema> }) {
  const parameters = (of.parameters ?? []).filter((one) => one.in === "path" || one.in === "query");
  const json = Object.entries(of.requestBody?.content ?? {}).find(([type]) => type.includes("json"))?.[1];
  const [values, set] = useState<Record<string, string>>({});
  const [body, setBody] = useState(() => (json ? JSON.stringify(json.example ?? sample(json.schema, schemas), null, 2) : ""));
  const [answer, setAnswer] = useState<Answered | null>(null);
  const [busy, setBusy] = useState(false);
  const address = addressOf(path, parameters, values);
  const send = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    setAnswer(await asked(method, address, json ? body : null));
    setBusy(false);
  };
  return (
    <form class="try" onSubmit={(event) => { void send(event); }}>
      <h3>Try it</h3>
      {parameters.length > 0 && <div class="try-fields">{parameters.map((one) => <ParameterField key={`${one.in} ${one.name}`} of={one} value={values[one.name] ?? ""} onValue={(value) => set((old) => ({ ...old, [one.name]: value }))} />)}</div>}
      {json && <label class="try-body"><span class="field-label">Body</span><textarea class="input" rows={Math.min(14, body.split("\n").length + 1)} spellcheck={false} value={body} onInput={(event) => setBody(event.currentTarget.value)} /></label>}
      <p class="try-send"><button class={`button${method === "get" ? " main" : method === "delete" ? " danger" : ""}`} disabled={busy}>{busy ? "Asking" : `Send ${method.toUpperCase()}`}</button><code>{address}</code></p>
      <div aria-live="polite">{answer && <Shown answer={answer} />}</div>
    </form>
  );
}

function ParameterField({ of, value, onValue }: { of: Parameter; value: string; onValue: (value: string) => void }) {
  const id = `p-${of.in}-${of.name}`;
  return (
    <div class="try-field">
      <label for={id}><code>{of.name}</code>{of.required && <span class="is-goes" title="must be given"> *</span>} <span class="is-soft">{of.in}, {short(of.schema)}</span></label>
      <input id={id} class="input" value={value} required={of.required} spellcheck={false} autocomplete="off" onInput={(event) => onValue(event.currentTarget.value)} />
      {of.description && <p class="field-hint">{of.description}</p>}
    </div>
  );
}

/** The path with its parameters. A list in a query is written with commas between, and sent as many. */
export function addressOf(path: string, parameters: Parameter[], values: Record<string, string>): string {
  const query = new URLSearchParams();
  for (const { name, schema, in: place } of parameters) {
    const value = values[name] ?? "";
    if (place !== "query" || value === "") continue;
    const types = [schema?.type ?? []].flat();
    (types.includes("array") ? value.split(",").map((one) => one.trim()) : [value]).forEach((one) => query.append(name, one));
  }
  const filled = path.replace(/\{([^}]+)\}/g, (whole, name: string) => (values[name] ? encodeURIComponent(values[name]!) : whole));
  return query.size ? `${filled}?${query}` : filled;
}

const MOST = 40_000;

async function asked(method: string, address: string, body: string | null): Promise<Answered> {
  const begun = performance.now();
  try {
    const response = await fetch(address, { method: method.toUpperCase(), credentials: "same-origin", ...(body === null ? {} : { body, headers: { "content-type": "application/json" } }) });
    const type = response.headers.get("content-type") ?? "";
    const text = /json|text/.test(type) ? await response.text() : `${(await response.arrayBuffer()).byteLength} bytes of ${type || "nothing"}`;
    const headers = ["etag", "location", "retry-after", "content-type"].flatMap((name) => { const value = response.headers.get(name); return value ? [`${name}: ${value}`] : []; }).join("\n");
    return { status: response.status, text: pretty(text), headers, took: performance.now() - begun };
  } catch (error) {
    return { status: 0, text: `The server does not answer: ${String(error)}`, headers: "", took: performance.now() - begun };
  }
}

function pretty(text: string): string {
  let written = text;
  try { written = JSON.stringify(JSON.parse(text), null, 2); } catch { /* Not JSON: as it is. */ }
  return written.length > MOST ? `${written.slice(0, MOST)}\n… ${written.length - MOST} more letters` : written;
}

const Shown = ({ answer }: { answer: Answered }) => (
  <div class="answer-shown">
    <p><b class={answer.status >= 200 && answer.status < 300 ? "is-appears" : "is-goes"}>{answer.status || "no answer"}</b> in {answer.took.toFixed(0)} ms</p>
    {answer.headers && <pre class="answer-headers">{answer.headers}</pre>}
    {answer.text && <pre class="type-text" tabIndex={0} role="region" aria-label="Answer">{answer.text}</pre>}
  </div>
);
