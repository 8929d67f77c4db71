// Queries to begin with, about the graph that is open: at a time and a commit that it has.
import type { GraphInfo } from "../../api/types";
import { isoOf, tickAt, tickOf } from "../../time/ticks";

export type Example = { name: string; query: string };

export const FIRST: Example = { name: "How many of each type", query: "SELECT type, count(*) AS n\nFROM nodes\nGROUP BY type\nORDER BY n DESC" };

const quoted = (name: string): string => `"${name.replace(/"/g, '""')}"`;

export function examplesOf({ span, unit, newest_commit, node_types }: GraphInfo): Example[] {
  if (!span) return [FIRST];
  const middle = isoOf(tickAt(0.5, tickOf(span.from), tickOf(span.to)), unit);
  const moment = unit === "step" ? middle : middle.slice(0, 10);
  const rich = [...node_types].sort((a, b) => b.features.length - a.features.length)[0];
  const earlier = Math.max(1, newest_commit - 1);
  return [
    FIRST,
    ...(unit === "step" ? [] : [{ name: "New edges a month", query: "SELECT date_trunc('month', created) AS month, count(*) AS edges\nFROM edges\nGROUP BY month\nORDER BY month" }]),
    { name: unit === "step" ? `As it was at step ${moment}` : `As it was on ${moment}`, query: `SELECT relation, count(*) AS edges\nFROM edges TIMESTAMP AS OF '${moment}'\nGROUP BY relation\nORDER BY edges DESC` },
    { name: `As commit ${earlier} knew it`, query: `SELECT type, count(*) AS n\nFROM nodes VERSION AS OF ${earlier}\nGROUP BY type` },
    ...(rich ? [{ name: `Nodes of type ${rich.type}`, query: `SELECT *\nFROM ${quoted(rich.type)}\nLIMIT 100` }] : []),
  ];
}
