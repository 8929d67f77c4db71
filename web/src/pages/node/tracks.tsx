// Each feature's values along the window: numbers as a stepped line, all else as segments with their text.
import type { Life, NodeAnswer, Track } from "../../api/types";
import { useSize } from "../../drawing/camera";
import { ValueText, valueText } from "../../parts/values";
import { lookAt, position, share, timeWindow } from "../../time/moment";
import { shareOf, tickOf } from "../../time/ticks";

const HEIGHT = 30;
type Props = { tracks: Track[]; lives: Life[]; now: NodeAnswer["features"] };

export function TrackList({ tracks, lives, now }: Props) {
  return (
    <div class="tracks">
      <div class="track-row"><span class="track-name">life</span><span class="track-value" /><Lane values={lives.map((life) => ({ value: "", from: life.created, until: life.removed }))} numeric={false} kind="life" /></div>
      {tracks.map((track) => {
        const held = track.values.find(({ from, until }) => tickOf(from) <= position.value && (until === null || tickOf(until) > position.value)) ?? now.find(({ name }) => name === track.feature);
        return (
          <div key={track.feature} class="track-row">
            <span class="track-name" title={track.kind}>{track.feature}</span>
            <span class="track-value">{held ? <ValueText value={held.value} /> : <span class="is-soft">none</span>}</span>
            <Lane values={track.values} numeric={track.values.every(({ value }) => typeof value === "number")} kind={track.feature} />
          </div>
        );
      })}
    </div>
  );
}

function Lane({ values, numeric, kind }: { values: Track["values"]; numeric: boolean; kind: string }) {
  const [ref, { width }] = useSize<HTMLDivElement>();
  const [from, to] = timeWindow.value;
  const x = (time: { tick: string } | null): number => Math.min(1, Math.max(0, time ? shareOf(BigInt(time.tick), from, to) : 1)) * width;
  const numbers = numeric ? values.map(({ value }) => value as number) : [];
  const [least, most] = [Math.min(...numbers), Math.max(...numbers)];
  const y = (n: number): number => HEIGHT - 5 - (most === least ? 0.5 : (n - least) / (most - least)) * (HEIGHT - 11);
  const seen = values.filter((value) => x(value.until) > x(value.from));
  return (
    <div class="lane" ref={ref}>
      {width > 0 && (
        <svg width={width} height={HEIGHT} role="img" aria-label={`${kind}: ${values.length} ${values.length === 1 ? "value" : "values"}`} onClick={(event) => { const box = event.currentTarget.getBoundingClientRect(); lookAt(from + BigInt(Math.round(((event.clientX - box.left) / box.width) * 10_000)) * (to - from) / 10_000n); }}>
          <path class="lane-base" d={`M0 ${HEIGHT / 2}H${width}`} />
          {seen.map((value, i) => {
            const [a, b] = [x(value.from), x(value.until)];
            const here = share.value * width;
            const holds = here >= a && (here < b || (value.until === null && here <= b));
            const text = valueText(value.value);
            return (
              <g key={i} class={`lane-part${holds ? " is-now" : ""}${kind === "life" ? " is-life" : ""}`}>
                <title>{`${text || kind}, from ${value.from.iso ?? value.from.tick}${value.until ? ` until ${value.until.iso ?? value.until.tick}` : ""}`}</title>
                {numeric ? <path class="lane-step" d={`M${a} ${y(value.value as number)}H${b}${seen[i + 1] && seen[i + 1]!.from.tick === value.until?.tick ? `V${y(seen[i + 1]!.value as number)}` : ""}`} /> : <rect x={a + 0.5} width={Math.max(2, b - a - 1)} y={kind === "life" ? 9 : 4} height={kind === "life" ? 12 : HEIGHT - 8} rx={kind === "life" ? 6 : 3} />}
                {!numeric && kind !== "life" && b - a > 34 && <text x={a + 6} y={HEIGHT / 2 + 4}>{clipped(text, (b - a - 10) / 6.4)}</text>}
              </g>
            );
          })}
          <path class="lane-now" d={`M${share.value * width} 0V${HEIGHT}`} />
        </svg>
      )}
    </div>
  );
}

const clipped = (text: string, letters: number): string => (text.length <= letters ? text : `${text.slice(0, Math.max(1, Math.floor(letters) - 1))}…`);
