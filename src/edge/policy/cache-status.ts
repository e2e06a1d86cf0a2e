/** Cache-Status (RFC 9211): what this cache did for a response, as one more member of the field. */

/** Why a request went to the upstream (RFC 9211 §2.2). */
export type ForwardReason =
  | "bypass"
  | "method"
  /** Nothing is stored under the key. */
  | "uri-miss"
  /** Something is, but no variant that matches. */
  | "vary-miss"
  | "miss"
  /** The request's own directives asked for it. */
  | "request"
  | "stale"
  | "partial";

/** What happened. `detail` is one of the reasons of this part, a token. */
export type CacheOutcome =
  /** `ttlMs` is negative for a stale response. */
  | { readonly kind: "hit"; readonly ttlMs: number; readonly detail?: string }
  | {
      readonly kind: "forward";
      readonly reason: ForwardReason;
      /** Status of the upstream's response where it is not the one sent: 304, or a failure that was covered. */
      readonly status?: number;
      /** How long the response stays fresh, where it was stored. */
      readonly ttlMs?: number;
      readonly stored?: boolean;
      /** Whether the request waited for another one's response. */
      readonly collapsed?: boolean;
      readonly detail?: string;
    };

const NAME = "tenfold";

/** The value of the field: our member, behind those that came from upstream. */
export function cacheStatus(outcome: CacheOutcome, fromUpstream?: string): string {
  const own = [NAME, ...parametersOf(outcome)].join("; ");
  return fromUpstream === undefined || fromUpstream === "" ? own : `${fromUpstream}, ${own}`;
}

function parametersOf(outcome: CacheOutcome): string[] {
  const { detail, ttlMs } = outcome;
  const ttl = ttlMs === undefined ? [] : [`ttl=${Math.floor(ttlMs / 1000)}`];
  const rest = [...ttl, ...(detail === undefined ? [] : [`detail=${detail}`])];
  if (outcome.kind === "hit") return ["hit", ...rest];
  return [
    `fwd=${outcome.reason}`,
    ...(outcome.status === undefined ? [] : [`fwd-status=${outcome.status}`]),
    ...(outcome.stored === true ? ["stored"] : []),
    ...(outcome.collapsed === true ? ["collapsed"] : []),
    ...rest,
  ];
}
