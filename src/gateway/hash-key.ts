/**
 * The key that `hash`, `consistent-hash` and `maglev` hash, taken from the bytes of a request.
 *
 * A request without the key (no such cookie, header or parameter) is spread at random: to send all of them to one
 * target would make that target the hot one.
 */

import { ALGORITHMS } from "../balance/index.ts";
import { murmur3, murmur3String } from "../base/index.ts";
import type { Algorithm, HashKey } from "../config/index.ts";
import { FIELD, findCookie, findQuery, type RequestHead } from "../http/index.ts";
import type { RequestView } from "./route.ts";

/** Fixed, so that several gateways agree on where a key lives. */
const SEED = 0x7e4f01d;

/** Gives the 32-bit hash of a request's key. */
export type KeyHash = (request: RequestView) => number;

/** The hash function for a group; constant 0 for algorithms that do not hash. */
export function keyHash(algorithm: Algorithm, key: HashKey, random: () => number): KeyHash {
  if (!ALGORITHMS[algorithm].hash) return () => 0;
  if (algorithm === "ip-hash") return hashIp;
  switch (key.kind) {
    case "ip":
      return hashIp;
    case "path":
      return ({ head, bytes }) => murmur3(bytes, head.pathStart, head.pathEnd, SEED);
    case "url":
      return ({ head, bytes }) => hashUrl(bytes, head);
    case "header":
      return ({ head, bytes }) => hashText(head.value(bytes, key.name), random);
    case "cookie":
      return ({ head, bytes }) => hashText(cookieOf(head, bytes, key.name), random);
    case "query":
      return ({ head, bytes }) =>
        hashText(findQuery(bytes, head.queryStart, head.queryEnd, key.name), random);
  }
}

function hashUrl(bytes: Uint8Array, head: RequestHead): number {
  const host = murmur3(bytes, head.hostStart, head.authorityEnd, SEED);
  return murmur3(bytes, head.pathStart, head.targetEnd, host);
}

/** The hash of a URL as the key of a cache has it: what does not count there leads to the same target. */
export function hashUrlKey(key: Uint8Array): number {
  return murmur3(key, 0, key.length, SEED);
}

function hashIp({ clientIp }: RequestView): number {
  return murmur3String(clientIp, SEED);
}

function hashText(value: string | undefined, random: () => number): number {
  return value === undefined ? Math.floor(random() * 0x1_0000_0000) >>> 0 : murmur3String(value, SEED);
}

function cookieOf({ fields }: RequestHead, bytes: Uint8Array, name: string): string | undefined {
  const i = fields.first(FIELD.cookie);
  return i < 0 ? undefined : findCookie(bytes, fields.valueStart[i] ?? 0, fields.valueEnd[i] ?? 0, name);
}
