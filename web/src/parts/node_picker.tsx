// Finds a node by its name or id.
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { graphName } from "../address";
import { graphPath, withQuery } from "../api/client";
import type { NodeRef, Search } from "../api/types";
import { useAnswer } from "../api/use_answer";
import { Icon } from "./icon";
import { LifeText, NodeName, plural } from "./values";

type Props = { label: string; value?: NodeRef | null; types?: string[]; placeholder?: string; onPick: (node: NodeRef) => void; focusKey?: string };

/** A field that suggests nodes; without words, those with most edges. */
export function NodePicker({ label, value = null, types = [], placeholder = "Find a node by name or id", onPick, focusKey }: Props) {
  const [words, setWords] = useState("");
  const [open, setOpen] = useState(false);
  const [active, setActive] = useState(0);
  const [asked, setAsked] = useState("");
  const id = useId();
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    const timer = setTimeout(() => setAsked(words.trim()), words ? 150 : 0);
    return () => clearTimeout(timer);
  }, [words]);
  useFocusKey(focusKey, input);
  const answer = useAnswer<Search>(open && graphName.value ? withQuery(`${graphPath(graphName.value)}/search`, { q: asked, type: types, limit: 12 }) : null);
  const found = answer.data?.nodes ?? [];
  useEffect(() => setActive(0), [asked]);
  const pick = (node: NodeRef): void => { setOpen(false); setWords(""); onPick(node); };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === "ArrowDown") { setOpen(true); setActive(Math.min(active + 1, found.length - 1)); }
    else if (event.key === "ArrowUp") setActive(Math.max(active - 1, 0));
    else if (event.key === "Enter" && open && found[active]) pick(found[active]!);
    else if (event.key === "Escape") setOpen(false);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  const shown = value && !open ? (value.name ?? value.id) : words;
  return (
    <div class="picker">
      <label class="unseen" for={id}>{label}</label>
      <Icon name="search" />
      <input ref={input} id={id} class="input" role="combobox" aria-expanded={open} aria-controls={`${id}-list`} aria-autocomplete="list" aria-activedescendant={open && found[active] ? `${id}-${active}` : undefined} autocomplete="off" spellcheck={false}
        placeholder={value && open ? (value.name ?? value.id) : placeholder} value={shown} onFocus={() => setOpen(true)} onBlur={() => setTimeout(() => setOpen(false), 120)} onInput={(event) => { setOpen(true); setWords(event.currentTarget.value); }} onKeyDown={onKeyDown} />
      <div class="picker-list" hidden={!open}>
        <ul role="listbox" id={`${id}-list`} aria-label={`${label}: found`}>
          {found.map((node, i) => (
            <li key={`${node.type} ${node.id}`} id={`${id}-${i}`} role="option" aria-selected={i === active} onMouseDown={(event) => event.preventDefault()} onClick={() => pick(node)} onMouseMove={() => setActive(i)}>
              <NodeName node={node} plain withId />
              <span class="picker-life">{node.type}{node.lives[0] && <>, <LifeText life={{ created: node.lives[0].created, removed: node.lives.at(-1)!.removed }} /></>}</span>
            </li>
          ))}
        </ul>
        {answer.problem && <p class="picker-note">{answer.problem.message}</p>}
        {answer.data && found.length === 0 && <p class="picker-note">Nothing is called “{asked}”. Try a part of the name, or the beginning of an id.</p>}
        {answer.data && answer.data.total !== null && answer.data.total > found.length && <p class="picker-note">{asked ? plural(answer.data.total, "node") + " found; more letters narrow it down" : "The nodes with most edges; type to search"}</p>}
      </div>
    </div>
  );
}

/** A key that leads to the field from anywhere on the page. */
function useFocusKey(key: string | undefined, input: { current: HTMLInputElement | null }): void {
  useEffect(() => {
    if (!key) return;
    const pressed = (event: KeyboardEvent): void => {
      if (event.key !== key || event.ctrlKey || event.metaKey || (event.target as Element).closest("input, textarea, select")) return;
      event.preventDefault();
      input.current?.focus();
    };
    addEventListener("keydown", pressed);
    return () => removeEventListener("keydown", pressed);
  }, [key]);
}
