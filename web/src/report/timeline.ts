// The bars of a report's slider: counted here from the lives that are drawn, since a file has no server to ask.
import type { Subgraph, Timeline } from "../api/types";
import { isoOf, type Tick } from "../time/ticks";

const BINS = 160n;

export function timelineOf({ nodes, edges, unit, commit }: Subgraph, from: Tick, to: Tick): Timeline {
  const bins = to - from + 1n < BINS ? to - from + 1n : BINS;
  const border = (i: bigint): Tick => from + ((to + 1n - from) * i) / bins;
  const count = (): number[] => Array.from({ length: Number(bins) }, () => 0);
  const counts = { created: count(), updated: count(), removed: count() };
  const note = (list: number[], text: string | null): void => {
    if (text === null) return;
    const t = BigInt(text);
    if (t < from || t > to) return;
    let at = Number(((t - from) * bins) / (to + 1n - from));
    while (at + 1 < list.length && border(BigInt(at + 1)) <= t) at++;
    list[at]!++;
  };
  for (const { lives, changes } of [...nodes, ...edges]) {
    for (const [created, removed] of lives) { note(counts.created, created); note(counts.removed, removed); }
    changes.forEach((t) => note(counts.updated, t));
  }
  const time = (t: Tick) => ({ tick: String(t), iso: isoOf(t, unit) });
  return { commit, unit, from: time(from), to: time(to), edges: Array.from({ length: Number(bins) + 1 }, (_, i) => String(border(BigInt(i)))), ...counts, loads: [] };
}
