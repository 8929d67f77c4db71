// The line nearest to a point: lines are thin, so a pointer need not hit one exactly.
import type { Line } from "./scene";

type Spot = { x: number; y: number };
const REACH = 8;
const PARTS = 14;

/** How far a point is from a part of a straight line. */
function farFrom(p: Spot, a: Spot, b: Spot): number {
  const [dx, dy] = [b.x - a.x, b.y - a.y];
  const square = dx * dx + dy * dy;
  const t = square === 0 ? 0 : Math.min(1, Math.max(0, ((p.x - a.x) * dx + (p.y - a.y) * dy) / square));
  return Math.hypot(p.x - a.x - t * dx, p.y - a.y - t * dy);
}

/** How far a point is from the curve of a line, as `linePath` draws it. */
function farFromLine(p: Spot, a: Spot, b: Spot, bend: number): number {
  const length = Math.hypot(b.x - a.x, b.y - a.y) || 1;
  const c = { x: (a.x + b.x) / 2 - ((b.y - a.y) / length) * bend, y: (a.y + b.y) / 2 + ((b.x - a.x) / length) * bend };
  if (bend === 0) return farFrom(p, a, b);
  const at = (t: number): Spot => ({ x: (1 - t) ** 2 * a.x + 2 * t * (1 - t) * c.x + t * t * b.x, y: (1 - t) ** 2 * a.y + 2 * t * (1 - t) * c.y + t * t * b.y });
  let least = Infinity;
  for (let i = 0; i < PARTS; i++) least = Math.min(least, farFrom(p, at(i / PARTS), at((i + 1) / PARTS)));
  return least;
}

/** The position of the nearest of the lines that are shown; null where none is near. */
export function nearLine(p: Spot, lines: Line[], bodies: Spot[], isShown: (index: number) => boolean): number | null {
  let [best, least]: [number | null, number] = [null, REACH];
  lines.forEach(({ source, target, bend }, i) => {
    const [a, b] = [bodies[source]!, bodies[target]!];
    const room = REACH + Math.abs(bend);
    if (p.x < Math.min(a.x, b.x) - room || p.x > Math.max(a.x, b.x) + room || p.y < Math.min(a.y, b.y) - room || p.y > Math.max(a.y, b.y) + room) return;
    if (!isShown(i)) return;
    const far = source === target ? Math.abs(Math.hypot(p.x - a.x, p.y - a.y + 16) - 10) : farFromLine(p, a, b, bend);
    if (far < least) [best, least] = [i, far];
  });
  return best;
}
