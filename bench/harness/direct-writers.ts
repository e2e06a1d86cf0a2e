/**
 * A writer at each server, around the routers, whatever that server is: two primaries that both take writes would be seen here.
 * Each acknowledgement names its server's timeline, which the server read in the same transaction.
 */
import type { DatabaseCluster } from "../../src/app/testing/database-cluster.ts";
import type { Anomaly } from "../../src/database/testing/histories/index.ts";
import type { PgConnection } from "../../src/pgwire/io/index.ts";
import { pause } from "./wait.ts";

/** An acknowledged write. */
interface Acknowledged {
  readonly server: string;
  readonly id: number;
  readonly timeline: number;
  readonly invokedMs: number;
  readonly completedMs: number;
}

const PAUSE_MS = 20;
const RECONNECT_MS = 50;
const QUERY_TIMEOUT_MS = 3_000;

/** Of all writers of this process. */
let nextId = 1;

const TIMELINE = "('x' || substring(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8))::bit(32)::int";

export class DirectWriters {
  readonly #cluster: DatabaseCluster;
  readonly #running: Promise<unknown>;
  readonly acknowledged: Acknowledged[] = [];
  #isOver = false;

  /** Begins at once. */
  constructor(cluster: DatabaseCluster) {
    this.#cluster = cluster;
    this.#running = Promise.all(cluster.names.map((name) => this.#run(name)));
  }

  static async prepare(cluster: DatabaseCluster, primary: string): Promise<void> {
    await cluster.query(primary, "create table direct (id bigint primary key)");
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await this.#running;
  }

  async #run(server: string): Promise<void> {
    while (!this.#isOver) {
      const connection = await this.#cluster.connect(server).catch(() => undefined);
      if (connection !== undefined) await this.#use(server, connection);
      await pause(RECONNECT_MS);
    }
  }

  async #use(server: string, connection: PgConnection): Promise<void> {
    try {
      while (!this.#isOver) {
        const [id, invokedMs] = [nextId++, performance.now()];
        const sql = `insert into direct values (${id}) returning ${TIMELINE} as timeline`;
        const [row] = await connection.rows(sql, QUERY_TIMEOUT_MS);
        const timeline = Number(row?.["timeline"]);
        this.acknowledged.push({ server, id, timeline, invokedMs, completedMs: performance.now() });
        await pause(PAUSE_MS);
      }
    } catch {
      // It is gone, or takes no writes.
    } finally {
      connection.close();
    }
  }

  /** What is wrong, given that `primary` is the one at the end: acknowledgements must go from timeline to timeline and never back. */
  async check(primary: string): Promise<Anomaly[]> {
    const rows = await this.#cluster.query(primary, "select id from direct");
    const there = new Set(rows.map(({ id }) => Number(id)));
    const lost = this.acknowledged.filter(({ id }) => !there.has(id));
    const problems = lost.map((one) => ({ anomaly: "acknowledged-write-lost", detail: JSON.stringify(one) }));
    return [...problems, ...this.#goneBack(), ...this.#shared()];
  }

  /** Taken by an old primary after a newer one had taken another. */
  #goneBack(): Anomaly[] {
    const byEnd = this.acknowledged.toSorted((a, b) => a.completedMs - b.completedMs);
    return this.acknowledged.flatMap((late) => {
      const newer = byEnd.find(
        ({ timeline, completedMs }) => timeline > late.timeline && completedMs < late.invokedMs,
      );
      if (newer === undefined) return [];
      return [{ anomaly: "two-primaries", detail: `${JSON.stringify(late)} after ${JSON.stringify(newer)}` }];
    });
  }

  /** Two servers that were promoted from one point write to timelines of the same number. */
  #shared(): Anomaly[] {
    const owners = new Map<number, Acknowledged>();
    return this.acknowledged.flatMap((one) => {
      const owner = owners.get(one.timeline) ?? one;
      owners.set(one.timeline, owner);
      if (owner.server === one.server) return [];
      return [{ anomaly: "two-primaries", detail: `${JSON.stringify(one)} and ${JSON.stringify(owner)}` }];
    });
  }
}
