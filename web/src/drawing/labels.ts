// Which labels are drawn, and where: greedily, by weight, never one over another or over a node.

export type Box = { left: number; top: number; right: number; bottom: number };
export type Wish = { x: number; y: number; radius: number; text: string; weight: number; bold: boolean };
export type Label = { x: number; y: number; text: string; anchor: "start" | "middle" | "end"; box: Box };

const HEIGHT = 15;
const LONGEST = 26;
const pen = document.createElement("canvas").getContext("2d")!;
const widths = new Map<string, number>();

/** A name short enough to stand beside a node. */
export function shortened(text: string, longest = LONGEST): string {
  const letters = [...text];
  return letters.length <= longest ? text : `${letters.slice(0, longest - 1).join("").trimEnd()}…`;
}

function widthOf(text: string, bold: boolean): number {
  const key = `${bold ? "b" : "n"}${text}`;
  let width = widths.get(key);
  if (width === undefined) {
    pen.font = `${bold ? 600 : 500} 12px ${getComputedStyle(document.body).fontFamily}`;
    width = pen.measureText(text).width + 3;
    if (widths.size > 20_000) widths.clear();
    widths.set(key, width);
  }
  return width;
}

const meet = (a: Box, b: Box): boolean => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;

/** What is taken already, in squares, so that only what is near is looked at. */
class Room {
  private squares = new Map<number, Box[]>();
  private *of(box: Box): Generator<number> {
    for (let column = Math.floor(box.left / 64); column <= Math.floor(box.right / 64); column++) {
      for (let row = Math.floor(box.top / 64); row <= Math.floor(box.bottom / 64); row++) yield column * 10_007 + row;
    }
  }
  take(box: Box): void {
    for (const square of this.of(box)) this.squares.set(square, [...(this.squares.get(square) ?? []), box]);
  }
  isFree(box: Box): boolean {
    for (const square of this.of(box)) if (this.squares.get(square)?.some((other) => meet(box, other))) return false;
    return true;
  }
}

/** Which of some texts find room at their own spot, beside boxes that are taken. */
export function roomFor(texts: { x: number; y: number; text: string }[], taken: Box[]): boolean[] {
  const room = new Room();
  taken.forEach((box) => room.take(box));
  return texts.map(({ x, y, text }) => {
    const half = widthOf(text, false) / 2 + 2;
    const box = { left: x - half, right: x + half, top: y - HEIGHT / 2, bottom: y + HEIGHT / 2 };
    const free = room.isFree(box);
    if (free) room.take(box);
    return free;
  });
}

function places(wish: Wish, text: string): Label[] {
  const width = widthOf(text, wish.bold);
  const far = wish.radius + 8;
  const at = (x: number, y: number, anchor: Label["anchor"]): Label => {
    const left = anchor === "start" ? x : anchor === "end" ? x - width : x - width / 2;
    return { x, y, text, anchor, box: { left, right: left + width, top: y - HEIGHT / 2, bottom: y + HEIGHT / 2 } };
  };
  const { x, y } = wish;
  const slant = far * 0.75;
  return [at(x + far, y, "start"), at(x - far, y, "end"), at(x, y + far + 4, "middle"), at(x, y - far - 4, "middle"), at(x + slant, y + slant + 4, "start"), at(x + slant, y - slant - 4, "start"), at(x - slant, y + slant + 4, "end"), at(x - slant, y - slant - 4, "end")];
}

/** Labels of the wishes that find room within `frame` and beside what is `covered`, by weight; null where there is none. */
export function placeLabels(wishes: Wish[], frame: Box, covered: Box[] = []): (Label | null)[] {
  const room = new Room();
  covered.forEach((box) => room.take(box));
  for (const { x, y, radius } of wishes) room.take({ left: x - radius - 1, right: x + radius + 1, top: y - radius - 1, bottom: y + radius + 1 });
  const answer: (Label | null)[] = wishes.map(() => null);
  const order = wishes.map((_, i) => i).sort((a, b) => wishes[b]!.weight - wishes[a]!.weight || a - b);
  for (const i of order) {
    const wish = wishes[i]!;
    const inside = (box: Box): boolean => box.left >= frame.left && box.right <= frame.right && box.top >= frame.top && box.bottom <= frame.bottom;
    const found = [LONGEST, 14].flatMap((longest) => places(wish, shortened(wish.text, longest))).find(({ box }) => inside(box) && room.isFree(box));
    if (!found) continue;
    room.take(found.box);
    answer[i] = found;
  }
  return answer;
}
