/** Why a call of the client did not bring a reply. What the server itself refuses is a `ReplyError`. */

/** Reason -> what it says. */
const MESSAGES = {
  "not-connected": "there is no connection to the store",
  "deadline-exceeded": "the store did not answer in time",
  "connection-lost": "the connection to the store was lost before the answer came",
  "too-many-pending": "too many calls wait for the store already",
  "garbled-reply": "what the store answered cannot be read",
  "handshake-refused": "the store refused the handshake",
  closed: "the client is closed",
} as const;

/** A reason, the same in errors, logs and metrics. */
export type StoreErrorCode = keyof typeof MESSAGES;

/** A call that brought no reply. */
export class StoreError extends Error {
  override readonly name = "StoreError";
  readonly code: StoreErrorCode;
  /** Whether the request went out: the store may have carried it out. */
  readonly wasSent: boolean;

  constructor(code: StoreErrorCode, wasSent: boolean, detail?: string) {
    super(detail === undefined ? MESSAGES[code] : `${MESSAGES[code]}: ${detail}`);
    this.code = code;
    this.wasSent = wasSent;
  }
}
