/** The shared store in a real Postgres: the suite, and what killing, hanging and cutting it costs. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { Client } from "pg";
import { systemScheduler } from "../../base/index.ts";
import { type Postgres, postgresBinaries, startPostgres } from "../../postgres/testing/embedded-postgres.ts";
import type { SharedStore } from "../store/store.ts";
import { newValue, storeSuite } from "../store/suite.ts";
import { createCache } from "./create-cache.ts";
import { createPostgresStore } from "./postgres-store.ts";

const isMissing = postgresBinaries() === undefined;
const START_TIMEOUT_MS = 60_000;

let tokens = 0;

function open(url: string, namespace = "suite"): SharedStore {
  const newToken = (): string => `origin${tokens++}`;
  return createPostgresStore({ url, namespace, deadlineMs: 5000, newToken, scheduler: systemScheduler });
}

if (!isMissing) {
  const server = await startPostgres();
  storeSuite("pg://", async () => ({
    open: async () => open(server.url),
    pass: (ms) => Bun.sleep(ms),
    settle: () => Bun.sleep(150),
    stop: server.stop,
  }));
}
