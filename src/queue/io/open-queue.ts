/** Opens a queue: loads pg-boss, waits for the database, makes what is missing there. */
import type { PgBoss } from "pg-boss";
import type { Jobs } from "../jobs.ts";
import { whenThere } from "./opening.ts";
import { openPool } from "./pool.ts";
import { Queue, type QueueOptions, SCHEMA } from "./queue.ts";

/** How often it is looked for workers that died: of their jobs' wait, which is 10 s by itself, at most half as much more. */
const SUPERVISE_S = 5;

/**
 * Opens the queue and makes its kinds. Waits up to `hold` for a database that is not there yet. Rejects when pg or pg-boss is not
 * installed, or the database cannot be reached in that time.
 */
export async function openQueue<const All extends Jobs>(options: QueueOptions<All>): Promise<Queue<All>> {
  const { PgBoss: Boss } = await loadBoss();
  return whenThere(options, () => openOnce(options, Boss));
}

async function openOnce<All extends Jobs>(
  options: QueueOptions<All>,
  Boss: typeof PgBoss,
): Promise<Queue<All>> {
  const pool = openPool(options);
  const boss = new Boss({
    db: { executeSql: (text, values) => pool.pool.query(text, values) },
    schema: options.schema ?? SCHEMA,
    superviseIntervalSeconds: SUPERVISE_S,
    monitorIntervalSeconds: SUPERVISE_S,
    registerInstance: false,
  });
  boss.on("error", (error) => options.onError?.(error));
  const queue = new Queue(options, boss, pool);
  try {
    await queue.prepare();
  } catch (error) {
    await boss.stop({ graceful: false }).catch(() => {});
    await pool.end();
    throw error;
  }
  return queue;
}

async function loadBoss(): Promise<typeof import("pg-boss")> {
  try {
    return await import("pg-boss");
  } catch (error) {
    const mend = "run `npm install pg-boss pg`: tenfold/queue uses the app's own copies";
    throw new Error(`the package pg-boss cannot be loaded; ${mend}`, { cause: error });
  }
}
