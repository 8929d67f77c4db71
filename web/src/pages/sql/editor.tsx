// The field of a query: a text area over the same text in colours. The coloured text makes the room, so both scroll as one.
import { pieces } from "./colours";

type Props = { text: string; onText: (text: string) => void; onRun: () => void };

export function QueryArea({ text, onText, onRun }: Props) {
  const lines = text.split("\n").length;
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    onRun();
  };
  return (
    <div class="editor-area">
      <div class="editor-lines" aria-hidden="true">{Array.from({ length: lines }, (_, i) => <span key={i}>{i + 1}</span>)}</div>
      <div class="editor-text">
        <pre class="editor-colours" aria-hidden="true">{pieces(text).map(({ kind, text: part }, i) => (kind === "plain" ? part : <span key={i} class={`sql-${kind}`}>{part}</span>))}{"\n "}</pre>
        <textarea aria-label="Query" spellcheck={false} autocapitalize="off" autocomplete="off" wrap="off" value={text} onInput={(event) => onText(event.currentTarget.value)} onKeyDown={onKeyDown} />
      </div>
    </div>
  );
}
