// A type of nodes has a shape and a colour, so that neither is needed to tell it.

const SHAPES = ["circle", "square", "diamond", "hexagon", "triangle", "pentagon", "bar", "drop"] as const;
export const LOOKS = SHAPES.length;

const ring = (corners: number, radius: number, turn: number): string =>
  `M${Array.from({ length: corners }, (_, i) => {
    const angle = (2 * Math.PI * i) / corners + turn;
    return `${(radius * Math.cos(angle)).toFixed(2)} ${(radius * Math.sin(angle)).toFixed(2)}`;
  }).join("L")}Z`;

const drawn = new Map<string, string>();

/** The outline of the look of a type, around 0, about as large as a circle of the radius. */
export function outline(look: number, radius: number): string {
  const key = `${look % LOOKS} ${radius.toFixed(2)}`;
  let path = drawn.get(key);
  if (path === undefined) {
    path = shape(SHAPES[look % LOOKS]!, radius);
    drawn.set(key, path);
  }
  return path;
}

function shape(name: (typeof SHAPES)[number], r: number): string {
  const up = -Math.PI / 2;
  switch (name) {
    case "circle": return `M${-r} 0a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0Z`;
    case "square": { const s = r * 0.88; const c = s * 0.35; return `M${-s + c} ${-s}H${s - c}Q${s} ${-s} ${s} ${-s + c}V${s - c}Q${s} ${s} ${s - c} ${s}H${-s + c}Q${-s} ${s} ${-s} ${s - c}V${-s + c}Q${-s} ${-s} ${-s + c} ${-s}Z`; }
    case "diamond": return ring(4, r * 1.2, 0);
    case "hexagon": return ring(6, r * 1.08, 0);
    case "triangle": return ring(3, r * 1.25, up);
    case "pentagon": return ring(5, r * 1.1, up);
    case "bar": return `M${-r * 1.2} ${-r * 0.65}H${r * 1.2}V${r * 0.65}H${-r * 1.2}Z`;
    case "drop": return `M0 ${-r * 1.3}Q${r * 1.2} ${-r * 0.1} ${r * 0.8} ${r * 0.5}A${r * 0.9} ${r * 0.9} 0 0 1 ${-r * 0.8} ${r * 0.5}Q${-r * 1.2} ${-r * 0.1} 0 ${-r * 1.3}Z`;
  }
}
