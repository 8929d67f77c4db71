import { useEffect, useRef, useState } from "preact/hooks";
import { ask, edition, Problem } from "./client";

export type Answer<T> = { data: T | null; problem: Problem | null; loading: boolean; again: () => void };

const KEPT = 120;
const kept = new Map<string, unknown>();

function keep(path: string, answer: unknown): void {
  kept.delete(path);
  kept.set(path, answer);
  if (kept.size > KEPT) kept.delete(kept.keys().next().value!);
}

edition.subscribe(() => kept.clear());

/**
 * The answer to a GET. While a new one is on its way the old one stays, so that nothing flickers while time moves;
 * `fresh` names what the answer is about, and an old one about something else is not shown.
 */
export function useAnswer<T>(path: string | null, fresh = ""): Answer<T> {
  const [state, set] = useState<{ path: string | null; about: string; data: T | null; problem: Problem | null }>({ path: null, about: "", data: null, problem: null });
  const [tries, again] = useState(0);
  const wanted = useRef(path);
  wanted.current = path;
  const now = edition.value;
  useEffect(() => {
    if (path === null) return;
    const stop = new AbortController();
    const found = kept.get(path) as T | undefined;
    if (found !== undefined) {
      set({ path, about: fresh, data: found, problem: null });
      return;
    }
    ask<T>(path, { signal: stop.signal }).then(
      (data) => {
        keep(path, data);
        if (wanted.current === path) set({ path, about: fresh, data, problem: null });
      },
      (error: unknown) => {
        if (!stop.signal.aborted) set({ path, about: fresh, data: null, problem: error instanceof Problem ? error : new Problem(0, "unreadable", String(error), null) });
      },
    );
    return () => stop.abort();
  }, [path, tries, now, fresh]);
  const same = path !== null && state.about === fresh;
  return { data: same ? state.data : null, problem: same && state.path === path ? state.problem : null, loading: path !== null && state.path !== path, again: () => again(tries + 1) };
}
