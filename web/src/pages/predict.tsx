// A question to a model: what comes next for a node, and why.
import { useMemo } from "preact/hooks";
import { change, graphName, hrefOf, param } from "../address";
import { edition, graphPath, nodeKey, nodeOfKey, nodePath } from "../api/client";
import type { Candidate, ModelInfo, ModelList, NodeAnswer, NodeRef, Prediction } from "../api/types";
import { useAnswer } from "../api/use_answer";
import { useSent } from "../api/use_sent";
import { Panel, Select, TextField } from "../parts/controls";
import { NodePicker } from "../parts/node_picker";
import { Answered, Empty } from "../parts/state";
import { NodeName, number, percent } from "../parts/values";
import { timeWindow, unit } from "../time/moment";
import { before, isoOf, parseTick, tickOf, written, wrongTime } from "../time/ticks";
import { Explained } from "./predict/explained";

export function Predict() {
  const list = useAnswer<ModelList>(`${graphPath(graphName.value!)}/models`);
  return (
    <>
      <header class="title"><h1>Predict</h1><p class="title-note">What a model expects strictly after a time, from what was before it</p></header>
      <Answered of={list}>{({ models }) => models.length === 0 ? <Empty title="No model is trained on this graph"><p><code>timeweft train --graph {graphName.value}</code> trains one.</p></Empty> : <Question models={models} />}</Answered>
    </>
  );
}

/** The node of the question; of a model of nodes that go there is none. */
function Question({ models }: { models: ModelInfo[] }) {
  const model = models.find(({ name }) => name === param("model")) ?? models[0]!;
  const key = param("node");
  const node = key && model.predicts !== "gone" ? nodeOfKey(key) : null;
  const fitting = model.relations.filter(({ source }) => !node || source === node.type);
  const relation = fitting.find((row) => row.relation === param("relation")) ?? fitting[0] ?? null;
  const type = model.predicts === "gone" ? (param("type") ?? model.node_types[0]!) : (node?.type ?? null);
  const when = param("when");
  const known = useAnswer<NodeAnswer>(node ? nodePath(graphName.value!, node) : null, key ?? "");
  return (
    <>
      <div class="toolbar is-question">
        {models.length > 1 && <Select label="Model" value={model.name} options={models.map(({ name }) => ({ value: name, text: name }))} onChange={(value) => change({ model: value, relation: null, destination: null, without: null })} />}
        {model.predicts === "gone"
          ? <Select label="Nodes of type" value={type!} options={model.node_types.map((value) => ({ value, text: value }))} onChange={(value) => change({ type: value })} />
          : <NodePicker label="Node that is asked about" focusKey="/" types={[...new Set(model.relations.map(({ source }) => source))]} value={node && { ...node, name: known.data?.name ?? null }} onPick={(picked) => change({ node: nodeKey(picked), relation: null, destination: null, without: null })} />}
        {fitting.length > 0 && model.predicts !== "gone" && <Select label="Relation" value={relation?.relation ?? ""} options={fitting.map((row) => ({ value: row.relation, text: `${row.source} ${row.relation} ${row.destination}` }))} onChange={(value) => change({ relation: value, destination: null, without: null })} />}
        <WhenField model={model} when={when} />
      </div>
      {model.predicts !== "gone" && !node
        ? <Empty title="Choose a node to ask about"><p>The answers are ranked, with the evidence that the model saw; each can be explained.</p></Empty>
        : model.predicts !== "gone" && !relation
          ? <Empty title={`The model was not trained for a ${node!.type}`}><p>It answers about {[...new Set(model.relations.map((row) => row.source))].join(", ")}.</p></Empty>
          : <Answers model={model} node={node} type={type!} relation={relation} when={when} />}
    </>
  );
}

