/** Writes that clients were told are done, and whether they still are; for clusters under faults. */
import type { PgConnection } from "../../pgwire/io/index.ts";
import type { DatabaseCluster } from "./database-cluster.ts";

/** Anything here is over in seconds. */
const RETRY_MS = 2;
const QUERY_TIMEOUT_MS = 2_000;

/** Of all writers of this process: no row is written twice. */
let nextId = 0;

/** A client that writes one row after the other at whichever server takes them. */
export class AcknowledgedWrites {
  readonly #cluster: DatabaseCluster;
  readonly #filler: string;
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;
  /** Rows by id, and when each was acknowledged. */
  readonly acknowledged: { readonly id: number; readonly atMs: number; readonly server: string }[] = [];
  #next = nextId;

  /** Rows hold `fillerBytes`, default 100, that cannot be compressed. */
  constructor(cluster: DatabaseCluster, { fillerBytes = 100 }: { readonly fillerBytes?: number } = {}) {
    this.#cluster = cluster;
    this.#filler = `(select string_agg(md5(random()::text), '') from generate_series(1, ${Math.ceil(fillerBytes / 32)}))`;
    this.#running = this.#run();
  }

  static async prepare(cluster: DatabaseCluster, primary: string): Promise<void> {
    await cluster.query(primary, "create table beats (id bigint primary key, filler text)");
  }

  async #run(): Promise<void> {
    const { names } = this.#cluster;
    for (let at = 0; !this.#stop.signal.aborted; at += 1) await this.#writeAt(names[at % names.length] ?? "");
  }

  async #writeAt(server: string): Promise<void> {
    let connection: PgConnection | undefined;
    try {
      connection = await this.#cluster.connect(server);
      while (!this.#stop.signal.aborted) {
        const id = this.#next++;
        nextId = this.#next;
        await connection.rows(`insert into beats values (${id}, ${this.#filler})`, QUERY_TIMEOUT_MS);
        this.acknowledged.push({ id, atMs: performance.now(), server });
      }
    } catch {
      await Bun.sleep(RETRY_MS); // it is gone, or takes no writes: the next one
    } finally {
      connection?.close();
    }
  }

  get count(): number {
    return this.acknowledged.length;
  }

  /** The longest time between two acknowledgements. */
  get longestGapMs(): number {
    const times = this.acknowledged.map(({ atMs }) => atMs);
    return Math.max(0, ...times.slice(1).map((time, index) => time - (times[index] ?? time)));
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  /** Acknowledged rows that `server` does not have. */
  async missingAt(server: string): Promise<number[]> {
    const rows = await this.#cluster.query(server, "select id from beats");
    const there = new Set(rows.map((row) => Number(row["id"])));
    return this.acknowledged.map(({ id }) => id).filter((id) => !there.has(id));
  }
}
