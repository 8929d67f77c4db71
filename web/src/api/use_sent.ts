import { useEffect, useState } from "preact/hooks";
import { Problem, send } from "./client";
import type { Answer } from "./use_answer";

/** The answer to a POST that only asks. The old answer stays while a new one is on its way, unless `about` changed. */
export function useSent<T>(path: string, body: unknown | null, about = ""): Answer<T> {
  const [state, set] = useState<{ body: string | null; about: string; data: T | null; problem: Problem | null }>({ body: null, about: "", data: null, problem: null });
  const [tries, again] = useState(0);
  const text = body === null ? null : JSON.stringify(body);
  useEffect(() => {
    if (text === null) return;
    const stop = new AbortController();
    send<T>("POST", path, JSON.parse(text), stop.signal).then(
      (data) => set({ body: text, about, data, problem: null }),
      (error: unknown) => { if (!stop.signal.aborted) set({ body: text, about, data: null, problem: error instanceof Problem ? error : new Problem(0, "unreadable", String(error), null) }); },
    );
    return () => stop.abort();
  }, [path, text, tries, about]);
  const same = text !== null && state.about === about;
  return { data: same ? state.data : null, problem: same && state.body === text ? state.problem : null, loading: text !== null && state.body !== text, again: () => again(tries + 1) };
}
