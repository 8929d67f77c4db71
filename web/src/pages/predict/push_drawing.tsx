// Both ends in the middle, whom each listened to at the sides: lines as thick as their push.
import type { Explanation, Heard } from "../../api/types";
import { useSize } from "../../drawing/camera";
import { shortened } from "../../drawing/labels";
import { outline } from "../../drawing/shapes";
import { lookOf } from "../../parts/values";

const MOST = 7;

export function PushDrawing({ data }: { data: Explanation }) {
  const [ref, { width }] = useSize<HTMLDivElement>();
  const top = (at: "source" | "destination"): Heard[] => data.neighbors.filter((row) => row.at === at).sort((a, b) => Math.abs(b.push) - Math.abs(a.push)).slice(0, MOST);
  const [left, right] = [top("source"), top("destination")];
  const height = Math.max(150, Math.max(left.length, right.length) * 30 + 24);
  const most = Math.max(1e-9, ...[...left, ...right].map(({ push }) => Math.abs(push)));
  const narrow = width < 480;
  const side = narrow ? 24 : Math.min(170, width * 0.26);
  const [a, b] = data.destination ? [width * (narrow ? 0.36 : 0.4), width * (narrow ? 0.64 : 0.6)] : [width / 2, width / 2];
  const y = (i: number, n: number): number => height / 2 + (i - (n - 1) / 2) * 30;
  const letters = narrow ? 0 : Math.floor((side - 26) / 6.6);
  return (
    <div class="push-drawing" ref={ref} style={{ height: `${height}px` }}>
      {width > 0 && (
        <svg width={width} height={height} role="img" aria-label="Whom both ends listened to; the list below has the same rows">
          {data.destination && <path class="push-link" d={`M${a} ${height / 2}H${b}`} />}
          {[...left.map((row, i) => ({ row, x: side, to: a, y: y(i, left.length) })), ...right.map((row, i) => ({ row, x: width - side, to: b, y: y(i, right.length) }))].map(({ row, x, to, y: at }, i) => (
            <g key={i}>
              <path class={`push-line ${row.push < 0 ? "is-against" : "is-for"}`} stroke-width={1 + 7 * (Math.abs(row.push) / most)} d={`M${x} ${at}C${(x + to) / 2} ${at} ${(x + to) / 2} ${height / 2} ${to} ${height / 2}`} />
              <g class={`type-${lookOf(row.node.type) % 8}`} transform={`translate(${x} ${at})`}><path class="body" d={outline(lookOf(row.node.type), 6)} /></g>
              {letters > 3 && <text class="label" x={x + (to > x ? -12 : 12)} y={at + 4} text-anchor={to > x ? "end" : "start"}>{shortened(row.node.name ?? row.node.id, letters)}</text>}
            </g>
          ))}
          {[{ node: data.source, x: a }, ...(data.destination ? [{ node: data.destination, x: b }] : [])].map(({ node, x }) => (
            <g key={x} class={`type-${lookOf(node.type) % 8}`} transform={`translate(${x} ${height / 2})`}><path class="body is-end" d={outline(lookOf(node.type), 11)} /><text class="label is-strong" y={28} text-anchor="middle">{shortened(node.name ?? node.id, narrow ? 12 : 18)}</text></g>
          ))}
        </svg>
      )}
    </div>
  );
}
