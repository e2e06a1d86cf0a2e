/**
 * Announces writes: marks before, new versions after, and what to do where the store does not answer.
 *
 * A mark that cannot be placed does not stop the write, unless the user wants that: the new versions are then announced
 * after it, and again each second until the store has them. Until then this process reads past the cache, and the others may
 * see an answer from before for as long as answers live (`ttlMs`).
 */
import type { Cancel, Scheduler } from "../../base/index.ts";
import type { GuardedCalls } from "./guarded-calls.ts";
import type { Counters } from "./stats.ts";
import { EVERYTHING, type VersionStore, type WriteToken } from "./versions/versions.ts";

/** How a write ended. "unknown": the connection was lost, or the time was up, while it ran. */
export type WriteOutcome = "committed" | "rolled-back" | "unknown";

/** A write under way. */
export interface AnnouncedWrite {
  readonly token: WriteToken;
  readonly isMarked: boolean;
  readonly stopRenewing: Cancel;
}

/** What a guard is made of. */
export interface WriteGuardOptions {
  readonly versions: VersionStore;
  readonly breaker: GuardedCalls;
  readonly scheduler: Scheduler;
  readonly counters: Counters;
  /** Throw instead of writing unmarked. */
  readonly refusesUnmarked: boolean;
}

/** Renewals within a mark's life: two may be lost. */
const RENEWALS = 3;

/** What the store has not heard of is told again after this. */
const RETELL_MS = 1000;

/** A write was refused because the store of versions could not be told. */
export class WriteUnmarkedError extends Error {
  override readonly name = "WriteUnmarkedError";
  readonly code = "write-unmarked";

  constructor() {
    super('the write was not sent: the query cache\'s store does not answer, and whenUnmarked is "refuse"');
  }
}

/** Announces the writes of one wrapped pool or client. */
export class WriteGuard {
  readonly #options: WriteGuardOptions;
  /** Tables whose new versions the store has not heard of. */
  readonly #untold = new Set<string>();
  #retelling = false;

  constructor(options: WriteGuardOptions) {
    this.#options = options;
  }

  /** Whether an answer on these tables may lack a write of this process. */
  isUntold(tables: readonly string[]): boolean {
    return this.#untold.size > 0 && tables.some((table) => this.#untold.has(table));
  }

  /**
   * Places the marks. `schema` is the version of the catalog that `tables` were found with: when it has moved, everything is
   * marked. Throws `WriteUnmarkedError` where the user wants that.
   */
  async announce(tables: readonly string[], schema: string | undefined): Promise<AnnouncedWrite> {
    const { versions, breaker, counters, refusesUnmarked } = this.#options;
    const token = await breaker.run(() => versions.before(tables));
    if (token === "failed") {
      counters.unmarked += 1;
      if (refusesUnmarked) throw new WriteUnmarkedError();
      return { token: { id: "", tables, schema: undefined }, isMarked: false, stopRenewing: () => {} };
    }
    if (!tables.includes(EVERYTHING) && (token.schema === undefined || token.schema !== schema)) {
      const wider = await this.announce([EVERYTHING], undefined);
      await breaker.run(() => versions.rolledBack(token));
      return wider;
    }
    return { token, isMarked: true, stopRenewing: this.#renew(token) };
  }

  /** Says how it ended. Resolves when the store knows, or is known not to answer. */
  async settle({ token, isMarked, stopRenewing }: AnnouncedWrite, outcome: WriteOutcome): Promise<void> {
    const { versions, breaker, counters } = this.#options;
    stopRenewing();
    if (outcome === "rolled-back") {
      if (isMarked) await breaker.run(() => versions.rolledBack(token));
      return;
    }
    counters.writes += 1;
    if (token.tables.includes(EVERYTHING)) counters.writesOfEverything += 1;
    // The server may still be at it: the mark stays, and its expiry counts as the change.
    if (outcome === "unknown" && isMarked) return;
    const schema = await breaker.run(() => versions.committed(token));
    if (schema === "failed") return this.#retellLater(token.tables);
    if (token.tables.includes(EVERYTHING) || schema === token.schema) return;
    // A definition changed between mark and commit: a new trigger or foreign key may have carried the write elsewhere.
    const everything: WriteToken = { id: "", tables: [EVERYTHING], schema: undefined };
    if ((await breaker.run(() => versions.committed(everything))) === "failed")
      this.#retellLater([EVERYTHING]);
  }

  #renew(token: WriteToken): Cancel {
    const { scheduler, breaker, versions } = this.#options;
    let cancel: Cancel = () => {};
    let isOver = false;
    const renewLater = (): void => {
      cancel = scheduler.after(versions.markMs / RENEWALS, () => {
        void breaker
          .run(() => versions.renew(token))
          .then(() => {
            if (!isOver) renewLater();
          });
      });
    };
    renewLater();
    return () => {
      isOver = true;
      cancel();
    };
  }

  #retellLater(tables: readonly string[]): void {
    for (const table of tables) this.#untold.add(table);
    if (this.#retelling) return;
    this.#retelling = true;
    this.#options.scheduler.after(RETELL_MS, () => void this.#retell());
  }

  async #retell(): Promise<void> {
    const { versions } = this.#options;
    const tables = [...this.#untold];
    try {
      await versions.committed({ id: "", tables, schema: undefined });
      for (const table of tables) this.#untold.delete(table);
    } catch {
      // Next time.
    }
    this.#retelling = false;
    if (this.#untold.size > 0) this.#retellLater([]);
  }

  /** What was written by other ways, as a notification or a new catalog says. */
  async tell(tables: readonly string[]): Promise<void> {
    const { versions, breaker } = this.#options;
    const outcome = await breaker.run(() => versions.committed({ id: "", tables, schema: undefined }));
    if (outcome === "failed") this.#retellLater(tables);
  }
}
