/** What an error says of a statement's fate: refused for certain, lost on the way, or worth another try. */

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

/** The error's code: an SQLSTATE, or one of Node's ("ECONNRESET"). */
export function codeOf(error: unknown): string {
  const code = typeof error === "object" && error !== null && "code" in error ? error.code : undefined;
  return typeof code === "string" ? code : "";
}

const isSqlState = (code: string): boolean => /^[0-9A-Z]{5}$/.test(code) && !/^E[A-Z]{4}$/.test(code);

/** What pg says without a code when a connection ends, is silent for too long, or is not usable any more. */
const LOST =
  /Connection terminated|connection error|Client was closed|Query read timeout|timeout expired|not queryable/i;

const LOST_CODES: ReadonlySet<string> = new Set([
  "ECONNRESET",
  "ECONNREFUSED",
  "ECONNABORTED",
  "EPIPE",
  "ETIMEDOUT",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOTFOUND",
  "EAI_AGAIN",
  "ENOENT", // a Unix socket that is gone
]);

/** The connection is gone, or the server is going: 08 (connection exceptions), 57P01 to 57P05 (shutdown, crash, start). */
export function isConnectionLoss(error: unknown): boolean {
  const code = codeOf(error);
  if (isSqlState(code)) return code.startsWith("08") || /^57P0[1-5]$/.test(code);
  return LOST_CODES.has(code) || (error instanceof Error && LOST.test(error.message));
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
