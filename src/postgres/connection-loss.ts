/** Which of pg's errors say that a connection is gone, or that there is nobody to connect to. */

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
