/**
 * A worker of the test of many processes: finds, stores and purges at random and checks all that it is given.
 *
 * A second file plays the origin: for each key the version of its content, and the version that a purge has been
 * acknowledged for. Content is made from key and version, so that a torn or foreign byte is noticed; an object older
 * than what was acknowledged before it was looked for is a stale answer.
 */
import { crc32c, murmur3String, type Random, seededRandom, systemClock } from "../../../base/index.ts";
import type { Entry, Purge, Refusal, Store } from "../../store/index.ts";
import { mapStore } from "../index.ts";

/** Keys, and how they are grouped by tags and folders. */
export const KEYS = 600;
const GROUPS = 20;
const BODY_BYTES_MAX = 20_000;
/** Looks at other objects during which an object stays pinned before its bytes are checked again. */
const PINNED_LOOKS = 40;

/** Looks at other objects while the origin answers. */
const FETCH_LOOKS = 10;

/** What a worker saw. */
export interface Churn {
  readonly hits: number;
  readonly stores: number;
  readonly purges: number;
  readonly torn: number;
  readonly stale: number;
  readonly refusals: Partial<Record<Refusal, number>>;
}

const encoder = new TextEncoder();
const urlOf = (key: number): string => `example.com/group/${key % GROUPS}/object/${key}`;
const keys = Array.from({ length: KEYS }, (_, key) => encoder.encode(urlOf(key)));

/** Steps at least, however slow the machine: enough for each kind of work to be done many times. */
const STEPS_MIN = 6000;

/** Works for `ms` milliseconds, or as long as the least takes. */
function churn(store: Store, origin: Int32Array, seed: number, ms: number): Churn {
  const worker = new Churner(store, origin, seededRandom(seed));
  const endMs = systemClock.nowMs() + ms;
  while (worker.steps < STEPS_MIN || systemClock.nowMs() < endMs)
    for (let step = 0; step < 100; step++) worker.step();
  return worker.finish();
}

interface Held {
  readonly pin: number;
  readonly key: number;
  readonly until: number;
}

/** A request under way to the origin, and what was read before it was sent. */
interface Fetch {
  readonly key: number;
  readonly startSequence: number;
  readonly version: number;
  readonly until: number;
}

class Churner {
  readonly #seen = { hits: 0, stores: 0, purges: 0, torn: 0, stale: 0 };
  readonly #refusals: Partial<Record<Refusal, number>> = {};
  readonly #store: Store;
  readonly #origin: Int32Array;
  readonly #random: Random;
  #steps = 0;
  #held: Held[] = [];
  #fetches: Fetch[] = [];

  constructor(store: Store, origin: Int32Array, random: Random) {
    this.#store = store;
    this.#origin = origin;
    this.#random = random;
  }

  get steps(): number {
    return this.#steps;
  }

