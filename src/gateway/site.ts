/**
 * What an installation calls itself when it is one of several of a site: X-Edge for people, a name in Cache-Status
 * (RFC 9211) that tells the caches of a way apart, and an id in CDN-Loop (RFC 8586) by which it knows what it has seen.
 */
import { memoized } from "../base/index.ts";
import type { GatewayConfig } from "../config/index.ts";
import { asBytes, FIELD, type RequestHead, text } from "../http/index.ts";

/** The names of one installation. */
export interface Site {
  /** "tenfold-fra", or "tenfold" for one without a name of its own. */
  readonly cacheName: string;
  /** "fra"; undefined for one without. */
  readonly edge: string | undefined;
  /** The line of Cache-Status that says `note`. Few notes come again and again: a text that is known costs no new one. */
  readonly cacheStatus: (note: string) => string;
  /** Sent in CDN-Loop; "" for none: a proxy that is no edge takes no part in it. */
  readonly cdnId: string;
  /** `X-Edge: fra` with its CRLF; empty for none. */
  readonly edgeLine: Uint8Array;
}

/**
 * How often a request may have come by here before: a rule may forward to another listener of this very gateway, which is
 * no loop. RFC 8586 §2 leaves the number open.
 */
const PASSES_MAX = 1;

/** Notes that are remembered. */
const NOTES_MAX = 64;

/** The names that a config gives. */
export function siteOf({ name, edge }: Pick<GatewayConfig, "name" | "edge">): Site {
  const own = edge === undefined ? name : `${name}-${edge}`;
  return {
    cacheName: own,
    edge,
    cacheStatus: memoized(NOTES_MAX, (note) => `Cache-Status: ${own}; ${note}\r\n`),
    cdnId: edge === undefined ? "" : own,
    edgeLine: edge === undefined ? new Uint8Array(0) : asBytes(`X-Edge: ${edge}\r\n`),
  };
}

/**
 * Whether a request goes in a circle. Whoever sends a CDN-Loop is believed: a client that forges it has only its own request
 * refused (RFC 8586 §4).
 */
export function isLoop({ cdnId }: Site, { fields }: RequestHead, bytes: Uint8Array): boolean {
  if (cdnId === "" || !fields.has(FIELD.cdnLoop)) return false;
  const own = cdnId.toLowerCase();
  let passes = 0;
  for (let i = 0; i < fields.count; i++) {
    if (fields.code[i] !== FIELD.cdnLoop) continue;
    for (const member of text(bytes, fields.valueStart[i] ?? 0, fields.valueEnd[i] ?? 0).split(","))
      if (member.split(";", 1)[0]?.trim().toLowerCase() === own) passes++;
  }
  return passes > PASSES_MAX;
}
