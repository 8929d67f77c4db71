// The neighbourhood of what changed, drawn as of the later moment with what went still there.
import { useMemo, useRef } from "preact/hooks";
import { change, graphName, hrefOf, param } from "../../address";
import { graphPath, nodeKey, withQuery } from "../../api/client";
import type { Change, Diff, Subgraph } from "../../api/types";
import { useAnswer } from "../../api/use_answer";
import { useSize } from "../../drawing/camera";
import { GraphDrawing } from "../../drawing/graph_drawing";
import { sceneOf } from "../../drawing/scene";
import { Panel } from "../../parts/controls";
import { Failed, Loading } from "../../parts/state";
import { Glyph, lookOf } from "../../parts/values";
import { span, unit } from "../../time/moment";
import { isoOf, tickOf } from "../../time/ticks";
import { StateSign } from "../explore/legend";

const ROOTS = 6;

/** The nodes to look around: the first that changed, of nodes before edges. */
function rootsOf(changes: Change[]): string[] {
  const keys = changes.map((row) => nodeKey(row.what === "node" ? row.node : row.what === "edge" ? row.edge.source : row.into));
  return [...new Set(keys)].slice(0, ROOTS);
}

export function ChangeDrawing({ question, diff }: { question: (extra: Record<string, string | number | null>) => string; diff: Diff }) {
  const first = useAnswer<Diff>(question({ what: diff.summary.nodes.created + diff.summary.nodes.updated + diff.summary.nodes.removed ? "node" : null, limit: 40 }));
  const whole = span.value!;
  const [from, to] = [diff.from ? tickOf(diff.from) : whole[1], diff.to ? tickOf(diff.to) : whole[1]];
  const [a, b] = from < to ? [from, to] : [to, from];
  const roots = useMemo(() => { const all = first.data?.changes ?? []; const step = Math.max(1, Math.floor(all.length / ROOTS)); return rootsOf(all.filter((_, i) => i % step === 0)); }, [first.data]);
  const chosen = param("root");
  const shown = chosen ? [chosen] : roots;
  const answer = useAnswer<Subgraph>(shown.length ? withQuery(`${graphPath(graphName.value!)}/subgraph`, { root: shown, hops: 1, k: 8, limit: 80, from: isoOf(a, unit.value), to: isoOf(b, unit.value) }) : null);
  const [ref, size] = useSize<HTMLDivElement>();
  const svg = useRef<SVGSVGElement>(null);
  const scene = useMemo(() => (answer.data && answer.data.nodes.length ? sceneOf(answer.data, new Map(), 1.1) : null), [answer.data]);
  const look = { at: b, step: b - a || 1n, soft: false };
  return (
    <Panel title="Around what changed" aside={chosen ? <button class="button quiet small" onClick={() => change({ root: null }, true)}>The first of all types</button> : "some of the nodes that changed, and their neighbours"} class="is-flush">
      <div class="canvas is-inner" ref={ref}>
        {(first.problem ?? answer.problem) && <Failed problem={(first.problem ?? answer.problem)!} />}
        {!scene && !answer.problem && <Loading rows={3} />}
        {scene && size.width > 0 && <GraphDrawing scene={scene} look={look} size={size} svg={svg} said="The neighbourhood of what changed; the list beside names every change" selected={null} roots={shown} pins={[]} hops={1}
          paintOf={(i) => { const at = lookOf(scene.nodes[i]!.of.type); return { look: at, paint: `type-${at % 8}` }; }} isHidden={() => false} onSelect={(key) => { if (key) change({ root: key }, true); }} onOpen={(key) => change({ root: key }, true)} />}
      </div>
      <p class="drawing-key"><span><StateSign shown="appears" /> came</span><span><StateSign shown="changes" /> changed</span><span><StateSign shown="goes" /> went</span>{[...new Set(scene?.nodes.map(({ of }) => of.type) ?? [])].sort().map((type) => <span key={type}><Glyph type={type} /> {type}</span>)}{chosen && <a href={hrefOf("explore", { root: chosen })}>Explore</a>}</p>
    </Panel>
  );
}
