// Asks the server. Every failure becomes a `Problem` with a message and what to do.
import { signal } from "@preact/signals";
import type { Code, ErrorBody, NodeRef } from "./types";

export class Problem extends Error {
  constructor(readonly status: number, readonly code: Code | "offline" | "unreadable", message: string, readonly hint: string | null) {
    super(message);
  }
}

/** True once an answer said that a token is needed. */
export const signedOut = signal(false);
/** Grows when the graph changed: answers that are kept are given up, and open questions are asked again. */
export const edition = signal(0);

/** The base of all addresses of one graph. */
export const graphPath = (graph: string): string => `/v1/graphs/${encodeURIComponent(graph)}`;

/** A node's own part of an address. */
export const nodePath = (graph: string, node: Pick<NodeRef, "type" | "id">): string => `${graphPath(graph)}/nodes/${encodeURIComponent(node.type)}/${encodeURIComponent(node.id)}`;

/** A node as it stands in `root=`. */
export const nodeKey = (node: Pick<NodeRef, "type" | "id">): string => `${encodeURIComponent(node.type)}:${encodeURIComponent(node.id)}`;

/** The node of a key; null where it is none. */
export function nodeOfKey(key: string): { type: string; id: string } | null {
  const [type, id] = key.split(":");
  if (!type || id === undefined) return null;
  try {
    return { type: decodeURIComponent(type), id: decodeURIComponent(id) };
  } catch {
    return null;
  }
}

export type Questions = { [name: string]: string | number | null | undefined | string[] };

/** Writes a query; what is null or empty is left out. */
export function withQuery(path: string, questions: Questions): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(questions)) {
    if (Array.isArray(value)) value.forEach((one) => query.append(name, one));
    else if (value !== null && value !== undefined && value !== "") query.set(name, String(value));
  }
  const text = query.toString();
  return text ? `${path}?${text}` : path;
}

async function problemOf(response: Response): Promise<Problem> {
  const body = (await response.json().catch(() => null)) as { error?: ErrorBody } | null;
  if (body?.error) return new Problem(response.status, body.error.code, body.error.message, body.error.hint);
  return new Problem(response.status, "unreadable", `The server answered ${response.status} without saying why`, "Try again; if it stays so, look into the server's log.");
}

/** Asks, and gives the answer as JSON. */
export async function ask<T>(path: string, init: RequestInit = {}): Promise<T> {
  let response: Response;
  try {
    response = await fetch(path, { credentials: "same-origin", ...init });
  } catch (error) {
    if ((error as Error).name === "AbortError") throw error;
    throw new Problem(0, "offline", "The server does not answer", "See whether it still runs, then try again.");
  }
  if (response.status === 401) signedOut.value = true;
  if (!response.ok) throw await problemOf(response);
  return response.status === 204 ? (undefined as T) : ((await response.json()) as T);
}

/** Sends JSON, and gives the answer. */
export const send = <T>(method: "POST" | "DELETE", path: string, body?: unknown, signal?: AbortSignal): Promise<T> =>
  ask<T>(path, { method, signal, ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { "content-type": "application/json" } }) });
