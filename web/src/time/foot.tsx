// The foot of every page: how time is moved, and as of which commit.
import { useEffect, useState } from "preact/hooks";
import type { Timeline } from "../api/types";
import { change, param } from "../address";
import { Select, TextField } from "../parts/controls";
import { Icon } from "../parts/icon";
import { at, graph, lookAt, marks, move, moveToMark, playing, position, setStep, setWindow, span, step, stepIsChosen, timeWindow, unit } from "./moment";
import { Slider } from "./slider";
import { isoOf, lengthOf, parseTick, perSecond, stepFor, written, wrongTime, type Tick } from "./ticks";

const PACE = 420;

function usePlay(): void {
  const on = playing.value;
  useEffect(() => {
    if (!on) return;
    const clock = setInterval(() => {
      if (position.value >= timeWindow.value[1]) playing.value = false;
      else move(1);
    }, PACE);
    return () => clearInterval(clock);
  }, [on]);
}

export function togglePlay(): void {
  if (!playing.value && position.value >= timeWindow.value[1]) lookAt(timeWindow.value[0]);
  playing.value = !playing.value;
}

/** Keys that work everywhere but in fields. */
function useKeys(): void {
  useEffect(() => {
    const pressed = (event: KeyboardEvent): void => {
      const target = event.composedPath()[0] as Element;
      if (event.ctrlKey || event.metaKey || event.altKey || target.closest("input, textarea, select, dialog, [role=slider], .graph")) return;
      if (event.key === " " && !target.closest("button, a, summary")) togglePlay();
      else if (event.key === ",") move(-1);
      else if (event.key === ".") move(1);
      else if (event.key === "<") moveToMark(-1);
      else if (event.key === ">") moveToMark(1);
      else return;
      event.preventDefault();
    };
    addEventListener("keydown", pressed);
    return () => removeEventListener("keydown", pressed);
  }, []);
}

/** The foot. `given` is the timeline of a report, which knows one commit alone. */
export function Foot({ given = null }: { given?: Timeline | null }) {
  const [more, setMore] = useState(false);
  usePlay();
  useKeys();
  if (!span.value) return null;
  return (
    <section class={`foot${more ? " is-open" : ""}`} aria-label="Time">
      <div class="foot-controls">
        <div class="buttons" role="group" aria-label="Move in time">
          <button class="tool" aria-label={marks.value.length ? "To the event before" : "One step back"} title="Event before (<)" onClick={() => moveToMark(-1)}><Icon name="previous" /></button>
          <button class="tool is-main" aria-label={playing.value ? "Pause" : "Play"} title="Play or pause (space)" onClick={togglePlay}><Icon name={playing.value ? "pause" : "play"} /></button>
          <button class="tool" aria-label={marks.value.length ? "To the next event" : "One step on"} title="Next event (>)" onClick={() => moveToMark(1)}><Icon name="next" /></button>
        </div>
        <TimeField />
        <button class="button quiet" disabled={at.value === null} onClick={() => lookAt(null)} title="The state after the last event"><Icon name="end" /><span>End of time</span></button>
        <button class="tool foot-toggle" aria-expanded={more} aria-label="Step, window and commit" onClick={() => setMore(!more)}><Icon name={more ? "down" : "more"} /></button>
        <span class="foot-more">
          <StepChoice />
          <WindowText />
          <Clocks commits={!given} />
        </span>
      </div>
      <Slider given={given} />
    </section>
  );
}

function TimeField() {
  const [from, to] = timeWindow.value;
  const text = at.value === null ? "" : written(at.value, unit.value, to - from);
  const changed = (value: string): void => {
    const t = value.trim() === "" ? null : parseTick(value, unit.value);
    if (t !== null || value.trim() === "") lookAt(t);
  };
  return <span class="time-field"><TextField label="Time to look at" hidden value={text} placeholder="end of time" wrongWith={(text) => wrongTime(text, unit.value)} onChange={changed} /></span>;
}

function StepChoice() {
  const [from, to] = timeWindow.value;
  const auto = stepFor(to - from, unit.value);
  const per = perSecond(unit.value);
  const sizes: Tick[] = unit.value === "step" ? [1n, 2n, 5n, 10n, 100n] : [per, 60n * per, 3_600n * per, 86_400n * per, 7n * 86_400n * per, 30n * 86_400n * per, 365n * 86_400n * per];
  const fitting = sizes.filter((size) => size * 2n <= to - from && size * 2_000n >= to - from);
  const chosen = stepIsChosen.value ? step.value : null;
  const all = chosen !== null && !fitting.includes(chosen) ? [...fitting, chosen] : fitting;
  return <Select label="Step" value={chosen === null ? "" : String(chosen)} onChange={(value) => setStep(value ? BigInt(value) : null)} options={[{ value: "", text: `auto, ${lengthOf(auto, unit.value)}` }, ...all.map((size) => ({ value: String(size), text: lengthOf(size, unit.value) }))]} />;
}

function WindowText() {
  const [from, to] = timeWindow.value;
  const whole = span.value!;
  const narrowed = from !== whole[0] || to !== whole[1];
  return narrowed ? <button class="button quiet" onClick={() => setWindow(...whole)} title={`Window ${isoOf(from, unit.value)} to ${isoOf(to, unit.value)}`}><Icon name="fit" /><span>Whole span</span></button> : null;
}

/** The second clock, and how what is over is looked at. */
export function Clocks({ commits: hasCommits = true }: { commits?: boolean }) {
  const newest = graph.value?.newest_commit ?? 0;
  const commits = Array.from({ length: Math.min(newest, 200) }, (_, i) => newest - i);
  const soft = param("deletes") === "soft";
  return (
    <>
      {hasCommits && <Select label="As of" value={param("commit") ?? ""} onChange={(value) => change({ commit: value || null })} options={[{ value: "", text: `commit ${newest}, newest` }, ...commits.slice(1).map((n) => ({ value: String(n), text: `commit ${n}` }))]} />}
      <button class="switch" role="switch" aria-checked={soft} onClick={() => change({ deletes: soft ? null : "soft" })} title="Soft deletes: what is over stays visible, dashed"><span class="switch-knob" />Show what is over</button>
    </>
  );
}

