import { expect, test } from "bun:test";
import type { AgentFacts } from "../../database/index.ts";
import { PLAIN } from "../style.ts";
import { databaseStatus } from "./database.ts";

/** What `tenfold db status` says of a primary whose archive refused something at 5,000 ms, and took something at `tookMs`. */
function said(tookMs: number | null): string {
  const archive = {
    enabled: true,
    failedCount: 3,
    lastFailed: "000000010000000000000007",
    lastFailedAtMs: 5000,
    lastArchived: tookMs === null ? null : "000000010000000000000008",
    lastArchivedAtMs: tookMs,
    waitingFiles: 0,
  };
  const view = { role: "primary", timeline: 1, slots: [], replicas: [], archive };
  const facts = {
    name: "db1",
    state: "running",
    view,
    term: 1,
    port: 5432,
    problem: null,
    order: null,
    leaseLeftMs: null,
    settings: { waiting: [], refused: [] },
    failover: null,
  } as unknown as AgentFacts;
  return databaseStatus([{ name: "db1", facts }], PLAIN, 120).join("\n");
}

test("a refusal of the archive is told until it takes something again", () => {
  const told = "db1: the archive refused 3 times, last 000000010000000000000007";
  expect([said(null).includes(told), said(4000).includes(told), said(6000).includes(told)]).toEqual([
    true,
    true,
    false,
  ]);
});
