/** What an error says of a statement's fate: refused for certain, lost on the way, or worth another try. */
import { codeOf } from "../postgres/index.ts";

/** The connection was lost after a statement was sent: it may have been carried out, or not. Never tried again by itself. */
export class UnknownOutcomeError extends Error {
  override readonly name = "UnknownOutcomeError";
  readonly code = "unknown-outcome";

  constructor(cause: unknown) {
    super(
      "unknown outcome: the connection was lost after the statement was sent; look whether it was carried out",
      {
        cause,
      },
    );
  }
}

/** COMMIT was answered with ROLLBACK: a statement had failed, and its error was not passed on. */
export class RolledBackError extends Error {
  override readonly name = "RolledBackError";
  readonly code = "rolled-back";

  constructor() {
    super("the transaction was rolled back: a statement in it had failed, and its error was swallowed");
  }
}

/** No server took the statement within `hold`. It was not sent. */
export class NoPrimaryError extends Error {
  override readonly name = "NoPrimaryError";
  readonly code = "no-primary";

  constructor(heldMs: number, cause: unknown) {
    super(`no primary within ${heldMs} ms; nothing was sent`, { cause });
  }
}

/** All connections of a server's pool were in use, and none was given back in time. The statement was not sent. */
export class PoolExhaustedError extends Error {
  override readonly name = "PoolExhaustedError";
  readonly code = "pool-exhausted";

  constructor({ max, server, waitedMs }: { max: number; server: string; waitedMs: number }) {
    super(
      `all ${max} connections to ${server} are in use, and none was given back within ${waitedMs} ms; nothing was sent: ` +
        "look for clients without release() and for transactions that wait for something else, or raise pool.max",
    );
  }
}

/** A server in recovery refused a write (25006), or what only a primary does (0A000). Nothing was done. */
export function isReplicaRefusal(error: unknown): boolean {
  const code = codeOf(error);
  return code === "25006" || code === "0A000" || code === "55000";
}

/** Serialization failure and deadlock: the whole transaction may be tried again. */
export function isConflict(error: unknown): boolean {
  const code = codeOf(error);
  return code === "40001" || code === "40P01";
}
