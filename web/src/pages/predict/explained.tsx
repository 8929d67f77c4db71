// Why an answer got its score: what was counted, whom each end listened to, what memory holds, and what would be without one of them.
import { change, graphName, param, params } from "../../address";
import { graphPath, nodeKey, nodeOfKey } from "../../api/client";
import type { Counter, Explanation, Heard } from "../../api/types";
import { useSent } from "../../api/use_sent";
import { Panel } from "../../parts/controls";
import { Answered } from "../../parts/state";
import { NodeName, number, signed } from "../../parts/values";
import { timeWindow, unit } from "../../time/moment";
import { before, shareOf, tickOf } from "../../time/ticks";
import { PushDrawing } from "./push_drawing";

type Props = { model: string; source: { type: string; id: string }; destination: { type: string; id: string } | null; relation: string | null; when: string | null };

export function Explained({ model, source, destination, relation, when }: Props) {
  const without = params("without");
  const answer = useSent<Explanation>(`${graphPath(graphName.value!)}/explain`, { model, source, destination, relation, at: when, without: without.map(nodeOfKey) }, `${nodeKey(source)} ${destination ? nodeKey(destination) : ""}`);
  return (
    <Panel title="Why">
      <Answered of={answer} rows={8}>{(data) => <Story data={data} without={without} />}</Answered>
    </Panel>
  );
}

function Story({ data, without }: { data: Explanation; without: string[] }) {
  const { source, destination, relation, score, lead, counting } = data;
  return (
    <>
      <p class="question"><NodeName node={source} /> <b>{relation ?? "goes"}</b> {destination && <NodeName node={destination} />}</p>
      <p class="lead-text">It scores <b>{score.toFixed(2)}</b>, {signed(lead)} beside other candidates.{counting !== null && <> Counting alone gave {signed(counting)}.</>}</p>
      {data.without && <p class="notice">Without {data.without.nodes.map((node) => node.name ?? node.id).join(" and ")} it would score <b>{data.without.score.toFixed(2)}</b>: {signed(data.without.score - score)}. <button class="link" onClick={() => change({ without: null }, true)}>Put back</button></p>}
      {data.warnings.map((warning) => <p key={warning} class="notice">{warning}</p>)}
      <PushDrawing data={data} />
      <p class="drawing-key"><span class="push-key is-for">speaks for it</span><span class="push-key is-against">speaks against it</span><span>the thicker, the more</span></p>
      <h3>Whom it listened to</h3>
      <NeighborRows data={data} without={without} />
      <h3>What was counted before</h3>
      <ul class="counters">{data.counters.map((counter) => <li key={counter.what}>{counterText(counter, data)}</li>)}{data.counters.length === 0 && <li>This model counts nothing.</li>}</ul>
      <h3>Moments that memory holds</h3>
      <MemoryLane data={data} />
    </>
  );
}

function counterText({ what, n, last }: Counter, { at, source, destination, relation }: Explanation) {
  const name = (node: { name: string | null; id: string } | null): string => node?.name ?? node?.id ?? "it";
  const times = `${number(n)} ${n === 1 ? "time" : "times"}${n > 0 ? `, last ${before(last, tickOf(at), unit.value)}` : ""}`;
  switch (what) {
    case "pair": return <>This very pair: {times}</>;
    case "reversed": return <>The same the other way round: {times}</>;
    case "to_destination": return <>Anybody {relation} {name(destination)}: {times}</>;
    case "from_destination": return <>{name(destination)} {relation} anything: {times}</>;
    case "from_source": return <>{name(source)} {relation} anything: {times}</>;
  }
}

const SHOWN = 6;

function NeighborRows({ data, without }: { data: Explanation; without: string[] }) {
  const all = param("heard") === "all";
  const rows = [...data.neighbors].sort((a, b) => Math.abs(b.push) - Math.abs(a.push));
  const most = Math.max(1e-9, ...rows.map(({ push }) => Math.abs(push)));
  return (
    <>
      <ul class="heard">
        {(all ? rows : rows.slice(0, SHOWN)).map((row, i) => <HeardRow key={i} row={row} most={most} data={data} off={without.includes(nodeKey(row.node))} without={without} />)}
      </ul>
      {rows.length > SHOWN && <button class="button quiet small" onClick={() => change({ heard: all ? null : "all" }, true)}>{all ? "Fewer" : `All ${rows.length}`}</button>}
    </>
  );
}

function HeardRow({ row, most, data, off, without }: { row: Heard; most: number; data: Explanation; off: boolean; without: string[] }) {
  const key = nodeKey(row.node);
  const end = row.at === "source" ? data.source : data.destination;
  return (
    <li class={off ? "is-off" : undefined}>
      <span class="heard-name"><NodeName node={row.node} /><span class="is-soft">{row.outward ? `${end?.name ?? end?.id} ${row.relation} it` : `${row.relation} ${end?.name ?? end?.id}`}, {before(row.created, tickOf(data.at), unit.value)}</span></span>
      <span class="push" aria-hidden="true"><span class={row.push < 0 ? "is-against" : "is-for"} style={row.push < 0 ? { right: "50%", width: `${(-row.push / most) * 50}%` } : { left: "50%", width: `${(row.push / most) * 50}%` }} /></span>
      <span class="push-n">{signed(row.push)}</span>
      <button class="button small" aria-pressed={off} aria-label={`${off ? "With" : "Without"} ${row.node.name ?? row.node.id}`} onClick={() => change({ without: off ? without.filter((one) => one !== key) : [...without, key] }, true)}>{off ? "Put back" : "Without"}</button>
    </li>
  );
}

/** Past moments on the window, above the line what speaks for it, below what speaks against. */
function MemoryLane({ data }: { data: Explanation }) {
  const [from, to] = timeWindow.value;
  const most = Math.max(1e-9, ...data.memory.map(({ push }) => Math.abs(push)));
  if (data.memory.length === 0) return <p class="none">It holds nothing that matters here.</p>;
  return (
    <>
      <svg class="memory" viewBox="0 0 600 76" preserveAspectRatio="none" role="img" aria-label={`${data.memory.length} moments of memory`}>
        <path class="lane-base" d="M0 38H600" />
        {data.memory.map((row, i) => {
          const x = 6 + 588 * Math.min(1, Math.max(0, shareOf(tickOf(row.time), from, to)));
          return <path key={i} class={row.push < 0 ? "is-against" : "is-for"} d={`M${x} 38V${38 - (row.push / most) * 32}`}><title>{`${row.what}: ${signed(row.push)}`}</title></path>;
        })}
      </svg>
      <ul class="memory-list">{data.memory.slice(0, 4).map((row, i) => <li key={i}><span class={`push-key ${row.push < 0 ? "is-against" : "is-for"}`}>{signed(row.push)}</span> {row.what}, {before(row.time, tickOf(data.at), unit.value)}</li>)}</ul>
    </>
  );
}
