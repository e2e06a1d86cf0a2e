import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseBytes, parseDurationMs } from "../src/base/index.ts";
import { DEFAULTS } from "../src/config/defaults.ts";

const DOCUMENT = readFileSync(join(import.meta.dir, "../docs/guide/config.md"), "utf8");

/** Heading of the document -> the defaults that its table must show. */
const SECTIONS: Readonly<Record<string, object>> = {
  limits: DEFAULTS.limits,
  timeouts: DEFAULTS.timeouts,
  retry: DEFAULTS.retry,
  targetGroups: { ...DEFAULTS.group, algorithm: DEFAULTS.algorithm, on: DEFAULTS.hashKey.kind },
  health: DEFAULTS.health,
  retryBudget: DEFAULTS.retryBudget,
  ejection: DEFAULTS.ejection,
  connections: DEFAULTS.connections,
  fallback: DEFAULTS.fallback,
  services: DEFAULTS.service,
  deploy: DEFAULTS.deploy,
  autoscale: DEFAULTS.autoscale,
  databases: {
    replicas: DEFAULTS.database.replicas,
    mode: DEFAULTS.database.mode,
    witness: DEFAULTS.database.witness,
    workers: DEFAULTS.database.workers,
    consistency: DEFAULTS.database.consistency,
    serverPort: DEFAULTS.database.serverPort,
    optional: DEFAULTS.database.optional,
  },
  "database pool": DEFAULTS.database.pool,
  "database lease": { ttlMs: DEFAULTS.database.lease.ttlMs },
  stores: {
    use: DEFAULTS.store.use,
    memoryBytes: DEFAULTS.store.memoryBytes,
    eviction: DEFAULTS.store.eviction,
    fsync: DEFAULTS.store.fsync,
  },
  forwarded: { fields: DEFAULTS.forwarded.fields },
  steering: { ttlMs: DEFAULTS.steering.ttlMs, perSecond: DEFAULTS.steering.perSecond, names: "@" },
  edgeHealth: DEFAULTS.edgeHealth,
  gateway: {
    name: DEFAULTS.gateway.name,
    stopTimeoutMs: DEFAULTS.gateway.stopTimeoutMs,
    workers: DEFAULTS.gateway.workers,
  },
};

/** The Default cell of a key's row under a heading, without its backticks; undefined when there is no such row. */
function documented(heading: string, key: string): string | undefined {
  const section = new RegExp(`^#+ ${heading}$([^]*?)(?=^#|(?![^]))`, "m").exec(DOCUMENT)?.[1] ?? "";
  return new RegExp(`^\\| \`${key}\` \\| ([^|]*) \\|`, "m").exec(section)?.[1]?.replaceAll("`", "").trim();
}

/** What a Default cell means for a key, in the unit that the key carries. */
function meaning(key: string, cell: string): unknown {
  if (key === "statuses") return [cell.split("-").map(Number)];
  if (key.endsWith("Ms")) return parseDurationMs(cell);
  if (key.includes("Bytes")) return parseBytes(cell);
  return /^(?:[\d.]+|true|false)$/.test(cell) ? JSON.parse(cell) : cell;
}

describe("docs/guide/config.md", () => {
  for (const [heading, defaults] of Object.entries(SECTIONS)) {
    for (const [key, value] of Object.entries(defaults)) {
      const written = key.replace(/Ms$/, "").replace("Bytes", "");
      test(`says the default of ${heading}.${written}`, () => {
        expect(meaning(key, documented(heading, written) ?? "no such row")).toEqual(value);
      });
    }
  }
});
