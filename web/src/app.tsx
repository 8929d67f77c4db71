// Which page is shown, of which graph.
import { useEffect, useState } from "preact/hooks";
import { graphName, pageName, param } from "./address";
import { ask, edition, graphPath, signedOut, withQuery } from "./api/client";
import type { GraphInfo, Session } from "./api/types";
import { useAnswer } from "./api/use_answer";
import { Compare } from "./pages/compare";
import { Explore } from "./pages/explore";
import { Graphs } from "./pages/graphs";
import { LoadsPage } from "./pages/loads";
import { Models } from "./pages/models";
import { NodePage } from "./pages/node";
import { Overview } from "./pages/overview";
import { Predict } from "./pages/predict";
import { Sql } from "./pages/sql";
import { Empty, Failed, Loading } from "./parts/state";
import { Head, Keys, SignIn, titleOf } from "./shell";
import { Foot } from "./time/foot";
import { graph, takeFromAddress } from "./time/moment";

const VIEWS = { overview: Overview, explore: Explore, node: NodePage, compare: Compare, predict: Predict, models: Models, loads: LoadsPage, sql: Sql };
/** Pages that mean something in a graph without events. */
const WITHOUT_EVENTS = ["overview", "loads", "sql", "models"];

export function App() {
  const [keys, showKeys] = useState(false);
  const session = useAnswer<Session>("/v1/session");
  useEffect(() => {
    const pressed = (event: KeyboardEvent): void => {
      if (event.key === "?" && !(event.target as Element).closest("input, textarea, select")) showKeys(true);
    };
    addEventListener("keydown", pressed);
    return () => removeEventListener("keydown", pressed);
  }, []);
  const name = graphName.value;
  useEffect(() => { document.title = name ? `${titleOf(pageName.value)}, ${name} · timeweft` : "timeweft"; }, [name, pageName.value]);
  if (signedOut.value) return <SignIn />;
  return (
    <>
      <a class="skip" href="#main">To the content</a>
      <Head session={session.data} onKeys={() => showKeys(true)} />
      {name ? <OneGraph key={name} name={name} /> : <Graphs />}
      {keys && <Keys onClose={() => showKeys(false)} />}
    </>
  );
}

const EVERY = 15_000;

/** Looks now and then whether the graph has a newer commit; the server answers 304 where it has none. */
function useNewCommits(name: string): void {
  useEffect(() => {
    const look = async (): Promise<void> => {
      if (document.hidden || !graph.peek()) return;
      const info = await ask<GraphInfo>(graphPath(name)).catch(() => null);
      if (info && graph.peek() && info.newest_commit !== graph.peek()!.newest_commit) edition.value++;
    };
    const clock = setInterval(() => { void look(); }, EVERY);
    const seen = (): void => { void look(); };
    document.addEventListener("visibilitychange", seen);
    return () => { clearInterval(clock); document.removeEventListener("visibilitychange", seen); };
  }, [name]);
}

function OneGraph({ name }: { name: string }) {
  const answer = useAnswer<GraphInfo>(withQuery(graphPath(name), { commit: param("commit") }));
  const [ready, setReady] = useState(false);
  useEffect(() => {
    if (!answer.data) return;
    const first = graph.peek()?.name !== answer.data.name;
    graph.value = answer.data;
    if (first || !ready) takeFromAddress();
    setReady(true);
  }, [answer.data]);
  useEffect(() => () => { graph.value = null; }, []);
  useNewCommits(name);
  const page = pageName.value;
  if (answer.problem) return <main id="main" class="page"><h1>{name}</h1><Failed problem={answer.problem} again={answer.again} /></main>;
  if (!ready || !graph.value) return <main id="main" class="page"><Loading rows={6} what={`Opening ${name}`} /></main>;
  const View = VIEWS[page];
  const nothing = !graph.value.span && !WITHOUT_EVENTS.includes(page);
  return (
    <>
      <main id="main" class={`page page-${page}`}>
        {nothing ? <><h1 class="unseen">{titleOf(page)}</h1><Empty title="Nothing has happened in this graph yet"><p>Load a stream of events, a release of an ontology or a table, and time begins.</p><a class="button main" href={`/g/${encodeURIComponent(name)}/loads?new=1`}>Load something</a></Empty></> : <View />}
      </main>
      <Foot />
    </>
  );
}
