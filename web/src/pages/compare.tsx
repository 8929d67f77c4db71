// Two times, or two versions, or two commits: what came, what changed, what went.
import { useState } from "preact/hooks";
import { change, graphName, hrefOf, param } from "../address";
import { graphPath, nodeKey, withQuery } from "../api/client";
import type { Change, Diff, TypeCounts, Values, Versions } from "../api/types";
import { useAnswer } from "../api/use_answer";
import { download } from "../drawing/save";
import { Panel, Segments, Select, TextField } from "../parts/controls";
import { Icon } from "../parts/icon";
import { Answered, Empty } from "../parts/state";
import { CountSigns, Glyph, NodeName, number, ValueText, When } from "../parts/values";
import { graph, position, span, timeWindow, unit } from "../time/moment";
import { isoOf, parseTick, tickAt, written, wrongTime } from "../time/ticks";
import { Pager, usePages } from "./node/pages";
import { ChangeDrawing } from "./compare/change_drawing";

/** The two moments: what the address says, else a third into the window and the time looked at. */
function momentsOf(): { a: string; b: string } {
  const [from, to] = timeWindow.value;
  return { a: param("a") ?? isoOf(tickAt(0.33, from, to), unit.value), b: param("b") ?? isoOf(position.value, unit.value) };
}

function questionOf(extra: Record<string, string | number | null> = {}): string {
  const { a, b } = momentsOf();
  return withQuery(`${graphPath(graphName.value!)}/diff`, { from: a, to: b, from_commit: param("commit_a"), to_commit: param("commit_b"), namespace: param("namespace"), ...extra });
}

export function Compare() {
  const answer = useAnswer<Diff>(questionOf({ limit: 0 }));
  return (
    <>
      <header class="title is-row"><div><h1>Compare</h1><p class="title-note">What came, changed and went between two moments</p></div><Actions /></header>
      <Moments />
      <Answered of={answer} rows={8}>{(diff) => {
        const { nodes, edges, merged } = diff.summary;
        const sum = [nodes, edges].reduce((total, counts) => total + counts.created + counts.updated + counts.removed, merged);
        return sum === 0 ? <Empty title="Nothing differs"><p>The two moments show the same graph. Choose others above, or another namespace.</p></Empty> : <Differences diff={diff} />;
      }}</Answered>
    </>
  );
}

function Moments() {
  const { a, b } = momentsOf();
  const versions = useAnswer<Versions>(`${graphPath(graphName.value!)}/versions`);
  const set = (name: "a" | "b") => (text: string): void => {
    if (text.includes("@")) change({ [name]: text });
    else { const t = parseTick(text, unit.value); if (t !== null) change({ [name]: isoOf(t, unit.value) }); }
  };
  const [from, to] = timeWindow.value;
  const shown = (text: string): string => { const t = parseTick(text, unit.value); return t === null ? text : written(t, unit.value, to - from); };
  const list = [{ value: "", text: "a version" }, ...(versions.data?.versions.map((v) => ({ value: `${v.namespace}@${v.version}`, text: `${v.namespace} ${v.version}` })) ?? [])];
  const newest = graph.value?.newest_commit ?? 0;
  const commits = [{ value: "", text: `${newest}, newest` }, ...Array.from({ length: Math.min(200, newest - 1) }, (_, i) => ({ value: String(newest - 1 - i), text: String(newest - 1 - i) }))];
  return (
    <div class="moments">
      {(["a", "b"] as const).map((name) => (
        <fieldset key={name} class="moment">
          <legend>{name === "a" ? "Earlier" : "Later"}</legend>
          <TextField label="Time" value={shown(name === "a" ? a : b)} wrongWith={(text) => (text.includes("@") ? null : wrongTime(text, unit.value))} onChange={set(name)} />
          {list.length > 1 && <Select label="or" value={(name === "a" ? a : b).includes("@") ? (name === "a" ? a : b) : ""} options={list} onChange={(value) => { if (value) change({ [name]: value }); }} />}
          <Select label="Commit" value={param(`commit_${name}`) ?? ""} options={commits} onChange={(value) => change({ [`commit_${name}`]: value || null })} />
        </fieldset>
      ))}
    </div>
  );
}

/** Of which namespace, the other way round, and all of it to keep. */
function Actions() {
  const { a, b } = momentsOf();
  return (
      <div class="actions">
        {(graph.value?.namespaces.length ?? 0) > 1 && <Select label="Namespace" value={param("namespace") ?? ""} options={[{ value: "", text: "all" }, ...graph.value!.namespaces.map((value) => ({ value, text: value }))]} onChange={(value) => change({ namespace: value || null })} />}
        <button class="button" onClick={() => change({ a: b, b: a, commit_a: param("commit_b"), commit_b: param("commit_a") })}>Swap</button>
        <DownloadButton />
      </div>
  );
}

