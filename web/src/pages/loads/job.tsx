// A job that runs on the server: its progress, stopping it, and how it ended.
import { useEffect, useState } from "preact/hooks";
import { ask, edition, Problem, send } from "../../api/client";
import type { Job } from "../../api/types";
import { Failed } from "../../parts/state";
import { bytes, number } from "../../parts/values";

/** Follows a job by its events; where the line breaks, asks now and then. */
export function useJob(base: string, first: Job, onDone: (job: Job) => void): Job {
  const [job, set] = useState(first);
  useEffect(() => {
    const path = `${base}/jobs/${encodeURIComponent(first.id)}`;
    let over = false;
    const take = (next: Job): void => {
      if (over) return;
      set(next);
      if (next.state === "running" || next.state === "queued") return;
      over = true;
      source.close();
      if (next.state === "done" && next.report?.commit !== null) edition.value++;
      onDone(next);
    };
    const source = new EventSource(`${path}/events`);
    const read = (event: MessageEvent<string>): void => take(JSON.parse(event.data) as Job);
    source.addEventListener("progress", read);
    source.addEventListener("done", read);
    source.addEventListener("error", () => { if (!over) setTimeout(() => { if (!over) void ask<Job>(path).then(take, () => undefined); }, 800); });
    return () => { over = true; source.close(); };
  }, [base, first.id]);
  return job;
}

export function JobView({ base, job }: { base: string; job: Job }) {
  const [asked, setAsked] = useState(false);
  if (job.error) return <Failed problem={new Problem(0, job.error.code, job.error.message, job.error.hint)} />;
  if (job.state === "stopped") return <p class="notice" role="status">Stopped. Nothing of it is visible.</p>;
  if (job.state === "done") return null;
  const share = job.size ? job.bytes / job.size : null;
  return (
    <div class="job">
      <div class="progress" role="progressbar" aria-label={job.step} aria-valuemin={0} aria-valuemax={100} aria-valuenow={share === null ? undefined : Math.round(share * 100)}><span class={share === null ? "is-unknown" : undefined} style={{ width: share === null ? "100%" : `${share * 100}%` }} /></div>
      <p class="job-text"><span>{job.step}, {number(job.records)} records, {bytes(job.bytes)}{job.size !== null && ` of ${bytes(job.size)}`}</span>
        <button class="button small" disabled={asked} onClick={() => { setAsked(true); void send("DELETE", `${base}/jobs/${encodeURIComponent(job.id)}`); }}>{asked ? "Stopping" : "Stop"}</button></p>
    </div>
  );
}
