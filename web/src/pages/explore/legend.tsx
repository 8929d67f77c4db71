// The legend is the filter: each entry can be left out.
import { change, params } from "../../address";
import type { Paint } from "../../drawing/graph_drawing";
import { shownAt, WORDS, type Look, type Shown } from "../../drawing/life";
import { lineAt, type Scene } from "../../drawing/scene";
import { outline } from "../../drawing/shapes";
import { Glyph, lookOf, number } from "../../parts/values";
import { unit } from "../../time/moment";
import { lengthOf } from "../../time/ticks";

export type ColourBy = "type" | "hop" | "degree" | "age";
const SHADES = 5;

/** The look of each node: its shape is its type's, its colour what was asked for. */
export function paintsOf(scene: Scene, by: ColourBy): Paint[] {
  const rank = (value: (index: number) => bigint | number): number[] => {
    const order = scene.nodes.map((_, i) => i).sort((a, b) => (value(a) < value(b) ? -1 : value(a) > value(b) ? 1 : 0));
    const place: number[] = [];
    order.forEach((i, at) => { const before = order[at - 1]; place[i] = before !== undefined && value(before) === value(i) ? place[before]! : Math.min(SHADES - 1, Math.floor((at / order.length) * SHADES)); });
    return place;
  };
  const shades = by === "degree" ? rank((i) => scene.nodes[i]!.of.degree) : by === "age" ? rank((i) => scene.nodes[i]!.lived.lives[0]?.[0] ?? 0n) : null;
  return scene.nodes.map(({ of }, i) => {
    const look = lookOf(of.type);
    return { look, paint: by === "type" ? `type-${look % 8}` : by === "hop" ? `shade-${Math.max(0, SHADES - 1 - of.hop)}` : `shade-${shades![i]}` };
  });
}

const key = (kind: "node" | "line" | "state", name: string): string => `${kind}:${name}`;
export const hiddenOf = (hidden: string[]) => {
  const set = new Set(hidden);
  return (kind: "node" | "line" | "state", name: string): boolean => set.has(key(kind, name));
};

function toggle(one: string): void {
  const hidden = params("hide");
  change({ hide: hidden.includes(one) ? hidden.filter((other) => other !== one) : [...hidden, one] }, true);
}

const counted = (names: string[]): [string, number][] => {
  const counts = new Map<string, number>();
  names.forEach((name) => counts.set(name, (counts.get(name) ?? 0) + 1));
  return [...counts].sort((a, b) => (a[0] < b[0] ? -1 : 1));
};

type Props = { scene: Scene; look: Look; by: ColourBy; hidden: string[] };

export function Legend({ scene, look, by, hidden }: Props) {
  const types = counted(scene.nodes.map(({ of }) => of.type));
  const relations = counted(scene.lines.map(({ relation }) => relation));
  const states = new Map<Shown, number>();
  const note = (shown: Shown): void => { states.set(shown, (states.get(shown) ?? 0) + 1); };
  scene.nodes.forEach(({ lived }) => note(shownAt(lived, look)));
  scene.lines.forEach((line) => note(lineAt(line, look).shown));
  const isOff = (one: string): boolean => hidden.includes(one);
  return (
    <details class="legend" open={innerWidth > 900}>
      <summary>Legend{hidden.length > 0 && <span class="legend-off">{hidden.length} off</span>}</summary>
      <div class="legend-body">
        <Group title="Nodes">{types.map(([type, n]) => <Entry key={type} name={type} n={n} off={isOff(key("node", type))} onToggle={() => toggle(key("node", type))} sign={by === "type" ? <Glyph type={type} /> : <svg class="glyph is-plain" width="12" height="12" viewBox="-8 -8 16 16" aria-hidden="true"><path d={outline(lookOf(type), 6)} /></svg>} />)}</Group>
        {by !== "type" && <Shades by={by} />}
        <Group title="Edges">{relations.map(([relation, n]) => <Entry key={relation} name={relation} n={n} off={isOff(key("line", relation))} onToggle={() => toggle(key("line", relation))} sign={<StateSign shown="stays" />} />)}{scene.merges.length > 0 && <Entry name="became" n={scene.merges.length} off={isOff(key("state", "became"))} onToggle={() => toggle(key("state", "became"))} sign={<svg class="state-sign is-merge" width="22" height="12" viewBox="0 0 22 12" aria-hidden="true"><path d="M1 8H18M15 5.500L18 8L15 10.500" /></svg>} />}</Group>
        <Group title={`Now, a step is ${lengthOf(look.step, unit.value)}`}>{(Object.keys(WORDS) as (keyof typeof WORDS)[]).filter((shown) => shown !== "over" || look.soft).map((shown) => <Entry key={shown} name={WORDS[shown]} n={states.get(shown) ?? 0} off={isOff(key("state", shown))} onToggle={() => toggle(key("state", shown))} sign={<StateSign shown={shown} />} />)}</Group>
        {hidden.length > 0 && <button class="button quiet small" onClick={() => change({ hide: null }, true)}>Show all</button>}
      </div>
    </details>
  );
}

function Group({ title, children }: { title: string; children: preact.ComponentChildren }) {
  return <div class="legend-group" role="group" aria-label={title}><span class="legend-title">{title}</span>{children}</div>;
}

function Entry({ name, n, off, onToggle, sign }: { name: string; n: number; off: boolean; onToggle: () => void; sign: preact.ComponentChildren }) {
  return <button class="legend-entry" aria-pressed={!off} title={off ? "Show again" : "Leave out"} onClick={onToggle}>{sign}<span class="legend-name">{name}</span><span class="legend-n">{number(n)}</span></button>;
}

/** How what appears, changes, stays and goes is drawn. */
export function StateSign({ shown }: { shown: Exclude<Shown, "absent"> }) {
  const sign = { appears: "M15 4H21M18 1V7", changes: "M15 5.400L18 2L21 5.400", goes: "M15.400 1.400L20.600 6.600M20.600 1.400L15.400 6.600", stays: "", over: "" }[shown];
  return <svg class={`state-sign is-${shown}`} width="22" height="12" viewBox="0 0 22 12" aria-hidden="true"><path class="state-line" d="M1 8H14" /><path class="state-mark" d={sign} /></svg>;
}

function Shades({ by }: { by: ColourBy }) {
  const [low, high] = by === "hop" ? ["far", "near"] : by === "degree" ? ["few", "many"] : ["early", "late"];
  return <div class="shades"><span>{low}</span>{Array.from({ length: SHADES }, (_, i) => <span key={i} class={`swatch shade-${i}`} />)}<span>{high}</span></div>;
}
