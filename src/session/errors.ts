/**
 * What can go wrong with a session, as rows, and the error that carries a row to the app.
 */
import { defineErrors, type ErrorRow } from "../base/index.ts";

/** Every code a session can fail with. */
export const SESSION_ERRORS: Readonly<Record<SessionErrorCode, ErrorRow>> = defineErrors({
  "session-store-unavailable": {
    status: 503,
    fault: "internal",
    retry: "yes",
    message: "The session store did not answer, and this needs a session",
    mend: "Look at the store: is it running, reachable, and fast enough for storeTimeout",
  },
  "session-store-evicts": {
    status: 503,
    fault: "internal",
    retry: "no",
    message: "The session store drops sessions when its memory is full",
    mend: "Set maxmemory-policy to noeviction there, and give caches a server of their own; or set allowEviction: true if sessions may vanish",
  },
  "session-not-saved": {
    status: 503,
    fault: "internal",
    retry: "no",
    message: "The session store did not confirm the changes of this request; they may or may not be there",
    mend: "Look at the store; send the request again where doing it twice does no harm",
  },
  "session-required": {
    status: 401,
    fault: "downstream",
    retry: "no",
    message: "This needs a signed-in user",
    mend: "Sign in, then send the request again with the cookie",
  },
  "session-revoked": {
    status: 401,
    fault: "downstream",
    retry: "no",
    message: "All sessions of the user were ended during this sign-in, and it with them",
    mend: "Check the password again, as it is now, and sign in again",
  },
  "session-read-only": {
    status: 503,
    fault: "internal",
    retry: "yes",
    message:
      "The session store is away; what is known of the session comes from a snapshot and cannot be changed",
    mend: "Look at the store; until then only reading works",
  },
  "session-headers-sent": {
    status: 500,
    fault: "internal",
    retry: "no",
    message: "The head of the response has been sent, so that a new cookie cannot be",
    mend: "Sign in, sign out and rotate before the first byte of the response",
  },
  "session-field-refused": {
    status: 500,
    fault: "internal",
    retry: "no",
    message: "A field of the session cannot be stored",
    mend: "Store small JSON values; keep what is large in a database and its key in the session",
  },
  "session-not-a-number": {
    status: 500,
    fault: "internal",
    retry: "no",
    message: "A field that was to be incremented does not hold a whole number",
    mend: "Increment only fields that nothing else sets to other values",
  },
  "session-contended": {
    status: 503,
    fault: "internal",
    retry: "yes",
    message: "An update of a field kept losing against other requests of the same session",
    mend: "Split the field, so that what changes together is small; or use increment and set",
  },
  "session-cookie-too-large": {
    status: 500,
    fault: "internal",
    retry: "no",
    message: "The sealed session is larger than a cookie may be (4,096 bytes)",
    mend: "Keep fewer fields in it, or use a session store",
  },
  "session-off-localhost": {
    status: 500,
    fault: "internal",
    retry: "no",
    message: "development is on, but the request did not come to localhost: its cookie would go unprotected",
    mend: "Take development out and serve over https",
  },
  "session-options": {
    status: 500,
    fault: "internal",
    retry: "no",
    message: "The options of the sessions are not usable",
    mend: "See the guide, docs/guide/sessions.md",
  },
});

/** A code of `SESSION_ERRORS`. */
export type SessionErrorCode =
  | "session-store-unavailable"
  | "session-store-evicts"
  | "session-not-saved"
  | "session-required"
  | "session-revoked"
  | "session-read-only"
  | "session-headers-sent"
  | "session-field-refused"
  | "session-not-a-number"
  | "session-contended"
  | "session-cookie-too-large"
  | "session-off-localhost"
  | "session-options";

/** Seconds after which a client may try again while the store is away. */
const RETRY_AFTER_S = "1";

/**
 * An error with a code. Frameworks answer with its status when nobody catches it: Express reads `status` and `headers`,
 * Fastify `statusCode` and `headers`, Hono calls `getResponse`.
 */
export class SessionError extends Error {
  override readonly name: string = "SessionError";
  readonly code: SessionErrorCode;
  /** HTTP status to answer with. */
  readonly status: number;
  /** The same, by the name that Fastify reads. */
  readonly statusCode: number;
  /** Fields of the answer. */
  readonly headers: Readonly<Record<string, string>>;
  /** What to do about it. */
  readonly mend: string;

  /** `detail` follows the row's message; it never holds a secret or a value of the session. */
  constructor(code: SessionErrorCode, detail = "", cause?: unknown) {
    const row = SESSION_ERRORS[code];
    super(detail === "" ? row.message : `${row.message}: ${detail}`, cause === undefined ? {} : { cause });
    this.code = code;
    this.status = row.status;
    this.statusCode = row.status;
    this.headers = {
      "cache-control": "no-store",
      ...(row.status === 503 ? { "retry-after": RETRY_AFTER_S } : {}),
    };
    this.mend = row.mend;
  }

  /** What a client gets: the code, as JSON. The message is for the log. */
  body(): string {
    return `${JSON.stringify({ error: this.code })}\n`;
  }

  /** The answer, fetch-style. */
  getResponse(): Response {
    const headers = { ...this.headers, "content-type": "application/json" };
    return new Response(this.body(), { status: this.status, headers });
  }
}

/** An error as the app is to see it: a `SessionError` as it is, all else as the cause of one. */
export function sessionErrorOf(code: SessionErrorCode, error: unknown): SessionError {
  return error instanceof SessionError ? error : new SessionError(code, "", error);
}
