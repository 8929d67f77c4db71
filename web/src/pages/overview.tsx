// What a graph is made of at the time: types, how they are linked, what was loaded, how large and healthy it is.
import { graphName, hrefOf } from "../address";
import { graphPath, nodeKey, withQuery } from "../api/client";
import type { EdgeType, GraphInfo, Loads, Search } from "../api/types";
import { useAnswer } from "../api/use_answer";
import { useSize } from "../drawing/camera";
import { outline } from "../drawing/shapes";
import { Panel } from "../parts/controls";
import { Answered, Empty } from "../parts/state";
import { bytes, Glyph, lookOf, NodeName, number, When } from "../parts/values";
import { clocks, graph, position, settled, timeWindow, unit } from "../time/moment";
import { written } from "../time/ticks";

export function Overview() {
  const base = graphPath(graphName.value!);
  const answer = useAnswer<GraphInfo>(withQuery(base, clocks.value));
  const loads = useAnswer<Loads>(withQuery(`${base}/loads`, { limit: 6 }));
  const busy = useAnswer<Search>(graph.value?.span ? withQuery(`${base}/search`, { ...clocks.value, limit: 8 }) : null);
  const [from, to] = timeWindow.value;
  if (!graph.value?.span) return <><h1>{graph.value?.name}</h1><Empty title="Nothing has happened in this graph yet"><p>Load a stream of events, a release of an ontology or a table, and time begins.</p><a class="button main" href={hrefOf("loads", { new: "1" })}>Load something</a></Empty></>;
  return (
    <>
      <header class="title">
        <h1>{graph.value.name}</h1>
        <p class="title-note">{settled.value === null ? "at the end of time" : `at ${written(position.value, unit.value, to - from)}`}, as of commit {clocks.value.commit ?? graph.value.newest_commit}</p>
      </header>
      <Answered of={answer} rows={8}>{(info) => <Info info={info} />}</Answered>
      <div class="columns">
        <Panel title="Latest loads" aside={<a href={hrefOf("loads")}>All loads</a>}>
          <Answered of={loads}>{({ loads: rows }) => (
            <table class="rows"><thead><tr><th scope="col">Load</th><th scope="col">Version</th><th scope="col">Takes effect</th><th scope="col" class="is-number">Events</th></tr></thead>
              <tbody>{rows.map((row) => <tr key={row.id} class={row.state.is === "rolled_back" ? "is-void" : undefined}><td><a href={hrefOf("loads", { load: String(row.id) })}>{row.id}</a></td><td class="is-cut">{row.version ? `${row.namespace} ${row.version}` : row.source}</td><td><When time={row.at} open="" /></td><td class="is-number">{number(row.events)}</td></tr>)}</tbody></table>
          )}</Answered>
        </Panel>
        <Panel title="Most linked nodes" aside={<a href={hrefOf("explore")}>Explore</a>}>
          <Answered of={busy}>{({ nodes }) => <ul class="name-list">{nodes.map((node) => <li key={nodeKey(node)}><NodeName node={node} /><a class="button quiet small" href={hrefOf("explore", { root: nodeKey(node) })} aria-label={`Explore around ${node.name ?? node.id}`}>Explore</a></li>)}</ul>}</Answered>
        </Panel>
      </div>
    </>
  );
}

function Info({ info }: { info: GraphInfo }) {
  const size = info.bytes.log + info.bytes.index + info.bytes.models;
  return (
    <>
      <dl class="facts">
        <div><dt>Nodes</dt><dd>{number(info.nodes)}</dd></div>
        <div><dt>Edges</dt><dd>{number(info.edges)}</dd></div>
        <div><dt>Merges</dt><dd>{number(info.merges)}</dd></div>
        <div><dt>On disk</dt><dd>{bytes(size)}</dd></div>
        <div><dt>In memory</dt><dd>{bytes(info.bytes.resident)}</dd></div>
        <div><dt>Health</dt><dd class={`health is-${info.health.state}`}>{info.health.state === "ok" ? "sound" : info.health.state}</dd></div>
      </dl>
      {info.health.messages.map((message) => <p key={message} class="notice">{message}</p>)}
      {info.freshness.behind > 0 && <p class="notice">{number(info.freshness.behind)} commits are still to be taken in by this reader.</p>}
      <Panel title="How types are linked" aside={`${number(info.node_types.length)} types of nodes, ${number(info.edge_types.length)} of edges`} class="is-flush">
        <SchemaGraph info={info} />
        <div class="columns is-inner">
          <table class="rows"><thead><tr><th scope="col">Nodes of type</th><th scope="col" class="is-number">There are</th><th scope="col">Features</th></tr></thead>
            <tbody>{info.node_types.map((row) => <tr key={row.type}><td><Glyph type={row.type} /> {row.type}</td><td class="is-number">{number(row.nodes)}</td><td class="is-soft is-cut">{row.features.map(({ name }) => name).join(", ")}</td></tr>)}</tbody></table>
          <table class="rows"><thead><tr><th scope="col">Edges of type</th><th scope="col" class="is-number">There are</th></tr></thead>
            <tbody>{info.edge_types.map((row) => <tr key={nameOf(row)}><td><span class="triple">{row.source} <b>{row.relation}</b> {row.destination}</span></td><td class="is-number">{number(row.edges)}</td></tr>)}</tbody></table>
        </div>
      </Panel>
    </>
  );
}

const nameOf = (row: EdgeType): string => `${row.source} ${row.relation} ${row.destination}`;

