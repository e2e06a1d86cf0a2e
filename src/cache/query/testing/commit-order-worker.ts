/** One process of the experiment in `commit-order.ts`; its task is its argument. */
import { Client, Pool, type QueryResult } from "pg";
import { seededRandom } from "../../../base/index.ts";
import { RespClient } from "../../../resp/io/index.ts";
import { cacheQueries, type RespCaller, respResults, respVersions, type VersionStore } from "../index.ts";
import { CELLS, KINDS, type OrderTask, ROWS, SLOTS, WORKERS } from "./commit-order.ts";

const task = JSON.parse(process.argv[2] ?? "{}") as OrderTask;
const random = seededRandom(task.seed);
const cells = new Int32Array(Bun.mmap(task.published).buffer);
const own = task.worker * SLOTS;
const add = (cell: number, count = 1): void => {
  cells[own + cell] = (cells[own + cell] ?? 0) + count;
};
const pick = (below: number): number => Math.floor(random() * below);

/** What PostgreSQL acknowledged becomes known to all before the cache learns of it; then the process may die. */
function publish(written: ReadonlyMap<number, number>): void {
  for (const [register, value] of written)
    cells[own + register] = Math.max(cells[own + register] ?? 0, value);
  if (random() >= task.crashes) return;
  add(CELLS.crashed);
  process.kill(process.pid, "SIGKILL");
}

/** A client that publishes at the acknowledgement. */
class Publishing extends Client {
  readonly #pending = new Map<number, number>();
  #inTransaction = false;

  // The pool calls back; all else that comes here is the cache's.
  override query(...args: unknown[]): never {
    const [config] = args;
    const callback = args.findLast((each) => typeof each === "function");
    const rest = args.filter((each) => each !== callback);
    const result = (super.query as (...all: unknown[]) => Promise<QueryResult>)(...rest).then(
      async (each) => {
        this.#acknowledged(config as { text: string; values?: number[] }, each);
        // A process that is busy elsewhere hears of it late.
        if (random() < 0.2) await Bun.sleep(random() * 4);
        return each;
      },
    );
    if (callback === undefined) return result as never;
    result.then(
      (value) => (callback as (error: unknown, result?: unknown) => void)(undefined, value),
      (error: unknown) => (callback as (error: unknown) => void)(error),
    );
    return undefined as never;
  }

  #acknowledged({ text, values }: { text: string; values?: number[] }, result: QueryResult): void {
    if (text === "BEGIN") this.#inTransaction = true;
    const kind = KINDS.findIndex((each) => each.write === text);
    const [row] = result.rows as { n: number }[];
    if (kind !== -1 && row !== undefined)
      this.#pending.set(kind * ROWS + (values?.[0] ?? 0), row.n % 1_000_000);
    if (text === "COMMIT" || text === "ROLLBACK") this.#inTransaction = false;
    if (text === "ROLLBACK") this.#pending.clear();
    if (this.#inTransaction || this.#pending.size === 0) return;
    const written = new Map(this.#pending);
    this.#pending.clear();
    publish(written);
  }
}

const client = new RespClient({ url: task.storeUrl });
/** A store whose answers and requests come late, as seeded. */
const store: RespCaller = {
  pipeline: async (requests, deadlineMs) => {
    if (random() < 0.3) await Bun.sleep(random() * 2);
    const replies = await client.pipeline(requests, deadlineMs);
    if (random() < 0.3) await Bun.sleep(random() * 2);
    return replies;
  },
};
const PATIENT = { store, deadlineMs: 5000 };
const marked = respVersions({ ...PATIENT, markMs: 400 });
const unmarked: VersionStore = {
  ...marked,
  before: async (tables) => {
    const token = await marked.before(tables);
    await marked.rolledBack(token);
    return token;
  },
};
let counted = 0;
const pool = new Pool({ ...task.connection, Client: Publishing as unknown as typeof Client, max: 2 });
const db = cacheQueries(pool, {
  versions: task.marks ? marked : unmarked,
  results: respResults(PATIENT),
  triggers: { watched: ["audit"] },
});

async function read(): Promise<void> {
  const kind = pick(KINDS.length);
  const row = pick(ROWS);
  const texts = KINDS[kind]?.reads ?? [];
  const register = kind * ROWS + row;
  let floor = 0;
  for (let worker = 0; worker < WORKERS; worker += 1)
    floor = Math.max(floor, cells[worker * SLOTS + register] ?? 0);
  const { rows } = await db.query<{ n: number }>(texts[pick(texts.length)] ?? "", [row]);
  add(CELLS.reads);
  if ((rows[0]?.n ?? 0) < floor) add(CELLS.stale);
}

async function write(): Promise<void> {
  const kind = KINDS[pick(KINDS.length)] ?? KINDS[0];
  add(CELLS.writes);
  if (random() < 0.5) return void (await db.query(kind.write, [pick(ROWS)]));
  const session = await db.connect();
  await session.query("BEGIN");
  // In the order of rows and kinds, lest they wait for each other.
  await session.query(kind.write, [pick(ROWS)]);
  await session.query(random() < 0.2 ? "ROLLBACK" : "COMMIT");
  session.release();
}

while ((cells[own + CELLS.done] ?? 0) < task.operations) {
  const turns = Array.from({ length: 4 }, () => (random() < 0.12 ? write() : read()));
  await Promise.all(turns);
  add(CELLS.done, turns.length);
  cells[own + CELLS.hits] = (cells[own + CELLS.hits] ?? 0) + hitsSince();
}

function hitsSince(): number {
  const { hits } = db.queryCache.stats();
  const since = hits - counted;
  counted = hits;
  return since;
}
await pool.end();
client.close();
process.exit(0);
