// What is around every page: the name, the graph, the pages, light or dark, who is signed in.
import { signal } from "@preact/signals";
import { useState } from "preact/hooks";
import { go, graphName, hrefOf, pageName, PAGES, type PageName } from "./address";
import { edition, send, signedOut, type Problem } from "./api/client";
import type { GraphRow, Session } from "./api/types";
import { useAnswer } from "./api/use_answer";
import { Dialog } from "./parts/controls";
import { Icon } from "./parts/icon";
import { WORDS, type Shown } from "./drawing/life";
import { StateSign } from "./pages/explore/legend";
import { Failed } from "./parts/state";
import { Glyph } from "./parts/values";
import { graph } from "./time/moment";

const TITLES: Record<PageName, string> = { overview: "Overview", explore: "Explore", node: "Node", compare: "Compare", predict: "Predict", models: "Models", loads: "Loads", sql: "SQL" };
export const titleOf = (page: PageName): string => TITLES[page];

type Theme = "auto" | "light" | "dark";
const stored = (): Theme => { try { return (localStorage.getItem("theme") as Theme | null) ?? "auto"; } catch { return "auto"; } };
export const theme = signal<Theme>(stored());
theme.subscribe((value) => {
  document.documentElement.dataset.theme = value;
  try { localStorage.setItem("theme", value); } catch { /* Private windows may have no storage: the choice then lasts as long as the page. */ }
});

export const Logo = () => (
  <svg class="logo" viewBox="0 0 24 24" aria-hidden="true">
    <path class="warp" d="M3 7h18M3 12h18M3 17h18" /><path class="weft" d="M7 4c0 4 5 4 5 8s5 4 5 8" /><circle cx="12" cy="12" r="2.6" />
  </svg>
);

function ThemeButton() {
  const next: Record<Theme, Theme> = { auto: "light", light: "dark", dark: "auto" };
  const said: Record<Theme, string> = { auto: "as the system", light: "light", dark: "dark" };
  return <button class="tool" aria-label={`Colours: ${said[theme.value]}`} title={`Colours: ${said[theme.value]}`} onClick={() => { theme.value = next[theme.value]; }}><Icon name={theme.value === "auto" ? "half" : theme.value === "light" ? "sun" : "moon"} /></button>;
}

function GraphChoice() {
  const graphs = useAnswer<{ graphs: GraphRow[] }>("/v1/graphs");
  const name = graphName.value;
  const names = graphs.data?.graphs.map((row) => row.name) ?? [];
  const all = name && !names.includes(name) ? [name, ...names] : names;
  return (
    <span class="graph-choice">
      <label class="unseen" for="graph-choice">Graph</label>
      <span class="select is-strong"><select id="graph-choice" value={name ?? ""} onChange={(event) => go(hrefOf(pageName.value === "node" ? "overview" : pageName.value, {}, event.currentTarget.value))}>{all.map((one) => <option key={one} value={one}>{one}</option>)}</select><Icon name="down" /></span>
    </span>
  );
}

/** Where not all pages fit beside each other, the present one is brought into sight. */
function showCurrent(nav: HTMLElement | null): void {
  const current = nav?.querySelector<HTMLElement>("[aria-current]");
  if (nav && current && nav.scrollWidth > nav.clientWidth) nav.scrollLeft = current.offsetLeft - (nav.clientWidth - current.offsetWidth) / 2;
}

export function Head({ session, onKeys }: { session: Session | null; onKeys: () => void }) {
  return (
    <header class="head">
      <a class="brand" href="/" aria-label="timeweft, all graphs"><Logo /><span>timeweft</span></a>
      {graphName.value && <GraphChoice />}
      {graphName.value && (
        <nav class="pages" aria-label="Pages" ref={showCurrent}>
          {PAGES.map((page) => <a key={page} href={hrefOf(page)} aria-current={page === pageName.value ? "page" : undefined}>{TITLES[page]}</a>)}
        </nav>
      )}
      <span class="head-end">
        <button class="tool is-wide-only" aria-label="Keys and signs" title="Keys and signs (?)" onClick={onKeys}><Icon name="keys" /></button>
        <ThemeButton />
        {session?.needs_token && <button class="tool" aria-label={`Sign out ${session.name ?? ""}`} title="Sign out" onClick={() => { void send("DELETE", "/v1/session").then(() => { signedOut.value = true; edition.value++; }); }}><Icon name="out" /></button>}
      </span>
    </header>
  );
}

const KEYS: [string, string][] = [
  ["space", "play or pause"], [", and .", "one step back or on"], ["< and >", "to the event before or the next one"], ["/", "find a node"],
  ["arrows on the slider", "one step; with shift from event to event"], ["Page up, Page down", "ten steps on the slider"], ["Home, End", "the ends of the window"],
  ["arrows in the drawing", "from node to node"], ["Enter", "select; with shift make it the middle"], ["+ − 0", "zoom in, out, show all"], ["Ctrl Enter", "run the query in SQL"], ["?", "this page"],
];

const SIGNS: [Exclude<Shown, "absent">, string][] = [
  ["appears", "began within the last step: a plus, and a ring around a node"], ["changes", "a feature changed within the last step: a roof"], ["stays", "there, as before"],
  ["goes", "ended within the last step: a cross and dashes"], ["over", "ended before; only shown with “Show what is over”, dotted"],
];

/** What keys do, and what signs and shapes mean. */
export const Keys = ({ onClose }: { onClose: () => void }) => (
  <Dialog title="Keys and signs" onClose={onClose}>
    <h3 class="is-first">Keys</h3>
    <dl class="keys">{KEYS.map(([key, what]) => <div key={key}><dt><kbd>{key}</kbd></dt><dd>{what}</dd></div>)}</dl>
    <h3>Signs in a drawing</h3>
    <dl class="keys is-signs">{SIGNS.map(([shown, what]) => <div key={shown}><dt><StateSign shown={shown} /> {WORDS[shown]}</dt><dd>{what}</dd></div>)}<div><dt><b>name +3</b></dt><dd>three more neighbours lie in the window than are drawn; select the node to see them</dd></div></dl>
    {graph.value && graph.value.node_types.length > 0 && (
      <>
        <h3>Shapes are types of nodes</h3>
        <ul class="shapes">{graph.value.node_types.map(({ type }) => <li key={type}><Glyph type={type} size={18} /> {type}</li>)}</ul>
        <p class="is-soft">A line is an edge, from the node without the arrowhead to the one with it; the thicker, the more edges of its relation join the two.</p>
      </>
    )}
  </Dialog>
);

/** Takes a token, and buys a session with it. */
export function SignIn() {
  const [problem, setProblem] = useState<Problem | null>(null);
  const [busy, setBusy] = useState(false);
  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    try {
      await send<Session>("POST", "/v1/session", { token: new FormData(event.currentTarget as HTMLFormElement).get("token") });
      signedOut.value = false;
      edition.value++;
    } catch (error) {
      setProblem(error as Problem);
    }
    setBusy(false);
  };
  return (
    <main class="sign-in">
      <form onSubmit={(event) => { void submit(event); }}>
        <Logo />
        <h1>Sign in to timeweft</h1>
        <p>This server asks for a token. It was shown once, when it was made.</p>
        <label class="field-label" for="token">Token</label>
        <input class="input" id="token" name="token" type="password" autocomplete="current-password" required />
        {problem && <Failed problem={problem} />}
        <button class="button main" disabled={busy}>{busy ? "Signing in" : "Sign in"}</button>
      </form>
    </main>
  );
}
