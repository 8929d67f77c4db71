// Two columns of an answer against each other.
import { change, param } from "../../address";
import type { SqlAnswer, Value } from "../../api/types";
import { Chart, type Series } from "../../parts/chart";
import { Segments, Select } from "../../parts/controls";
import { number } from "../../parts/values";

const numberOf = (value: Value): number | null => (typeof value === "number" ? value : typeof value === "string" && value.trim() !== "" && !Number.isNaN(Number(value)) ? Number(value) : null);

/** Numbers and times lie on a line; all else stands side by side, in the order of the rows. */
function scale(data: SqlAnswer, column: number): { of: (row: Value[], index: number) => number | null; text: (x: number) => string; isOrdered: boolean } {
  const type = data.columns[column]!.type;
  if (type === "time") return { of: (row) => { const ms = Date.parse(String(row[column])); return Number.isNaN(ms) ? null : ms; }, text: (x) => new Date(x).toISOString().slice(0, 10), isOrdered: true };
  if (type === "integer" || type === "float") return { of: (row) => numberOf(row[column] ?? null), text: number, isOrdered: true };
  return { of: (_, index) => index, text: (x) => { const text = String(data.rows[Math.round(x)]?.[column] ?? ""); return text.length > 12 ? `${text.slice(0, 11)}…` : text; }, isOrdered: false };
}

export function ColumnChart({ data }: { data: SqlAnswer }) {
  const names = data.columns.map(({ name }) => name);
  const numeric = data.columns.flatMap(({ type }, i) => (type === "integer" || type === "float" ? [i] : []));
  const pick = (name: string, otherwise: number): number => { const i = names.indexOf(param(name) ?? ""); return i < 0 ? otherwise : i; };
  const y = pick("y", numeric.at(-1) ?? 1);
  const x = pick("x", names.findIndex((_, i) => i !== y));
  const along = scale(data, x);
  const as = (param("mark") ?? (along.isOrdered && data.columns[x]!.type === "time" ? "line" : along.isOrdered ? "points" : "bars")) as Series["as"];
  const points = data.rows.slice(0, 2_000).flatMap((row, i) => { const [a, b] = [along.of(row, i), numberOf(row[y] ?? null)]; return a === null || b === null ? [] : [{ x: a, y: b, text: `${row[x]}: ${row[y]}` }]; });
  if (as === "line") points.sort((a, b) => a.x - b.x);
  const options = names.map((name) => ({ value: name, text: name }));
  return (
    <div class="column-chart">
      <div class="chart-choices"><Select label="Along" value={names[x]!} options={options} onChange={(value) => change({ x: value }, true)} /><Select label="Up" value={names[y]!} options={options.filter((_, i) => numeric.includes(i))} onChange={(value) => change({ y: value }, true)} /><Segments label="Drawn as" value={as} options={[{ value: "line", text: "Line" }, { value: "bars", text: "Bars" }, { value: "points", text: "Points" }]} onChange={(value) => change({ mark: value }, true)} /></div>
      {points.length === 0 ? <p class="none">The column {names[y]} has no numbers.</p> : <Chart label={`${names[y]} by ${names[x]}`} height={320} xName={names[x]!} yName={names[y]!} yFrom={points.every((point) => point.y >= 0) ? 0 : undefined} xText={along.text} series={[{ name: names[y]!, as, tone: 1, points }]} />}
    </div>
  );
}
