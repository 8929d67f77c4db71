// What was trained: how it learnt, how it ranks beside rules that learn nothing, what its shares are worth.
import { useState } from "preact/hooks";
import { change, graphName, hrefOf, param } from "../address";
import { graphPath, send, type Problem } from "../api/client";
import type { Job, ModelInfo, ModelList, ModelReport, Ranking } from "../api/types";
import { useAnswer } from "../api/use_answer";
import { Chart } from "../parts/chart";
import { Panel, Segments } from "../parts/controls";
import { Answered, Empty, Failed } from "../parts/state";
import { number, percent, valueText, When } from "../parts/values";
import { JobView, useJob } from "./loads/job";

export function Models() {
  const base = `${graphPath(graphName.value!)}/models`;
  const list = useAnswer<ModelList>(base);
  return (
    <>
      <header class="title"><h1>Models</h1></header>
      <Answered of={list}>{({ models, unreadable }) => (
        <>
          {unreadable.map(({ name, message }) => <p key={name} class="notice">Model {name} cannot be read: {message}</p>)}
          {models.length === 0 ? <Empty title="No model is trained on this graph"><p>Train one on the command line, and it shows here:</p><p><code>timeweft train --graph {graphName.value}</code></p></Empty> : <List base={base} models={models} />}
        </>
      )}</Answered>
    </>
  );
}

const PREDICTS = { created: "which edges come next", removed: "which edges go next", gone: "which nodes go next" } as const;

function List({ base, models }: { base: string; models: ModelInfo[] }) {
  const chosen = models.find(({ name }) => name === param("model")) ?? models[0]!;
  const report = useAnswer<ModelReport>(`${base}/${encodeURIComponent(chosen.name)}`, chosen.name);
  return (
    <>
      {models.length > 1 && <Segments label="Model" value={chosen.name} options={models.map(({ name }) => ({ value: name, text: name }))} onChange={(value) => change({ model: value })} />}
      <dl class="facts">
        <div><dt>Predicts</dt><dd class="is-text">{PREDICTS[chosen.predicts]}</dd></div>
        <div><dt>Mean reciprocal rank</dt><dd>{chosen.mrr === null ? "not measured" : chosen.mrr.toFixed(3)}</dd></div>
        <div><dt>Trained until</dt><dd class="is-text"><When time={chosen.trained_until} /></dd></div>
        <div><dt>Weights</dt><dd>{number(chosen.parameters)}</dd></div>
        <div><dt>Memory is of</dt><dd class="is-text">commit {chosen.absorbed.commit}{chosen.absorbed.behind > 0 ? `, ${number(chosen.absorbed.behind)} facts behind` : ", up to date"}</dd></div>
      </dl>
      {chosen.unknown.length > 0 && <p class="notice">It does not know {chosen.unknown.join(", ")}: that came after its training, and is not there for it.</p>}
      <Doing key={chosen.name} base={base} model={chosen} />
      <Answered of={report} rows={6}>{(data) => <Report data={data} />}</Answered>
    </>
  );
}

/** Asking the model, and having its memory take in what was loaded since. */
function Doing({ base, model }: { base: string; model: ModelInfo }) {
  const [job, setJob] = useState<Job | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const absorb = async (): Promise<void> => {
    try {
      setJob((await send<{ job: Job }>("POST", `${base}/${encodeURIComponent(model.name)}/absorb`)).job);
    } catch (error) {
      setProblem(error as Problem);
    }
  };
  return (
    <>
      <p class="actions"><a class="button main" href={hrefOf("predict", { model: model.name })}>Ask it</a>{model.absorbed.behind > 0 && !job && <button class="button" onClick={() => { void absorb(); }}>Take in {number(model.absorbed.behind)} new facts</button>}</p>
      {problem && <Failed problem={problem} />}
      {job && <Absorbing job={job} />}
    </>
  );
}

