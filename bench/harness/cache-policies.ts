/**
 * Eviction policies as their papers have them, by bytes, for the store's own to be measured beside.
 *
 * Plain objects in maps: what counts here is which requests they answer, not how fast. A `Map` keeps the order in
 * which keys were set, so that deleting and setting again moves a key to the end.
 */

/** A cache of `capacity` bytes that says of each request whether it had the object, and keeps it if not. */
export interface Policy {
  /** Whether object `key` of `size` bytes was there. */
  request(key: number, size: number): boolean;
}

type Make = (capacity: number) => Policy;

/** The key that was set first. */
function first(map: ReadonlyMap<number, unknown>): number {
  const { value } = map.keys().next();
  return value ?? -1;
}

/** First in, first out; with `moves`, the least recently used goes. */
function queue(capacity: number, moves: boolean): Policy {
  const sizes = new Map<number, number>();
  let used = 0;
  return {
    request(key, size) {
      const isHit = sizes.has(key);
      if (isHit && moves) sizes.delete(key);
      if (isHit && !moves) return true;
      sizes.set(key, size);
      if (isHit) return true;
      for (used += size; used > capacity; ) {
        const out = first(sizes);
        used -= sizes.get(out) ?? 0;
        sizes.delete(out);
      }
      return false;
    },
  };
}

/** The least frequently used since it came goes; of those the least recently used. */
function lfu(capacity: number): Policy {
  const entries = new Map<number, { size: number; uses: number }>();
  const byUses = new Map<number, Map<number, true>>();
  let least = 1;
  let used = 0;
  const put = (key: number, uses: number): void => {
    const keys = byUses.get(uses) ?? new Map<number, true>();
    keys.set(key, true);
    byUses.set(uses, keys);
  };
  const makeRoom = (): void => {
    while (used > capacity && entries.size > 0) {
      while ((byUses.get(least)?.size ?? 0) === 0) least++;
      const keys = byUses.get(least) ?? new Map<number, true>();
      const out = first(keys);
      keys.delete(out);
      used -= entries.get(out)?.size ?? 0;
      entries.delete(out);
    }
  };
  return {
    request(key, size) {
      const entry = entries.get(key);
      if (entry !== undefined) {
        byUses.get(entry.uses)?.delete(key);
        put(key, ++entry.uses);
        return true;
      }
      used += size;
      makeRoom();
      entries.set(key, { size, uses: 1 });
      put(key, 1);
      least = 1;
      return false;
    },
  };
}

/** SIEVE (Zhang et al., NSDI 2024): one queue, a hand that moves from old to new and spares what was visited. */
function sieve(capacity: number): Policy {
  interface Node {
    key: number;
    size: number;
    isVisited: boolean;
    newer: Node | undefined;
    older: Node | undefined;
  }
  const nodes = new Map<number, Node>();
  let newest: Node | undefined;
  let oldest: Node | undefined;
  let hand: Node | undefined;
  let used = 0;
  const unlink = (node: Node): void => {
    if (node.newer === undefined) newest = node.older;
    else node.newer.older = node.older;
    if (node.older === undefined) oldest = node.newer;
    else node.older.newer = node.newer;
    nodes.delete(node.key);
  };
  const makeRoom = (): void => {
    let node = hand ?? oldest;
    while (used > capacity && node !== undefined) {
      const next: Node | undefined = node.newer;
      if (!node.isVisited) {
        unlink(node);
        used -= node.size;
      }
      node.isVisited = false;
      node = next ?? oldest;
      hand = next;
    }
  };
  return {
    request(key, size) {
      const found = nodes.get(key);
      if (found !== undefined) {
        found.isVisited = true;
        return true;
      }
      used += size;
      makeRoom();
      const node: Node = { key, size, isVisited: false, newer: undefined, older: newest };
      if (newest !== undefined) newest.newer = node;
      newest = node;
      oldest ??= node;
      nodes.set(key, node);
      return false;
    },
  };
}

