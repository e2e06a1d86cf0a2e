/**
 * Notices a replica that can never go on from whom it follows. Postgres does not say so in any view: it tries for ever, and its
 * log says why.
 */
import { closeSync, fstatSync, openSync, readSync, statSync } from "node:fs";
import type { PostgresServer } from "../server/postgres-server.ts";

/** A replica that was cut off is back within some tries; only then its log is looked at. */
const CUT_OFF_MS = 1_000;

/** The log is looked at so often at most. */
const LOOK_MS = 1_000;

/** More than a few tries write in that time. */
const TAIL_BYTES = 16 * 1024;

/** What walsender, walreceiver and recovery of PostgreSQL 15 to 18 say when trying again will not help. */
const HOPELESS =
  /requested WAL segment \S+ has already been removed|requested starting point \S+ (?:on timeline \d+ is not in this server's history|is ahead of the WAL flush position)|is behind recovery timeline|forked off current database system timeline|is not a child of database system timeline|can no longer (?:get changes|be used|access)|slot has been invalidated/;

export class StuckWatch {
  readonly #server: PostgresServer;
  #upstream: string | undefined;
  #sinceMs: number | undefined;
  #lookedMs = 0;
  #from = 0;
  #isStuck = false;

  constructor(server: PostgresServer) {
    this.#server = server;
  }

  /** Whether it is hopeless, given whom the replica follows now and whether it gets anything. */
  isStuck(upstream: string | undefined, streaming: boolean): boolean {
    const nowMs = this.#server.options.clock.nowMs();
    if (upstream === undefined || streaming || upstream !== this.#upstream) {
      this.#upstream = upstream;
      this.#sinceMs = undefined;
      this.#isStuck = false;
    }
    if (upstream === undefined || streaming) return false;
    if (this.#sinceMs === undefined) {
      this.#sinceMs = nowMs;
      this.#from = statSync(this.#server.logFile, { throwIfNoEntry: false })?.size ?? 0;
    }
    const isDue = nowMs >= this.#sinceMs + CUT_OFF_MS && nowMs >= this.#lookedMs + LOOK_MS;
    if (!this.#isStuck && isDue) {
      this.#lookedMs = nowMs;
      this.#isStuck = HOPELESS.test(tailFrom(this.#server.logFile, this.#from));
    }
    return this.#isStuck;
  }
}

function tailFrom(path: string, from: number): string {
  let file: number;
  try {
    file = openSync(path, "r");
  } catch {
    return "";
  }
  try {
    const { size } = fstatSync(file);
    const start = Math.max(from, size - TAIL_BYTES);
    const bytes = Buffer.alloc(Math.max(0, size - start));
    readSync(file, bytes, 0, bytes.length, start);
    return bytes.toString();
  } finally {
    closeSync(file);
  }
}
