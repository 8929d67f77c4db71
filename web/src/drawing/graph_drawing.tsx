// Draws a scene at a time. Places and labels are made once; a moving time only changes what is shown and how.
import type { RefObject } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { Icon } from "../parts/icon";
import { useCamera, type Size, type View } from "./camera";
import { placeLabels, roomFor, type Box, type Label } from "./labels";
import type { Place } from "./layout";
import { shownAt, WORDS, type Look, type Shown } from "./life";
import { LabelMark, LineMark, linePath, NodeMark } from "./marks";
import { nearLine } from "./near_line";
import { lineAt, type Scene } from "./scene";

export type Paint = { look: number; paint: string };
export type DrawingProps = {
  scene: Scene; look: Look; selected: string | null; roots: string[]; pins: string[]; hops: number; said: string;
  paintOf: (index: number) => Paint; isHidden: (kind: "node" | "line" | "state", name: string) => boolean;
  /** The line that is chosen, and what chooses one; without these, lines are only looked at. */
  line?: number | null; onLine?: (index: number) => void;
  onSelect: (key: string | null) => void; onOpen: (key: string) => void; svg: RefObject<SVGSVGElement | null>; size: Size;
  /** Room at the left that something else stands over. */
  inset?: number;
  /** Whether there are other buttons over the corners: one that saves at the top, the folded legend at the bottom. */
  corners?: boolean;
};

type Body = Place & { radius: number };

function bodiesOf(scene: Scene, places: Place[], view: View, roots: string[]): Body[] {
  const scale = Math.min(1.25, Math.max(0.62, view.scale ** 0.55));
  return scene.nodes.map(({ key, of }, i) => ({ x: places[i]!.x * view.scale + view.x, y: places[i]!.y * view.scale + view.y, radius: scale * (roots.includes(key) ? 11 : 5.5 + Math.min(4.5, Math.sqrt(of.degree))) }));
}

function labelsOf(scene: Scene, bodies: Body[], props: DrawingProps, { width, height }: Size): (Label | null)[] {
  const wishes = scene.nodes.map(({ key, of }, i) => {
    const more = of.hop < props.hops ? of.more.reduce((sum, { n }) => sum + n, 0) : 0;
    const strong = key === props.selected || props.roots.includes(key) || props.pins.includes(key);
    return { ...bodies[i]!, text: `${of.name ?? of.id}${more ? ` +${more}` : ""}`, weight: of.degree + (key === props.selected ? 1e7 : strong ? 1e6 : 0) + (of.hop === 1 ? 5 : 0), bold: strong };
  });
  return placeLabels(wishes, { left: 4 + (props.inset ?? 0), top: 4, right: width - 4, bottom: height - 4 }, coveredOf({ width, height }, props.corners ?? false));
}

/** Where buttons stand over the drawing: of zoom, and of what the page has besides. */
function coveredOf({ width, height }: Size, corners: boolean): Box[] {
  const zoom = { left: width - 52, right: width, top: height - 116, bottom: height };
  return corners ? [zoom, { left: width - 102, right: width, top: 0, bottom: 50 }, { left: 0, right: 104, top: height - 48, bottom: height }] : [zoom];
}

/** Where the arrow keys lead: the nearest node that is shown, in that direction. */
function nearest(bodies: Body[], shown: Shown[], from: number, key: string): number | null {
  const [dx, dy] = key === "ArrowRight" ? [1, 0] : key === "ArrowLeft" ? [-1, 0] : key === "ArrowDown" ? [0, 1] : [0, -1];
  let [best, least]: [number | null, number] = [null, Infinity];
  bodies.forEach((body, i) => {
    if (i === from || shown[i] === "absent") return;
    const [x, y] = [body.x - bodies[from]!.x, body.y - bodies[from]!.y];
    const along = x * dx + y * dy;
    const cost = along + 2 * Math.abs(x * dy + y * dx);
    if (along > 0 && cost < least) [best, least] = [i, cost];
  });
  return best;
}

