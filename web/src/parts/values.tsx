// Numbers, values, nodes and lives, written the same way on every page.
import type { ComponentChildren } from "preact";
import { hrefOf } from "../address";
import { nodeKey } from "../api/client";
import type { Life, NodeRef, Time, Value } from "../api/types";
import { outline } from "../drawing/shapes";
import { graph } from "../time/moment";
import { writtenTime } from "../time/ticks";

export const number = (n: number): string => n.toLocaleString("en-US", { maximumFractionDigits: 3 });
export const percent = (share: number): string => `${(share * 100).toFixed(share > 0 && share < 0.0995 ? 1 : 0)} %`;
export const signed = (n: number): string => `${n < 0 ? "−" : "+"}${Math.abs(n).toFixed(2)}`;
export const plural = (n: number, what: string): string => `${number(n)} ${what}${n === 1 ? "" : "s"}`;

export function bytes(n: number): string {
  const power = n < 1_000 ? 0 : Math.min(4, Math.floor(Math.log10(n) / 3));
  return `${(n / 1_000 ** power).toFixed(power === 0 ? 0 : 1)} ${["B", "kB", "MB", "GB", "TB"][power]}`;
}

/** The look of a node type: its place among the types in order of name. */
export function lookOf(type: string): number {
  const names = graph.value?.node_types.map((row) => row.type).sort() ?? [];
  return Math.max(0, names.indexOf(type));
}

export const Glyph = ({ type, size = 12 }: { type: string; size?: number }) => (
  <svg class={`glyph type-${lookOf(type) % 8}`} width={size} height={size} viewBox="-8 -8 16 16" aria-hidden="true"><path d={outline(lookOf(type), 6)} /></svg>
);

/** A node: the sign of its type, its name, its id where that is another. A link to its page. */
export function NodeName({ node, plain = false, withId = false, children }: { node: NodeRef; plain?: boolean; withId?: boolean; children?: ComponentChildren }) {
  const name = node.name ?? node.id;
  const inner = <><Glyph type={node.type} /><span class="node-name-text">{name}</span>{withId && node.name && <span class="node-id">{node.id}</span>}{children}</>;
  const title = `${node.type} ${node.id}${node.name ? `: ${node.name}` : ""}`;
  return plain ? <span class="node-name" title={title}>{inner}</span> : <a class="node-name" href={hrefOf("node", { node: nodeKey(node) })} title={title}>{inner}</a>;
}

export function valueText(value: Value): string {
  if (value === null) return "none";
  if (typeof value === "string") return value;
  if (typeof value === "number") return number(value);
  return JSON.stringify(value);
}

export function ValueText({ value }: { value: Value }) {
  const text = valueText(value);
  return <span class={`value is-${value === null ? "none" : Array.isArray(value) ? "list" : typeof value}`} title={text.length > 80 ? text : undefined}>{text}</span>;
}

export const When = ({ time, open = "open" }: { time: Time | null; open?: string }) => (time ? <time class="when" dateTime={time.iso ?? undefined} title={`${time.iso ?? ""} (${time.tick})`}>{writtenTime(time, open)}</time> : <span class="when is-open">{open}</span>);

export const LifeText = ({ life }: { life: Life }) => <span class="life">{life.removed ? <>from <When time={life.created} /> to <When time={life.removed} /></> : <>since <When time={life.created} /></>}</span>;

/** How many came, changed and went, each with its sign. */
export const CountSigns = ({ created, updated, removed }: { created: number; updated: number; removed: number }) => (
  <span class="count-signs">
    <span class={`is-appears${created ? "" : " is-zero"}`}>+{number(created)}</span>
    <span class={`is-changes${updated ? "" : " is-zero"}`}>~{number(updated)}</span>
    <span class={`is-goes${removed ? "" : " is-zero"}`}>−{number(removed)}</span>
  </span>
);
