// The slider: above the window with the handle of time, below the whole span with the brush that is the window.
import { useSize } from "../drawing/camera";
import { graphName } from "../address";
import { graphPath, withQuery } from "../api/client";
import type { Timeline } from "../api/types";
import { useAnswer } from "../api/use_answer";
import { axis } from "./axis";
import { Histogram } from "./histogram";
import { at, clocks, lookAt, marks, move, moveToMark, playing, position, setWindow, share, span, step, timeWindow, unit } from "./moment";
import { isoOf, shareOf, tickAt, written, type Tick } from "./ticks";

/** Follows a pointer over an element until it is let go, as shares of the element's width. */
function drag(event: PointerEvent, element: Element, moved: (share: number) => void): void {
  if (event.button !== 0) return;
  event.preventDefault();
  const box = element.getBoundingClientRect();
  const shareOfEvent = (at: PointerEvent): number => (at.clientX - box.left) / box.width;
  const follow = (next: PointerEvent): void => moved(shareOfEvent(next));
  const end = (): void => {
    removeEventListener("pointermove", follow);
    removeEventListener("pointerup", end);
    removeEventListener("pointercancel", end);
  };
  addEventListener("pointermove", follow);
  addEventListener("pointerup", end);
  addEventListener("pointercancel", end);
  moved(shareOfEvent(event));
}

const percent = (n: number): string => `${(Math.min(1, Math.max(0, n)) * 100).toFixed(3)}%`;
/** A slider's value must be a number: thousandths of its range. */
const thousandths = (n: number): number => Math.round(n * 1_000);

/** The slider. `given` is the timeline where it is known already, as in a report. */
export function Slider({ given = null }: { given?: Timeline | null }) {
  const [from, to] = timeWindow.value;
  const whole = span.value!;
  const base = `${graphPath(graphName.value ?? "")}/timeline`;
  const commit = clocks.value.commit;
  const narrowed = from !== whole[0] || to !== whole[1];
  const all = useAnswer<Timeline>(given ? null : withQuery(base, { bins: 200, commit }));
  const part = useAnswer<Timeline>(narrowed && !given ? withQuery(base, { bins: 200, from: isoOf(from, unit.value), to: isoOf(to, unit.value), commit }) : null);
  return (
    <div class="slider">
      <Track timeline={given ?? (narrowed ? (part.data ?? all.data) : all.data)} />
      <Brush timeline={given ?? all.data} whole={whole} />
    </div>
  );
}

/** The window: what happened, marks of what is shown, the handle. */
function Track({ timeline }: { timeline: Timeline | null }) {
  const [ref, { width }] = useSize<HTMLDivElement>();
  const [from, to] = timeWindow.value;
  const here = share.value;
  const trail = shareOf(position.value - step.value, from, to);
  const seek = (n: number): void => { playing.value = false; lookAt(tickAt(n, from, to)); };
  const onKeyDown = (event: KeyboardEvent): void => {
    const direction = event.key === "ArrowRight" || event.key === "ArrowUp" ? 1 : event.key === "ArrowLeft" || event.key === "ArrowDown" ? -1 : 0;
    if (direction !== 0) event.shiftKey ? moveToMark(direction) : move(direction);
    else if (event.key === "PageUp") move(10);
    else if (event.key === "PageDown") move(-10);
    else if (event.key === "Home") lookAt(from);
    else if (event.key === "End") lookAt(to);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div class="track" ref={ref} onPointerDown={(event) => drag(event, event.currentTarget, seek)}>
      {timeline && width > 0 && <Histogram timeline={timeline} from={from} to={to} width={width} height={44} />}
      {timeline?.loads.map((load) => { const x = shareOf(BigInt(load.at.tick), from, to); return x < 0 || x > 1 ? null : <span key={load.id} class="load-mark" style={{ left: percent(x) }} title={`load ${load.id}: ${load.namespace ?? ""} ${load.version ?? ""}`} />; })}
      <Marks width={width} from={from} to={to} />
      <div class="trail" style={{ left: percent(trail), width: percent(here - Math.max(0, trail)) }} />
      <div class="handle" style={{ left: percent(here) }} role="slider" tabIndex={0} aria-label="Time" aria-valuemin={0} aria-valuemax={1000} aria-valuenow={thousandths(here)} aria-valuetext={at.value === null ? `end of time, shown at ${written(position.value, unit.value, to - from)}` : isoOf(at.value, unit.value)} onKeyDown={onKeyDown}><span class="grip" /></div>
      <Axis from={from} to={to} width={width} />
    </div>
  );
}

