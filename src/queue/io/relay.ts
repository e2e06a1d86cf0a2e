/**
 * Delivers an outbox's events: at least once, those of a key one after the other in the order of their commits.
 *
 * A round is one transaction: it takes the relay's lock, reads what is due, delivers, takes out what was delivered, commits. Who dies in it
 * has its lock taken from it and its events delivered by another. No snapshot is held while it delivers, so nothing keeps VACUUM back.
 */
import { type Cancel, systemClock, systemScheduler } from "../../base/index.ts";
import { failureOf } from "../failure.ts";
import { type Duration, durationMs } from "../jobs.ts";
import { inTransaction, type PgClient, type PgPool } from "./pool.ts";

/** An event as it is delivered. */
export interface Delivery {
  /** Grows with each event of a key: who has seen this or a higher one of the key may drop it. */
  readonly id: bigint;
  readonly topic: string;
  readonly key: string | undefined;
  readonly payload: unknown;
  /** 1 at the first try. */
  readonly attempt: number;
  /** Aborted at the deadline, and when the relay has lost its lock. */
  readonly signal: AbortSignal;
}

/** Topic -> who takes its events. Rejects to have an event delivered again, after which the next of its key come. */
export type Topics = Readonly<Record<string, (event: Delivery) => unknown>>;

/** How a relay works. */
export interface RelayOptions {
  /** Time between two looks while nothing is there. Default "200ms". */
  readonly poll?: Duration;
  /** Keys delivered to at a time. Default 16. */
  readonly concurrency?: number;
  /** Events of one round. Default 200. */
  readonly batch?: number;
  /** Of one delivery. Default "10s". */
  readonly deadline?: Duration;
  /** Tries before an event is parked, so that those behind it go on without it. Default 20: with waits up to a minute, about a quarter of an hour. */
  readonly attempts?: number;
  readonly onError?: (error: unknown) => void;
}

/** Counts since the start. */
export interface RelayCounters {
  delivered: number;
  failed: number;
  parked: number;
  rounds: number;
}

interface Row {
  readonly id: string;
  readonly topic: string;
  readonly key: string | null;
  readonly payload: unknown;
  readonly attempts: number;
}

interface Outcome {
  readonly done: string[];
  readonly failed: {
    readonly id: string;
    readonly waitMs: number;
    readonly park: boolean;
    readonly error: unknown;
  }[];
}

/** Advisory lock of whoever relays; spells "tnfr". */
const LOCK = 0x74_6e_66_72;

const DEFAULTS = { poll: "200ms", concurrency: 16, batch: 200, deadline: "10s", attempts: 20 } as const;

const BACKOFF_MS = { first: 100, max: 60_000 } as const;

/** A round's deliveries end after this, so that what was delivered is taken out soon, and a stuck relay loses its lock. */
const ROUND_MS = 5000;

/** A key whose first event waits for another try holds the key's others back. */
const DUE_SQL = `SELECT id::text, topic, key, payload, attempts FROM tenfold.outbox AS e
  WHERE topic = ANY($1) AND parked_at IS NULL AND (due_at IS NULL OR due_at <= clock_timestamp())
    AND (key IS NULL OR (topic, key) NOT IN (
      SELECT topic, key FROM tenfold.outbox
      WHERE attempts > 0 AND key IS NOT NULL AND parked_at IS NULL AND due_at > clock_timestamp()))
  ORDER BY e.id LIMIT $2`;

const FAILED_SQL = `UPDATE tenfold.outbox AS o SET attempts = o.attempts + 1, error = f.error,
    due_at = clock_timestamp() + f."waitMs" * interval '1 millisecond', parked_at = CASE WHEN f.park THEN clock_timestamp() END
  FROM jsonb_to_recordset($1::jsonb) AS f(id bigint, "waitMs" float, park boolean, error jsonb) WHERE o.id = f.id`;

/** One relay, at work from its making. */
export class Relay {
  readonly #pool: PgPool;
  readonly #topics: Topics;
  readonly #options: Required<Omit<RelayOptions, "onError" | "poll" | "deadline">>;
  readonly #pollMs: number;
  readonly #deadlineMs: number;
  readonly #onError: (error: unknown) => void;
  readonly #loop: Promise<void>;
  #isStopping = false;
  #wake: () => void = () => {};
  readonly counters: RelayCounters = { delivered: 0, failed: 0, parked: 0, rounds: 0 };

