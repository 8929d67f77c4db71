// One node: what it is at the time, each feature's track through time, its lives, its edges, its story.
import { useEffect, useMemo } from "preact/hooks";
import { change, graphName, hrefOf, param } from "../address";
import { nodeKey, nodeOfKey, nodePath, withQuery } from "../api/client";
import type { Happening, History, NodeAnswer, Tracks } from "../api/types";
import { useAnswer } from "../api/use_answer";
import { Panel, Segments } from "../parts/controls";
import { NodePicker } from "../parts/node_picker";
import { Answered, Empty } from "../parts/state";
import { Glyph, LifeText, NodeName, ValueText, When } from "../parts/values";
import { clocks, lookAt, marks, position, timeWindow, unit } from "../time/moment";
import { tickOf, written } from "../time/ticks";
import { Edges } from "./node/edges";
import { Pager, usePages } from "./node/pages";
import { TrackList } from "./node/tracks";

export function NodePage() {
  const key = param("node");
  const node = key ? nodeOfKey(key) : null;
  const picker = <NodePicker label="Node" focusKey="/" onPick={(picked) => change({ node: nodeKey(picked), relation: null })} />;
  if (!node) return <><h1 class="unseen">Node</h1><div class="toolbar">{picker}</div><Empty title="Choose a node to read its story"><p>Search by name or id. The sign <kbd>/</kbd> leads to the field.</p></Empty></>;
  return <><div class="toolbar">{picker}</div><Story key={key} node={node} /></>;
}

const STATES: Record<NodeAnswer["state"], string> = { alive: "alive", not_yet: "not there yet", over: "over", between: "between two lives" };

function Story({ node }: { node: { type: string; id: string } }) {
  const base = nodePath(graphName.value!, node);
  const about = nodeKey(node);
  const answer = useAnswer<NodeAnswer>(withQuery(base, clocks.value), about);
  const tracks = useAnswer<Tracks>(withQuery(`${base}/tracks`, { commit: clocks.value.commit }), about);
  const times = useMemo(() => {
    const all = [...(tracks.data?.tracks.flatMap(({ values }) => values.flatMap((v) => [v.from, v.until])) ?? []), ...(answer.data?.lives.flatMap((life) => [life.created, life.removed]) ?? [])];
    return [...new Set(all.flatMap((time) => (time ? [tickOf(time)] : [])))].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  }, [tracks.data, answer.data?.lives.length]);
  useEffect(() => { marks.value = times; return () => { marks.value = []; }; }, [times]);
  return (
    <Answered of={answer} rows={8}>{(data) => (
      <>
        <NodeHead data={data} />
        <div class="columns is-main">
          <Panel title="Features through time">
            <Answered of={tracks}>{({ tracks: list }) => (list.length === 0 ? <p class="none">This node has no features.</p> : <TrackList tracks={list} lives={data.lives} now={data.features} />)}</Answered>
          </Panel>
          <Edges base={base} relations={data.relations} />
        </div>
        <HistoryPanel base={base} />
      </>
    )}</Answered>
  );
}

function NodeHead({ data }: { data: NodeAnswer }) {
  const [from, to] = timeWindow.value;
  return (
    <header class="title">
      <p class="eyebrow"><Glyph type={data.type} size={14} /> {data.type} <code>{data.id}</code></p>
      <h1 title={data.name ?? undefined}>{data.name ?? data.id}</h1>
      <p class="title-note"><span class={`state-word is-${data.state === "alive" ? "appears" : data.state === "over" ? "goes" : "changes"}`}>{STATES[data.state]}</span> at {written(position.value, unit.value, to - from)}; lived {data.lives.map((life, i) => <span key={life.created.tick}>{i > 0 && ", "}<LifeText life={life} /></span>)}{data.namespaces.length > 0 && <>; held by {data.namespaces.join(", ")}</>}</p>
      {(data.became.length > 0 || data.came_from.length > 0) && (
        <ul class="merges">
          {data.became.map(({ into, from: since }) => <li key={nodeKey(into)}>became <NodeName node={into} /> on <When time={since} /></li>)}
          {data.came_from.slice(0, 12).map(({ node, from: since }) => <li key={nodeKey(node)}><NodeName node={node} /> became this on <When time={since} /></li>)}
        </ul>
      )}
      <div class="actions">
        <a class="button main" href={hrefOf("explore", { root: nodeKey(data), selected: nodeKey(data) })}>Explore around it</a>
        <a class="button" href={hrefOf("predict", { type: data.type, node: nodeKey(data) })}>Predict</a>
        {data.resolves_to && <a class="button" href={hrefOf("node", { node: nodeKey(data.resolves_to) })}>Go to what it became</a>}
      </div>
    </header>
  );
}

function HistoryPanel({ base }: { base: string }) {
  const order = param("order") === "oldest" ? "oldest" : "newest";
  const pages = usePages<History, Happening>((cursor) => withQuery(`${base}/history`, { commit: clocks.value.commit, order, limit: 25, cursor }), (data) => data.history, `${base}${order}`);
  const now = position.value;
  return (
    <Panel title="History" aside={<Segments label="Order" value={order} options={[{ value: "newest", text: "Newest first" }, { value: "oldest", text: "Oldest first" }]} onChange={(value) => change({ order: value === "newest" ? null : value }, true)} />}>
      <ol class="history">
        {pages.items.map((row, i) => (
          <li key={i} class={tickOf(row.from) > now ? "is-later" : undefined}>
            <button class="when-button" title={`Look at ${row.from.iso ?? row.from.tick}`} onClick={() => lookAt(tickOf(row.from))}><When time={row.from} /></button>
            <span class={`history-dot is-${row.kind}`} aria-hidden="true" />
            <span class="history-what"><What row={row} /></span>
            <span class="history-until">{row.until ? <>until <When time={row.until} /></> : "open"}</span>
          </li>
        ))}
      </ol>
      <Pager pages={pages} what="entry" plural="entries" />
    </Panel>
  );
}

function What({ row }: { row: Happening }) {
  switch (row.kind) {
    case "life": return <>came to life</>;
    case "feature": return <><b>{row.feature}</b> was <ValueText value={row.value} /></>;
    case "edge": return <><NodeName node={row.edge.source} /> <b>{row.edge.relation}</b> <NodeName node={row.edge.destination} />{row.edge.key !== null && <span class="is-soft"> [{row.edge.key}]</span>}</>;
    case "merge": return <><NodeName node={row.node} /> became <NodeName node={row.into} /></>;
  }
}