/** One stroke for each moment at which something of what is shown begins, changes or ends. */
function Marks({ width, from, to }: { width: number; from: Tick; to: Tick }) {
  if (width === 0 || marks.value.length === 0) return null;
  const columns = new Set(marks.value.filter((t) => t >= from && t <= to).map((t) => Math.round(shareOf(t, from, to) * width)));
  return <svg class="marks" width={width} height={7} aria-hidden="true"><path d={[...columns].map((x) => `M${x} 0v7`).join("")} /></svg>;
}

function Axis({ from, to, width }: { from: Tick; to: Tick; width: number }) {
  return (
    <div class="axis" aria-hidden="true">
      {axis(from, to, unit.value, Math.max(2, Math.floor(width / 84))).map((tick) => {
        const x = shareOf(tick.at, from, to);
        return <span key={String(tick.at)} class={`axis-tick${tick.strong ? " is-strong" : ""}${x * width > width - 20 ? " is-last" : x * width < 20 ? " is-first" : ""}`} style={{ left: percent(x) }}>{tick.text}</span>;
      })}
    </div>
  );
}

/** The whole span; the brush is the window. */
function Brush({ timeline, whole }: { timeline: Timeline | null; whole: [Tick, Tick] }) {
  const [ref, { width }] = useSize<HTMLDivElement>();
  const [from, to] = timeWindow.value;
  const [a, b] = [shareOf(from, ...whole), shareOf(to, ...whole)];
  const moveWindow = (event: PointerEvent): void => {
    event.stopPropagation();
    let last: number | null = null;
    drag(event, ref.current!, (n) => {
      const gap = last === null ? 0 : n - last;
      last = n;
      const [start, end] = timeWindow.value;
      const [left, right] = [shareOf(start, ...whole), shareOf(end, ...whole)];
      const by = Math.min(1 - right, Math.max(-left, gap));
      if (by !== 0) setWindow(tickAt(left + by, ...whole), tickAt(left + by, ...whole) + (end - start));
    });
  };
  const draw = (event: PointerEvent): void => {
    let first: number | null = null;
    drag(event, ref.current!, (n) => {
      first ??= n;
      if (Math.abs(n - first) > 0.01) setWindow(tickAt(Math.min(n, first), ...whole), tickAt(Math.max(n, first), ...whole));
    });
  };
  return (
    <div class="brush" ref={ref} onPointerDown={draw}>
      {timeline && width > 0 && <Histogram timeline={timeline} from={whole[0]} to={whole[1]} width={width} height={18} />}
      <div class="shade" style={{ left: "0", width: percent(a) }} /><div class="shade" style={{ left: percent(b), width: percent(1 - b) }} />
      <div class="window" style={{ left: percent(a), width: percent(b - a) }} onPointerDown={moveWindow} />
      <Edge name="Window start" at={from} x={a} whole={whole} move={(t) => setWindow(t, timeWindow.value[1])} track={ref} />
      <Edge name="Window end" at={to} x={b} whole={whole} move={(t) => setWindow(timeWindow.value[0], t)} track={ref} />
    </div>
  );
}

type EdgeProps = { name: string; at: Tick; x: number; whole: [Tick, Tick]; move: (t: Tick) => void; track: { current: HTMLDivElement | null } };

function Edge({ name, at: here, x, whole, move: to, track }: EdgeProps) {
  const onKeyDown = (event: KeyboardEvent): void => {
    const size = (whole[1] - whole[0]) / (event.shiftKey ? 20n : 200n) || 1n;
    if (event.key === "ArrowRight" || event.key === "ArrowUp") to(here + size);
    else if (event.key === "ArrowLeft" || event.key === "ArrowDown") to(here - size);
    else if (event.key === "Home") to(whole[0]);
    else if (event.key === "End") to(whole[1]);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div class="brush-edge" style={{ left: percent(x) }} role="slider" tabIndex={0} aria-label={name} aria-valuemin={0} aria-valuemax={1000} aria-valuenow={thousandths(x)} aria-valuetext={isoOf(here, unit.value)}
      onPointerDown={(event) => { event.stopPropagation(); drag(event, track.current!, (n) => to(tickAt(n, ...whole))); }} onKeyDown={onKeyDown} />
  );
}
