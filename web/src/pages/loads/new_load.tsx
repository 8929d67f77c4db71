// A new load: first dry, so that one sees what it would do, then for good.
import { useRef, useState } from "preact/hooks";
import { ask, Problem, send } from "../../api/client";
import type { Job, LoadOptions } from "../../api/types";
import { Field, Panel, Segments } from "../../parts/controls";
import { Icon } from "../../parts/icon";
import { Failed } from "../../parts/state";
import { bytes } from "../../parts/values";
import { JobView, useJob } from "./job";
import { ReportView } from "./report";

type Kind = LoadOptions["kind"];
const KINDS: { value: Kind; text: string; title: string }[] = [
  { value: "events", text: "Events", title: "One fact a line: created, updated, deleted" },
  { value: "intervals", text: "Intervals", title: "Nodes and edges with their lives" },
  { value: "version", text: "A whole version", title: "What it does not list is deleted" },
];
const FORMATS: Record<Kind, string[]> = { events: ["jsonl", "csv", "parquet"], intervals: ["temporal-json", "edge-list", "tsv", "deepgnn"], version: ["obo", "obograph", "taxdump", "gtdb", "tables"] };

function optionsOf(form: HTMLFormElement, kind: Kind, dry: boolean): LoadOptions {
  const data = new FormData(form);
  const text = (name: string): string | undefined => (data.get(name) as string | null)?.trim() || undefined;
  return { kind, format: text("format"), source: text("source"), namespace: text("namespace"), version: text("version"), timestamp: text("timestamp"), dangling: text("dangling") as LoadOptions["dangling"], dry_run: dry };
}

/** Sends the options, and files where some were chosen. */
async function start(base: string, options: LoadOptions, files: File[]): Promise<Job> {
  if (files.length === 0) return (await send<{ job: Job }>("POST", `${base}/loads`, options)).job;
  const body = new FormData();
  body.append("options", new Blob([JSON.stringify({ ...options, source: undefined })], { type: "application/json" }));
  files.forEach((file) => body.append("file", file));
  return (await ask<{ job: Job }>(`${base}/loads`, { method: "POST", body })).job;
}

export function NewLoad({ base, onClose }: { base: string; onClose: () => void }) {
  const [kind, setKind] = useState<Kind>("events");
  const [files, setFiles] = useState<File[]>([]);
  const [job, setJob] = useState<{ job: Job; dry: boolean } | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [busy, setBusy] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  const run = async (dry: boolean): Promise<void> => {
    if (!form.current!.reportValidity()) return;
    setProblem(null);
    setBusy(true);
    try {
      setJob({ job: await start(base, optionsOf(form.current!, kind, dry), files), dry });
    } catch (error) {
      setProblem(error instanceof Problem ? error : new Problem(0, "unreadable", String(error), null));
      setBusy(false);
    }
  };
  return (
    <Panel title="New load" class="new-load" aside={<button class="tool" aria-label="Close" onClick={onClose}><Icon name="close" /></button>}>
      <form ref={form} onSubmit={(event) => { event.preventDefault(); void run(true); }}>
        <Segments label="What is loaded" value={kind} options={KINDS} onChange={setKind} />
        <p class="field-hint">{KINDS.find(({ value }) => value === kind)!.title}.</p>
        <Files files={files} onChange={setFiles} />
        <div class="form-grid">
          {files.length === 0 && <Field label="or a path on the server" hint="Below the folder that the server was started with">{(id) => <input id={id} name="source" class="input" required placeholder="releases/envo.obo" />}</Field>}
          <Field label="Format" hint="By the name of the file, unless one is chosen">{(id) => <span class="select"><select id={id} name="format"><option value="">by its name</option>{FORMATS[kind].map((name) => <option key={name}>{name}</option>)}</select><Icon name="down" /></span>}</Field>
          {kind === "version" && <Field label="Namespace">{(id) => <input id={id} name="namespace" class="input" required placeholder="envo" />}</Field>}
          <Field label={kind === "version" ? "Version" : "Name of the load"}>{(id) => <input id={id} name="version" class="input" required={kind === "version"} placeholder="2024-03-01" />}</Field>
          {kind === "version" && <Field label="Takes effect at">{(id) => <input id={id} name="timestamp" class="input" required placeholder="2024-03-01" />}</Field>}
          <Field label="Edges to unknown nodes">{(id) => <span class="select"><select id={id} name="dangling"><option value="reject">are refused</option><option value="drop">are dropped</option><option value="stub">make the node</option></select><Icon name="down" /></span>}</Field>
        </div>
        {problem && <Failed problem={problem} />}
        <div class="actions"><button type="submit" class="button main" disabled={busy}>Try it dry</button><button type="button" class="button" disabled={busy} onClick={() => { void run(false); }}>Load</button></div>
      </form>
      {job && <Running key={job.job.id} base={base} first={job.job} dry={job.dry} onDone={() => setBusy(false)} onLoad={() => { void run(false); }} />}
    </Panel>
  );
}

function Files({ files, onChange }: { files: File[]; onChange: (files: File[]) => void }) {
  const [over, setOver] = useState(false);
  return (
    <label class={`drop${over ? " is-over" : ""}`} onDragOver={(event) => { event.preventDefault(); setOver(true); }} onDragLeave={() => setOver(false)} onDrop={(event) => { event.preventDefault(); setOver(false); onChange([...(event.dataTransfer?.files ?? [])]); }}>
      <input type="file" multiple class="unseen" onChange={(event) => onChange([...(event.currentTarget.files ?? [])])} />
      <Icon name="save" />
      <span>{files.length === 0 ? <><b>Choose files</b> or drop them here</> : files.map((file) => `${file.name}, ${bytes(file.size)}`).join("; ")}</span>
    </label>
  );
}

function Running({ base, first, dry, onDone, onLoad }: { base: string; first: Job; dry: boolean; onDone: () => void; onLoad: () => void }) {
  const job = useJob(base, first, onDone);
  return (
    <div class="outcome" aria-live="polite">
      <JobView base={base} job={job} />
      {job.state === "done" && job.report && (
        <>
          <h3>{dry ? "What it would do" : `Loaded as commit ${job.report.commit}`}</h3>
          <ReportView report={job.report} />
          {dry && <p class="actions"><button class="button main" onClick={onLoad}>Load it</button></p>}
        </>
      )}
    </div>
  );
}
