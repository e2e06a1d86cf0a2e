/** What can go wrong with a Postgres server, as an error with a code; its message says what to do. */

/** The literal goes to log, status and console as it is. */
export type ServerProblem =
  | "binaries-missing"
  | "library-missing"
  | "owner-missing"
  | "folder-not-reachable"
  | "tls-file"
  | "data-exists"
  | "data-missing"
  | "other-version"
  | "wrong-owner"
  | "is-standby"
  | "configuration-missing"
  | "initdb-failed"
  | "port-in-use"
  | "address-not-here"
  | "start-failed"
  | "start-timeout"
  | "not-running"
  | "still-running"
  | "stop-timeout"
  | "wrong-password"
  | "cannot-connect"
  | "connection-lost"
  | "query-failed"
  | "promotion-timeout"
  | "clone-aborted"
  | "basebackup-unavailable"
  | "tablespaces"
  | "slot-lost"
  | "drain-incomplete"
  | "rewind-unavailable"
  | "rewind-failed"
  | "backup-damaged"
  | "backup-missing"
  | "archive-missing"
  | "archive-failing"
  | "archive-gap"
  | "archive-unreadable"
  | "disk-full"
  | "target-not-reached";

/** Thrown by whatever works on servers. */
export class ServerError extends Error {
  readonly code: ServerProblem;

  constructor(code: ServerProblem, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "ServerError";
    this.code = code;
  }
}

/** The message of whatever was thrown. */
export function messageOf(problem: unknown): string {
  return problem instanceof Error ? problem.message : String(problem);
}

/** Whether the system said `code`: "ENOENT" and the like. */
export function isSystemError(problem: unknown, code: string): boolean {
  return problem instanceof Error && "code" in problem && problem.code === code;
}