/** All changes, one a line, as the server streams them. */
function DownloadButton() {
  const [busy, setBusy] = useState(false);
  const run = async (): Promise<void> => {
    setBusy(true);
    const response = await fetch(questionOf(), { headers: { accept: "application/x-ndjson" } });
    download(await response.blob(), `${graphName.value}-changes.jsonl`);
    setBusy(false);
  };
  return <button class="button" disabled={busy} onClick={() => { void run(); }}><Icon name="save" /><span>Download</span></button>;
}

function Differences({ diff }: { diff: Diff }) {
  const { nodes, edges, merged, types } = diff.summary;
  return (
    <>
      <dl class="facts is-counts">
        <div><dt>Nodes</dt><dd><CountSigns {...nodes} /></dd></div>
        <div><dt>Edges</dt><dd><CountSigns {...edges} /></dd></div>
        <div><dt>Became another</dt><dd>{number(merged)}</dd></div>
        <div class="facts-key"><dt>Signs</dt><dd><span class="is-appears">+ came</span> <span class="is-changes">~ changed</span> <span class="is-goes">− went</span></dd></div>
      </dl>
      <div class="columns is-main">
        <Panel title="What changed">
          <ul class="tree">
            {types.map((row) => <TypeBranch key={`${row.what} ${row.type}`} row={row} />)}
            {merged > 0 && <Branch title={<>merges</>} counts={<b>{number(merged)}</b>} what="merge" type={null} name="merge" />}
          </ul>
        </Panel>
        <ChangeDrawing question={questionOf} diff={diff} />
      </div>
    </>
  );
}

function TypeBranch({ row }: { row: TypeCounts }) {
  const title = row.what === "node" ? <><Glyph type={row.type} /> {row.type}</> : <span class="triple">{row.type.replace(/ -(.*)-> /, " $1 ")}</span>;
  return <Branch title={title} counts={<CountSigns {...row} />} what={row.what} type={row.type} name={`${row.what} ${row.type}`} />;
}

function Branch({ title, counts, what, type, name }: { title: preact.ComponentChildren; counts: preact.ComponentChildren; what: string; type: string | null; name: string }) {
  const open = (param("open") ?? "") === name;
  return (
    <li>
      <button class="branch" aria-expanded={open} onClick={() => change({ open: open ? null : name }, true)}><Icon name={open ? "down" : "right"} /><span class="branch-name">{title}</span>{counts}</button>
      {open && <ChangeList what={what} type={type} />}
    </li>
  );
}

type Kind = "" | "created" | "updated" | "removed";
const KINDS: { value: Kind; text: string }[] = [{ value: "", text: "all" }, { value: "created", text: "+ came" }, { value: "updated", text: "~ changed" }, { value: "removed", text: "− went" }];

function ChangeList({ what, type }: { what: string; type: string | null }) {
  const kind = what === "merge" ? "" : (KINDS.find(({ value }) => value === param("kind"))?.value ?? "");
  const asked = { what, type, change: kind || null };
  const pages = usePages<Diff, Change>((cursor) => questionOf({ ...asked, limit: 20, cursor }), (diff) => diff.changes, questionOf(asked));
  return <div class="branch-body">{what !== "merge" && <Segments label="Kind of change" value={kind} options={KINDS} onChange={(value) => change({ kind: value || null }, true)} />}<ul class="change-list">{pages.items.map((row, i) => <ChangeRow key={i} row={row} />)}</ul><Pager pages={pages} what="change" /></div>;
}

const SIGNS = { created: ["+", "appears"], updated: ["~", "changes"], removed: ["−", "goes"], merged: ["→", "stays"] } as const;

function ChangeRow({ row }: { row: Change }) {
  const [sign, tone] = SIGNS[row.change];
  return (
    <li class={`change is-${tone}`}>
      <span class="change-sign" aria-label={row.change}>{sign}</span>
      <div class="change-what">
        {row.what === "node" && <NodeName node={row.node} />}
        {row.what === "edge" && <span class="edge-text"><NodeName node={row.edge.source} /> <b>{row.edge.relation}</b> <NodeName node={row.edge.destination} /></span>}
        {row.what === "merge" && <span class="edge-text"><NodeName node={row.from} /> <b>became</b> <NodeName node={row.into} /> <span class="is-soft">on <When time={row.at} /></span></span>}
        {row.what !== "merge" && row.change === "updated" && <Differing before={row.before ?? {}} after={row.after ?? {}} />}
      </div>
      {row.what === "node" && <a class="button quiet small" href={hrefOf("explore", { root: nodeKey(row.node), at: span.value ? momentsOf().b : null })}>Explore</a>}
    </li>
  );
}

function Differing({ before, after }: { before: Values; after: Values }) {
  return <dl class="differing">{[...new Set([...Object.keys(before), ...Object.keys(after)])].map((name) => <div key={name}><dt>{name}</dt><dd><del><ValueText value={before[name] ?? null} /></del> <span class="arrow" aria-hidden="true">→</span> <ins><ValueText value={after[name] ?? null} /></ins></dd></div>)}</dl>;
}
