// What of OpenAPI 3.1 this page reads, and how a schema is written for people: as a type of TypeScript.

export type Schema = {
  $ref?: string; type?: string | string[]; enum?: unknown[]; const?: unknown; description?: string; format?: string; default?: unknown; minimum?: number; maximum?: number;
  properties?: Record<string, Schema>; required?: string[]; additionalProperties?: boolean | Schema; items?: Schema; prefixItems?: Schema[];
  oneOf?: Schema[]; anyOf?: Schema[]; allOf?: Schema[];
};
export type Parameter = { name: string; in: "path" | "query" | "header" | "cookie"; required?: boolean; description?: string; schema?: Schema };
export type Content = Record<string, { schema?: Schema; example?: unknown }>;
export type Operation = {
  operationId?: string; summary?: string; description?: string; tags?: string[]; parameters?: Parameter[];
  requestBody?: { required?: boolean; description?: string; content: Content }; responses?: Record<string, { description?: string; content?: Content }>;
};
export type OpenApi = { info: { title: string; version: string; description?: string }; paths: Record<string, Record<string, unknown>>; components?: { schemas?: Record<string, Schema> } };
export type Endpoint = { key: string; method: string; path: string; tag: string; of: Operation };

const METHODS = ["get", "post", "put", "patch", "delete"];

/** All operations, in order of their path; those that have no tag are named by the first word of their path. */
export function endpointsOf({ paths }: OpenApi): Endpoint[] {
  return Object.entries(paths).flatMap(([path, item]) => {
    const shared = (item.parameters ?? []) as Parameter[];
    return METHODS.filter((method) => item[method]).map((method) => {
      const of = item[method] as Operation;
      return { key: of.operationId ?? `${method} ${path}`, method, path, tag: of.tags?.[0] ?? "other", of: { ...of, parameters: [...shared, ...(of.parameters ?? [])] } };
    });
  });
}

export const nameOf = (ref: string): string => ref.slice(ref.lastIndexOf("/") + 1);

/** A piece of a written type: plain text, or the name of another type. */
export type Part = string | { type: string };

/** A schema as a type, in parts. `depth` is how far it is indented. */
export function written(schema: Schema | undefined, depth = 0): Part[] {
  if (!schema || Object.keys(schema).length === 0) return ["any"];
  if (schema.$ref) return [{ type: nameOf(schema.$ref) }];
  if (schema.const !== undefined) return [JSON.stringify(schema.const)];
  if (schema.enum) return [schema.enum.map((value) => JSON.stringify(value)).join(" | ")];
  const choices = schema.oneOf ?? schema.anyOf;
  if (choices) return between(choices.map((one) => written(one, depth)), " | ");
  if (schema.allOf) return between(schema.allOf.map((one) => written(one, depth)), " & ");
  const types = Array.isArray(schema.type) ? schema.type : [schema.type ?? (schema.properties ? "object" : "any")];
  return between(types.map((type) => single(schema, type, depth)), " | ");
}

function between(lists: Part[][], mark: string): Part[] {
  return lists.flatMap((list, i) => (i === 0 ? list : [mark, ...list]));
}

function single(schema: Schema, type: string, depth: number): Part[] {
  if (type === "array") {
    if (schema.prefixItems) return ["[", ...between(schema.prefixItems.map((one) => written(one, depth)), ", "), "]"];
    const inner = written(schema.items, depth);
    return inner.some((part) => typeof part === "string" && part.includes(" | ")) ? ["(", ...inner, ")[]"] : [...inner, "[]"];
  }
  if (type !== "object") return [type === "integer" && schema.format ? schema.format : type];
  const entries = Object.entries(schema.properties ?? {});
  const rest = typeof schema.additionalProperties === "object" ? [["[name: string]", schema.additionalProperties] as const] : [];
  if (entries.length + rest.length === 0) return ["{ [name: string]: any }"];
  const space = "  ".repeat(depth + 1);
  const lines = [...entries, ...rest].flatMap(([name, one]) => {
    const may = name.startsWith("[") || schema.required?.includes(name) ? "" : "?";
    const note = one.description ? `  // ${one.description.split("\n")[0]}` : "";
    return [`\n${space}${name}${may}: `, ...written(one, depth + 1), ";", note];
  });
  return ["{", ...lines, `\n${"  ".repeat(depth)}}`];
}

/** A body to begin with: every field that must be there, with something of its type. */
export function sample(schema: Schema | undefined, all: Record<string, Schema>, depth = 0): unknown {
  if (!schema || depth > 4) return null;
  if (schema.$ref) return sample(all[nameOf(schema.$ref)], all, depth + 1);
  if (schema.default !== undefined) return schema.default;
  if (schema.const !== undefined) return schema.const;
  if (schema.enum) return schema.enum[0];
  const choices = (schema.oneOf ?? schema.anyOf)?.filter((one) => one.type !== "null");
  if (choices?.length) return sample(choices[0], all, depth + 1);
  if (schema.allOf) return Object.assign({}, ...schema.allOf.map((one) => sample(one, all, depth + 1)));
  const type = Array.isArray(schema.type) ? schema.type.find((one) => one !== "null") : schema.type;
  if (type === "array") return [];
  if (type === "string") return "";
  if (type === "integer" || type === "number") return schema.minimum ?? 0;
  if (type === "boolean") return false;
  return Object.fromEntries((schema.required ?? []).map((name) => [name, sample(schema.properties?.[name], all, depth + 1)]));
}