function WhenField({ model, when }: { model: ModelInfo; when: string | null }) {
  const [from, to] = timeWindow.value;
  const parsed = when ? parseTick(when, unit.value) : null;
  return <TextField label="As of" value={parsed === null ? "" : written(parsed, unit.value, to - from)} placeholder={`next: ${written(tickOf(model.next_time), unit.value, to - from)}`} wrongWith={(text) => wrongTime(text, unit.value)} onChange={(text) => { const t = parseTick(text, unit.value); change({ when: t === null ? null : isoOf(t, unit.value), without: null }); }} />;
}

type AnswersProps = { model: ModelInfo; node: { type: string; id: string } | null; type: string; relation: ModelInfo["relations"][number] | null; when: string | null };

function Answers({ model, node, type, relation, when }: AnswersProps) {
  const body = useMemo(() => ({ model: model.name, type, id: node?.id ?? null, relation: relation?.relation ?? null, destination_type: relation?.destination ?? null, at: when, top: 10 }), [model.name, type, node?.id, relation?.relation, relation?.destination, when]);
  const answer = useSent<Prediction>(`${graphPath(graphName.value!)}/predict`, body, String(edition.value));
  return (
    <Answered of={answer} rows={8}>{(prediction) => (
      <div class="columns is-answers">
        <Ranked prediction={prediction} model={model} />
        <Why prediction={prediction} model={model} node={node} type={type} />
      </div>
    )}</Answered>
  );
}

const WHAT = { created: "comes next", removed: "goes next", gone: "goes next" } as const;

function Ranked({ prediction, model }: { prediction: Prediction; model: ModelInfo }) {
  const { answers, candidates, at, question } = prediction;
  const most = Math.max(...answers.map(({ share }) => share), 1e-9);
  const chosen = param("destination") ?? (answers[0] ? nodeKey(answers[0].destination) : null);
  const [from, to] = timeWindow.value;
  return (
    <Panel title={`What ${WHAT[model.predicts]}`} aside={`of ${number(candidates)} candidates, at ${written(tickOf(at), unit.value, to - from)}`}>
      {question.source && <p class="question"><NodeName node={question.source} /> <b>{question.relation}</b> …</p>}
      {prediction.warnings.map((warning) => <p key={warning} class="notice">{warning}</p>)}
      {answers.length === 0 && <p class="none">There is no candidate at this time.</p>}
      <ol class="ranked">
        {answers.map((row, i) => {
          const key = nodeKey(row.destination);
          return (
            <li key={key}>
              <button class="answer" aria-pressed={key === chosen} onClick={() => change({ destination: key, without: null }, true)}>
                <span class="answer-rank">{i + 1}</span>
                <span class="answer-name"><NodeName node={row.destination} plain /><span class="answer-seen">{seenText(row, at)}</span></span>
                <span class="bar"><span style={{ width: `${(row.share / most) * 100}%` }} /></span>
                <span class="answer-share">{percent(row.share)}</span>
              </button>
            </li>
          );
        })}
      </ol>
      <p class="none">A share is a weight among these candidates, not a promise. <a href={hrefOf("models", { model: model.name })}>What shares are worth</a></p>
    </Panel>
  );
}

function seenText(row: Candidate, at: Prediction["at"]): string {
  if (!row.seen || row.seen.n === 0) return "never before";
  return `${number(row.seen.n)} ${row.seen.n === 1 ? "time" : "times"} before, last ${before(row.seen.last, tickOf(at), unit.value)}`;
}

function Why({ prediction, model, node, type }: { prediction: Prediction; model: ModelInfo; node: { type: string; id: string } | null; type: string }) {
  const first = prediction.answers[0]?.destination;
  const wanted = param("destination");
  const destination = (wanted ? nodeOfKey(wanted) : null) ?? (first ? { type: first.type, id: first.id } : null);
  if (!destination) return null;
  const source: Pick<NodeRef, "type" | "id"> = node ?? destination;
  return <Explained model={model.name} source={{ type: source.type ?? type, id: source.id }} destination={node ? destination : null} relation={prediction.question.relation} when={param("when")} />;
}
