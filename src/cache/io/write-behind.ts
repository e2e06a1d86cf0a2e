/** The write-behind strategy on the machine's own parts: a log on its disk, its clock. */
import { systemClock, systemScheduler } from "../../base/index.ts";
import type { Cache } from "../cache.ts";
import type { Source } from "../source.ts";
import {
  cacheKey,
  type ReadsAndWrites,
  readThrough,
  removeOf,
  type StrategyOptions,
  storeOf,
} from "../strategies.ts";
import { type Duration, durationMs } from "../terms.ts";
import { WriteBuffer, type WriteLag, type WriteRecord } from "../write-behind.ts";
import { openWriteLog } from "./write-log.ts";

/** How writes are kept and sent on. */
export interface WriteBehindOptions<K> extends StrategyOptions<K> {
  /** File of the log, on a disk that outlives the process; each process needs its own. Its folder must exist. */
  readonly log: string;
  /** How long a write waits for others of its key. Default "200ms". */
  readonly flushAfter?: Duration;
  /** Keys that go at once. Default 100. */
  readonly flushCount?: number;
  /** Most keys that wait; beyond, `set` waits. Default 10,000. */
  readonly bufferMax?: number;
  /** How long `set` waits for room. Default "10s". */
  readonly roomTimeout?: Duration;
  /** Tries until a write is put aside into the file `log` + ".dead". Default 10: about a minute. */
  readonly attempts?: number;
  /** Told of each write that was put aside. */
  readonly onDeadLetter?: (key: K, value: unknown) => void;
}

/** Reads and writes whose source follows a little later. */
export interface WriteBehind<K, V> extends ReadsAndWrites<K, V> {
  /** How far the source is behind. */
  readonly lag: () => WriteLag;
  /** Resolves when the source has everything. */
  readonly drain: () => Promise<void>;
  /** Takes no more writes, drains for at most so long, and closes the log; what is left goes at the next start. */
  readonly close: (timeout?: Duration) => Promise<void>;
}

const FLUSH_AFTER_MS = 200;
const FLUSH_COUNT = 100;
const BUFFER_MAX = 10_000;
const ROOM_TIMEOUT_MS = 10_000;
const ATTEMPTS = 10;
const CLOSE_TIMEOUT_MS = 10_000;

/**
 * `set` resolves when the write is on the disk; the source has it after about `flushAfter`. Opening sends on what an earlier
 * run acknowledged and did not send. Rejects when the log cannot be opened.
 */
export async function writeBehind<K, V>(
  cache: Cache,
  source: Source<K, V>,
  options: WriteBehindOptions<K>,
): Promise<WriteBehind<K, V>> {
  const store = storeOf(source, options.prefix);
  // A removed key is remembered as absent while the removal waits.
  const log = await openWriteLog(options.log);
  const buffer: WriteBuffer = new WriteBuffer({
    clock: systemClock,
    scheduler: systemScheduler,
    log,
    apply: async ({ key, value }, context) => {
      if (value === undefined) await removeOf(source, options.prefix)(key as K, context);
      else await store(key as K, value as V, context);
    },
    ended: (record, outcome) => {
      if (outcome === "dead") options.onDeadLetter?.(record.key as K, record.value);
      // Once more, for what another process may have loaded from the source before it had this; after a dead letter the
      // source is right and the cache is not.
      if (buffer.find(record.text) === undefined) void toCache(record, outcome === "dead");
    },
    settings: {
      flushAfterMs: durationMs(options.flushAfter, "flushAfter") ?? FLUSH_AFTER_MS,
      flushCount: options.flushCount ?? FLUSH_COUNT,
      bufferMax: options.bufferMax ?? BUFFER_MAX,
      roomTimeoutMs: durationMs(options.roomTimeout, "roomTimeout") ?? ROOM_TIMEOUT_MS,
      attempts: options.attempts ?? ATTEMPTS,
    },
  });

  const toCache = async (
    { text, value }: Pick<WriteRecord, "text" | "value">,
    forget: boolean,
  ): Promise<void> => {
    if (forget || value === undefined) await cache.delete(text);
    else await cache.set(text, value, options);
  };
  const write = async (key: K, value: V | undefined): Promise<void> => {
    const text = cacheKey(options, key);
    await buffer.write({ text, key, value });
    await toCache({ text, value }, false);
  };
  const throughBuffer: Source<K, V> = {
    load: (key, context) => {
      const waiting = buffer.find(cacheKey(options, key));
      return waiting === undefined ? source.load(key, context) : (waiting.value as V | undefined);
    },
  };
  const reads = readThrough(cache, throughBuffer, options);
  return {
    ...reads,
    async get(key) {
      const waiting = buffer.find(cacheKey(options, key));
      return waiting === undefined ? reads.get(key) : (waiting.value as V | undefined);
    },
    set: (key, value) => write(key, value),
    delete: (key) => write(key, undefined),
    lag: () => buffer.lag(),
    drain: () => buffer.drain(),
    close: (timeout) => buffer.close(durationMs(timeout, "close") ?? CLOSE_TIMEOUT_MS),
  };
}
