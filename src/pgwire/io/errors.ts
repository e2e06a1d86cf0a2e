/** Why a query of ours brought no answer: the server refused it, or there is no connection. */
import type { ErrorFields } from "../fields.ts";

/** What the server replied. `code` is its SQLSTATE. */
export class PgServerError extends Error {
  override readonly name = "PgServerError";
  readonly code: string;
  readonly fields: ErrorFields;

  constructor(fields: ErrorFields) {
    super(fields.message);
    this.code = fields.code;
    this.fields = fields;
  }
}

const MESSAGES = {
  "connect-failed": "cannot connect to the server",
  "connect-timeout": "the server did not let us in in time",
  "connection-lost": "the connection to the server was lost",
  "query-timeout": "the server did not answer in time",
  "tls-refused": "the server has no TLS",
  "tls-failed": "the server does not come to terms of TLS with us",
  "tls-untrusted": "the server may be an impostor",
  "tls-file": "a file of TLS cannot be used",
  "garbled-reply": "what the server sends cannot be read",
  closed: "the connection is closed",
} as const;

/** A reason, the same in errors, logs and metrics. */
export type PgConnectionErrorCode = keyof typeof MESSAGES;

/** There is no answer because there is no connection (any more). */
export class PgConnectionError extends Error {
  override readonly name = "PgConnectionError";
  readonly code: PgConnectionErrorCode;

  constructor(code: PgConnectionErrorCode, detail?: string) {
    super(detail === undefined ? MESSAGES[code] : `${MESSAGES[code]}: ${detail}`);
    this.code = code;
  }
}
