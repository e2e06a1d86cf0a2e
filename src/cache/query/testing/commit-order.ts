/**
 * Commit order as an experiment: processes that read through the cache while they and others write, with a real PostgreSQL
 * and a real store. An answer is stale when it is older than a commit that PostgreSQL had acknowledged before the read began.
 *
 * Registers are numbers in rows that only grow. Whoever writes one publishes the number in memory that all processes share
 * at the moment PostgreSQL acknowledges the commit, before the cache hears of it; whoever reads looks there first.
 */
import { closeSync, ftruncateSync, openSync } from "node:fs";
import { join } from "node:path";
import type { Pool } from "pg";
import type { TestPostgres } from "../../../base/testing/postgres.ts";

/** What one process does. */
export interface OrderTask {
  readonly connection: TestPostgres["connection"];
  readonly storeUrl: string;
  readonly seed: number;
  readonly worker: number;
  readonly operations: number;
  /** The file of published numbers. */
  readonly published: string;
  /** Whether writes are marked: without, the cache only changes versions after commits. */
  readonly marks: boolean;
  /** Probability that the process dies between a commit and its news. */
  readonly crashes: number;
}

/** What came out. */
export interface OrderReport {
  readonly reads: number;
  readonly hits: number;
  readonly writes: number;
  readonly stale: number;
  readonly crashed: number;
}

/** Processes, and registers of each kind. */
export const WORKERS = 4;
export const ROWS = 3;

/** Kinds of registers: how they are written and read. `$1` is the row. */
export const KINDS = [
  {
    write: "UPDATE account SET n = n + 1 WHERE id = $1 RETURNING n",
    reads: ["SELECT n FROM account WHERE id = $1", "SELECT n FROM account_view WHERE id = $1"],
  },
  {
    // The foreign key carries it on to item.
    write: "UPDATE owner SET n = n + 1 WHERE id = $1 RETURNING n",
    reads: ["SELECT n % 1000000 AS n FROM item WHERE id = $1"],
  },
  {
    write: "UPDATE part SET n = n + 1 WHERE id = $1 RETURNING n",
    reads: [
      "SELECT n FROM part WHERE id = $1",
      "SELECT n FROM ONLY part_odd WHERE id = $1 UNION ALL SELECT n FROM part_even WHERE id = $1",
    ],
  },
  {
    // The trigger writes it into audit.
    write: "UPDATE watched SET n = n + 1 WHERE id = $1 RETURNING n",
    reads: ["SELECT n FROM audit WHERE id = $1"],
  },
] as const;

/** Makes the tables. */
export async function prepareOrder(pool: Pool): Promise<void> {
  await pool.query(`
    CREATE TABLE account (id int PRIMARY KEY, n int NOT NULL);
    CREATE VIEW account_view AS SELECT id, n FROM account;
    CREATE TABLE owner (id int PRIMARY KEY, n int NOT NULL UNIQUE);
    CREATE TABLE item (id int PRIMARY KEY, n int NOT NULL REFERENCES owner (n) ON UPDATE CASCADE);
    CREATE TABLE part (id int NOT NULL, n int NOT NULL) PARTITION BY LIST (id);
    CREATE TABLE part_odd PARTITION OF part FOR VALUES IN (1, 3);
    CREATE TABLE part_even PARTITION OF part FOR VALUES IN (0, 2);
    CREATE TABLE watched (id int PRIMARY KEY, n int NOT NULL);
    CREATE TABLE audit (id int PRIMARY KEY, n int NOT NULL);
    CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN UPDATE audit SET n = NEW.n WHERE id = NEW.id; RETURN NULL; END $$;
    CREATE TRIGGER note AFTER UPDATE ON watched FOR EACH ROW EXECUTE FUNCTION note();
    INSERT INTO account SELECT id, 0 FROM generate_series(0, ${ROWS - 1}) id;
    INSERT INTO owner SELECT id, 1000000 * id FROM generate_series(0, ${ROWS - 1}) id;
    INSERT INTO item SELECT id, n FROM owner;
    INSERT INTO part SELECT id, n FROM account;
    INSERT INTO watched SELECT id, n FROM account;
    INSERT INTO audit SELECT id, n FROM account;`);
}

/** Runs the processes. A process that killed itself is started again for the operations that are left. */
export async function runOrder(
  task: Omit<OrderTask, "worker" | "published">,
  folder: string,
): Promise<OrderReport> {
  const published = join(folder, `published-${task.seed}-${String(task.marks)}-${task.crashes}`);
  const file = openSync(published, "w");
  // Per worker: its published numbers, then its progress and counts.
  ftruncateSync(file, 4 * WORKERS * SLOTS);
  closeSync(file);
  await Promise.all(
    Array.from({ length: WORKERS }, (_, worker) => runWorker({ ...task, worker, published })),
  );
  const cells = new Int32Array(Bun.mmap(published).buffer);
  const total = (cell: number): number =>
    Array.from({ length: WORKERS }, (_, worker) => cells[worker * SLOTS + cell] ?? 0).reduce(
      (a, b) => a + b,
      0,
    );
  return {
    reads: total(CELLS.reads),
    hits: total(CELLS.hits),
    writes: total(CELLS.writes),
    stale: total(CELLS.stale),
    crashed: total(CELLS.crashed),
  };
}

/** Cells of one worker: its registers, then its counts. */
export const SLOTS = 32;

/** Where the counts are. */
export const CELLS = { done: 26, reads: 27, hits: 28, writes: 29, stale: 30, crashed: 31 } as const;

async function runWorker(task: OrderTask): Promise<void> {
  for (let life = 0; ; life += 1) {
    const seeded = { ...task, seed: task.seed + 1000 * life + task.worker };
    const child = Bun.spawn(
      [process.execPath, join(import.meta.dirname, "commit-order-worker.ts"), JSON.stringify(seeded)],
      {
        stdio: ["ignore", "ignore", "inherit"],
      },
    );
    await child.exited;
    if (child.exitCode === 0) return;
    if (child.signalCode !== "SIGKILL") throw new Error(`a worker ended with ${String(child.exitCode)}`);
  }
}
