/** When a pool may try to log in again after a failure: later each time, and at once when somebody says that the server is back. */
import { type ErrorReply, SQLSTATE } from "../../../pgwire/index.ts";
import type { PoolSettings } from "../../router/pool-settings.ts";

/**
 * Longest wait of a pool that follows a lease, ms: its clients are held for seconds alone, and who is primary was read a moment ago. One
 * attempt a second of each pool is nothing to a server.
 */
const LEASED_MAX_MS = 1_000;

export class LoginRetry {
  readonly #isLeased: boolean;
  readonly #random: () => number;
  #waitMs = 0;
  #atMs = 0;

  constructor(isLeased: boolean, random: () => number) {
    this.#isLeased = isLeased;
    this.#random = random;
  }

  /** The last attempt failed: one at a time is enough to learn whether the server is back. */
  get hasFailed(): boolean {
    return this.#waitMs > 0;
  }

  isDue(nowMs: number): boolean {
    return nowMs >= this.#atMs;
  }

  /** An attempt failed. Others that were under way beside it tell nothing new: ten at once are one failure. */
  failed(
    nowMs: number,
    { loginRetryMinMs, loginRetryMaxMs }: Pick<PoolSettings, "loginRetryMinMs" | "loginRetryMaxMs">,
  ): void {
    if (!this.isDue(nowMs)) return;
    const maxMs = this.#isLeased ? Math.min(LEASED_MAX_MS, loginRetryMaxMs) : loginRetryMaxMs;
    this.#waitMs = Math.min(maxMs, Math.max(loginRetryMinMs, this.#waitMs * 2));
    // ± 20 %, so that workers do not come back in step.
    this.#atMs = nowMs + this.#waitMs * (0.8 + 0.4 * this.#random());
  }

  reset(): void {
    this.#waitMs = this.#atMs = 0;
  }
}

const LASTING: ReadonlySet<string> = new Set([
  SQLSTATE.invalidAuthorization,
  SQLSTATE.invalidPassword,
  SQLSTATE.noSuchDatabase,
  SQLSTATE.connectionException,
  "42501",
]);

/** Whether no waiting mends the refusal of a log-in: password, database, privilege. */
export function isLasting({ code }: ErrorReply): boolean {
  return LASTING.has(code);
}
