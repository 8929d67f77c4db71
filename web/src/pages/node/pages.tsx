// Lists that come page by page.
import { useEffect, useState } from "preact/hooks";
import { ask, edition, Problem } from "../../api/client";
import type { Page } from "../../api/types";
import { Failed, Loading } from "../../parts/state";
import { number } from "../../parts/values";

export type Pages<I> = { items: I[]; total: number | null; next: string | null; loading: boolean; problem: Problem | null; more: () => void };

/** The pages of a list so far. `about` names the list: where it changes, the first page is asked for again. */
export function usePages<A extends Page, I>(path: (cursor: string | null) => string, of: (answer: A) => I[], about: string): Pages<I> {
  const [state, set] = useState<Omit<Pages<I>, "more"> & { about: string }>({ about: "", items: [], total: null, next: null, loading: true, problem: null });
  const now = edition.value;
  const first = path(null);
  const get = (cursor: string | null, before: I[], stop?: AbortSignal): void => {
    set((old) => ({ ...old, loading: true, problem: null }));
    ask<A>(cursor === null ? first : path(cursor), { signal: stop }).then(
      (answer) => set({ about, items: [...before, ...of(answer)], total: answer.total, next: answer.next, loading: false, problem: null }),
      (error: unknown) => { if (!stop?.aborted) set((old) => ({ ...old, about, items: before, loading: false, problem: error instanceof Problem ? error : null })); },
    );
  };
  useEffect(() => {
    const stop = new AbortController();
    get(null, [], stop.signal);
    return () => stop.abort();
  }, [first, about, now]);
  const same = state.about === about;
  return { ...state, items: same ? state.items : [], more: () => { if (state.next) get(state.next, state.items); } };
}

export function Pager<I>({ pages, what, plural = `${what}s` }: { pages: Pages<I>; what: string; plural?: string }) {
  if (pages.problem) return <Failed problem={pages.problem} />;
  if (pages.loading && pages.items.length === 0) return <Loading rows={3} />;
  if (pages.items.length === 0) return <p class="none">There is no {what}.</p>;
  const total = pages.total;
  return (
    <p class="pager">
      <span>{number(pages.items.length)}{total !== null && total > pages.items.length ? ` of ${number(total)}` : ""} {pages.items.length === 1 && !(total && total > 1) ? what : plural}</span>
      {pages.next && <button class="button small" disabled={pages.loading} onClick={pages.more}>{pages.loading ? "Loading" : "More"}</button>}
    </p>
  );
}
