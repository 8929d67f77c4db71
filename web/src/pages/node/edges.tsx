// The edges of a node by relation, and the neighbours of the one that is chosen.
import { change, param } from "../../address";
import { nodeKey, withQuery } from "../../api/client";
import type { Neighbor, Neighbors, Relation } from "../../api/types";
import { Panel } from "../../parts/controls";
import { Glyph, NodeName, number, ValueText, When } from "../../parts/values";
import { clocks } from "../../time/moment";
import { Pager, usePages } from "./pages";

const keyOf = (row: Relation): string => `${row.side}:${row.relation}`;

export function Edges({ base, relations }: { base: string; relations: Relation[] }) {
  const wanted = param("relation");
  const chosen = relations.find((row) => keyOf(row) === wanted) ?? relations[0];
  const sum = relations.reduce((total, { n }) => total + n, 0);
  return (
    <Panel title="Edges at this time" aside={`${number(sum)} in ${number(relations.length)} ${relations.length === 1 ? "relation" : "relations"}`}>
      {relations.length === 0 ? <p class="none">It has no edge at this time.</p> : (
        <>
          <div class="chips" role="group" aria-label="Relation">
            {relations.map((row) => <button key={keyOf(row)} class="chip" aria-pressed={row === chosen} onClick={() => change({ relation: keyOf(row) }, true)}><Glyph type={row.side === "out" ? row.destination : row.source} /><span>{row.side === "out" ? `${row.relation} ${row.destination}` : `${row.source} ${row.relation} it`}</span><b>{number(row.n)}</b></button>)}
          </div>
          {chosen && <List base={base} relation={chosen} />}
        </>
      )}
    </Panel>
  );
}

function List({ base, relation }: { base: string; relation: Relation }) {
  const pages = usePages<Neighbors, Neighbor>((cursor) => withQuery(`${base}/neighbors`, { side: relation.side, relation: relation.relation, ...clocks.value, limit: 12, cursor }), (data) => data.neighbors, `${base}${keyOf(relation)}`);
  return (
    <>
      <ul class="neighbor-list">
        {pages.items.map((edge) => {
          const other = relation.side === "out" ? edge.destination : edge.source;
          const features = Object.entries(edge.features);
          return (
            <li key={`${nodeKey(other)} ${edge.key} ${edge.created.tick}`}>
              <NodeName node={other} />
              <span class="neighbor-more">{edge.key !== null && <code>{edge.key}</code>}{features.slice(0, 2).map(([name, value]) => <span key={name}>{name} <ValueText value={value} /></span>)}<span>since <When time={edge.created} /></span></span>
            </li>
          );
        })}
      </ul>
      <Pager pages={pages} what="edge" />
    </>
  );
}
