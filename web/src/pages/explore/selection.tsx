// The node that is selected: what it is now, and what can be done with it.
import { change, graphName, hrefOf, params } from "../../address";
import { nodePath, withQuery } from "../../api/client";
import type { NodeAnswer } from "../../api/types";
import { useAnswer } from "../../api/use_answer";
import { shownAt, WORDS, type Look } from "../../drawing/life";
import type { Scene } from "../../drawing/scene";
import { Icon } from "../../parts/icon";
import { Answered } from "../../parts/state";
import { Glyph, NodeName, number, ValueText } from "../../parts/values";
import { clocks } from "../../time/moment";
import { chooseNode, makeRoot, togglePin } from "./choices";

export function Selection({ scene, index, look }: { scene: Scene; index: number; look: Look }) {
  const { key, of, lived } = scene.nodes[index]!;
  const answer = useAnswer<NodeAnswer>(withQuery(nodePath(graphName.value!, of), clocks.value), key);
  const shown = shownAt(lived, look);
  const pinned = params("pin").includes(key);
  return (
    <section class="selection" aria-label="Selected node">
      <header>
        <h2 title={`${of.type} ${of.id}`}><Glyph type={of.type} size={16} /> <span>{of.name ?? of.id}</span></h2>
        <button class="tool" aria-label="Close" onClick={() => chooseNode(null)}><Icon name="close" /></button>
      </header>
      <p class="selection-id">{of.type} <code>{of.id}</code> <span class={`state-word is-${shown}`}>{shown === "absent" ? "not there now" : WORDS[shown]}</span></p>
      <div class="selection-actions">
        <button class="button small" aria-pressed={pinned} onClick={() => togglePin(key)}><Icon name="pin" /><span>{pinned ? "Unpin" : "Pin"}</span></button>
        <button class="button small" onClick={() => makeRoot(key)}>Make it the middle</button>
        <a class="button small" href={hrefOf("node", { node: key })}>Open</a>
      </div>
      <Expand scene={scene} index={index} />
      <Answered of={answer} rows={2}>{(node) => (
        <>
          {node.features.length > 0 && <dl class="feature-list">{node.features.slice(0, 6).map(({ name, value }) => <div key={name}><dt>{name}</dt><dd><ValueText value={value} /></dd></div>)}</dl>}
          {node.became.map(({ into }) => <p key={into.id} class="became">became <NodeName node={into} /></p>)}
        </>
      )}</Answered>
    </section>
  );
}

/** More neighbours by one relation, where there are more than are drawn. */
function Expand({ scene, index }: { scene: Scene; index: number }) {
  const { key, of } = scene.nodes[index]!;
  if (of.more.length === 0) return null;
  return (
    <div class="expand" role="group" aria-label="Expand by relation">
      <span class="field-label">More in the window</span>
      {of.more.map(({ relation, side, type, n }) => {
        const one = `${key}:${encodeURIComponent(relation)}:${side}`;
        return <button key={one} class="chip" onClick={() => change({ expand: [...new Set([...params("expand"), one])] })}><Glyph type={type} /><span>{side === "out" ? `${relation} ${type}` : `${type} ${relation} it`}</span><b>+{number(n)}</b></button>;
      })}
    </div>
  );
}