export function GraphDrawing(props: DrawingProps) {
  const { scene, look, selected, roots, pins, size, svg } = props;
  const [moved, move] = useState<Map<number, Place>>(new Map());
  useEffect(() => move(new Map()), [scene]);
  const places = useMemo(() => scene.places.map((place, i) => moved.get(i) ?? place), [scene, moved]);
  const camera = useCamera(svg, scene.places, size, props.inset ?? 0);
  const bodies = useMemo(() => bodiesOf(scene, places, camera.view, roots), [scene, places, camera.view.scale, camera.view.x, camera.view.y, roots.join()]);
  const labels = useMemo(() => labelsOf(scene, bodies, props, size), [scene, bodies, selected, pins.join(), size.width, size.height]);
  const shown = scene.nodes.map(({ of, lived }) => {
    const one = props.isHidden("node", of.type) ? "absent" : shownAt(lived, look);
    return one !== "absent" && props.isHidden("state", one) ? "absent" : one;
  });
  const lines = scene.lines.map((line): { state: Shown; alive: number } => {
    if (shown[line.source] === "absent" || shown[line.target] === "absent" || props.isHidden("line", line.relation)) return { state: "absent", alive: 0 };
    const { shown: state, alive } = lineAt(line, look);
    return { state: props.isHidden("state", state) ? "absent" : state, alive };
  });
  const lineOf = (event: PointerEvent): number | null => {
    if (!props.onLine || !svg.current) return null;
    const box = svg.current.getBoundingClientRect();
    return nearLine({ x: event.clientX - box.left, y: event.clientY - box.top }, scene.lines, bodies, (i) => lines[i]!.state !== "absent");
  };
  const { node: hover, line: hoverLine } = useHover(svg, lineOf);
  const chosen = props.line ?? null;
  const focus = selected ?? roots[0] ?? null;
  const centre = scene.nodes.findIndex(({ key }) => key === (hover === null ? selected : scene.nodes[hover]?.key));
  const near = useMemo(() => new Set(scene.lines.flatMap(({ source, target }) => (source === centre ? [target] : target === centre ? [source] : []))), [scene, centre]);
  const tabbable = Math.max(0, scene.nodes.findIndex(({ key }, i) => key === focus && shown[i] !== "absent"));
  const onKeyDown = useKeys(svg, camera, bodies, shown, props);
  const onPointerDown = usePress(props, camera, places, lineOf, (index, place) => move((old) => new Map(old).set(index, place)));
  const paths = useMemo(() => scene.lines.map((line) => { const [a, b] = [bodies[line.source]!, bodies[line.target]!]; return linePath(a.x, a.y, b.x, b.y, a.radius, b.radius, line.bend, scene.lines.length > 900 ? 0 : 5.5); }), [scene, bodies]);
  return (
    <>
      <svg ref={svg} class={`graph${hoverLine !== null ? " is-on-line" : ""}`} role="group" aria-label={props.said} onPointerDown={onPointerDown} onKeyDown={onKeyDown}>
        <g class="lines">
          {scene.lines.map((line, i) => {
            const { state, alive } = lines[i]!;
            if (state === "absent") return null;
            const close = line.source === centre || line.target === centre;
            return <LineMark key={i} path={paths[i]!} shown={state} width={1.1 + Math.min(3, Math.log2(Math.max(1, alive)))} near={(centre >= 0 && close) || i === hoverLine} chosen={i === chosen} faded={centre >= 0 && !close && i !== chosen && i !== hoverLine} />;
          })}
          {!props.isHidden("state", "became") && scene.merges.map(({ from, into, at }) => (at > look.at || shown[into] === "absent" ? null : shown[from] === "absent" ? null : <path key={`m${from}`} class="line is-merge" d={linePath(bodies[from]!.x, bodies[from]!.y, bodies[into]!.x, bodies[into]!.y, bodies[from]!.radius, bodies[into]!.radius, 16, 6)} />))}
        </g>
        <g class="nodes">
          {scene.nodes.map(({ key, of }, i) => {
            const state = shown[i]!;
            if (state === "absent") return null;
            const faded = centre >= 0 && i !== centre && !near.has(i);
            return <NodeMark key={key} {...bodies[i]!} {...props.paintOf(i)} index={i} shown={state} name={`${of.type} ${of.name ?? of.id}`} said={WORDS[state]} selected={key === selected} root={roots.includes(key)} pinned={pins.includes(key)} faded={faded} tabbable={i === tabbable} />;
          })}
        </g>
        {(centre >= 0 || chosen !== null || hoverLine !== null) && <LineNames scene={scene} lines={lines} bodies={bodies} labels={labels} centre={centre} named={[chosen, hoverLine]} shown={shown} />}
        <g class="labels" aria-hidden="true">
          {labels.map((label, i) => {
            if (!label || shown[i] === "absent") return null;
            const key = scene.nodes[i]!.key;
            return <LabelMark key={key} label={label} index={i} shown={shown[i]!} strong={key === selected || roots.includes(key) || pins.includes(key)} faded={centre >= 0 && i !== centre && !near.has(i)} />;
          })}
        </g>
        {hover !== null && !labels[hover] && shown[hover] !== "absent" && <Tip body={bodies[hover]!} text={scene.nodes[hover]!.of.name ?? scene.nodes[hover]!.of.id} width={size.width} />}
      </svg>
      <div class="zoom" role="group" aria-label="Zoom">
        <button class="tool" onClick={() => camera.zoom(1.3)} aria-label="Zoom in"><Icon name="plus" /></button>
        <button class="tool" onClick={() => camera.zoom(1 / 1.3)} aria-label="Zoom out"><Icon name="minus" /></button>
        <button class="tool" onClick={camera.fit} disabled={camera.isFitted} aria-label="Fit all in"><Icon name="fit" /></button>
      </div>
    </>
  );
}

