// How much was created (up) and removed (down) along a window. Heights are square roots, so that a first load does not flatten all else.
import type { Timeline } from "../api/types";
import { shareOf, type Tick } from "./ticks";

type Props = { timeline: Timeline; from: Tick; to: Tick; width: number; height: number };

const bar = (x: number, width: number, y: number, height: number): string => (height <= 0 ? "" : `M${x.toFixed(1)} ${y.toFixed(1)}h${width.toFixed(1)}v${height.toFixed(1)}h${(-width).toFixed(1)}Z`);

export function Histogram({ timeline, from, to, width, height }: Props) {
  const { edges, created, updated, removed } = timeline;
  const root = (n: number): number => Math.sqrt(n);
  const top = Math.max(1, ...created.map((n, i) => root(n + updated[i]!)));
  const bottom = Math.max(0, ...removed.map(root));
  const middle = height * (bottom === 0 ? 1 : Math.max(0.5, top / (top + bottom)));
  const unit = Math.min(middle / top, bottom === 0 ? Infinity : (height - middle) / bottom);
  const paths = { created: "", updated: "", removed: "" };
  for (let i = 0; i < created.length; i++) {
    const [a, b] = [shareOf(BigInt(edges[i]!), from, to) * width, shareOf(BigInt(edges[i + 1]!), from, to) * width];
    if (b < 0 || a > width) continue;
    const wide = Math.max(1, b - a - (b - a > 3 ? 1 : 0));
    const least = (n: number): number => (n > 0 ? Math.max(1.5, n) : 0);
    const up = least(root(created[i]!) * unit);
    const both = root(created[i]! + updated[i]!) * unit;
    paths.created += bar(a, wide, middle - up, up);
    paths.updated += bar(a, wide, middle - Math.max(both, updated[i]! ? up + 1.5 : 0), updated[i]! ? Math.max(1.5, both - up) : 0);
    paths.removed += bar(a, wide, middle, least(root(removed[i]!) * unit));
  }
  return (
    <svg class="histogram" width={width} height={height} aria-hidden="true">
      <path class="bar-created" d={paths.created} /><path class="bar-updated" d={paths.updated} /><path class="bar-removed" d={paths.removed} />
      <path class="bar-base" d={`M0 ${middle.toFixed(1)}H${width}`} />
    </svg>
  );
}
