/** Writes a key down as the requests that make it. */
import { bytesOf, formatDouble } from "../../resp/index.ts";
import { type Keyspace, TYPE } from "../keyspace.ts";
import { Hashes } from "../values/hashes.ts";
import { Lists } from "../values/lists.ts";
import { Sets } from "../values/sets.ts";
import { SortedSets } from "../values/sorted-sets.ts";
import type { Batch } from "./batch.ts";

/** Arguments of one request: a large value is many requests, none of them long. */
const ARGUMENTS_MAX = 128;

const hash = new Hashes();
const list = new Lists();
const set = new Sets();
const zset = new SortedSets();

/** Adds the requests that make the entry `ref` anew. `full` is called whenever the batch may be written out. O(value). */
export function dumpEntry(space: Keyspace, ref: number, batch: Batch, full: () => void): void {
  const { dict, index } = space;
  const key = space.keyOf(ref);
  const expiry = dict.expiry(ref);
  if (space.typeOf(ref) === TYPE.string) {
    dict.open(ref);
    const value = dict.bytes.subarray(dict.valueStart, dict.valueEnd);
    batch.add(index, expiry === 0 ? ["SET", key, value] : ["SET", key, value, "PXAT", String(expiry)]);
    return;
  }
  const rows = new Rows(space.index, WORDS[space.typeOf(ref)] ?? "", key, batch, full);
  switch (space.typeOf(ref)) {
    case TYPE.hash:
      hash
        .open(space, ref)
        .each((bytes, fs, fe, vs, ve) => rows.add(bytes.slice(fs, fe), bytes.slice(vs, ve)));
      break;
    case TYPE.set:
      set.open(space, ref).each((bytes, start, end) => rows.add(bytes.slice(start, end)));
      break;
    case TYPE.zset:
      zset.open(space, ref);
      zset.each(0, zset.length, false, (bytes, start, end, score) =>
        rows.add(bytesOf(formatDouble(score)), bytes.slice(start, end)),
      );
      break;
    default:
      list.open(space, ref);
      list.each(0, list.length, (bytes, start, end) => {
        rows.add(bytes.slice(start, end));
        return true;
      });
  }
  rows.end();
  if (expiry !== 0) batch.add(index, ["PEXPIREAT", key, String(expiry)]);
}

const WORDS: Readonly<Record<number, string>> = {
  [TYPE.hash]: "HSET",
  [TYPE.set]: "SADD",
  [TYPE.zset]: "ZADD",
  [TYPE.list]: "RPUSH",
};

/** Collects the arguments of requests that all begin the same. */
class Rows {
  readonly #database: number;
  readonly #batch: Batch;
  readonly #full: () => void;
  readonly #begin: readonly (string | Uint8Array)[];
  #request: (string | Uint8Array)[];

  constructor(database: number, word: string, key: Uint8Array, batch: Batch, full: () => void) {
    this.#database = database;
    this.#batch = batch;
    this.#full = full;
    this.#begin = [word, key];
    this.#request = [...this.#begin];
  }

  add(...row: readonly Uint8Array[]): void {
    this.#request.push(...row);
    if (this.#request.length >= ARGUMENTS_MAX) this.end();
  }

  end(): void {
    if (this.#request.length === this.#begin.length) return;
    this.#batch.add(this.#database, this.#request);
    this.#request = [...this.#begin];
    this.#full();
  }
}