/** S3-FIFO as in its paper: small queue a tenth, main queue, ghosts of as many bytes as the main queue. */
function s3fifo(capacity: number): Policy {
  type Item = { size: number; uses: number };
  const small = new Map<number, Item>();
  const main = new Map<number, Item>();
  const ghosts = new Map<number, number>();
  const used = { small: 0, main: 0, ghosts: 0 };
  const addGhost = (key: number, size: number): void => {
    ghosts.set(key, size);
    for (used.ghosts += size; used.ghosts > capacity * 0.9; ) {
      const out = first(ghosts);
      used.ghosts -= ghosts.get(out) ?? 0;
      ghosts.delete(out);
    }
  };
  const evictSmall = (): void => {
    const key = first(small);
    const item = small.get(key) ?? { size: 0, uses: 0 };
    small.delete(key);
    used.small -= item.size;
    if (item.uses < 2) return addGhost(key, item.size);
    main.set(key, { size: item.size, uses: 0 });
    used.main += item.size;
  };
  const evictMain = (): void => {
    const key = first(main);
    const item = main.get(key) ?? { size: 0, uses: 0 };
    main.delete(key);
    if (item.uses > 0) main.set(key, { size: item.size, uses: item.uses - 1 });
    else used.main -= item.size;
  };
  return {
    request(key, size) {
      const item = small.get(key) ?? main.get(key);
      if (item !== undefined) {
        item.uses = Math.min(3, item.uses + 1);
        return true;
      }
      while (used.small + used.main + size > capacity && small.size + main.size > 0) {
        if (small.size > 0 && (used.small > capacity * 0.1 || main.size === 0)) evictSmall();
        else evictMain();
      }
      const ghost = ghosts.get(key);
      if (ghost !== undefined) {
        ghosts.delete(key);
        used.ghosts -= ghost;
      }
      (ghost === undefined ? small : main).set(key, { size, uses: 0 });
      used[ghost === undefined ? "small" : "main"] += size;
      return false;
    },
  };
}

/** Counters of four rows and at most 15, halved after ten times as many uses as there are objects. */
class Sketch {
  readonly #rows: Uint8Array;
  readonly #mask: number;
  #left: number;

  constructor(width: number) {
    this.#rows = new Uint8Array(width * 4);
    this.#mask = width - 1;
    this.#left = width * 10;
  }

