/**
 * A cache before something slower: a fixed share of hits, or what comes of keys, room (LRU) and expiry.
 *
 * With `coalesce` the first miss of a key asks the origin and the others wait for its answer; without, each one asks,
 * which is the stampede that follows an expiry or a flush.
 */
import type { Random } from "../../../base/index.ts";
import type { CacheDesign } from "../design.ts";
import { sampler } from "../distribution.ts";
import { OUTCOME } from "../outcomes.ts";
import type { Node, World } from "../world.ts";
import { basicsOf, passOn } from "./simple-node.ts";

/** What came of a visit. */
const STEP = { lookUp: 0, passed: 1, asks: 2, follows: 3 } as const;

/** A node that can forget all it holds. */
export interface CacheNode extends Node {
  flush(): void;
}

/** Whether a key is there. A `Map` keeps the order of use: the first is the least recently used. */
interface Contents {
  has(key: number, nowMs: number): boolean;
  put(key: number, nowMs: number): void;
  flush(): void;
}

/** A cache before node `to`; `bypasses` says which routes pass through. */
export function createCache(
  design: CacheDesign,
  { world, random }: { readonly world: World; readonly random: Random },
  to: number,
  bypasses: (route: number) => boolean,
): CacheNode {
  const basics = basicsOf(design, Infinity, 1, world.nowMs);
  const draw = sampler(design.time, random);
  const contents = design.hits.kind === "share" ? drawn(design.hits.share, random) : kept(design.hits);
  /** Key -> visits that wait for the one that fetches it. */
  const followers = new Map<number, number[]>();
  const counts = { hits: 0, misses: 0, coalesced: 0, bypassed: 0 };
  const { visits } = world;

  const ask = (visit: number, key: number): void => {
    counts.misses++;
    if (design.coalesce) followers.set(key, []);
    visits.step[visit] = STEP.asks;
    world.visit(visit, to);
  };
  const follow = (visit: number, key: number): boolean => {
    const waiting = design.coalesce ? followers.get(key) : undefined;
    if (waiting === undefined) return false;
    counts.coalesced++;
    visits.step[visit] = STEP.follows;
    waiting.push(visit);
    return true;
  };
  const settle = (key: number, outcome: number): void => {
    if (outcome === OUTCOME.ok) contents.put(key, world.nowMs);
    const waiting = followers.get(key) ?? [];
    followers.delete(key);
    for (const visit of waiting) passOn(world, visit, outcome);
  };

  return {
    ...basics,
    enter: (visit) => world.work(visit, draw()),
    worked(visit) {
      const key = visits.key[visit] ?? 0;
      if (bypasses(visits.route[visit] ?? 0)) {
        counts.bypassed++;
        visits.step[visit] = STEP.passed;
        world.visit(visit, to);
      } else if (contents.has(key, world.nowMs)) {
        counts.hits++;
        world.end(visit, OUTCOME.ok);
      } else if (!follow(visit, key)) ask(visit, key);
    },
    returned(visit, _child, outcome) {
      const key = visits.key[visit] ?? 0;
      const fetched = visits.step[visit] === STEP.asks;
      passOn(world, visit, outcome);
      if (fetched) settle(key, outcome);
    },
    counters: () => ({ ...counts, hitShare: share(counts.hits, counts.misses + counts.coalesced) }),
    clear: () => Object.assign(counts, { hits: 0, misses: 0, coalesced: 0, bypassed: 0 }),
    flush: () => contents.flush(),
  };
}

function share(part: number, rest: number): number {
  return part + rest === 0 ? 0 : part / (part + rest);
}

/** A hit by chance; after a flush none until as many were put as would have hit. */
function drawn(hitShare: number, random: Random): Contents {
  let cold = false;
  return {
    has: () => !cold && random() < hitShare,
    put: () => {
      if (cold) cold = random() >= hitShare / COLD_PUTS;
    },
    flush: () => (cold = true),
  };
}

/** Misses that warm a cache of which only the share of hits is known; a stand-in, since nothing is known of its keys. */
const COLD_PUTS = 1000;

function kept({ entries, ttlMs }: { readonly entries: number; readonly ttlMs: number }): Contents {
  const expiry = new Map<number, number>();
  return {
    has(key, nowMs) {
      const untilMs = expiry.get(key);
      if (untilMs === undefined) return false;
      expiry.delete(key);
      if (untilMs <= nowMs) return false;
      expiry.set(key, untilMs);
      return true;
    },
    put(key, nowMs) {
      expiry.delete(key);
      expiry.set(key, ttlMs === 0 ? Infinity : nowMs + ttlMs);
      if (expiry.size <= entries) return;
      const [oldest] = expiry.keys();
      if (oldest !== undefined) expiry.delete(oldest);
    },
    flush: () => expiry.clear(),
  };
}
