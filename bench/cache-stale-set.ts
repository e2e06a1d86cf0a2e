/**
 * The stale-set race: a load reads the old value, the value changes and is invalidated, and then the load's result is stored.
 * Whoever does not notice serves the old value until it expires.
 *
 *     bin/bun bench/cache-stale-set.ts [--interleavings 1000000] [--peers 20000] [--seed 1]
 *
 * Each interleaving is some loads, changes and invalidations of one key, in an order drawn from the seed. A load reads the truth
 * at one moment and returns it at a later one. When all has ended every process reads; one that gets a value older than the last
 * acknowledged invalidation is stale. Ours are four processes over one shared store, where requests, replies and
 * messages of the bus each arrive when the seed says so, in any order among different connections. The others run in their simplest
 * form, one cache in memory, which gives them fewer ways to go wrong.
 */
import { BentoCache, bentostore } from "bentocache";
import { memoryDriver } from "bentocache/drivers/memory";
import { createCache as createCacheManager } from "cache-manager";
import { Cacheable } from "cacheable";
import { type Random, seededRandom, simulatedTime } from "../src/base/index.ts";
import { type BusListener, MemoryStore, type SharedStore } from "../src/cache/index.ts";
import { testCache } from "../src/cache/testing.ts";
import { options } from "./harness/arguments.ts";
import { showTable } from "./harness/figures.ts";
import { conclude } from "./harness/results.ts";

const { interleavings, peers, seed } = options({ interleavings: 1_000_000, peers: 20_000, seed: 1 });

const PROCESSES = 4;
const KEYS = 256;
/** Operations of one interleaving: one to six. */
const OPERATIONS_MAX = 6;
const INVALIDATION_SHARE = 0.4;

type Load = () => Promise<number> | number;

/** A cache library, as several processes see it. */
interface Subject {
  readonly processes: number;
  readonly getOrSet: (process: number, key: string, load: Load) => Promise<unknown>;
  readonly invalidate: (process: number, key: string, random: Random) => Promise<unknown>;
  /** Lets everything that can go on do so. */
  readonly turn: () => Promise<void>;
  /** What waits for its moment; steps are taken out at random. */
  readonly pending: (() => void)[];
  /** Called when nothing else is left to wait for. */
  readonly idle: () => void;
}

/** Runs interleavings; how many ended with somebody reading a stale value. */
async function run(
  subject: Subject,
  count: number,
): Promise<{ stale: number; loads: number; invalidations: number }> {
  const random = seededRandom(seed);
  const truth = new Map<string, number>();
  const { pending } = subject;
  let [stale, loads, invalidations] = [0, 0, 0];
  const draw = (limit: number): number => Math.floor(random() * limit);

  for (let interleaving = 0; interleaving < count; interleaving++) {
    const key = `user:${interleaving % KEYS}`;
    const calls = { open: 0 };
    const ended = (): void => {
      calls.open--;
    };
    const start = (): void => {
      const process = draw(subject.processes);
      calls.open++;
      if (random() < INVALIDATION_SHARE) {
        invalidations++;
        truth.set(key, (truth.get(key) ?? 0) + 1);
        subject.invalidate(process, key, random).then(ended, ended);
        return;
      }
      const load: Load = () =>
        new Promise((resolve) => {
          loads++;
          pending.push(() => {
            const read = truth.get(key) ?? 0;
            pending.push(() => resolve(read));
          });
        });
      subject.getOrSet(process, key, load).then(ended, ended);
    };
    let left = 1 + draw(OPERATIONS_MAX);
    for (let steps = 0; left > 0 || calls.open > 0 || pending.length > 0; steps++) {
      if (steps > 10_000) throw new Error(`interleaving ${interleaving} of seed ${seed} does not end`);
      const at = draw(pending.length + (left > 0 ? 1 : 0));
      const step = pending[at];
      if (step !== undefined) {
        pending[at] = pending.at(-1) ?? step;
        pending.pop();
        step();
      } else if (left > 0) {
        left--;
        start();
      } else {
        subject.idle();
      }
      await subject.turn();
    }
    if (await isStale(subject, key, truth.get(key) ?? 0)) stale++;
  }
  return { stale, loads, invalidations };
}

/** Whether any process reads something older than the truth, now that all is quiet. */
async function isStale(subject: Subject, key: string, truth: number): Promise<boolean> {
  let isAnyStale = false;
  for (let process = 0; process < subject.processes; process++) {
    const answer: { value?: unknown } = {};
    const read = subject.getOrSet(process, key, () => truth).then((value) => (answer.value = value));
    for (let steps = 0; answer.value === undefined && steps < 10_000; steps++) {
      const step = subject.pending.shift();
      if (step === undefined) subject.idle();
      else step();
      await subject.turn();
    }
    const value = await read;
    if (typeof value !== "number" || value < truth) isAnyStale = true;
  }
  for (let step = subject.pending.shift(); step !== undefined; step = subject.pending.shift()) {
    step();
    await subject.turn();
  }
  return isAnyStale;
}

// --- subjects ---------------------------------------------------------------------------------------------------

/** Promise turns that a call of ours takes from one step to the next, at most. */
const TURNS = 24;

