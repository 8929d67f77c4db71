// The answers of the server: the same types as in API.md, which says what they mean.

export type Tick = string;
export type Time = { tick: Tick; iso: string | null };
export type Unit = "s" | "ms" | "us" | "ns" | "step";
export type Span = { from: Time; to: Time };
export type NodeRef = { type: string; id: string; name: string | null };
export type EdgeRef = { source: NodeRef; relation: string; destination: NodeRef; key: string | null };
export type Life = { created: Time; removed: Time | null };
export type Value = null | boolean | number | string | Value[] | { [key: string]: Value };
export type Values = { [feature: string]: Value };
export type Head = { commit: number; at: Time | null; deletes: "hard" | "soft" };
export type Page = { next: string | null; total: number | null };
export type Code = "bad_request" | "unauthorized" | "forbidden" | "not_found" | "not_alive" | "conflict" | "too_large" | "too_many" | "time_limit" | "commit_gone" | "unavailable" | "internal";
export type ErrorBody = { code: Code; message: string; hint: string | null };

export type Session = { name: string | null; roles: ("read" | "load" | "train" | "admin")[]; needs_token: boolean; version: string; features: ("sql" | "learn")[] };

export type GraphRow = { name: string; unit: Unit; commit: number; nodes: number; edges: number; span: Span | null; bytes: number; state: "ready" | "failed"; message: string | null };
export type Feature = { name: string; kind: string };
export type NodeType = { type: string; nodes: number; features: Feature[] };
export type EdgeType = { source: string; relation: string; destination: string; edges: number; features: Feature[] };
export type GraphInfo = Head & {
  name: string; unit: Unit; newest_commit: number; read_only: boolean; span: Span | null;
  nodes: number; edges: number; merges: number; node_types: NodeType[]; edge_types: EdgeType[]; namespaces: string[];
  bytes: { log: number; index: number; models: number; resident: number };
  freshness: { loaded: string | null; behind: number };
  health: { state: "ok" | "failed"; messages: string[] };
};

export type LoadState = { is: "complete" } | { is: "rolled_back"; by: number } | { is: "rollback"; of: number };
export type Timeline = {
  commit: number; unit: Unit; from: Time; to: Time; edges: Tick[]; created: number[]; updated: number[]; removed: number[];
  loads: { id: number; namespace: string | null; version: string | null; at: Time; state: LoadState }[];
};

export type TickLife = [Tick, Tick | null];
export type More = { relation: string; side: "out" | "in"; type: string; n: number };
export type SubNode = NodeRef & { hop: number; degree: number; lives: TickLife[]; changes: Tick[]; merged: { into: number; at: Tick; until: Tick | null } | null; more: More[] };
export type SubEdge = { source: number; relation: string; destination: number; key: string | null; lives: TickLife[]; changes: Tick[] };
export type Subgraph = { commit: number; unit: Unit; from: Time; to: Time; nodes: SubNode[]; edges: SubEdge[]; marks: Tick[]; total: number };

export type Relation = { source: string; relation: string; destination: string; side: "out" | "in"; n: number };
export type NodeAnswer = Head & NodeRef & {
  state: "alive" | "not_yet" | "over" | "between"; deleted: boolean; lives: Life[];
  features: { name: string; kind: string; value: Value; from: Time; until: Time | null }[];
  relations: Relation[];
  became: { into: NodeRef; from: Time; until: Time | null; features: Values }[];
  came_from: { node: NodeRef; from: Time; until: Time | null }[];
  resolves_to: NodeRef | null; namespaces: string[];
};
export type Track = { feature: string; kind: string; values: { value: Value; from: Time; until: Time | null }[]; left_out: number };
export type Tracks = { commit: number; tracks: Track[] };
export type Neighbor = EdgeRef & Life & { side: "out" | "in"; deleted: boolean; features: Values };
export type Neighbors = Head & Page & { neighbors: Neighbor[] };
export type Happening = { from: Time; until: Time | null } & (
  | { kind: "life" } | { kind: "feature"; feature: string; value: Value } | { kind: "edge"; edge: EdgeRef } | { kind: "merge"; node: NodeRef; into: NodeRef });
export type History = Head & Page & { history: Happening[] };
export type Found = NodeRef & { lives: Life[]; matched: "id" | "name" | "text"; excerpt: string | null };
export type Search = Head & { nodes: Found[]; total: number | null };

