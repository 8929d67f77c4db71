// The labelled ticks of an axis of time.
import type { Unit } from "../api/types";
import { isoOf, perSecond, round, type Tick } from "./ticks";

export type AxisTick = { at: Tick; text: string; strong: boolean };
const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");
const DAY = 86_400;

function ofSteps(from: Tick, to: Tick, count: number): AxisTick[] {
  const size = round((to - from) / BigInt(Math.max(1, count)));
  const first = ((from + size - 1n) / size) * size;
  const ticks: AxisTick[] = [];
  for (let t = first; t <= to; t += size) ticks.push({ at: t, text: String(t), strong: false });
  return ticks;
}

function ofMonths(from: Date, to: Date, months: number, tick: (date: Date) => Tick): AxisTick[] {
  const ticks: AxisTick[] = [];
  const first = from.getUTCFullYear() * 12 + from.getUTCMonth();
  for (let m = Math.ceil(first / months) * months; ; m += months) {
    const date = new Date(Date.UTC(Math.floor(m / 12), m % 12, 1));
    if (date > to) return ticks;
    if (date < from) continue;
    const year = m % 12 === 0;
    ticks.push({ at: tick(date), text: year ? String(Math.floor(m / 12)) : MONTHS[m % 12]!, strong: year });
  }
}

function ofSeconds(from: number, to: number, size: number, unit: Unit): AxisTick[] {
  const ticks: AxisTick[] = [];
  for (let s = Math.ceil(from / size) * size; s <= to; s += size) {
    const at = BigInt(s) * perSecond(unit);
    const iso = isoOf(at, unit);
    const midnight = s % DAY === 0;
    ticks.push({ at, text: midnight || size >= DAY ? `${Number(iso.slice(8, 10))} ${MONTHS[Number(iso.slice(5, 7)) - 1]}` : iso.slice(11, size < 60 ? 19 : 16), strong: midnight && size < DAY });
  }
  return ticks;
}

/** At most about `count` ticks of round times between two. */
export function axis(from: Tick, to: Tick, unit: Unit, count: number): AxisTick[] {
  const per = perSecond(unit);
  if (unit === "step" || (to - from) / per < 3n) return ofSteps(from, to, count);
  const [start, end] = [Number(from / per), Number(to / per)];
  if (Math.abs(start) > 8e12 || Math.abs(end) > 8e12) return ofSteps(from, to, count);
  const wanted = (end - start) / Math.max(1, count);
  const size = [1, 5, 15, 30, 60, 300, 900, 1_800, 3_600, 10_800, 21_600, 43_200, DAY, 2 * DAY, 7 * DAY, 14 * DAY].find((s) => s >= wanted);
  if (size) return ofSeconds(start, end, size, unit);
  const months = [1, 2, 3, 6, 12, 24, 60, 120, 240, 600, 1_200, 6_000].find((m) => m * 30.4 * DAY >= wanted) ?? 12_000;
  return ofMonths(new Date(start * 1_000), new Date(end * 1_000), months, (date) => BigInt(date.getTime() / 1_000) * per);
}
