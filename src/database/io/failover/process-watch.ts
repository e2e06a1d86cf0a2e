/**
 * Which process of a server runs as a primary, and from which id on its transactions' ids may have been given before: read of the control
 * file at its start, or of the replica that it was.
 */
import { parseLsn } from "../../../pgwire/index.ts";
import type { PrimaryProcess, Replayed } from "../../failover/starts.ts";
import { readControlFile } from "../server/data-directory.ts";
import type { PostgresServer } from "../server/postgres-server.ts";
import { pause } from "../server/server-process.ts";

/** A promotion is not kept waiting for longer: what is replayed later makes the bound unknown, and nothing worse. */
const REPLAY_WAIT_MS = 500;
const REPLAY_LOOK_MS = 10;

export class ProcessWatch {
  readonly #server: PostgresServer;
  #current: PrimaryProcess | undefined;
  #pid: number | undefined;
  /** Starts since the current process was first seen: one that nobody saw may have given ids. */
  #starts = 0;

  constructor(server: PostgresServer) {
    this.#server = server;
  }

  /** The server is about to be started. */
  starting(): void {
    this.#starts += 1;
  }

  /** The process that runs as a primary now. */
  async current(): Promise<PrimaryProcess> {
    const { pid, name } = this.#server;
    if (this.#current !== undefined && pid === this.#pid) return this.#current;
    const firstId = await this.#firstId();
    const after = this.#starts === 1 ? this.#current?.process : undefined;
    this.#current = { process: `${name}/${pid ?? 0}`, after, firstId };
    this.#pid = pid;
    this.#starts = 0;
    return this.#current;
  }

  /**
   * Recovery from a crash ends with a checkpoint whose redo position is its own, as one at a shutdown is; any later one begins before it
   * is written.
   */
  async #firstId(): Promise<string | null> {
    const control = await readControlFile(this.#server.data).catch(() => undefined);
    if (control?.state !== "in-production" || control.checkpoint !== control.redo) return null;
    return control.nextId.toString();
  }
}

const REPLAY_SQL = "select pg_is_in_recovery()::text as replica, pg_last_wal_replay_lsn()::text as lsn";
const FIRST_ID_SQL = `select pg_snapshot_xmax(pg_current_snapshot())::text as id, pg_last_wal_replay_lsn()::text as lsn`;

/**
 * Where the replay of a replica that gets no more log ends, `fork` at the furthest, and the first id that nothing committed in it has. The
 * position is read before the snapshot is taken: what was committed up to there is in it. Undefined: it cannot be told.
 */
export async function replayEnd(
  server: PostgresServer,
  fork: bigint,
): Promise<Replayed | "primary" | undefined> {
  const { clock, scheduler } = server.options;
  const untilMs = clock.nowMs() + REPLAY_WAIT_MS;
  try {
    for (;;) {
      const [before] = await server.query(REPLAY_SQL);
      if (before?.["replica"] !== "true") return "primary";
      const [after] = await server.query(FIRST_ID_SQL);
      const [lsn, firstId] = [parseLsn(before["lsn"] ?? ""), after?.["id"]];
      const isStill = lsn !== undefined && after?.["lsn"] === before["lsn"];
      if (isStill && firstId && (lsn >= fork || clock.nowMs() >= untilMs)) return { lsn, firstId };
      if (clock.nowMs() >= untilMs) return undefined;
      await pause(scheduler, REPLAY_LOOK_MS);
    }
  } catch {
    return undefined; // the promotion will say what is wrong
  }
}
