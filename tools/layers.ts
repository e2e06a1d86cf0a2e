/**
 * The layer table: who may import whom. `tools/tidy.ts` checks every import against it.
 *
 * A file imports only parts of a strictly lower layer, or its own part. A part is entered through its `index.ts`
 * (pure) or its `io/index.ts` (sockets, files, processes). Type-only imports obey the same rule.
 */

/** Part -> layer number. */
export const LAYERS: Readonly<Record<string, number>> = {
  base: 0,
  config: 1,
  http: 1,
  "http-cache": 1,
  pgwire: 1,
  resp: 1,
  sql: 1,
  session: 3,
  "next-cache": 3,
  transport: 2,
  balance: 1,
  health: 2,
  cache: 2,
  edge: 2,
  scaling: 1,
  resilience: 1,
  steering: 3,
  gateway: 3,
  control: 3,
  database: 3,
  store: 3,
  planner: 4,
  app: 5,
  cli: 6,
};

/** Folders under src/ whose files may open sockets, files and processes; "*" is any part. */
export const IO_FOLDERS: readonly string[] = ["*/io", "app", "cli"];

/** Modules that only `IO_FOLDERS` may import. */
export const IO_MODULES: readonly string[] = [
  "bun",
  "node:child_process",
  "node:cluster",
  "node:dgram",
  "node:dns",
  "node:dns/promises",
  "node:fs",
  "node:fs/promises",
  "node:http",
  "node:https",
  "node:net",
  "node:readline",
  "node:tls",
  "node:worker_threads",
];
