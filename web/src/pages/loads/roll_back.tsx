// Rolling a load back: what that would change stands before the button.
import { useState } from "preact/hooks";
import { Problem, send } from "../../api/client";
import type { Job, LoadRow, UndoPlan } from "../../api/types";
import { useAnswer } from "../../api/use_answer";
import { Dialog } from "../../parts/controls";
import { Answered, Failed } from "../../parts/state";
import { number } from "../../parts/values";
import { JobView, useJob } from "./job";
import { CountTable } from "./report";

export function RollBack({ base, row, onClose }: { base: string; row: LoadRow; onClose: () => void }) {
  const plan = useAnswer<UndoPlan>(`${base}/loads/${row.id}/undo`);
  const [job, setJob] = useState<Job | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const run = async (): Promise<void> => {
    try {
      setJob((await send<{ job: Job }>("DELETE", `${base}/loads/${row.id}`)).job);
    } catch (error) {
      setProblem(error as Problem);
    }
  };
  return (
    <Dialog title={`Roll back load ${row.id}?`} onClose={onClose}>
      <p>The graph will be what it would be without it, as a new commit. Earlier commits still show it.</p>
      <Answered of={plan}>{(data) => <Plan data={data} />}</Answered>
      {problem && <Failed problem={problem} />}
      {job ? <Running base={base} job={job} onClose={onClose} /> : <p class="actions"><button class="button danger" disabled={plan.data === null} onClick={() => { void run(); }}>Roll back load {row.id}</button><button class="button" onClick={onClose}>Keep it</button></p>}
    </Dialog>
  );
}

function Plan({ data }: { data: UndoPlan }) {
  return (
    <>
      <h3>What becomes of the graph</h3>
      <CountTable counts={data.counts} />
      {data.replaced.length > 0 && <p class="notice">Made anew because they build on it: {data.replaced.map((id) => `load ${id}`).join(", ")}.</p>}
      {data.dropped.length > 0 && <><h3>No longer fits</h3><ul class="reasons">{data.dropped.slice(0, 20).map((one, i) => <li key={i}><b>load {number(one.load)}</b> {one.why}</li>)}</ul></>}
    </>
  );
}

function Running({ base, job: first, onClose }: { base: string; job: Job; onClose: () => void }) {
  const job = useJob(base, first, () => undefined);
  return <div aria-live="polite"><JobView base={base} job={job} />{job.state === "done" && <p class="notice">Done, as commit {job.report?.commit}. <button class="link" onClick={onClose}>Close</button></p>}</div>;
}
