// Which letters of a query are what: so that it is read more easily. It only colours, so what it does not know stays plain.

export type Kind = "word" | "clock" | "text" | "number" | "note" | "call" | "plain";
export type Piece = { kind: Kind; text: string };

const WORDS = new Set(("all and any as asc between by case cast cross delete desc distinct else end escape except exists explain false filter first following for from full group having ilike in inner insert intersect interval into is join last lateral left like limit natural not null nulls offset on or order outer over partition preceding range recursive right row rows select similar some table then true unbounded union unnest update using values when where window with within").split(" "));
/** Words of both clocks, which are no others' words where `AS OF` follows. */
const CLOCK = /(?:for\s+(?:system_time|version)\s+as\s+of|(?:timestamp|version)\s+as\s+of|as\s+of)(?![\w$])/iy;
const SPACE = /\s+/y;
const NOTE = /--[^\n]*|\/\*[\s\S]*?(?:\*\/|$)/y;
const TEXT = /'(?:[^']|'')*(?:'|$)/y;
const QUOTED = /"(?:[^"]|"")*(?:"|$)/y;
const NUMBER = /(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?(?![\w$])/iy;
const NAME = /[\p{L}_][\p{L}\p{N}_$]*/uy;

const RULES: [RegExp, Kind][] = [[SPACE, "plain"], [NOTE, "note"], [TEXT, "text"], [QUOTED, "plain"], [CLOCK, "clock"], [NUMBER, "number"]];

/** The pieces of a query, in order; together they are the query, letter for letter. */
export function pieces(query: string): Piece[] {
  const found: Piece[] = [];
  const take = (kind: Kind, text: string): void => {
    const last = found.at(-1);
    if (last?.kind === kind) last.text += text;
    else found.push({ kind, text });
  };
  for (let at = 0; at < query.length;) {
    const matched = (rule: RegExp): string => { rule.lastIndex = at; return rule.exec(query)?.[0] ?? ""; };
    const rule = RULES.find(([of]) => matched(of));
    const name = rule ? "" : matched(NAME);
    const text = rule ? matched(rule[0]) : name || query[at]!;
    if (rule) take(rule[1], text);
    else if (!name) take("plain", text);
    else if (WORDS.has(name.toLowerCase())) take("word", text);
    else take(/^\s*\(/.test(query.slice(at + text.length, at + text.length + 20)) ? "call" : "plain", text);
    at += text.length;
  }
  return found;
}