type NamesProps = { scene: Scene; lines: { state: Shown; alive: number }[]; bodies: Body[]; labels: (Label | null)[]; centre: number; named: (number | null)[]; shown: Shown[] };

/** The relations at the node or line that is looked at, where there is room for their names. */
function LineNames({ scene, lines, bodies, labels, centre, named, shown }: NamesProps) {
  const texts = scene.lines.flatMap(({ source, target, relation, bend }, i) => {
    const { state, alive } = lines[i]!;
    if (state === "absent" || source === target || !(source === centre || target === centre || named.includes(i))) return [];
    const [a, b] = [bodies[source]!, bodies[target]!];
    const [dx, dy] = [b.x - a.x, b.y - a.y];
    const length = Math.hypot(dx, dy) || 1;
    const text = alive > 1 ? `${relation} ×${alive}` : relation;
    return [{ first: named.includes(i), x: (a.x + b.x) / 2 - (dy / length) * bend * 0.5, y: (a.y + b.y) / 2 + (dx / length) * bend * 0.5, text }];
  }).sort((a, b) => Number(b.first) - Number(a.first)).slice(0, 40);
  const taken = [...labels.flatMap((label, i) => (label && shown[i] !== "absent" ? [label.box] : [])), ...bodies.flatMap(({ x, y, radius }, i) => (shown[i] === "absent" ? [] : [{ left: x - radius, right: x + radius, top: y - radius, bottom: y + radius }]))];
  const free = roomFor(texts, taken);
  return <g aria-hidden="true">{texts.map(({ x, y, text, first }, i) => free[i] && <text key={i} class={`line-name${first ? " is-strong" : ""}`} x={x.toFixed(1)} y={(y + 4).toFixed(1)} text-anchor="middle">{text}</text>)}</g>;
}