export type Counts = { created: number; updated: number; removed: number };
export type ChangeKind = "created" | "updated" | "removed";
export type Change =
  | { change: ChangeKind; what: "node"; node: NodeRef; before: Values | null; after: Values | null }
  | { change: ChangeKind; what: "edge"; edge: EdgeRef; before: Values | null; after: Values | null }
  | { change: "merged"; what: "merge"; from: NodeRef; into: NodeRef; at: Time };
export type TypeCounts = Counts & { what: "node" | "edge"; type: string };
export type Diff = Page & {
  from: Time | null; to: Time | null; from_commit: number; to_commit: number; namespace: string | null;
  summary: { nodes: Counts; edges: Counts; merged: number; types: TypeCounts[] }; changes: Change[];
};
export type Versions = { versions: { namespace: string; version: string; at: Time; load: number }[] };

/** The models of a graph, and files among them that cannot be read. */
export type ModelList = { models: ModelInfo[]; unreadable: { name: string; message: string }[] };
export type ModelInfo = {
  name: string; predicts: "created" | "removed" | "gone"; commit: number; trained: string; trained_until: Time; next_time: Time;
  absorbed: { commit: number; behind: number }; relations: { source: string; relation: string; destination: string }[]; node_types: string[];
  parameters: number; epochs: number; mrr: number | null; unknown: string[];
};
export type Epoch = { epoch: number; loss: number; validation_mrr: number | null; seconds: number; kept: boolean };
export type Ranking = { part: "validation" | "test"; freshness: "event" | "batch"; model: string; kind: "model" | "rule"; mrr: number; hits1: number; hits10: number; links: number };
export type ModelReport = ModelInfo & {
  curve: Epoch[]; ranking: Ranking[];
  calibration: { part: string; bins: { share: number; observed: number; n: number }[]; error: number } | null;
  config: { [section: string]: { [key: string]: Value } };
};
export type Candidate = { destination: NodeRef; score: number; share: number; seen: { n: number; last: Time | null } | null };
export type Prediction = { commit: number; model: string; at: Time; question: { source: NodeRef | null; relation: string | null; destination_type: string | null }; candidates: number; answers: Candidate[]; warnings: string[] };
export type Counter = { what: "pair" | "reversed" | "to_destination" | "from_destination" | "from_source"; n: number; last: Time | null };
export type Heard = { at: "source" | "destination"; node: NodeRef; relation: string; outward: boolean; created: Time; attention: number[]; push: number };
export type Memory = { at: "source" | "destination"; time: Time; what: string; push: number };
export type Explanation = {
  commit: number; model: string; at: Time; source: NodeRef; relation: string | null; destination: NodeRef | null;
  score: number; lead: number; counting: number | null; others: number[]; counters: Counter[]; neighbors: Heard[]; memory: Memory[];
  without: { nodes: NodeRef[]; score: number; lead: number } | null; warnings: string[];
};

export type AllCounts = { nodes: Counts; edges: Counts; merges: Counts };
export type LoadRow = {
  id: number; commit: number; namespace: string | null; version: string | null; at: Time | null; release: Time | null; source: string; format: string | null;
  state: LoadState; events: number; rejected: number; started: string; completed: string; content_hash: string; counts: AllCounts;
};
export type Loads = Page & { loads: LoadRow[] };
export type Report = {
  counts: AllCounts; events: number; unchanged: number; rejected: number; rejects: { file: string; line: number; reason: string; record: string }[];
  reasons: { reason: string; n: number }[]; warnings: string[]; seconds: number; commit: number | null;
};
export type UndoPlan = { undoes: number; counts: AllCounts; replaced: number[]; dropped: { load: number; why: string }[] };
export type LoadOptions = {
  kind: "events" | "intervals" | "version"; source?: string; format?: string; namespace?: string; version?: string; timestamp?: string; release_timestamp?: string;
  dangling?: "reject" | "drop" | "stub"; dry_run?: boolean;
};
export type Job = {
  id: string; kind: "load" | "rollback" | "train" | "absorb"; state: "queued" | "running" | "done" | "failed" | "stopped"; started: string; seconds: number;
  step: string; records: number; bytes: number; size: number | null; report: Report | null; error: ErrorBody | null;
};

export type SqlColumn = { name: string; type: "text" | "integer" | "float" | "boolean" | "time" | "json" };
export type SqlAnswer = Head & { columns: SqlColumn[]; rows: Value[][]; truncated: boolean; seconds: number; scanned: number | null };
export type SqlTables = { tables: { name: string; kind: "view" | "function"; columns: string[]; signature: string | null }[] };
