// What an element is at a time: there, just come, just gone, or not there.
import type { TickLife } from "../api/types";
import type { Tick } from "../time/ticks";

export type Shown = "absent" | "appears" | "changes" | "stays" | "goes" | "over";
export type Lived = { lives: [Tick, Tick | null][]; changes: Tick[] };
export type Look = { at: Tick; step: Tick; soft: boolean };

export const WORDS: Record<Exclude<Shown, "absent">, string> = { appears: "appears", changes: "changes", stays: "stays", goes: "goes", over: "over" };

export const livedOf = (of: { lives: TickLife[]; changes: string[] }): Lived => ({
  lives: of.lives.map(([created, removed]) => [BigInt(created), removed === null ? null : BigInt(removed)]),
  changes: of.changes.map(BigInt),
});

/** What is shown of an element at a time. What began or ended within the last step is marked for that step. */
export function shownAt({ lives, changes }: Lived, { at, step, soft }: Look): Shown {
  let over: Tick | null = null;
  for (const [created, removed] of lives) {
    if (created > at) continue;
    if (removed === null || at < removed) {
      if (created > at - step) return "appears";
      return changes.some((t) => t <= at && t > at - step) ? "changes" : "stays";
    }
    if (over === null || removed > over) over = removed;
  }
  if (over === null) return "absent";
  return over > at - step ? "goes" : soft ? "over" : "absent";
}

/** The life that holds at a time, or the last one before it. */
export function lifeAt({ lives }: Lived, at: Tick): [Tick, Tick | null] | null {
  return lives.find(([created, removed]) => created <= at && (removed === null || at < removed)) ?? lives.findLast(([created]) => created <= at) ?? null;
}
