// Choices, tabs, dialogs, fields.
import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { Icon } from "./icon";

/** A few choices side by side. */
export function Segments<V extends string>({ label, value, options, onChange }: { label: string; value: V; options: { value: V; text: ComponentChildren; title?: string }[]; onChange: (value: V) => void }) {
  return (
    <div class="segments" role="group" aria-label={label}>
      {options.map((option) => <button key={option.value} class="segment" aria-pressed={option.value === value} title={option.title} onClick={() => onChange(option.value)}>{option.text}</button>)}
    </div>
  );
}

export function Select({ label, value, options, onChange, hidden = false }: { label: string; value: string; options: { value: string; text: string }[]; onChange: (value: string) => void; hidden?: boolean }) {
  const id = useId();
  return (
    <span class="field">
      <label for={id} class={hidden ? "unseen" : "field-label"}>{label}</label>
      <span class="select"><select id={id} value={value} onChange={(event) => onChange(event.currentTarget.value)}>{options.map((option) => <option key={option.value} value={option.value}>{option.text}</option>)}</select><Icon name="down" /></span>
    </span>
  );
}

export function Field({ label, hint, children }: { label: string; hint?: string; children: (id: string) => ComponentChildren }) {
  const id = useId();
  return <div class="field"><label for={id} class="field-label">{label}</label>{children(id)}{hint && <p class="field-hint">{hint}</p>}</div>;
}

/** A field whose text counts once it is confirmed or left. */
type TextProps = { label: string; value: string; placeholder?: string; onChange: (value: string) => void; hidden?: boolean; /** What is wrong with a text; null where it is right. */ wrongWith?: (value: string) => string | null };

export function TextField({ label, value, placeholder, onChange, hidden = false, wrongWith }: TextProps) {
  const id = useId();
  const [wrong, setWrong] = useState<string | null>(null);
  const confirm = (text: string): void => {
    if (text === value) return setWrong(null);
    const found = wrongWith?.(text) ?? null;
    setWrong(found);
    if (found === null) onChange(text);
  };
  return (
    <span class="field">
      <label for={id} class={hidden ? "unseen" : "field-label"}>{label}</label>
      <input id={id} class="input" key={value} defaultValue={value} placeholder={placeholder} aria-invalid={wrong !== null} aria-describedby={wrong ? `${id}-wrong` : undefined} spellcheck={false} autocomplete="off"
        onBlur={(event) => confirm(event.currentTarget.value)} onKeyDown={(event) => { if (event.key === "Enter") confirm(event.currentTarget.value); }} />
      {wrong && <span class="field-wrong" id={`${id}-wrong`} role="alert">{wrong}</span>}
    </span>
  );
}

export function Dialog({ title, onClose, children }: { title: string; onClose: () => void; children: ComponentChildren }) {
  const ref = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const dialog = ref.current;
    dialog?.showModal();
    return () => dialog?.close();
  }, []);
  return (
    <dialog ref={ref} class="dialog" aria-labelledby={id} onCancel={(event) => { event.preventDefault(); onClose(); }} onClick={(event) => { if (event.target === ref.current) onClose(); }}>
      <header class="dialog-head"><h2 id={id}>{title}</h2><button class="tool" aria-label="Close" onClick={onClose}><Icon name="close" /></button></header>
      <div class="dialog-body">{children}</div>
    </dialog>
  );
}

/** A button that opens a short list of things to do. */
export function Menu({ label, icon, items }: { label: string; icon: "save"; items: { text: string; run: () => void }[] }) {
  const ref = useRef<HTMLDetailsElement>(null);
  const close = (): void => { if (ref.current) ref.current.open = false; };
  return (
    <details class="menu" ref={ref} onKeyDown={(event) => { if (event.key === "Escape") { close(); ref.current?.querySelector("summary")?.focus(); } }} onFocusOut={(event) => { if (!ref.current?.contains(event.relatedTarget as Node | null)) close(); }}>
      <summary class="button"><Icon name={icon} /><span>{label}</span></summary>
      <ul class="menu-list">{items.map(({ text, run }) => <li key={text}><button onClick={() => { close(); run(); }}>{text}</button></li>)}</ul>
    </details>
  );
}

export function Panel({ title, aside, children, class: name = "" }: { title: string; aside?: ComponentChildren; children: ComponentChildren; class?: string }) {
  const id = useId();
  return <section class={`panel ${name}`} aria-labelledby={id}><header class="panel-head"><h2 id={id}>{title}</h2>{aside && <div class="panel-aside">{aside}</div>}</header>{children}</section>;
}