  constructor(pool: PgPool, topics: Topics, options: RelayOptions) {
    this.#pool = pool;
    this.#topics = topics;
    this.#options = { ...DEFAULTS, ...options };
    this.#pollMs = durationMs(options.poll ?? DEFAULTS.poll, "poll");
    this.#deadlineMs = durationMs(options.deadline ?? DEFAULTS.deadline, "deadline");
    this.#onError = options.onError ?? ((): void => {});
    this.#loop = this.#work();
  }

  /** There is something to deliver, perhaps: to be called after a commit that should not wait for the next look. */
  wake(): void {
    this.#wake();
  }

  /** Ends the round under way. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#wake();
    await this.#loop;
  }

  async #work(): Promise<void> {
    while (!this.#isStopping) {
      let isMore = false;
      try {
        isMore = await this.#round();
      } catch (error) {
        this.#onError(error);
      }
      if (!isMore && !this.#isStopping) await this.#pause();
    }
  }

  async #pause(): Promise<void> {
    let cancel: Cancel = () => {};
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      cancel = systemScheduler.after(this.#pollMs, resolve);
    });
    cancel();
  }

  /** Whether there may be more at once. */
  #round(): Promise<boolean> {
    return inTransaction(this.#pool, async (client) => {
      const idle = ROUND_MS + this.#deadlineMs * 2;
      await client.query(`SET LOCAL idle_in_transaction_session_timeout = ${idle}`);
      const { rows: locks } = await client.query(`SELECT pg_try_advisory_xact_lock(${LOCK}) AS is`);
      if (locks[0]?.is !== true) return false;
      const { batch } = this.#options;
      const { rows } = await client.query(DUE_SQL, [Object.keys(this.#topics), batch]);
      if (rows.length === 0) return false;
      this.counters.rounds += 1;
      const { done, failed } = await this.#deliver(rows as Row[], client);
      await client.query("DELETE FROM tenfold.outbox WHERE id = ANY($1::bigint[])", [done]);
      if (failed.length > 0) await client.query(FAILED_SQL, [JSON.stringify(failed)]);
      return rows.length === batch || done.length < rows.length - failed.length;
    });
  }

  /** Keys beside each other, the events of one after each other. */
  async #deliver(rows: readonly Row[], client: PgClient): Promise<Outcome> {
    const outcome: Outcome = { done: [], failed: [] };
    const keys = byKey(rows);
    const untilMs = systemClock.nowMs() + ROUND_MS;
    const lost = new AbortController();
    const ended = (error: Error): void => lost.abort(error);
    client.on("error", ended);
    const isOver = (): boolean => lost.signal.aborted || this.#isStopping || systemClock.nowMs() > untilMs;
    const lane = async (): Promise<void> => {
      for (let events = keys.shift(); events !== undefined; events = keys.shift())
        for (const row of events) if (isOver() || !(await this.#one(row, lost.signal, outcome))) break;
    };
    await Promise.all(Array.from({ length: this.#options.concurrency }, lane));
    client.removeListener("error", ended);
    return outcome;
  }

  /** Whether the next of its key may follow. */
  async #one(row: Row, lost: AbortSignal, outcome: Outcome): Promise<boolean> {
    const { id, topic, key, payload, attempts } = row;
    const late = new AbortController();
    const { promise: passed, reject } = Promise.withResolvers<never>();
    passed.catch(() => {});
    const cancel = systemScheduler.after(this.#deadlineMs, () => {
      const error = new Error(`not delivered within ${this.#deadlineMs} ms`);
      late.abort(error);
      reject(error);
    });
    const signal = AbortSignal.any([lost, late.signal]);
    try {
      const event = { id: BigInt(id), topic, key: key ?? undefined, payload, attempt: attempts + 1, signal };
      await Promise.race([(async () => this.#topics[topic]?.(event))(), passed]);
      outcome.done.push(id);
      this.counters.delivered += 1;
      return true;
    } catch (error) {
      const park = attempts + 1 >= this.#options.attempts;
      const waitMs = Math.min(BACKOFF_MS.max, BACKOFF_MS.first * 2 ** Math.min(attempts, 20));
      outcome.failed.push({ id, waitMs, park, error: failureOf(error) });
      this.counters.failed += 1;
      if (park) this.counters.parked += 1;
      return park;
    } finally {
      cancel();
    }
  }
}

function byKey(rows: readonly Row[]): Row[][] {
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const name = row.key === null ? row.id : `${row.topic}\u0001${row.key}`;
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [row]);
    else group.push(row);
  }
  return [...groups.values()];
}
