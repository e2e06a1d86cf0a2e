/**
 * Write-behind: a write is acknowledged when it is in a durable log, and goes to the source a little later.
 *
 * Per key the latest write that waits is the one that goes (earlier ones are coalesced into it), one at a time, in order. A
 * write goes until the source has taken it or it has failed too often; then it is put aside (a dead letter), never dropped in
 * silence. After a crash the log says what was acknowledged and not yet applied; that goes again with the same idempotency
 * key. Reads of this process see what waits.
 */
import type { Cancel, Clock, Scheduler } from "../base/index.ts";
import { CacheError } from "./errors.ts";
import type { WriteContext } from "./source.ts";

/** One write in the log. */
export interface WriteRecord {
  /** Rises with each write, over restarts too. */
  readonly version: number;
  /** Text of the key, which orders writes. */
  readonly text: string;
  /** The key as the source knows it. */
  readonly key: unknown;
  /** Undefined removes. */
  readonly value: unknown;
}

/** A durable log. */
export interface WriteLog {
  /** What was acknowledged before and not applied, in order. */
  readonly recovered: readonly WriteRecord[];
  /** Makes a write durable; gives its record. Rejects when it is not. */
  append(write: Omit<WriteRecord, "version">): Promise<WriteRecord>;
  /** Notes that this write, and all earlier ones of its key, need not go any more. */
  settled(record: WriteRecord): void;
  /** Puts a write aside, durably, with why. */
  bury(record: WriteRecord, problem: string): Promise<void>;
  close(): Promise<void>;
}

/** How writes go on. */
export interface WriteBehindSettings {
  /** How long a write waits for others of its key at most. */
  readonly flushAfterMs: number;
  /** So many keys that wait go at once. */
  readonly flushCount: number;
  /** Most keys that wait or are under way; beyond, writers wait. */
  readonly bufferMax: number;
  /** How long a writer waits for room. */
  readonly roomTimeoutMs: number;
  /** Tries until a write is put aside. */
  readonly attempts: number;
}

/** What a buffer is made of. */
export interface WriteBehindParts {
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly log: WriteLog;
  /** Writes to the source. */
  readonly apply: (record: WriteRecord, context: WriteContext) => Promise<void>;
  /** Told when a write has been applied or put aside. */
  readonly ended: (record: WriteRecord, outcome: "applied" | "dead") => void;
  readonly settings: WriteBehindSettings;
}

/** How far the source is behind. */
export interface WriteLag {
  /** Keys whose latest write is not applied. */
  readonly pending: number;
  /** Since the oldest of them was acknowledged, or found in the log. */
  readonly oldestMs: number;
  readonly applied: number;
  readonly coalesced: number;
  readonly retries: number;
  readonly deadLetters: number;
}

/** Waits between tries of one key: 100 ms, doubled up to 30 s. */
const RETRY_MS_MIN = 100;
const RETRY_MS_MAX = 30_000;

interface Waiting {
  record: WriteRecord;
  readonly sinceMs: number;
  attempts: number;
  notBeforeMs: number;
}

/** Writes on their way to the source. */
export class WriteBuffer {
  readonly #parts: WriteBehindParts;
  readonly #waiting: Map<string, Waiting> = new Map<string, Waiting>();
  readonly #underWay: Map<string, Waiting> = new Map<string, Waiting>();
  readonly #wanted: (() => void)[] = [];
  readonly #drained: (() => void)[] = [];
  #cancelFlush: Cancel = () => {};
  #flushAtMs = Number.POSITIVE_INFINITY;
  #isClosing = false;
  #applied = 0;
  #coalesced = 0;
  #retries = 0;
  #deadLetters = 0;

  constructor(parts: WriteBehindParts) {
    this.#parts = parts;
    for (const record of parts.log.recovered) this.#enqueue(record);
  }

