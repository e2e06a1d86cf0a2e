/**
 * Many small calls as one: items that come within a moment of each other go to `run` together, and each caller gets its own result.
 *
 *     const save = batch((rows) => insertAll(rows), { maxSize: 500, maxWaitMs: 5 });
 *     await save(row);
 *
 * Where a batch is refused as a whole because of one item, its halves are tried by themselves until the culprit is alone.
 */
import { type Scheduler, systemScheduler } from "../base/index.ts";

/** How items are put together. */
export interface BatchOptions {
  /** Items of one call of `run`. Default 100. */
  readonly maxSize?: number;
  /** How long the first item waits for others. Default 5. */
  readonly maxWaitMs?: number;
  /** Calls of `run` under way at a time. Default 1, so that batches keep their order. */
  readonly concurrency?: number;
  /** Items that wait at most; one more is refused with `BatchFullError`. Default 10,000. */
  readonly queueMax?: number;
  /**
   * Whether an error says that nothing of the batch was done, and that a part of it may succeed. Default: SQLSTATE classes 22 and 23 (bad
   * data, a constraint), which undo their whole statement. A lost connection is not among them: it may have been carried out.
   */
  readonly splits?: (error: unknown) => boolean;
  readonly scheduler?: Scheduler;
}

/** More items wait than `queueMax`: the source is slower than what comes in. */
export class BatchFullError extends Error {
  override readonly name = "BatchFullError";
  readonly code = "batch-full";

  constructor(waiting: number) {
    super(`${waiting} items wait already: slow down, or raise queueMax`);
  }
}

/** Adds an item; resolves with its result. */
export interface Batch<Item, Result> {
  (item: Item): Promise<Result>;
  /** Runs what waits now, and resolves when nothing waits or runs. */
  flush(): Promise<void>;
  /** Items that wait. */
  readonly waiting: number;
}

interface Entry<Item, Result> {
  readonly item: Item;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

const DEFAULTS = { maxSize: 100, maxWaitMs: 5, concurrency: 1, queueMax: 10_000 } as const;

/**
 * A function that collects. `run` gives one result per item, in their order; an Error in a place rejects that item alone. Where it gives
 * nothing, items resolve with undefined.
 */
export function batch<Item, Result = void>(
  run: (items: Item[]) => Promise<readonly (Result | Error)[] | void>,
  options: BatchOptions = {},
): Batch<Item, Result> {
  const { splits = isDataError, scheduler = systemScheduler } = options;
  const { maxSize, maxWaitMs, concurrency, queueMax } = { ...DEFAULTS, ...options };
  const waiting: Entry<Item, Result>[] = [];
  let [running, isTimed] = [0, false];
  let idle: (() => void)[] = [];

  const perform = async (entries: readonly Entry<Item, Result>[]): Promise<void> => {
    try {
      const results = await run(entries.map(({ item }) => item));
      if (results !== undefined && results.length !== entries.length)
        throw new TypeError(`a batch of ${entries.length} items has ${results.length} results`);
      entries.forEach(({ resolve, reject }, at) => {
        const result = results?.[at];
        if (result instanceof Error) reject(result);
        else resolve(result as Result);
      });
    } catch (error) {
      if (entries.length === 1 || !splits(error)) {
        for (const { reject } of entries) reject(error);
        return;
      }
      const middle = Math.ceil(entries.length / 2);
      await perform(entries.slice(0, middle));
      await perform(entries.slice(middle));
    }
  };

  const go = (): void => {
    while (waiting.length > 0 && running < concurrency) {
      running += 1;
      void perform(waiting.splice(0, maxSize)).then(() => {
        running -= 1;
        if (waiting.length > 0) return go();
        if (running > 0) return;
        for (const done of idle) done();
        idle = [];
      });
    }
  };

  const add = (item: Item): Promise<Result> => {
    if (waiting.length >= queueMax) return Promise.reject(new BatchFullError(waiting.length));
    return new Promise((resolve, reject) => {
      waiting.push({ item, resolve, reject });
      if (waiting.length >= maxSize) go();
      else if (!isTimed) {
        isTimed = true;
        scheduler.after(maxWaitMs, () => {
          isTimed = false;
          go();
        });
      }
    });
  };
  const flush = (): Promise<void> => {
    go();
    return running === 0 ? Promise.resolve() : new Promise((resolve) => idle.push(resolve));
  };
  return Object.defineProperty(Object.assign(add, { flush }), "waiting", {
    get: () => waiting.length,
  }) as Batch<Item, Result>;
}

function isDataError(error: unknown): boolean {
  const code = typeof error === "object" && error !== null && "code" in error ? error.code : undefined;
  return typeof code === "string" && /^2[23][0-9A-Z]{3}$/.test(code);
}