/** Types around an ellipse, the largest first; each relation a line whose label stands at its middle. */
function SchemaGraph({ info }: { info: GraphInfo }) {
  const [ref, { width }] = useSize<HTMLDivElement>();
  const narrow = width < 560;
  const height = narrow ? 340 : 300;
  const types = [...info.node_types].sort((a, b) => b.nodes - a.nodes || (a.type < b.type ? -1 : 1));
  const most = Math.max(1, ...types.map((row) => row.nodes));
  const place = new Map(types.map((row, i) => {
    const angle = (2 * Math.PI * i) / types.length - Math.PI * (types.length === 2 ? 1 : 0.78);
    const [rx, ry] = types.length === 1 ? [0, 0] : [Math.min(width * 0.34, 360), height * 0.31];
    return [row.type, { x: width / 2 + rx * Math.cos(angle), y: height / 2 + ry * Math.sin(angle), r: 15 + 17 * Math.sqrt(row.nodes / most), nodes: row.nodes }];
  }));
  const pairs = new Map<string, EdgeType[]>();
  for (const row of info.edge_types) { const key = [row.source, row.destination].sort().join(" "); pairs.set(key, [...(pairs.get(key) ?? []), row]); }
  const top = Math.max(1, ...info.edge_types.map((row) => row.edges));
  const taken: Box[] = [];
  const arcs = [...pairs.values()].flatMap((rows) => rows.map((row, i) => ({ row, ...arcOf({ row, a: place.get(row.source)!, b: place.get(row.destination)!, bend: (i - (rows.length - 1) / 2) * 62, wide: 1 + 3.5 * Math.sqrt(row.edges / top), middle: { x: width / 2, y: height / 2 }, taken }) })));
  return (
    <div class="schema" ref={ref}>
      {width > 0 && (
        <svg width={width} height={height} role="img" aria-label={`Types and relations: ${info.edge_types.map(nameOf).join(", ")}`}>
          {arcs.map(({ row, lines }) => <g key={nameOf(row)} class="schema-edge">{lines}</g>)}
          {arcs.map(({ row, text }) => <g key={nameOf(row)} class="schema-edge">{text}</g>)}
          {[...place].map(([type, { x, y, r, nodes }]) => (
            <g key={type} class={`schema-node type-${lookOf(type) % 8}`} transform={`translate(${x} ${y})`}>
              <path d={outline(lookOf(type), r)} /><text class="schema-count" y="4" text-anchor="middle">{nodes >= 10_000 ? `${Math.round(nodes / 1_000)}k` : nodes}</text><text class="schema-type" y={r + (lookOf(type) % 8 === 2 ? 21 : 18)} text-anchor="middle">{type}</text>
            </g>
          ))}
        </svg>
      )}
    </div>
  );
}

type Spot = { x: number; y: number; r: number };

type Box = { x: number; y: number; half: number };

/** Where along a curve its label meets no other. */
function freeSpot(taken: Box[], half: number, at: (t: number) => { x: number; y: number }): { x: number; y: number } {
  const spots = [0.5, 0.4, 0.6, 0.32, 0.68, 0.25, 0.75].map(at);
  const free = spots.find(({ x, y }) => !taken.some((box) => Math.abs(box.y - y) < 18 && Math.abs(box.x - x) < box.half + half)) ?? spots[0]!;
  taken.push({ ...free, half });
  return free;
}

type ArcOf = { row: EdgeType; a: Spot; b: Spot; bend: number; wide: number; middle: { x: number; y: number }; taken: Box[] };

/** The lines of a relation, and its label, which lies above the lines of all. */
function arcOf({ row, a, b, bend, wide, middle, taken }: ArcOf) {
  const text = `${row.relation} ${number(row.edges)}`;
  if (a === b) {
    const out = a.x < middle.x ? -1 : 1;
    const [x, y] = [a.x + out * (a.r + 34), a.y];
    return {
      lines: <path stroke-width={wide} d={`M${a.x + out * a.r * 0.7} ${a.y - a.r * 0.8}C${x} ${y - a.r - 16} ${x} ${y + a.r + 16} ${a.x + out * a.r * 0.7} ${a.y + a.r * 0.8}`} />,
      text: middle.x < 280 ? <text x={Math.min(2 * middle.x - 6, Math.max(6, a.x))} y={a.y - a.r - 10} text-anchor="middle">{text}</text> : <text x={x - out * 4} y={y + 4} text-anchor={out < 0 ? "end" : "start"}>{text}</text>,
    };
  }
  const [dx, dy] = [b.x - a.x, b.y - a.y];
  const length = Math.hypot(dx, dy) || 1;
  const side = a.x < b.x || (a.x === b.x && a.y < b.y) ? 1 : -1;
  const [cx, cy] = [(a.x + b.x) / 2 - (dy / length) * bend * side, (a.y + b.y) / 2 + (dx / length) * bend * side];
  const spot = freeSpot(taken, text.length * 3.6 + 4, (t) => ({ x: (1 - t) ** 2 * a.x + 2 * t * (1 - t) * cx + t * t * b.x, y: (1 - t) ** 2 * a.y + 2 * t * (1 - t) * cy + t * t * b.y }));
  const far = Math.hypot(b.x - cx, b.y - cy) || 1;
  const [ux, uy] = [(b.x - cx) / far, (b.y - cy) / far];
  const [ex, ey] = [b.x - ux * (b.r + 8), b.y - uy * (b.r + 8)];
  const head = 8;
  return {
    lines: <><path stroke-width={wide} d={`M${a.x} ${a.y}Q${cx} ${cy} ${ex} ${ey}`} /><path class="schema-head" d={`M${ex - ux * head + uy * 5} ${ey - uy * head - ux * 5}L${ex} ${ey}L${ex - ux * head - uy * 5} ${ey - uy * head + ux * 5}`} /></>,
    text: <text x={spot.x} y={spot.y + 4} text-anchor="middle">{text}</text>,
  };
}
