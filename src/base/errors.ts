/**
 * Errors as rows of a table: what each part may answer with is data, one row per code.
 *
 * The code is the literal reason that goes unchanged from the decision to log, metric, response and console, and the
 * anchor of its section in docs/errors.md, which is generated from these tables.
 */

/** One error that a part can answer with. */
export interface ErrorRow {
  /** HTTP status when it reaches a client. */
  readonly status: number;
  /** Who has to change something: the client side, the target side, or us. */
  readonly fault: "downstream" | "upstream" | "internal";
  /** Whether the same request may be sent again: "unsent" = yes, because no target has seen it. */
  readonly retry: "yes" | "no" | "unsent";
  /** What happened, one sentence without a full stop. */
  readonly message: string;
  /** What to do about it, one sentence without a full stop. */
  readonly mend: string;
}

/** Lower-case words joined by hyphens: safe in a metric label, a URL fragment and a header. */
const CODE = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;

/**
 * Declares a part's errors: keys are the codes. Returns the same table, frozen, with its codes kept as literal types.
 *
 * @throws Error when a code is not kebab-case or a status is not 100..599: at load, so a bad row never ships.
 */
export function defineErrors<const T extends Record<string, ErrorRow>>(rows: T): Readonly<T> {
  for (const [code, row] of Object.entries(rows)) {
    if (!CODE.test(code)) throw new Error(`error code "${code}" is not kebab-case: write it like "no-rule"`);
    if (!(Number.isInteger(row.status) && row.status >= 100 && row.status <= 599)) {
      throw new Error(`error "${code}" has status ${row.status}: use an HTTP status, 100 to 599`);
    }
    Object.freeze(row);
  }
  return Object.freeze(rows);
}
