// What a client tells a router about a statement: the protocol between `tenfold/db` and the router, all of it.
//
// **As a comment**, the first bytes of a statement's text:
//
//     /* tenfold: consistency=session; after=0/16B3748 */ SELECT …
//
// It holds for that statement; in front of BEGIN, for its transaction. A router cuts it off before it looks the text up, so
// that texts stay equal. **As settings**, where a text must not change (named prepared statements): `SET tenfold.after = '0/16B3748'`,
// and likewise for each key with `-` written as `_`; they hold until they are set again. A comment beats a setting.
//
// | Key | Values | Means |
// |---|---|---|
// | `consistency` | `eventual`, `bounded`, `session`, `global` | How old an answer may be |
// | `after` | a position in the log | The answer holds every commit up to here |
// | `max-lag` | a duration, "200ms" | Of `bounded`: no older than this |
// | `target` | `primary`, `replica` | Where to, whatever the statement is |
//
// **Back**, a router reports the setting `tenfold.lsn` (ParameterStatus) after each commit: what the client passes as `after` from then
// on. A client that hears none asks `pg_current_wal_insert_lsn()` itself. Postgres alone ignores comments and keeps such settings.
import { explainDuration, formatDuration, parseDurationMs } from "../base/index.ts";
import { formatLsn, parseLsn } from "./lsn.ts";

/** How old an answer may be. */
export const CONSISTENCIES = ["eventual", "bounded", "session", "global"] as const;

/** One of `CONSISTENCIES`. */
export type Consistency = (typeof CONSISTENCIES)[number];

/** What is asked of the router for one statement. */
export interface Hints {
  readonly consistency?: Consistency | undefined;
  readonly after?: bigint | undefined;
  readonly maxLagMs?: number | undefined;
  readonly target?: "primary" | "replica" | undefined;
}

/** The setting in which a router reports the position of the last commit. */
export const LSN_SETTING = "tenfold.lsn";

/** Longer comments are no hints: none is half as long. */
const HINT_LENGTH_MAX = 200;

const COMMENT = /^\/\* tenfold:([^*]*)\*\/ ?/;

/** One key: how it is written, and read back; undefined where the text is no value of it. */
interface Key {
  readonly write: (hints: Hints) => string | undefined;
  readonly read: (text: string) => Hints | undefined;
}

const KEYS: Readonly<Record<string, Key>> = {
  consistency: {
    write: ({ consistency }) => consistency,
    read: (text) => {
      const consistency = CONSISTENCIES.find((name) => name === text);
      return consistency && { consistency };
    },
  },
  after: {
    write: ({ after }) => (after === undefined ? undefined : formatLsn(after)),
    read: (text) => {
      const after = parseLsn(text);
      return after === undefined ? undefined : { after };
    },
  },
  "max-lag": {
    write: ({ maxLagMs }) => (maxLagMs === undefined ? undefined : formatDuration(maxLagMs)),
    read: (text) => {
      const maxLagMs = parseDurationMs(text);
      return maxLagMs === undefined ? undefined : { maxLagMs };
    },
  },
  target: {
    write: ({ target }) => target,
    read: (text) => (text === "primary" || text === "replica" ? { target: text } : undefined),
  },
};

/** The text with its hints in front; as it is when there are none. */
export function withHints(text: string, hints: Hints): string {
  const parts = writtenParts(hints).map(([key, value]) => `${key}=${value}`);
  return parts.length === 0 ? text : `/* tenfold: ${parts.join("; ")} */ ${text}`;
}

/**
 * Takes the hints off a text. A key that is not known, or a value that is none, is left out: an older router must not refuse what a
 * newer client says.
 */
export function takeHints(text: string): { readonly hints: Hints; readonly text: string } {
  const [comment, inside] = COMMENT.exec(text.slice(0, HINT_LENGTH_MAX)) ?? [];
  if (comment === undefined || inside === undefined) return { hints: {}, text };
  let hints: Hints = {};
  for (const part of inside.split(";")) {
    const [key = "", value = ""] = part.split("=").map((side) => side.trim());
    hints = { ...hints, ...(Object.hasOwn(KEYS, key) ? KEYS[key]?.read(value) : undefined) };
  }
  return { hints, text: text.slice(comment.length) };
}

/** Statements that say the same for all that follows on a connection. A key without a value is reset. */
export function hintSettings(hints: Hints): string {
  const written = new Map(writtenParts(hints));
  return Object.keys(KEYS)
    .map((key) => `SET tenfold.${key.replace("-", "_")} = '${written.get(key) ?? ""}'`)
    .join("; ");
}

function writtenParts(hints: Hints): (readonly [string, string])[] {
  return Object.entries(KEYS).flatMap(([key, { write }]) => {
    const value = write(hints);
    return value === undefined ? [] : [[key, value] as const];
  });
}

/** Milliseconds of a duration as users write it: "200ms", or a number of milliseconds. Throws a TypeError that names it. */
export function durationMs(value: string | number, name: string): number {
  const ms = typeof value === "number" ? value : parseDurationMs(value);
  if (ms === undefined || !(ms >= 0)) throw new TypeError(`${name}: ${explainDuration(String(value))}`);
  return ms;
}
