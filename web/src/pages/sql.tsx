// A query, both clocks above it, its rows, and a chart of two of its columns.
import { useEffect, useState } from "preact/hooks";
import { change, graphName, param } from "../address";
import { edition, graphPath } from "../api/client";
import type { Session, SqlAnswer, SqlTables, Value } from "../api/types";
import { useAnswer } from "../api/use_answer";
import { useSent } from "../api/use_sent";
import { download } from "../drawing/save";
import { Panel, Segments, TextField } from "../parts/controls";
import { Answered, Empty } from "../parts/state";
import { number, ValueText } from "../parts/values";
import { Clocks } from "../time/foot";
import { at, clocks, graph, lookAt, timeWindow, unit } from "../time/moment";
import { parseTick, written, wrongTime } from "../time/ticks";
import { ColumnChart } from "./sql/column_chart";
import { QueryArea } from "./sql/editor";
import { examplesOf, FIRST } from "./sql/examples";

export function Sql() {
  const session = useAnswer<Session>("/v1/session");
  if (session.data && !session.data.features.includes("sql")) return (
    <>
      <header class="title"><h1>SQL</h1></header>
      <Empty title="This server is built without SQL"><p>A program with it takes some ten minutes more to build:</p><p><code>cargo build --release -p timeweft-cli --features serve,sql</code></p></Empty>
    </>
  );
  return <Questions />;
}

function Questions() {
  const asked = param("q");
  const [text, setText] = useState(asked ?? FIRST.query);
  const [run, setRun] = useState(0);
  useEffect(() => { if (asked !== null) setText(asked); }, [asked]);
  const { at: when, commit, deletes } = clocks.value;
  const answer = useSent<SqlAnswer>(`${graphPath(graphName.value!)}/sql`, asked ? { query: asked, at: when, commit: commit ? Number(commit) : null, deletes, limit: 1_000 } : null, `${asked} ${run} ${edition.value}`);
  const start = (query = text): void => { change({ q: query, x: null, y: null }); setRun(run + 1); };
  return (
    <>
      <header class="title"><h1>SQL</h1></header>
      <div class="sql">
        <div class="sql-main">
          <Editor text={text} onText={setText} onRun={start} busy={answer.loading} />
          {asked ? <Answered of={answer} rows={6}>{(data) => <Result data={data} />}</Answered> : <Empty title="Ask something"><p>Press Run, or take an example beside. Every query is read at the two clocks above it, unless it names others by <code>AS OF</code>.</p></Empty>}
        </div>
        <Side onExample={(query) => { setText(query); start(query); }} onName={(name) => setText(`${text.trimEnd()} ${name}`)} />
      </div>
    </>
  );
}

function Editor({ text, onText, onRun, busy }: { text: string; onText: (text: string) => void; onRun: () => void; busy: boolean }) {
  const [from, to] = timeWindow.value;
  return (
    <div class="editor">
      <div class="editor-clocks" role="group" aria-label="Both clocks">
        <TextField label="Time" value={at.value === null ? "" : written(at.value, unit.value, to - from)} placeholder="end of time" wrongWith={(text) => wrongTime(text, unit.value)} onChange={(value) => { const t = parseTick(value, unit.value); if (t !== null || value.trim() === "") lookAt(t); }} />
        <Clocks />
      </div>
      <QueryArea text={text} onText={onText} onRun={onRun} />
      <div class="editor-foot"><button class="button main" disabled={busy || !text.trim()} onClick={() => onRun()}>{busy ? "Running" : "Run"}</button><span class="is-soft"><kbd>Ctrl</kbd> <kbd>Enter</kbd></span></div>
    </div>
  );
}

function Result({ data }: { data: SqlAnswer }) {
  const view = param("view") === "chart" ? "chart" : "table";
  const canChart = data.columns.length >= 2 && data.rows.length > 0;
  const csv = (): void => download(new Blob([[data.columns.map(({ name }) => name), ...data.rows.map((row) => row.map(cellText))].map((row) => row.map((cell) => (/[",\n]/.test(cell) ? `"${cell.replace(/"/g, '""')}"` : cell)).join(",")).join("\n")], { type: "text/csv" }), "query.csv");
  return (
    <Panel title="Rows" class="is-flush" aside={<><span>{number(data.rows.length)}{data.truncated ? " of more" : ""}, {(data.seconds * 1_000).toFixed(1)} ms, commit {data.commit}</span>{canChart && <Segments label="Shown as" value={view} options={[{ value: "table", text: "Table" }, { value: "chart", text: "Chart" }]} onChange={(value) => change({ view: value === "table" ? null : value }, true)} />}<button class="button small" onClick={csv}>CSV</button></>}>
      {data.truncated && <p class="notice">Only the first {number(data.rows.length)} rows are here. Add a LIMIT, or ask over HTTP for Arrow.</p>}
      {data.rows.length === 0 ? <p class="none is-padded">The query has no rows.</p> : view === "chart" && canChart ? <ColumnChart data={data} /> : <Rows data={data} />}
    </Panel>
  );
}

const cellText = (value: Value): string => (value === null ? "" : typeof value === "object" ? JSON.stringify(value) : String(value));

function Rows({ data }: { data: SqlAnswer }) {
  const [shown, show] = useState(200);
  const isNumber = (type: string): boolean => type === "integer" || type === "float";
  return (
    <div class="scroll-x is-tall" tabIndex={0} role="region" aria-label="Rows of the query">
      <table class="rows is-wide is-lined">
        <thead><tr>{data.columns.map((column) => <th key={column.name} scope="col" class={isNumber(column.type) ? "is-number" : undefined}>{column.name}<span class="column-type">{column.type}</span></th>)}</tr></thead>
        <tbody>{data.rows.slice(0, shown).map((row, i) => <tr key={i}>{row.map((value, j) => <td key={j} class={isNumber(data.columns[j]!.type) ? "is-number" : "is-cut"}><ValueText value={value} /></td>)}</tr>)}</tbody>
      </table>
      {data.rows.length > shown && <button class="button quiet" onClick={() => show(data.rows.length)}>All {number(data.rows.length)} rows</button>}
    </div>
  );
}

function Side({ onExample, onName }: { onExample: (query: string) => void; onName: (name: string) => void }) {
  const tables = useAnswer<SqlTables>(`${graphPath(graphName.value!)}/sql/tables`);
  return (
    <aside class="sql-side" aria-label="Examples and tables">
      <Panel title="Examples"><ul class="example-list">{(graph.value ? examplesOf(graph.value) : [FIRST]).map(({ name, query }) => <li key={name}><button class="link" onClick={() => onExample(query)}>{name}</button></li>)}</ul></Panel>
      <Panel title="Tables"><Answered of={tables}>{({ tables: list }) => (
        <ul class="table-list">{list.map((row) => <li key={row.name}><details><summary>{row.name}<span class="is-soft">{row.kind === "function" ? "function" : ""}</span></summary>{row.signature && <code>{row.signature}</code>}<div class="chips">{row.columns.map((name) => <button key={name} class="chip" onClick={() => onName(name)}>{name}</button>)}</div></details></li>)}</ul>
      )}</Answered></Panel>
    </aside>
  );
}
