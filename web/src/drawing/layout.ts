// Where nodes stand. The places depend on the nodes and edges of the whole window, never on the time looked at, so nothing jumps while time moves.

export type Place = { x: number; y: number };
export type Link = { source: number; target: number };
const ROUNDS = 320;
const REST = 74;
const GAP = 34;

/** A number from 0 to 1 that depends on a text alone. */
function draw(text: string, salt: number): number {
  let hash = 2_166_136_261 ^ salt;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 16_777_619);
  hash = Math.imul(hash ^ (hash >>> 15), 2_246_822_507);
  return ((hash ^ (hash >>> 13)) >>> 0) / 4_294_967_296;
}

type Bodies = { n: number; x: Float64Array; y: Float64Array; vx: Float64Array; vy: Float64Array; held: Uint8Array };

function start(keys: string[], links: Link[], known: Map<string, Place>): Bodies {
  const n = keys.length;
  const bodies = { n, x: new Float64Array(n), y: new Float64Array(n), vx: new Float64Array(n), vy: new Float64Array(n), held: new Uint8Array(n) };
  const near = new Map<number, number>();
  for (const { source, target } of links) {
    if (known.has(keys[source]!)) near.set(target, source);
    if (known.has(keys[target]!)) near.set(source, target);
  }
  keys.forEach((key, i) => {
    const old = known.get(key);
    const beside = known.get(keys[near.get(i) ?? -1] ?? "");
    const [angle, far] = [draw(key, 1) * 2 * Math.PI, Math.sqrt(draw(key, 2)) * Math.sqrt(n) * 42];
    bodies.x[i] = old?.x ?? (beside ? beside.x + 40 * Math.cos(angle) : far * Math.cos(angle));
    bodies.y[i] = old?.y ?? (beside ? beside.y + 40 * Math.sin(angle) : far * Math.sin(angle));
    bodies.held[i] = old ? 1 : 0;
  });
  return bodies;
}

/** All push each other away; those too close more so. Up to 500 nodes, so every pair is looked at. */
function push({ n, x, y, vx, vy }: Bodies, heat: number): void {
  for (let i = 0; i < n; i++) {
    for (let j = i + 1; j < n; j++) {
      let dx = x[i]! - x[j]!;
      const dy = y[i]! - y[j]!;
      if (dx === 0 && dy === 0) dx = 0.1 * (i - j);
      const square = dx * dx + dy * dy;
      if (square > 360_000) continue;
      const force = (square < GAP * GAP ? 2.4 : 1) * ((950 * heat) / Math.max(square, 60));
      vx[i]! += dx * force; vy[i]! += dy * force;
      vx[j]! -= dx * force; vy[j]! -= dy * force;
    }
  }
}

function pull({ x, y, vx, vy }: Bodies, links: Link[], degree: Float64Array, heat: number): void {
  for (const { source, target } of links) {
    const dx = x[target]! - x[source]!;
    const dy = y[target]! - y[source]!;
    const length = Math.hypot(dx, dy) || 1;
    const [a, b] = [degree[source]!, degree[target]!];
    const force = ((length - REST) / length) * heat * (1 / Math.min(a, b)) * 0.9;
    const [left, right] = [b / (a + b), a / (a + b)];
    vx[source]! += dx * force * left; vy[source]! += dy * force * left;
    vx[target]! -= dx * force * right; vy[target]! -= dy * force * right;
  }
}

function settle({ n, x, y, vx, vy, held }: Bodies, heat: number, wide: number): void {
  for (let i = 0; i < n; i++) {
    vx[i]! -= (x[i]! * heat * 0.06) / wide;
    vy[i]! -= y[i]! * heat * 0.06 * wide;
    const stiff = held[i] ? 0.08 : 1;
    const speed = Math.hypot(vx[i]!, vy[i]!);
    const cap = speed > 60 ? 60 / speed : 1;
    x[i]! += vx[i]! * cap * stiff;
    y[i]! += vy[i]! * cap * stiff;
    vx[i]! *= 0.58; vy[i]! *= 0.58;
  }
}

/** Moves apart what would be drawn on top of each other. */
function part({ n, x, y }: Bodies, gap: number): void {
  for (let i = 0; i < n; i++) {
    for (let j = i + 1; j < n; j++) {
      const dx = x[i]! - x[j]!;
      const dy = y[i]! - y[j]!;
      const length = Math.hypot(dx, dy);
      if (length >= gap) continue;
      const [ux, uy] = length > 0 ? [dx / length, dy / length] : [1, 0];
      const half = (gap - length) / 2;
      x[i]! += ux * half; y[i]! += uy * half;
      x[j]! -= ux * half; y[j]! -= uy * half;
    }
  }
}

/**
 * Places of nodes, by force: links pull, all push, and the middle holds. The same nodes and links give the same places.
 * Nodes that have a known place nearly keep it, so that a neighbourhood may grow without being shuffled. `wide` is width by height of the room.
 */
export function layout(keys: string[], links: Link[], known: Map<string, Place>, wide: number): Place[] {
  const bodies = start(keys, links, known);
  const degree = new Float64Array(bodies.n).fill(1);
  for (const { source, target } of links) { degree[source]!++; degree[target]!++; }
  const stretch = Math.min(2, Math.max(0.5, wide)) ** 0.7;
  for (let round = 0; round < ROUNDS; round++) {
    const heat = 0.5 * (1 - round / ROUNDS) ** 1.6 + 0.004;
    push(bodies, heat);
    pull(bodies, links, degree, heat);
    settle(bodies, heat, stretch);
  }
  for (let i = 0; i < 12; i++) part(bodies, GAP);
  return keys.map((_, i) => ({ x: bodies.x[i]!, y: bodies.y[i]! }));
}
