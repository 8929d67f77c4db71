// The address of the page carries all of its state. This file reads and writes it.
import { computed, signal } from "@preact/signals";

export const PAGES = ["overview", "explore", "node", "compare", "predict", "models", "loads", "sql"] as const;
export type PageName = (typeof PAGES)[number];
export type Changes = { [name: string]: string | string[] | null };

/** What stays in the address when the page changes: both clocks, the window, how far a step goes. */
const OF_TIME = ["at", "from", "to", "step", "commit", "deletes"];

const read = (): URL => new URL(location.href);
export const address = signal(read());
export const graphName = computed(() => {
  const found = /^\/g\/([^/]+)/.exec(address.value.pathname);
  return found ? decodeURIComponent(found[1]!) : null;
});
export const pageName = computed<PageName>(() => {
  const found = /^\/g\/[^/]+\/([^/]+)/.exec(address.value.pathname)?.[1];
  return PAGES.includes(found as PageName) ? (found as PageName) : "overview";
});

export const param = (name: string): string | null => address.value.searchParams.get(name);
export const params = (name: string): string[] => address.value.searchParams.getAll(name);

/** What has yet to be written into the address, by `time/moment`. A change writes it first, so that it does not go back in time. */
export const waiting: { write: (() => void) | null } = { write: null };

function writeWaiting(): void {
  const write = waiting.write;
  waiting.write = null;
  write?.();
}

function changed(query: URLSearchParams, changes: Changes): URLSearchParams {
  for (const [name, value] of Object.entries(changes)) {
    query.delete(name);
    if (Array.isArray(value)) value.forEach((one) => query.append(name, one));
    else if (value !== null && value !== "") query.set(name, value);
  }
  return query;
}

/** The address of another page at the same time. */
export function hrefOf(page: PageName, changes: Changes = {}, graph = graphName.value): string {
  const query = new URLSearchParams();
  if (graph === graphName.value) for (const name of OF_TIME) params(name).forEach((value) => query.append(name, value));
  const text = changed(query, changes).toString();
  return `/g/${encodeURIComponent(graph ?? "")}/${page}${text ? `?${text}` : ""}`;
}

/** Whether the address is kept in memory alone: a report is a file, whose address no script may change. */
export const kept = { inMemory: false };

/** Goes to an address of this page. */
export function go(href: string, replace = false): void {
  if (kept.inMemory) {
    address.value = new URL(href, address.value);
    return;
  }
  if (replace) history.replaceState(null, "", href);
  else {
    history.pushState(null, "", href);
    if (!href.startsWith(`${address.value.pathname}?`) && href !== address.value.pathname) scrollTo(0, 0);
  }
  address.value = read();
}

/** Changes parameters of the present page. */
export function change(changes: Changes, replace = false): void {
  writeWaiting();
  const query = changed(new URLSearchParams(address.value.searchParams), changes).toString();
  go(`${address.value.pathname}${query ? `?${query}` : ""}`, replace);
}

/** Has links within the page change the address instead of loading a document. */
export function followLinks(): void {
  addEventListener("popstate", () => { address.value = read(); });
  document.addEventListener("click", (event) => {
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = (event.target as Element).closest?.("a");
    if (!link || link.target || link.hasAttribute("download") || link.origin !== location.origin || !(link.pathname === "/" || link.pathname.startsWith("/g/"))) return;
    event.preventDefault();
    go(link.pathname + link.search);
  });
}