function Absorbing({ job: first }: { job: Job }) {
  const graph = graphPath(graphName.value!);
  const job = useJob(graph, first, () => undefined);
  return <div aria-live="polite"><JobView base={graph} job={job} />{job.state === "done" && <p class="notice">Its memory has taken in {number(job.report?.events ?? 0)} facts.</p>}</div>;
}

function Report({ data }: { data: ModelReport }) {
  const kept = data.curve.find((epoch) => epoch.kept)?.epoch;
  return (
    <>
      <div class="columns">
        <Panel title="Ranking, by epoch" aside={kept !== undefined ? `epoch ${kept} was kept` : undefined}>
          <Chart label="Mean reciprocal rank on the validation part by epoch" xName="epoch" yName="mean reciprocal rank" yFrom={0} yTo={1} marked={kept} series={[{ name: "validation", as: "line", tone: 1, points: data.curve.flatMap(({ epoch, validation_mrr }) => (validation_mrr === null ? [] : [{ x: epoch, y: validation_mrr }])) }]} />
        </Panel>
        <Panel title="Loss, by epoch">
          <Chart label="Loss by epoch" xName="epoch" yName="loss" yFrom={0} marked={kept} series={[{ name: "loss", as: "line", tone: 2, points: data.curve.map(({ epoch, loss }) => ({ x: epoch, y: loss })) }]} />
        </Panel>
        <RankingPanel rows={data.ranking} />
        {data.calibration && (
          <Panel title="What a share is worth" aside={`off by ${percent(data.calibration.error)} on average`}>
            <Chart label="How often a share came true" xName="share that it gave" yName="how often that came true" xFrom={0} xTo={1} yFrom={0} yTo={1} xText={(x) => percent(x)} diagonal series={[{ name: "share", as: "line", tone: 1, points: data.calibration.bins.map((bin) => ({ x: bin.share, y: bin.observed, size: 2.5 + Math.sqrt(bin.n) / 22, text: `${percent(bin.share)}: ${percent(bin.observed)} of ${number(bin.n)}` })) }]} />
          </Panel>
        )}
      </div>
      <Panel title="Configuration"><div class="config">{Object.entries(data.config).map(([section, values]) => <div key={section}><h3>{section}</h3><dl class="feature-list">{Object.entries(values).map(([key, value]) => <div key={key}><dt>{key}</dt><dd>{valueText(value)}</dd></div>)}</dl></div>)}</div></Panel>
    </>
  );
}

/** The model beside rules without training; what each had seen before an answer is told apart. */
function RankingPanel({ rows }: { rows: Ranking[] }) {
  const freshness = param("freshness") === "batch" ? "batch" : "event";
  const shown = rows.filter((row) => row.freshness === freshness).sort((a, b) => b.mrr - a.mrr);
  return (
    <Panel title="Beside rules that learn nothing" aside={<Segments label="What was seen before an answer" value={freshness} options={[{ value: "event", text: "all before it", title: "Every answer has seen all facts strictly before its time" }, { value: "batch", text: "batch before", title: "Every answer has seen the facts of earlier batches" }]} onChange={(value) => change({ freshness: value === "event" ? null : value }, true)} />}>
      <table class="rows bars-table">
        <thead><tr><th scope="col">Ranker</th><th scope="col">Mean reciprocal rank</th><th scope="col" class="is-number">First</th><th scope="col" class="is-number">In ten</th></tr></thead>
        <tbody>{shown.map((row) => <tr key={row.model} class={`is-${row.kind}`}><td>{row.model}</td><td><span class="bar"><span style={{ width: `${row.mrr * 100}%` }} /></span> <span class="bar-n">{row.mrr.toFixed(3)}</span></td><td class="is-number">{percent(row.hits1)}</td><td class="is-number">{percent(row.hits10)}</td></tr>)}</tbody>
      </table>
      {shown[0] && <p class="none">{number(shown[0].links)} links of the {shown[0].part} part</p>}
    </Panel>
  );
}
