/** Builders for tests of a router that follows the lease: who holds it, and a replica that takes over. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "pg";
import type { TestPostgres } from "../../../../base/testing/postgres.ts";
import type { LeaseStore, StoreReply } from "../../../failover/lease-store.ts";
import { type ClusterRecord, firstRecord, withTerm } from "../../../failover/record.ts";
import { DEFAULT_FAILOVER, type FailoverSettings } from "../../../failover/settings.ts";
import { FileStore } from "../../lease/file-store.ts";
import { values } from "../testing.ts";

/** Times of a short lease. */
export const TIMES: FailoverSettings = {
  ...DEFAULT_FAILOVER,
  ttlMs: 3_000,
  renewMs: 200,
  marginMs: 600,
  pollMs: 50,
};

/** The holder of the lease: renews a record in a folder. */
export class Holder implements LeaseStore {
  readonly #folder = mkdtempSync(join(tmpdir(), "tenfold-lease-"));
  readonly #store = new FileStore(this.#folder, "holder");
  #record: ClusterRecord = firstRecord("a", 1, 0n, null);
  #revision = 0;
  #timer: ReturnType<typeof setInterval> | undefined;
  /** One write after the other: of two at once the later one would be lost. */
  #written: Promise<void> = Promise.resolve();
  isAway = false;

  /** Where others read it. */
  get url(): string {
    return `file:${this.#folder}`;
  }

  read(): Promise<StoreReply> {
    if (this.isAway) return Promise.resolve({ kind: "failed", reason: "unreachable", message: "cut off" });
    return this.#store.read();
  }
  write(record: ClusterRecord, revision: number): Promise<StoreReply> {
    return this.#store.write(record, revision);
  }
  async set(change: Partial<ClusterRecord> = {}): Promise<void> {
    this.pause();
    this.#record = { ...this.#record, ...change };
    await this.#renew();
    this.#timer = setInterval(() => void this.#renew(), TIMES.renewMs);
  }
  /** "b" is primary of the next term; `firstId`: what it had replayed had no ids from there on. */
  async replace(firstId: string | null = null): Promise<void> {
    const { term, terms, starts = [] } = this.#record;
    const next = { term: term + 1, server: "b", timeline: term + 1, fork: 0n };
    const start = { number: starts.length + 1, process: `b/${term}`, firstId };
    const all = { terms: withTerm(terms, next), starts: [...starts, start] };
    await this.set({ term: term + 1, server: "b", phase: "running", ...all });
  }
  /** The same server in another term: whatever was made in the one before is cut. */
  async cut(): Promise<void> {
    const { term, starts = [] } = this.#record;
    const start = { number: starts.length + 1, process: `a/${term + 1}`, firstId: null };
    await this.set({ term: term + 1, starts: [...starts, start] });
  }
  /** The primary was started again. */
  async restart(firstId: string | null = null): Promise<void> {
    const { term, starts = [] } = this.#record;
    const start = { number: starts.length + 1, process: `a/${term}/${starts.length}`, firstId };
    await this.set({ phase: "running", starts: [...starts, start] });
  }
  pause(): void {
    clearInterval(this.#timer);
  }
  #renew(): Promise<void> {
    this.#written = this.#written.then(() => this.#write());
    return this.#written;
  }
  async #write(): Promise<void> {
    const reply = await this.#store.write(this.#record, this.#revision);
    if (reply.kind !== "failed") this.#revision = reply.stored.revision;
  }
  stop(): void {
    this.pause();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** What a replica has replayed when it is promoted: the first id that nothing committed in it has. */
export async function promoteReplica(
  replica: TestPostgres,
  isReady: (client: Client) => Promise<boolean>,
): Promise<string> {
  const client = new Client(replica.url);
  await client.connect();
  // oxlint-disable-next-line no-await-in-loop -- until it is there
  while (!(await isReady(client)));
  const ask =
    "SELECT pg_last_wal_replay_lsn() >= pg_last_wal_receive_lsn(), pg_snapshot_xmax(pg_current_snapshot())::text";
  let [row] = await values(client, ask);
  // oxlint-disable-next-line no-await-in-loop -- until all is replayed
  while (row?.[0] !== true) [row] = await values(client, ask);
  await client.query("SELECT pg_promote()");
  await client.end();
  return String(row[1]);
}
