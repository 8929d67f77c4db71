// One node and one line of a drawing, each with what it is at the time: by colour, and by dash and sign for those who do not tell colours apart.
import { memo } from "preact/compat";
import type { Shown } from "./life";
import type { Label } from "./labels";
import { outline } from "./shapes";

export type NodeMarkProps = {
  x: number; y: number; radius: number; look: number; paint: string; shown: Shown; name: string; selected: boolean; root: boolean; pinned: boolean; faded: boolean;
  tabbable: boolean; index: number; said: string;
};

const SIGN: Partial<Record<Shown, string>> = { appears: "M-3.2 0H3.2M0 -3.2V3.2", goes: "M-2.6 -2.6L2.6 2.6M2.6 -2.6L-2.6 2.6", changes: "M-3 1.4L0 -2L3 1.4" };

function Mark({ x, y, radius, look, paint, shown, name, selected, root, pinned, faded, tabbable, index, said }: NodeMarkProps) {
  const sign = SIGN[shown];
  const far = radius * 0.75 + 3;
  return (
    <g class={`node is-${shown} ${paint}${selected ? " is-selected" : ""}${root ? " is-root" : ""}${faded ? " is-faded" : ""}`} data-index={index} role="button" tabindex={tabbable ? 0 : -1} aria-label={`${name}, ${said}`} aria-pressed={selected}>
      <g transform={`translate(${x.toFixed(1)} ${y.toFixed(1)})`}>
        <circle class="touch" r={Math.max(14, radius + 4)} />
        {selected && <path class="choice" d={outline(look, radius + 5)} />}
        {shown === "appears" && <path class="halo" d={outline(look, radius + 3.5)} />}
        <path class="body" d={outline(look, radius)} />
        {pinned && <circle class="pin" r={2.2} />}
        {sign && <g transform={`translate(${far.toFixed(1)} ${(-far).toFixed(1)})`}><circle class="badge" r="5.6" /><path class="sign" d={sign} /></g>}
      </g>
    </g>
  );
}

export const NodeMark = memo(Mark);

export const LabelMark = memo(({ label, shown, strong, faded, index }: { label: Label; shown: Shown; strong: boolean; faded: boolean; index: number }) => (
  <text class={`label is-${shown}${strong ? " is-strong" : ""}${faded ? " is-faded" : ""}`} data-index={index} x={label.x.toFixed(1)} y={(label.y + 4).toFixed(1)} text-anchor={label.anchor}>{label.text}</text>
));

export type LineMarkProps = { path: string; shown: Shown; width: number; faded: boolean; near: boolean; chosen: boolean };

export const LineMark = memo(({ path, shown, width, faded, near, chosen }: LineMarkProps) => (
  <path class={`line is-${shown}${faded ? " is-faded" : ""}${near ? " is-near" : ""}${chosen ? " is-chosen" : ""}`} d={path} stroke-width={chosen ? width + 1.6 : width} />
));

/** The path of a line from one node to another, cut at their outlines, with its head. */
export function linePath(ax: number, ay: number, bx: number, by: number, from: number, to: number, bend: number, head: number): string {
  const [dx, dy] = [bx - ax, by - ay];
  const length = Math.hypot(dx, dy);
  if (length < 1) {
    const r = from + 7;
    return `M${(ax - 3).toFixed(1)} ${(ay - from).toFixed(1)}c${-r} ${-r * 1.6} ${r + 6} ${-r * 1.6} 6 0`;
  }
  if (length <= from + to) return "";
  const [ux, uy] = [dx / length, dy / length];
  const [cx, cy] = [(ax + bx) / 2 - uy * bend, (ay + by) / 2 + ux * bend];
  const toward = (x: number, y: number, far: number): [number, number] => {
    const d = Math.hypot(cx - x, cy - y) || 1;
    return [x + ((cx - x) / d) * far, y + ((cy - y) / d) * far];
  };
  const [sx, sy] = toward(ax, ay, from + 2);
  const [ex, ey] = toward(bx, by, to + 3);
  const text = (n: number): string => n.toFixed(1);
  const middle = bend === 0 ? `L${text(ex)} ${text(ey)}` : `Q${text(cx)} ${text(cy)} ${text(ex)} ${text(ey)}`;
  if (head === 0) return `M${text(sx)} ${text(sy)}${middle}`;
  const d = Math.hypot(ex - cx, ey - cy) || 1;
  const [vx, vy] = [(ex - cx) / d, (ey - cy) / d];
  const wing = (side: number): string => `${text(ex - vx * head + side * vy * head * 0.55)} ${text(ey - vy * head - side * vx * head * 0.55)}`;
  return `M${text(sx)} ${text(sy)}${middle}M${wing(1)}L${text(ex)} ${text(ey)}L${wing(-1)}`;
}