  /** Resolves when the write is durable. Rejects with "write-buffer-full" or "write-log-failed", and then it is not accepted. */
  async write(write: Omit<WriteRecord, "version">): Promise<void> {
    if (this.#isClosing) throw new CacheError("cache-closed", write.text);
    await this.#room(write.text);
    this.#enqueue(await this.#parts.log.append(write));
  }

  /** What waits or is under way for a key; a box, since removals have no value. */
  find(text: string): WriteRecord | undefined {
    return (this.#waiting.get(text) ?? this.#underWay.get(text))?.record;
  }

  /** How far behind the source is. */
  lag(): WriteLag {
    const nowMs = this.#parts.clock.nowMs();
    const all = [...this.#waiting.values(), ...this.#underWay.values()];
    const oldestMs = all.reduce((most, { sinceMs }) => Math.max(most, nowMs - sinceMs), 0);
    return {
      pending: this.#size,
      oldestMs,
      applied: this.#applied,
      coalesced: this.#coalesced,
      retries: this.#retries,
      deadLetters: this.#deadLetters,
    };
  }

  /** Resolves when nothing waits any more. Writes that keep failing take until they are put aside. */
  drain(): Promise<void> {
    if (this.#size === 0) return Promise.resolve();
    this.#flushSoon(0);
    return new Promise((resolve) => void this.#drained.push(resolve));
  }

  /** Takes no more writes, waits for those under way at most so long, and closes the log. What is left goes at the next start. */
  async close(timeoutMs: number): Promise<void> {
    this.#isClosing = true;
    let cancel: Cancel = () => {};
    const timeout = new Promise<void>((resolve) => {
      cancel = this.#parts.scheduler.after(timeoutMs, resolve);
    });
    await Promise.race([this.drain(), timeout]);
    cancel();
    this.#cancelFlush();
    await this.#parts.log.close();
  }

  get #size(): number {
    let size = this.#waiting.size;
    for (const text of this.#underWay.keys()) if (!this.#waiting.has(text)) size++;
    return size;
  }

  /** Back-pressure: waits until there is room. A key that waits already needs none. */
  async #room(text: string): Promise<void> {
    const { bufferMax, roomTimeoutMs } = this.#parts.settings;
    const untilMs = this.#parts.clock.nowMs() + roomTimeoutMs;
    while (this.#size >= bufferMax && !this.#waiting.has(text)) {
      const leftMs = untilMs - this.#parts.clock.nowMs();
      if (leftMs <= 0) throw new CacheError("write-buffer-full", `key "${text}", ${this.#size} wait`);
      this.#flushSoon(0);
      await new Promise<void>((resolve) => {
        const cancel = this.#parts.scheduler.after(leftMs, resolve);
        this.#wanted.push(() => {
          cancel();
          resolve();
        });
      });
    }
  }

  #enqueue(record: WriteRecord): void {
    const { clock, settings } = this.#parts;
    const known = this.#waiting.get(record.text);
    if (known !== undefined) {
      this.#coalesced++;
      known.record = record;
      return;
    }
    this.#waiting.set(record.text, { record, sinceMs: clock.nowMs(), attempts: 0, notBeforeMs: 0 });
    this.#flushSoon(this.#waiting.size >= settings.flushCount ? 0 : settings.flushAfterMs);
  }

  #flushSoon(delayMs: number): void {
    const { clock, scheduler } = this.#parts;
    const atMs = clock.nowMs() + delayMs;
    if (atMs >= this.#flushAtMs) return;
    this.#cancelFlush();
    this.#flushAtMs = atMs;
    this.#cancelFlush = scheduler.after(delayMs, () => {
      this.#flushAtMs = Number.POSITIVE_INFINITY;
      this.#flush();
    });
  }

  /** Sends what may go: at most `flushCount` at a time, and no key that is under way. */
  #flush(): void {
    const { clock, settings } = this.#parts;
    const nowMs = clock.nowMs();
    let nextMs = Number.POSITIVE_INFINITY;
    for (const [text, waiting] of this.#waiting) {
      if (this.#underWay.size >= settings.flushCount) return; // the end of one brings the next
      if (this.#underWay.has(text)) continue;
      if (waiting.notBeforeMs > nowMs) {
        nextMs = Math.min(nextMs, waiting.notBeforeMs - nowMs);
        continue;
      }
      this.#waiting.delete(text);
      this.#underWay.set(text, waiting);
      void this.#send(waiting);
    }
    if (Number.isFinite(nextMs)) this.#flushSoon(Math.max(1, nextMs));
  }

  async #send(waiting: Waiting): Promise<void> {
    const { record } = waiting;
    const { apply, log, ended, settings } = this.#parts;
    try {
      await apply(record, { version: record.version, idempotencyKey: `${record.text}:${record.version}` });
      this.#applied++;
      log.settled(record);
      this.#underWay.delete(record.text);
      ended(record, "applied");
    } catch (error) {
      if (++waiting.attempts < settings.attempts) this.#again(waiting);
      else await this.#bury(waiting, error);
    }
    this.#went();
  }

  #again(waiting: Waiting): void {
    const { clock } = this.#parts;
    const { text } = waiting.record;
    this.#retries++;
    this.#underWay.delete(text);
    const waitMs = Math.min(RETRY_MS_MAX, RETRY_MS_MIN * 2 ** (waiting.attempts - 1));
    waiting.notBeforeMs = clock.nowMs() + waitMs;
    // A later write of the key takes its place, and its tries begin anew.
    if (!this.#waiting.has(text)) this.#waiting.set(text, waiting);
    this.#flushSoon(waitMs);
  }

  async #bury(waiting: Waiting, error: unknown): Promise<void> {
    const { log, ended } = this.#parts;
    const { record } = waiting;
    try {
      await log.bury(record, error instanceof Error ? error.message : String(error));
    } catch {
      return this.#again(waiting); // what cannot be put aside is not given up
    }
    this.#deadLetters++;
    log.settled(record);
    this.#underWay.delete(record.text);
    ended(record, "dead");
  }

  #went(): void {
    for (const wake of this.#wanted.splice(0)) wake();
    if (this.#size === 0) for (const resolve of this.#drained.splice(0)) resolve();
    else this.#flushSoon(this.#drained.length > 0 ? 0 : this.#parts.settings.flushAfterMs);
  }
}