function tenfold(): Subject {
  const pending: (() => void)[] = [];
  const time = simulatedTime();
  const memory = new MemoryStore(time.clock);
  const caches = Array.from(
    { length: PROCESSES },
    () => testCache({ ttl: "1h", beta: 0, l1MaxAge: "1h" }, distant(memory.view(), pending), time).cache,
  );
  const at = (process: number) => {
    const cache = caches[process];
    if (cache === undefined) throw new Error(`no process ${process}`);
    return cache;
  };
  return {
    processes: PROCESSES,
    pending,
    getOrSet: (process, key, load) => at(process).getOrSet(key, load, { tags: [`tag:${key}`] }),
    invalidate: (process, key, random) => {
      const way = random();
      if (way < 0.6) return at(process).delete(key);
      return at(process).invalidate(way < 0.8 ? { tags: [`tag:${key}`] } : { prefix: key });
    },
    turn: async () => {
      for (let turn = 0; turn < TURNS; turn++) await Promise.resolve();
    },
    idle: () => time.advance(10),
  };
}

/**
 * A store at the other end of a wire: a request arrives later, its reply later still. Those of one connection keep
 * their order, as on a real one; the bus is a connection of its own.
 */
function distant(store: SharedStore, pending: (() => void)[]): SharedStore {
  const requests: (() => void)[] = [];
  const replies: (() => void)[] = [];
  const messages: (() => void)[] = [];
  const inOrder = (queue: (() => void)[], step: () => void): void => {
    queue.push(step);
    pending.push(() => queue.shift()?.());
  };
  const later = <T>(work: () => Promise<T>): Promise<T> =>
    new Promise((resolve, reject) => {
      inOrder(requests, () => {
        work().then(
          (value) => inOrder(replies, () => resolve(value)),
          (error: unknown) => inOrder(replies, () => reject(error)),
        );
      });
    });
  return {
    lookup: (key, request) => later(() => store.lookup(key, request)),
    peek: (key) => later(() => store.peek(key)),
    fill: (key, token, value) => later(() => store.fill(key, token, value)),
    renew: (key, token, leaseMs) => later(() => store.renew(key, token, leaseMs)),
    release: (key, token) => later(() => store.release(key, token)),
    put: (key, value) => later(() => store.put(key, value)),
    beginWrite: (key, token, leaseMs) => later(() => store.beginWrite(key, token, leaseMs)),
    endWrite: (key, token, value) => later(() => store.endWrite(key, token, value)),
    invalidate: (invalidation) => later(() => store.invalidate(invalidation)),
    listen: (listener: BusListener) =>
      store.listen({
        invalidated: (invalidation) => inOrder(messages, () => listener.invalidated(invalidation)),
        interrupted: () => listener.interrupted(),
      }),
    close: () => store.close(),
  };
}

/** A library with one cache in memory. */
function peer(
  getOrSet: (key: string, load: () => Promise<number>) => Promise<unknown>,
  invalidate: (key: string) => Promise<unknown>,
): Subject {
  return {
    processes: 1,
    pending: [],
    getOrSet: (_, key, load) => getOrSet(key, async () => load()),
    invalidate: (_, key) => invalidate(key),
    turn: () => new Promise((resolve) => void setImmediate(resolve)),
    idle: () => {},
  };
}

const SUBJECTS: Readonly<Record<string, () => Subject>> = {
  tenfold,
  bentocache: () => {
    const bento = new BentoCache({
      default: "memory",
      stores: { memory: bentostore().useL1Layer(memoryDriver({ maxItems: 10_000 })) },
    });
    return peer(
      (key, load) => bento.getOrSet({ key, factory: load, ttl: "1h" }),
      (key) => bento.delete({ key }),
    );
  },
  cacheable: () => {
    const cache = new Cacheable();
    return peer(
      (key, load) => cache.getOrSet(key, load, { ttl: "1h" }),
      (key) => cache.delete(key),
    );
  },
  "cache-manager": () => {
    const cache = createCacheManager();
    return peer(
      (key, load) => cache.wrap(key, load, 3_600_000),
      (key) => cache.del(key),
    );
  },
};

const figures: Record<
  string,
  { interleavings: number; stale: number; loads: number; invalidations: number }
> = {};
for (const [name, make] of Object.entries(SUBJECTS)) {
  const count = name === "tenfold" ? interleavings : peers;
  figures[name] = { interleavings: count, ...(await run(make(), count)) };
  console.error(`${name} done`);
}
console.log(
  showTable([
    ["", "interleavings", "loads", "invalidations", "ended stale"],
    ...Object.entries(figures).map(([name, row]) => [
      name,
      ...[row.interleavings, row.loads, row.invalidations, row.stale].map(String),
    ]),
  ]),
);
const ours = figures["tenfold"];
conclude(
  "cache-stale-set",
  [
    {
      claim: `${interleavings} interleavings of load and invalidate over ${PROCESSES} processes: nothing stale`,
      figure: `${ours?.stale} stale`,
      met: ours?.stale === 0 && ours.loads > interleavings / 10,
    },
  ],
  figures,
);
process.exit();