  add(key: number): void {
    for (let row = 0; row < 4; row++) {
      const at = this.#at(key, row);
      this.#rows[at] = Math.min(15, (this.#rows[at] ?? 0) + 1);
    }
    if (--this.#left > 0) return;
    this.#left = (this.#mask + 1) * 5;
    for (let at = 0; at < this.#rows.length; at++) this.#rows[at] = (this.#rows[at] ?? 0) >> 1;
  }

  count(key: number): number {
    let least = 15;
    for (let row = 0; row < 4; row++) least = Math.min(least, this.#rows[this.#at(key, row)] ?? 0);
    return least;
  }

  #at(key: number, row: number): number {
    let hash = Math.imul(key + 1, 0x9e37_79b1) ^ Math.imul(row + 1, 0x85eb_ca6b);
    hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b_3c6d);
    return row * (this.#mask + 1) + ((hash ^ (hash >>> 13)) & this.#mask);
  }
}

/** Mean bytes of an object, for the number of the sketch's counters. */
const OBJECT_BYTES = 16_384;

/**
 * W-TinyLFU (Einziger et al., 2017) with the climber of Caffeine: a window whose size follows the hit ratio, a main
 * part of probation and protected, and a sketch of frequencies that decides who gets from one to the other.
 */
class WindowTinyLfu implements Policy {
  readonly #capacity: number;
  readonly #sketch: Sketch;
  readonly #window: Map<number, number> = new Map<number, number>();
  readonly #probation: Map<number, number> = new Map<number, number>();
  readonly #protected: Map<number, number> = new Map<number, number>();
  readonly #used = { window: 0, probation: 0, protected: 0 };
  readonly #period: number;
  #windowMax: number;
  #step: number;
  #requests = 0;
  #hits = 0;
  #lastRatio = 0;

  constructor(capacity: number) {
    const objects = Math.max(64, capacity / OBJECT_BYTES);
    this.#capacity = capacity;
    this.#sketch = new Sketch(2 ** Math.ceil(Math.log2(objects * 2)));
    this.#windowMax = capacity * 0.01;
    this.#step = capacity * 0.0625;
    // Caffeine waits for ten requests to an object; these traces are short, and more often is better here.
    this.#period = objects * 2;
  }

  request(key: number, size: number): boolean {
    this.#sketch.add(key);
    const isHit = this.#touch(key, size);
    if (!isHit) {
      this.#window.set(key, size);
      this.#used.window += size;
      this.#evict();
    }
    this.#climb(isHit);
    return isHit;
  }

  #touch(key: number, size: number): boolean {
    if (this.#window.delete(key)) {
      this.#window.set(key, size);
      return true;
    }
    if (this.#probation.delete(key)) {
      this.#used.probation -= size;
      this.#used.protected += size;
      this.#protected.set(key, size);
      this.#demote();
      return true;
    }
    if (!this.#protected.delete(key)) return false;
    this.#protected.set(key, size);
    return true;
  }

  /** Moves what is too much in the protected part back to probation. */
  #demote(): void {
    const max = (this.#capacity - this.#windowMax) * 0.8;
    while (this.#used.protected > max && this.#protected.size > 0) {
      const [key, size] = this.#takeFirst(this.#protected, "protected");
      this.#probation.set(key, size);
      this.#used.probation += size;
    }
  }

  #takeFirst(map: Map<number, number>, part: "window" | "probation" | "protected"): [number, number] {
    const key = first(map);
    const size = map.get(key) ?? 0;
    map.delete(key);
    this.#used[part] -= size;
    return [key, size];
  }

  #evict(): void {
    while (this.#used.window > this.#windowMax && this.#window.size > 0) {
      const [key, size] = this.#takeFirst(this.#window, "window");
      this.#admit(key, size);
    }
  }

  /** Lets a candidate take the place of what is used less often, or go. */
  #admit(key: number, size: number): void {
    const max = this.#capacity - this.#windowMax;
    const uses = this.#sketch.count(key);
    while (this.#used.probation + this.#used.protected + size > max) {
      const [map, part] =
        this.#probation.size > 0
          ? ([this.#probation, "probation"] as const)
          : ([this.#protected, "protected"] as const);
      if (map.size === 0 || uses <= this.#sketch.count(first(map))) return;
      this.#takeFirst(map, part);
    }
    this.#probation.set(key, size);
    this.#used.probation += size;
  }

  /** After each period the window grows or shrinks on, or turns round when the hit ratio fell. */
  #climb(isHit: boolean): void {
    this.#requests++;
    if (isHit) this.#hits++;
    if (this.#requests < this.#period) return;
    const ratio = this.#hits / this.#requests;
    const change = ratio - this.#lastRatio;
    if (change < 0) this.#step = -this.#step;
    const restart = Math.abs(change) >= 0.05;
    this.#step = restart ? Math.sign(this.#step) * this.#capacity * 0.0625 : this.#step * 0.98;
    this.#windowMax = Math.min(
      this.#capacity * 0.8,
      Math.max(this.#capacity * 0.01, this.#windowMax + this.#step),
    );
    this.#lastRatio = ratio;
    this.#requests = 0;
    this.#hits = 0;
    this.#evict();
    this.#demote();
    const max = this.#capacity - this.#windowMax;
    while (this.#used.probation + this.#used.protected > max && this.#probation.size > 0) {
      this.#takeFirst(this.#probation, "probation");
    }
  }
}

/** Name -> policy. */
export const POLICIES: Readonly<Record<string, Make>> = {
  FIFO: (capacity) => queue(capacity, false),
  LRU: (capacity) => queue(capacity, true),
  LFU: lfu,
  SIEVE: sieve,
  "S3-FIFO": s3fifo,
  "W-TinyLFU": (capacity) => new WindowTinyLfu(capacity),
};
