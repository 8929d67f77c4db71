// What was loaded, what was refused, a new load with a dry run before it, and rolling one back.
import { useState } from "preact/hooks";
import { change, graphName, hrefOf, param } from "../address";
import { graphPath, withQuery } from "../api/client";
import type { Job, LoadRow, Loads } from "../api/types";
import { useAnswer } from "../api/use_answer";
import { Panel, Select } from "../parts/controls";
import { Icon } from "../parts/icon";
import { Answered, Empty } from "../parts/state";
import { number, When } from "../parts/values";
import { graph } from "../time/moment";
import { NewLoad } from "./loads/new_load";
import { ReportView } from "./loads/report";
import { RollBack } from "./loads/roll_back";
import { Pager, usePages } from "./node/pages";

export function LoadsPage() {
  const base = graphPath(graphName.value!);
  const namespaces = graph.value?.namespaces ?? [];
  return (
    <>
      <header class="title is-row">
        <div><h1>Loads</h1><p class="title-note">Each is one commit: visible whole, or not at all</p></div>
        <div class="actions">
          {namespaces.length > 1 && <Select label="Namespace" value={param("namespace") ?? ""} options={[{ value: "", text: "all" }, ...namespaces.map((value) => ({ value, text: value }))]} onChange={(value) => change({ namespace: value || null })} />}
          {!graph.value?.read_only && <a class="button main" href={hrefOf("loads", { new: "1" })}><Icon name="plus" /><span>New load</span></a>}
        </div>
      </header>
      {param("new") && <NewLoad base={base} onClose={() => change({ new: null })} />}
      <div class={param("load") ? "columns is-main" : undefined}>
        <Registry base={base} />
        {param("load") && <OneLoad base={base} id={param("load")!} />}
      </div>
    </>
  );
}

const stateText = (row: LoadRow): string => (row.state.is === "complete" ? "complete" : row.state.is === "rolled_back" ? `rolled back by ${row.state.by}` : `rollback of ${row.state.of}`);

function Registry({ base }: { base: string }) {
  const pages = usePages<Loads, LoadRow>((cursor) => withQuery(`${base}/loads`, { namespace: param("namespace"), limit: 50, cursor }), (data) => data.loads, `${base}${param("namespace") ?? ""}`);
  const chosen = param("load");
  if (!pages.loading && !pages.problem && pages.items.length === 0) return <Empty title="No load yet"><p>Time begins with the first one: events, intervals, or a whole version.</p></Empty>;
  return (
    <Panel title="Registry" class="is-flush">
      <div class="scroll-x" tabIndex={0} role="region" aria-label="Registry of loads">
        <table class="rows is-wide">
          <thead><tr><th scope="col">Load</th><th scope="col">Source</th><th scope="col">Version</th><th scope="col" class="is-extra">Takes effect</th><th scope="col">State</th><th scope="col" class="is-number">Events</th><th scope="col" class="is-number">Refused</th></tr></thead>
          <tbody>
            {pages.items.map((row) => (
              <tr key={row.id} class={`${row.state.is === "rolled_back" ? "is-void " : ""}${chosen === String(row.id) ? "is-chosen" : ""}`}>
                <td><button class="row-button" aria-pressed={chosen === String(row.id)} onClick={() => change({ load: chosen === String(row.id) ? null : String(row.id) })} aria-label={`Load ${row.id}`}><b>{row.id}</b></button></td>
                <td class="is-cut" title={row.source}>{row.source}</td><td>{row.version && <>{row.namespace} <b>{row.version}</b></>}</td><td class="is-extra"><When time={row.at} open="" /></td>
                <td><span class={`load-state is-${row.state.is}`}>{stateText(row)}</span></td><td class="is-number">{number(row.events)}</td><td class={`is-number${row.rejected ? " is-goes" : ""}`}>{number(row.rejected)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <Pager pages={pages} what="load" />
    </Panel>
  );
}

function OneLoad({ base, id }: { base: string; id: string }) {
  const answer = useAnswer<LoadRow & { report: Job["report"] }>(`${base}/loads/${encodeURIComponent(id)}`, id);
  const [undoing, undo] = useState(false);
  return (
    <Panel title={`Load ${id}`} aside={<button class="tool" aria-label="Close" onClick={() => change({ load: null })}><Icon name="close" /></button>}>
      <Answered of={answer}>{(row) => (
        <>
          <dl class="feature-list">
            <div><dt>source</dt><dd>{row.source}</dd></div>
            <div><dt>state</dt><dd>{stateText(row)}, commit {row.commit}</dd></div>
            {row.version && <div><dt>version</dt><dd>{row.namespace} {row.version}{row.at && <>, in effect from <When time={row.at} /></>}</dd></div>}
            {row.format && <div><dt>read as</dt><dd>{row.format}</dd></div>}
            <div><dt>loaded</dt><dd>{row.completed.replace("T", " ").replace("Z", "")}</dd></div>
            <div><dt>content</dt><dd><code title={row.content_hash}>{row.content_hash.slice(0, 12)}</code></dd></div>
          </dl>
          {row.report && <ReportView report={row.report} />}
          {row.state.is === "complete" && !graph.value?.read_only && <p class="actions"><button class="button danger" onClick={() => undo(true)}><Icon name="undo" /><span>Roll back</span></button></p>}
          {undoing && <RollBack base={base} row={row} onClose={() => undo(false)} />}
        </>
      )}</Answered>
    </Panel>
  );
}