  step(): void {
    this.#steps++;
    // A few keys are asked for most of the time.
    const key = Math.floor(this.#random() ** 3 * KEYS);
    if (this.#random() < 0.005) this.#purge(key);
    else this.#look(key);
    const [oldest] = this.#held;
    if (oldest !== undefined && oldest.until < this.#steps) this.#letGo();
    const [first] = this.#fetches;
    if (first === undefined || first.until >= this.#steps) return;
    this.#fetches.shift();
    this.#save(first);
  }

  finish(): Churn {
    while (this.#held.length > 0) this.#letGo();
    return { ...this.#seen, refusals: this.#refusals };
  }

  #look(key: number): void {
    const bytes = keys[key] ?? new Uint8Array(0);
    const acknowledged = Atomics.load(this.#origin, KEYS + key);
    const [hi, lo] = this.#hashes(key);
    const entry = this.#store.find(hi, lo, bytes, 0, bytes.length);
    if (entry === undefined) {
      this.#fetch(key);
      return;
    }
    this.#seen.hits++;
    entry.touch();
    if (entry.meta(0) < acknowledged) this.#seen.stale++;
    this.#verify(entry, key);
    const pin = this.#random() < 0.2 ? this.#store.pin() : -1;
    if (pin >= 0) this.#held.push({ pin, key, until: this.#steps + PINNED_LOOKS });
    this.#store.release();
  }

  #letGo(): void {
    const held = this.#held.shift();
    if (held === undefined) return;
    this.#verify(this.#store.at(held.pin), held.key);
    this.#store.release();
    this.#store.unpin(held.pin);
  }

  /** Checks that the bytes are those of this key and of the version that the entry bears. */
  #verify(entry: Entry, key: number): void {
    const body = entry.bytes.subarray(entry.bodyOffset, entry.bodyOffset + entry.bodyBytes);
    const isWhole = crc32c(body) === entry.meta(1) >>> 0 && body[0] === (entry.meta(0) & 0xff);
    if (!isWhole || entry.meta(2) !== key || entry.bodyBytes !== entry.meta(3)) this.#seen.torn++;
  }

  #fetch(key: number): void {
    const startSequence = this.#store.purgeSequence;
    const version = Atomics.load(this.#origin, key);
    this.#fetches.push({ key, startSequence, version, until: this.#steps + FETCH_LOOKS });
  }

  #save({ key, startSequence, version }: Fetch): void {
    const [hashHi, hashLo] = this.#hashes(key);
    const bodyBytes = 1 + Math.floor(this.#random() ** 4 * BODY_BYTES_MAX);
    const url = urlOf(key);
    const room = this.#store.reserve({
      hashHi,
      hashLo,
      urlHash: murmur3String(url, 0),
      key: keys[key] ?? new Uint8Array(0),
      urlStart: 0,
      pathEnd: url.length,
      vary: new Uint8Array(0),
      tags: [tagOf(key)],
      headBytes: 0,
      bodyBytes,
      startSequence,
      nowS: 1,
      usableUntilS: 0,
    });
    if (typeof room === "string") return this.#refuse(room);
    const body = room.bytes.subarray(room.bodyOffset, room.bodyOffset + bodyBytes);
    body.fill(Math.floor(this.#random() * 256));
    body[0] = version;
    room.setMeta(0, version);
    room.setMeta(1, crc32c(body));
    room.setMeta(2, key);
    room.setMeta(3, bodyBytes);
    const refusal = room.commit();
    if (refusal === undefined) this.#seen.stores++;
    else this.#refuse(refusal);
    room.abort();
  }

  /** New content at the origin, then a purge of it, then its acknowledgement. */
  #purge(key: number): void {
    const kind = Math.floor(this.#random() * 4);
    const concerned = kind === 0 ? [key] : groupOf(key);
    const versions = concerned.map((one) => Atomics.add(this.#origin, one, 1) + 1);
    while (this.#store.purge(purgeOf(kind, key)) === "busy");
    for (const [index, one] of concerned.entries()) raise(this.#origin, KEYS + one, versions[index] ?? 0);
    this.#seen.purges++;
  }

  #refuse(refusal: Refusal): void {
    this.#refusals[refusal] = (this.#refusals[refusal] ?? 0) + 1;
  }

  #hashes(key: number): [number, number] {
    const bytes = keys[key] ?? new Uint8Array(0);
    return [this.#store.hashHigh(bytes, 0, bytes.length), this.#store.hashLow(bytes, 0, bytes.length)];
  }
}

function tagOf(key: number): number {
  return murmur3String(`group ${key % GROUPS}`, 1);
}

function groupOf(key: number): number[] {
  return Array.from({ length: KEYS }, (_, one) => one).filter((one) => one % GROUPS === key % GROUPS);
}

function purgeOf(kind: number, key: number): Purge {
  const group = `example.com/group/${key % GROUPS}/`;
  if (kind === 0) return { kind: "url", hash: murmur3String(urlOf(key), 0), hard: true };
  if (kind === 1) return { kind: "tag", hash: tagOf(key), hard: true };
  return { kind: "prefix", prefix: encoder.encode(kind === 2 ? group : `${group}obj`), hard: true };
}

function raise(words: Int32Array, at: number, value: number): void {
  for (;;) {
    const found = Atomics.load(words, at);
    if (found >= value || Atomics.compareExchange(words, at, found, value) === found) return;
  }
}

if (import.meta.main) {
  const [store = "", origin = "", worker = "0", seed = "0", ms = "0"] = process.argv.slice(2);
  const words = new Int32Array(Bun.mmap(origin, { shared: true }).buffer);
  const seen = churn(mapStore(store, Number(worker)), words, Number(seed), Number(ms));
  process.stdout.write(JSON.stringify(seen));
}
