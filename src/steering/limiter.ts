/**
 * How many answers by UDP one client prefix gets: whoever forges a victim's address must not make of this server a means
 * to flood it. Beyond the rate every second query is told to come by TCP, which only an honest sender can, and the other
 * one gets nothing (response rate limiting, as BIND and NSD do it, with a slip of 2).
 */
import { type Clock, parseIp } from "../base/index.ts";

/** Prefixes that are remembered; the one that was seen first goes when there are more. */
const PREFIXES_MAX = 65_536;
/** What may come at once, in seconds of the rate. */
const BURST_S = 2;

/** What to do with a query. */
export type Verdict = "answer" | "truncate" | "drop";

interface Bucket {
  tokens: number;
  atMs: number;
  over: number;
}

export class PrefixLimiter {
  readonly #perSecond: number;
  readonly #clock: Clock;
  readonly #buckets = new Map<string, Bucket>();

  /** 0 is no limit. */
  constructor(perSecond: number, clock: Clock) {
    this.#perSecond = perSecond;
    this.#clock = clock;
  }

  /** Prefixes that are remembered. */
  get size(): number {
    return this.#buckets.size;
  }

  /** Takes a query of this sender into account. */
  take(source: string): Verdict {
    if (this.#perSecond === 0) return "answer";
    const bucket = this.#bucketOf(prefixOf(source));
    const nowMs = this.#clock.nowMs();
    const most = this.#perSecond * BURST_S;
    bucket.tokens = Math.min(most, bucket.tokens + ((nowMs - bucket.atMs) / 1000) * this.#perSecond);
    bucket.atMs = nowMs;
    if (bucket.tokens >= 1) {
      bucket.tokens--;
      return "answer";
    }
    return bucket.over++ % 2 === 0 ? "truncate" : "drop";
  }

  #bucketOf(prefix: string): Bucket {
    const known = this.#buckets.get(prefix);
    if (known !== undefined) return known;
    if (this.#buckets.size >= PREFIXES_MAX) {
      const [oldest] = this.#buckets.keys();
      if (oldest !== undefined) this.#buckets.delete(oldest);
    }
    const bucket = { tokens: this.#perSecond * BURST_S, atMs: this.#clock.nowMs(), over: 0 };
    this.#buckets.set(prefix, bucket);
    return bucket;
  }
}

/** A /24 of IPv4, a /56 of IPv6: what one customer of a network has. */
function prefixOf(source: string): string {
  const address = parseIp(source);
  if (address === undefined) return "";
  const [first, second, third, fourth] = address;
  const isV4 = first === 0 && second === 0 && third === 0xffff;
  return isV4 ? `4 ${fourth >>> 8}` : `6 ${first} ${second >>> 8}`;
}
