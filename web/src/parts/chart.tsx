// Small charts: lines, points and bars over two axes, drawn at the size of their room.
import { useSize } from "../drawing/camera";
import { number } from "./values";

export type Series = { name: string; points: { x: number; y: number; size?: number; text?: string }[]; as: "line" | "points" | "bars"; tone: 1 | 2 | 3 };
type Props = { label: string; series: Series[]; height?: number; xName: string; yName: string; xText?: (x: number) => string; yFrom?: number; yTo?: number; xFrom?: number; xTo?: number; diagonal?: boolean; marked?: number };

const PAD = { left: 48, right: 14, top: 28, bottom: 34 };

/** Round values that divide a range into about `count` parts. */
export function ticks(from: number, to: number, count: number): number[] {
  if (!(to > from)) return [from];
  const rough = (to - from) / count;
  const ten = 10 ** Math.floor(Math.log10(rough));
  const size = [1, 2, 5, 10].map((f) => f * ten).find((s) => s >= rough)!;
  const list: number[] = [];
  for (let i = Math.ceil(from / size - 1e-9); i * size <= to + size * 1e-9; i++) list.push(i * size || 0);
  return list;
}

export function Chart(props: Props) {
  const [ref, { width }] = useSize<HTMLDivElement>();
  const height = props.height ?? 220;
  return <div class="chart" ref={ref} style={{ height: `${height}px` }}>{width > 0 && <Drawn {...props} width={width} height={height} />}</div>;
}

function Drawn({ label, series, width, height, xName, yName, xText = number, diagonal = false, marked, ...range }: Props & { width: number; height: number }) {
  const all = series.flatMap(({ points }) => points);
  const [xs, ys] = [all.map(({ x }) => x), all.map(({ y }) => y)];
  const hasBars = series.some(({ as }) => as === "bars");
  const [x0, x1] = [range.xFrom ?? Math.min(...xs), range.xTo ?? Math.max(...xs)];
  const [y0, y1] = [range.yFrom ?? (hasBars ? Math.min(0, ...ys) : Math.min(...ys)), range.yTo ?? Math.max(...ys)];
  const wide = width - PAD.left - PAD.right;
  const slot = hasBars ? wide / Math.max(1, series[0]!.points.length) : 0;
  const x = (v: number): number => PAD.left + slot / 2 + (x1 === x0 ? 0.5 : (v - x0) / (x1 - x0)) * (wide - slot);
  const y = (v: number): number => height - PAD.bottom - (y1 === y0 ? 0.5 : (v - y0) / (y1 - y0)) * (height - PAD.top - PAD.bottom);
  const shownX = hasBars && xs.length <= 14 ? xs : ticks(x0, x1, Math.max(2, Math.floor(wide / 90)));
  return (
    <svg width={width} height={height} role="img" aria-label={label}>
      {ticks(y0, y1, 4).map((v) => <g key={v}><path class="chart-grid" d={`M${PAD.left} ${y(v)}H${width - PAD.right}`} /><text class="chart-text" x={PAD.left - 8} y={y(v) + 4} text-anchor="end">{number(v)}</text></g>)}
      {shownX.map((v) => <text key={v} class="chart-text" x={x(v)} y={height - PAD.bottom + 16} text-anchor="middle">{xText(v)}</text>)}
      <text class="chart-name" x={PAD.left + wide / 2} y={height - 3} text-anchor="middle">{xName}</text>
      <text class="chart-name" x={6} y={11} text-anchor="start">{yName}</text>
      {diagonal && <path class="chart-diagonal" d={`M${x(x0)} ${y(x0)}L${x(x1)} ${y(x1)}`} />}
      {marked !== undefined && <path class="chart-marked" d={`M${x(marked)} ${PAD.top}V${height - PAD.bottom}`} />}
      {series.map(({ name, points, as, tone }) => (
        <g key={name} class={`series tone-${tone} as-${as}`}>
          {as === "line" && <path d={points.map((p, i) => `${i ? "L" : "M"}${x(p.x).toFixed(1)} ${y(p.y).toFixed(1)}`).join("")} />}
          {as !== "bars" && points.length <= 400 && points.map((p, i) => <circle key={i} cx={x(p.x)} cy={y(p.y)} r={p.size ?? (as === "line" ? 2.5 : 3.5)}><title>{p.text ?? `${xText(p.x)}: ${number(p.y)}`}</title></circle>)}
          {as === "bars" && points.map((p, i) => <rect key={i} x={x(p.x) - Math.max(1, slot * 0.36)} width={Math.max(2, slot * 0.72)} y={Math.min(y(p.y), y(0))} height={Math.abs(y(0) - y(p.y))} rx={Math.min(2, slot * 0.2)}><title>{p.text ?? `${xText(p.x)}: ${number(p.y)}`}</title></rect>)}
        </g>
      ))}
    </svg>
  );
}
