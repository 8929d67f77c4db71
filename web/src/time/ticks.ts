// Times are 64-bit ticks of the graph's unit. They are bigint here: a number is exact to 2^53 only.
import type { Time, Unit } from "../api/types";

export type Tick = bigint;
const PER_SECOND: Record<Exclude<Unit, "step">, bigint> = { s: 1n, ms: 1_000n, us: 1_000_000n, ns: 1_000_000_000n };
const FURTHEST = 8_640_000_000_000n;

export const least = (a: Tick, b: Tick): Tick => (a < b ? a : b);
export const most = (a: Tick, b: Tick): Tick => (a > b ? a : b);
export const clamp = (t: Tick, from: Tick, to: Tick): Tick => most(from, least(t, to));

function floorDivide(a: bigint, b: bigint): bigint {
  const q = a / b;
  return a % b < 0n ? q - 1n : q;
}

/** Ticks a second; 1 in a graph of steps. */
export const perSecond = (unit: Unit): bigint => (unit === "step" ? 1n : PER_SECOND[unit]);

export const tickOf = (time: Time): Tick => BigInt(time.tick);

/** RFC 3339 with all digits of the unit that are not zero; ticks where there is no such text. */
export function isoOf(t: Tick, unit: Unit): string {
  if (unit === "step") return String(t);
  const per = PER_SECOND[unit];
  const seconds = floorDivide(t, per);
  if (seconds > FURTHEST || seconds < -FURTHEST) return String(t);
  const text = new Date(Number(seconds) * 1_000).toISOString();
  if (!/^\d{4}-/.test(text)) return String(t);
  const rest = t - seconds * per;
  const fraction = rest === 0n ? "" : `.${String(rest).padStart(String(per).length - 1, "0").replace(/0+$/, "")}`;
  return `${text.slice(0, 19)}${fraction}Z`;
}

/** The tick of what a person wrote: ticks, a date, a date and a time (UTC if it names no zone). One between two ticks is the tick before. */
export function parseTick(text: string, unit: Unit): Tick | null {
  const clean = text.trim();
  if (/^-?\d+$/.test(clean) && (unit === "step" || clean.replace("-", "").length > 4)) return BigInt(clean);
  if (unit === "step") return null;
  const parts = /^(\d{4})(?:-(\d\d))?(?:-(\d\d))?(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d+))?)?)?(Z|[+-]\d\d:?\d\d)?$/.exec(clean);
  if (!parts) return null;
  const [, year, month = "01", day = "01", hour = "00", minute = "00", second = "00", fraction = "", zone = "Z"] = parts;
  const ms = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}${zone}`);
  if (Number.isNaN(ms)) return null;
  const per = PER_SECOND[unit];
  const digits = String(per).length - 1;
  const rest = digits === 0 ? 0n : BigInt(fraction.slice(0, digits).padEnd(digits, "0") || "0");
  return (BigInt(ms) / 1_000n) * per + rest;
}

/** What is wrong with a text that should be a time, or nothing at all; null where it is right. */
export const wrongTime = (text: string, unit: Unit): string | null => (text.trim() === "" || parseTick(text, unit) !== null ? null : unit === "step" ? "Not a step: a whole number" : "Not a time: 2024-03-01 or 2024-03-01 09:00");

/** How a tick is written for people, as fine as a window of `width` ticks needs. */
export function written(t: Tick, unit: Unit, width: Tick): string {
  if (unit === "step") return grouped(t);
  const iso = isoOf(t, unit);
  if (!iso.includes("T")) return iso;
  const seconds = width / PER_SECOND[unit];
  const [date, clock] = [iso.slice(0, 10), iso.slice(11, -1)];
  if (seconds > 86_400n * 60n) return date;
  if (seconds > 86_400n) return `${date} ${clock.slice(0, 5)}`;
  return `${date} ${seconds > 120n ? clock.slice(0, 8) : clock}`;
}

/** A time of an answer, written for a table. */
export function writtenTime(time: Time | null, open: string): string {
  if (!time) return open;
  if (!time.iso) return grouped(BigInt(time.tick));
  return time.iso.endsWith("T00:00:00Z") ? time.iso.slice(0, 10) : time.iso.replace("T", " ").replace(/:\d\d(\.\d+)?Z$/, "").replace(/Z$/, "");
}

const grouped = (t: bigint): string => String(t).replace(/\B(?=(\d{3})+(?!\d))/g, ",");

/** Where a tick lies in a window, from 0 to 1. */
export const shareOf = (t: Tick, from: Tick, to: Tick): number => (to === from ? 1 : Number(((t - from) * 1_000_000n) / (to - from)) / 1_000_000);

/** The tick at a share of a window. */
export const tickAt = (share: number, from: Tick, to: Tick): Tick => from + ((to - from) * BigInt(Math.round(Math.min(1, Math.max(0, share)) * 1_000_000))) / 1_000_000n;

const MINUTE = 60n, HOUR = 3_600n, DAY = 86_400n;
const STEPS = [1n, 5n, 15n, MINUTE, 5n * MINUTE, 15n * MINUTE, HOUR, 6n * HOUR, DAY, 7n * DAY, 30n * DAY, 365n * DAY, 3_650n * DAY];

/** A step of a round length, of which some forty fill the window. */
export function stepFor(width: Tick, unit: Unit): Tick {
  const wanted = width / 45n;
  if (unit === "step") return round(wanted);
  const per = PER_SECOND[unit];
  if (wanted < per) return round(wanted);
  return per * (STEPS.findLast((s) => s * per * 10n <= wanted * 12n) ?? 1n);
}

/** The next of 1, 2, 5, 10, 20, 50, … that is not less. */
export function round(wanted: bigint): bigint {
  let ten = 1n;
  while (ten * 10n <= wanted) ten *= 10n;
  return [1n, 2n, 5n, 10n].map((f) => f * ten).find((s) => s >= wanted) ?? 1n;
}

/** A length of time in words: "1 week", "3 steps". */
export function lengthOf(ticks: Tick, unit: Unit): string {
  if (unit === "step") return many(ticks, "step");
  const per = PER_SECOND[unit];
  if (ticks < per) return `${ticks} ${unit}`;
  const seconds = ticks / per;
  for (const [name, size] of [["year", 365n * DAY], ["month", 30n * DAY], ["week", 7n * DAY], ["day", DAY], ["hour", HOUR], ["minute", MINUTE]] as const) {
    if (seconds >= size) return many((seconds + size / 2n) / size, name);
  }
  return many(seconds, "second");
}

const many = (n: bigint, what: string): string => `${grouped(n)} ${what}${n === 1n ? "" : "s"}`;

/** How long before `now` a time was: "2 days before". */
export function before(time: Time | null, now: Tick, unit: Unit): string {
  if (!time) return "never";
  const gap = now - BigInt(time.tick);
  return gap <= 0n ? "at that time" : `${lengthOf(gap, unit)} before`;
}