function Tip({ body, text, width }: { body: Body; text: string; width: number }) {
  const right = body.x < width / 2;
  return <text class="label is-tip" x={body.x + (right ? body.radius + 6 : -body.radius - 6)} y={body.y + 4} text-anchor={right ? "start" : "end"}>{text.length > 60 ? `${text.slice(0, 59)}…` : text}</text>;
}

const indexOf = (target: EventTarget | null): number | null => {
  const node = (target as Element | null)?.closest?.("[data-index]");
  return node ? Number(node.getAttribute("data-index")) : null;
};

/** The node under the pointer, or else the line near it. */
function useHover(svg: RefObject<SVGSVGElement | null>, lineOf: (event: PointerEvent) => number | null): { node: number | null; line: number | null } {
  const [hover, set] = useState<{ node: number | null; line: number | null }>({ node: null, line: null });
  const find = useRef(lineOf);
  find.current = lineOf;
  useEffect(() => {
    const element = svg.current;
    if (!element) return;
    const look = (event: PointerEvent): void => {
      if (event.pointerType === "touch" || event.buttons !== 0) return;
      const node = indexOf(event.target);
      const line = node === null ? find.current(event) : null;
      set((old) => (old.node === node && old.line === line ? old : { node, line }));
    };
    const out = (): void => set({ node: null, line: null });
    element.addEventListener("pointermove", look);
    element.addEventListener("pointerleave", out);
    return () => { element.removeEventListener("pointermove", look); element.removeEventListener("pointerleave", out); };
  }, [svg]);
  return hover;
}

function useKeys(svg: RefObject<SVGSVGElement | null>, camera: ReturnType<typeof useCamera>, bodies: Body[], shown: Shown[], { scene, onSelect, onOpen }: DrawingProps) {
  return (event: KeyboardEvent): void => {
    const index = indexOf(event.target);
    if (event.key === "+" || event.key === "=") camera.zoom(1.3);
    else if (event.key === "-") camera.zoom(1 / 1.3);
    else if (event.key === "0") camera.fit();
    else if (event.key === "Escape") onSelect(null);
    else if (index !== null && (event.key === "Enter" || event.key === " ")) (event.shiftKey ? onOpen : onSelect)(scene.nodes[index]!.key);
    else if (index !== null && event.key.startsWith("Arrow")) {
      const next = nearest(bodies, shown, index, event.key);
      if (next !== null) svg.current?.querySelector<SVGElement>(`.node[data-index="${next}"]`)?.focus();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  };
}

/** A press on a node selects or moves it, two open it; one on a line chooses it; one on the ground moves the view. */
function usePress(props: DrawingProps, camera: ReturnType<typeof useCamera>, places: Place[], lineOf: (event: PointerEvent) => number | null, place: (index: number, to: Place) => void) {
  const last = useRef({ index: -1, time: 0 });
  return (event: PointerEvent): void => {
    if (event.button !== 0) return;
    const index = indexOf(event.target);
    const [x, y] = [event.clientX, event.clientY];
    let far = false;
    if (index === null) camera.onPointerDown(event);
    const from = index === null ? null : places[index]!;
    const moved = (next: PointerEvent): void => {
      if (Math.hypot(next.clientX - x, next.clientY - y) > 4) far = true;
      if (far && from && index !== null) place(index, { x: from.x + (next.clientX - x) / camera.view.scale, y: from.y + (next.clientY - y) / camera.view.scale });
    };
    const ended = (end: PointerEvent): void => {
      removeEventListener("pointermove", moved);
      removeEventListener("pointerup", ended);
      if (far) return;
      const line = index === null ? lineOf(end) : null;
      if (line !== null) return props.onLine?.(line);
      const twice = index !== null && last.current.index === index && event.timeStamp - last.current.time < 400;
      last.current = { index: index ?? -1, time: event.timeStamp };
      if (index === null) props.onSelect(null);
      else (twice ? props.onOpen : props.onSelect)(props.scene.nodes[index]!.key);
    };
    addEventListener("pointermove", moved);
    addEventListener("pointerup", ended);
  };
}
