// What is shown where there is nothing to show: not yet, not at all, or not possible.
import type { ComponentChildren } from "preact";
import type { Problem } from "../api/client";
import type { Answer } from "../api/use_answer";
import { Icon } from "./icon";

/** Grey rows that stand where the answer will be. */
export function Loading({ rows = 4, what = "Loading" }: { rows?: number; what?: string }) {
  return (
    <div class="loading" role="status" aria-label={what}>
      {Array.from({ length: rows }, (_, i) => <span key={i} style={{ width: `${92 - ((i * 37) % 45)}%` }} />)}
    </div>
  );
}

/** Nothing is there, why, and what to do. */
export function Empty({ title, children, art = "threads" }: { title: string; children?: ComponentChildren; art?: "threads" | "none" }) {
  return (
    <div class="empty">
      {art === "threads" && (
        <svg class="empty-art" viewBox="0 0 120 60" aria-hidden="true">
          {[12, 24, 36, 48].map((y) => <path key={y} d={`M4 ${y}H116`} />)}
          {[30, 60, 90].map((x, i) => <path key={x} class="weft" d={`M${x} 4V${i === 1 ? 34 : 56}`} />)}
          <circle cx="60" cy="36" r="4" />
        </svg>
      )}
      <h2>{title}</h2>
      {children && <div class="empty-text">{children}</div>}
    </div>
  );
}

export function Failed({ problem, again }: { problem: Problem; again?: () => void }) {
  return (
    <div class="failed" role="alert">
      <Icon name="warn" />
      <div>
        <p class="failed-what">{problem.message}</p>
        {problem.hint && <p class="failed-hint">{problem.hint}</p>}
        {again && (problem.status === 0 || problem.status === 429 || problem.status >= 500) && <button class="button" onClick={again}>Try again</button>}
      </div>
    </div>
  );
}

/** Shows an answer, or its loading, or why it did not come. */
export function Answered<T>({ of, children, rows }: { of: Answer<T>; children: (data: T) => ComponentChildren; rows?: number }) {
  if (of.problem) return <Failed problem={of.problem} again={of.again} />;
  if (of.data === null) return <Loading rows={rows} />;
  return <div class={of.loading ? "is-stale" : undefined} aria-busy={of.loading}>{children(of.data)}</div>;
}
