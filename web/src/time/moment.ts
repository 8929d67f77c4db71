// The moment that the page shows: time, window and step as signals, which the address follows.
import { batch, computed, signal } from "@preact/signals";
import { address, change, param, waiting } from "../address";
import type { GraphInfo, Unit } from "../api/types";
import { clamp, isoOf, parseTick, shareOf, stepFor, tickOf, type Tick } from "./ticks";

/** The graph that is open; null until it is known. */
export const graph = signal<GraphInfo | null>(null);
/** The time that is looked at; null is the end of time. */
export const at = signal<Tick | null>(null);
const chosenWindow = signal<[Tick, Tick] | null>(null);
const chosenStep = signal<Tick | null>(null);
/** The time once it has stood still for a moment: what questions to the server use. */
export const settled = signal<Tick | null>(null);
export const playing = signal(false);
/** Times at which something of what the page shows begins, changes or ends. */
export const marks = signal<Tick[]>([]);

export const unit = computed<Unit>(() => graph.value?.unit ?? "s");
export const span = computed<[Tick, Tick] | null>(() => {
  const of = graph.value?.span;
  return of ? [tickOf(of.from), tickOf(of.to)] : null;
});
export const timeWindow = computed<[Tick, Tick]>(() => chosenWindow.value ?? span.value ?? [0n, 1n]);
/** How long what appears and what goes is marked: one step. */
export const step = computed<Tick>(() => chosenStep.value ?? stepFor(timeWindow.value[1] - timeWindow.value[0], unit.value));
export const stepIsChosen = computed(() => chosenStep.value !== null);
/** Where the handle stands. */
export const position = computed<Tick>(() => clamp(at.value ?? timeWindow.value[1], timeWindow.value[0], timeWindow.value[1]));
export const share = computed(() => shareOf(position.value, timeWindow.value[0], timeWindow.value[1]));

let timer: ReturnType<typeof setTimeout> | undefined;
let writing = false;

const text = (t: Tick): string => isoOf(t, unit.value);

/** The address catches up once time stands still: browsers limit how often it may change. */
function follow(): void {
  clearTimeout(timer);
  waiting.write = write;
  timer = setTimeout(() => { if (waiting.write === write) { waiting.write = null; write(); } }, 160);
}

function write(): void {
  clearTimeout(timer);
  settled.value = at.value;
  writing = true;
  const of = chosenWindow.value;
  change({ at: at.value === null ? null : text(at.value), from: of ? text(of[0]) : null, to: of ? text(of[1]) : null, step: chosenStep.value === null ? null : String(chosenStep.value) }, true);
  writing = false;
}

/** Looks at a time; null is the end of time. */
export function lookAt(t: Tick | null): void {
  const whole = span.value;
  if (!whole) return;
  at.value = t;
  if (t !== null) {
    const [from, to] = timeWindow.value;
    if (t < from || t > to) chosenWindow.value = null;
  }
  follow();
}

/** Narrows or widens the window; the whole span is no choice. */
export function setWindow(from: Tick, to: Tick): void {
  const whole = span.value;
  if (!whole) return;
  const width = (whole[1] - whole[0]) / 200n || 1n;
  const [a, b] = [clamp(from, whole[0], whole[1] - width), clamp(to, whole[0] + width, whole[1])];
  const end = b < a + width ? a + width : b;
  batch(() => {
    chosenWindow.value = a === whole[0] && end === whole[1] ? null : [a, end];
    if (at.value !== null) at.value = clamp(at.value, a, end);
  });
  follow();
}

export function setStep(ticks: Tick | null): void {
  chosenStep.value = ticks;
  follow();
}

/** Moves by some steps; at the end of the window it stays. */
export function move(steps: number): void {
  const [from, to] = timeWindow.value;
  lookAt(clamp(position.value + step.value * BigInt(steps), from, to));
}

/** Moves to the next time (or the one before) at which something happens to what is shown; by one step where nothing is marked. */
export function moveToMark(direction: 1 | -1): void {
  const here = position.value;
  const [from, to] = timeWindow.value;
  const near = direction > 0 ? marks.value.find((t) => t > here) : marks.value.findLast((t) => t < here);
  if (near === undefined && marks.value.length === 0) move(direction);
  else lookAt(clamp(near ?? (direction > 0 ? to : from), from, to));
}

/** Reads time, window and step from the address when that changed by a link or the browser's buttons. */
export function followAddress(): void {
  address.subscribe(() => {
    if (writing || !graph.peek()) return;
    takeFromAddress();
  });
}

/** Takes the state of time from the address. What it can't read is left out. */
export function takeFromAddress(): void {
  const of = (name: string): Tick | null => parseTick(param(name) ?? "", unit.value);
  clearTimeout(timer);
  waiting.write = null;
  batch(() => {
    const [from, to] = [of("from"), of("to")];
    at.value = of("at");
    settled.value = at.value;
    chosenWindow.value = from !== null && to !== null && from < to ? [from, to] : null;
    const size = param("step");
    chosenStep.value = size && /^\d+$/.test(size) && BigInt(size) > 0n ? BigInt(size) : null;
  });
}

/** The two clocks as questions to the server. */
export const clocks = computed(() => ({ at: settled.value === null ? null : text(settled.value), commit: param("commit"), deletes: param("deletes") }));
