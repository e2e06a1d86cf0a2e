/** Copies a value to another key: the same value, put together anew. */

import { type Keyspace, TYPE } from "../keyspace.ts";
import { Hashes } from "../values/hashes.ts";
import { Lists } from "../values/lists.ts";
import { Sets } from "../values/sets.ts";
import { SortedSets } from "../values/sorted-sets.ts";

const from = { hash: new Hashes(), list: new Lists(), set: new Sets(), zset: new SortedSets() };
const to = { hash: new Hashes(), list: new Lists(), set: new Sets(), zset: new SortedSets() };

/** Makes `key`, which must not exist in `target`, hold a copy of the value at `ref`, its expiry too. O(value). */
export function rebuild(source: Keyspace, ref: number, target: Keyspace, key: Uint8Array): void {
  const type = source.typeOf(ref);
  const expiry = source.dict.expiry(ref);
  const marks = source.dict.marks(ref);
  target.dict.find(key, 0, key.length);
  if (!source.isStructured(ref)) {
    source.dict.open(ref);
    const value = source.dict.bytes.slice(source.dict.valueStart, source.dict.valueEnd);
    target.dict.find(key, 0, key.length);
    const made = target.add(type, key, 0, key.length, value.length);
    target.dict.bytes.set(value, target.dict.valueStart);
    finish(target, made, expiry, marks);
    return;
  }
  const made = target.addPacked(type, key, 0, key.length);
  finish(target, fill(source, ref, target, made), expiry, marks);
}

function finish(target: Keyspace, ref: number, expiry: number, marks: number): void {
  target.dict.setFlag(ref, marks, true);
  if (expiry !== 0) target.setExpiry(ref, expiry);
}

function fill(source: Keyspace, ref: number, target: Keyspace, made: number): number {
  switch (source.typeOf(ref)) {
    case TYPE.hash: {
      const hash = to.hash.open(target, made);
      from.hash.open(source, ref).each((bytes, fs, fe, vs, ve) => hash.set(bytes, fs, fe, bytes, vs, ve));
      return hash.ref;
    }
    case TYPE.set: {
      const set = to.set.open(target, made);
      from.set.open(source, ref).each((bytes, start, end) => set.add(bytes, start, end));
      return set.ref;
    }
    case TYPE.zset: {
      const zset = to.zset.open(target, made);
      const old = from.zset.open(source, ref);
      old.each(0, old.length, false, (bytes, start, end, score) => zset.set(score, bytes, start, end));
      return zset.ref;
    }
    default: {
      const list = to.list.open(target, made);
      const old = from.list.open(source, ref);
      old.each(0, old.length, (bytes, start, end) => {
        list.push(false, bytes, start, end);
        return true;
      });
      return list.ref;
    }
  }
}
