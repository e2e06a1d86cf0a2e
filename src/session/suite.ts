/**
 * The suite that every store of sessions passes: what a patch promises, and what the index does.
 */
import { describe, expect, test } from "bun:test";
import type { RecordStore, SessionStore } from "./store.ts";

const TTL_MS = 60_000;

const fields = (texts: Record<string, string>): Map<string, string> => new Map(Object.entries(texts));

/** Fields as an object, for comparison. */
async function stored(store: RecordStore, key: string): Promise<Record<string, string> | undefined> {
  const record = await store.load(key);
  return record && Object.fromEntries(record.fields);
}

let keys = 0;
const freshKey = (): string => `key-${process.pid}-${keys++}`;

/** Declares the rules of records. `open` gives the store when the tests run. */
export function describeRecordStore(name: string, open: () => RecordStore): void {
  describe(`${name} keeps records`, () => {
    test("a record is read as it was written, and is gone when removed", async () => {
      const [store, key] = [open(), freshKey()];
      expect(await store.load(key)).toBeUndefined();
      await store.create(key, fields({ a: "1", "ü \n\"'": '"é\\n"' }), TTL_MS);
      expect(await stored(store, key)).toEqual({ a: "1", "ü \n\"'": '"é\\n"' });
      expect(await store.remove(key)).toBe(true);
      expect(await store.remove(key)).toBe(false);
      expect(await store.load(key)).toBeUndefined();
    });

    test("creating a record leaves nothing of one that was there", async () => {
      const [store, key] = [open(), freshKey()];
      await store.create(key, fields({ a: "1" }), TTL_MS);
      await store.create(key, fields({ b: "2" }), TTL_MS);
      expect(await stored(store, key)).toEqual({ b: "2" });
    });

    test("a patch sets, adds, sets what is absent and removes, in one go", async () => {
      const [store, key] = [open(), freshKey()];
      await store.create(key, fields({ a: "1", b: "2", n: "40", old: "1" }), TTL_MS);
      const outcome = await store.patch(key, {
        set: fields({ a: '"x"', c: "[1]" }),
        setIfAbsent: fields({ b: "9", d: "4" }),
        add: new Map([
          ["n", 2],
          ["m", -3],
        ]),
        remove: ["old", "never"],
        ttlMs: TTL_MS,
      });
      expect(outcome).toEqual({
        status: "applied",
        written: new Set(["d"]),
        sums: new Map([
          ["n", 42],
          ["m", -3],
        ]),
        notNumbers: [],
      });
      expect(await stored(store, key)).toEqual({ a: '"x"', b: "2", c: "[1]", d: "4", m: "-3", n: "42" });
    });

    test("what is no whole number is not added to, and the rest of the patch stands", async () => {
      const [store, key] = [open(), freshKey()];
      await store.create(key, fields({ a: '"text"' }), TTL_MS);
      const patch = { add: new Map([["a", 1]]), set: fields({ b: "2" }), ttlMs: TTL_MS };
      expect(await store.patch(key, patch)).toMatchObject({ status: "applied", notNumbers: ["a"] });
      expect(await stored(store, key)).toEqual({ a: '"text"', b: "2" });
    });

    test("a patch never brings back a record that was removed", async () => {
      const [store, key] = [open(), freshKey()];
      await store.create(key, fields({ a: "1" }), TTL_MS);
      await store.remove(key);
      const patch = { set: fields({ a: "2" }), add: new Map([["n", 1]]), ttlMs: TTL_MS };
      expect(await store.patch(key, patch)).toEqual({ status: "gone" });
      expect(await store.load(key)).toBeUndefined();
      expect(await store.patch(key, { ...patch, ifVersion: "1" })).toEqual({ status: "gone" });
    });

    test("patches of different fields at the same time are all kept", async () => {
      const [store, key] = [open(), freshKey()];
      await store.create(key, fields({ n: "0" }), TTL_MS);
      const one = (index: number) =>
        store.patch(key, {
          set: fields({ [`f${index}`]: String(index) }),
          add: new Map([["n", 1]]),
          ttlMs: TTL_MS,
        });
      await Promise.all(Array.from({ length: 30 }, (_, index) => one(index)));
      const found = await stored(store, key);
      expect(found?.["n"]).toBe("30");
      expect(Object.keys(found ?? {})).toHaveLength(31);
    });

    test("of patches with one version the first is applied and the others are told so", async () => {
      const [store, key] = [open(), freshKey()];
      await store.create(key, fields({ a: "1" }), TTL_MS);
      const version = (await store.load(key))?.version ?? "";
      const patch = (text: string) =>
        store.patch(key, { set: fields({ a: text }), ttlMs: TTL_MS, ifVersion: version });
      const outcomes = await Promise.all([patch("2"), patch("3"), patch("4")]);
      expect(outcomes.map(({ status }) => status).toSorted()).toEqual(["applied", "conflict", "conflict"]);
      expect((await store.load(key))?.version).not.toBe(version);
    });

    test("a record ends with its time, and a patch gives it more", async () => {
      const [store, short, long] = [open(), freshKey(), freshKey()];
      await store.create(short, fields({ a: "1" }), 1000);
      await store.create(long, fields({ a: "1" }), 1000);
      await store.patch(long, { ttlMs: TTL_MS });
      await Bun.sleep(1100);
      expect(await store.load(short)).toBeUndefined();
      expect(await stored(store, long)).toEqual({ a: "1" });
    });
  });
}

/** Declares the rules of records and of the index by owner. */
export function describeSessionStore(name: string, open: () => SessionStore): void {
  describeRecordStore(name, open);

  describe(`${name} keeps an index`, () => {
    test("an owner's records are listed until they are unlinked", async () => {
      const [store, owner] = [open(), freshKey()];
      expect(await store.linked(owner)).toEqual([]);
      expect(await store.link(owner, "a", TTL_MS)).toBe(1);
      expect(await store.link(owner, "b", TTL_MS)).toBe(2);
      expect(await store.link(owner, "b", TTL_MS)).toBe(2);
      expect([...(await store.linked(owner))].toSorted()).toEqual(["a", "b"]);
      await store.unlink(owner, ["a", "never"]);
      await store.unlink(owner, []);
      expect(await store.linked(owner)).toEqual(["b"]);
    });

    test("the revocation noted last is remembered for its time, for each owner alone", async () => {
      const [store, owner, other] = [open(), freshKey(), freshKey()];
      expect(await store.revocation(owner)).toBeUndefined();
      await store.noteRevocation(owner, "one", TTL_MS);
      await store.noteRevocation(owner, "two", 1000);
      expect([await store.revocation(owner), await store.revocation(other)]).toEqual(["two", undefined]);
      await Bun.sleep(1100);
      expect(await store.revocation(owner)).toBeUndefined();
    });

    test("owners do not see each other's, whatever their names", async () => {
      const [store, owner] = [open(), freshKey()];
      const names = [owner, `${owner}:`, `${owner}*`, `${owner}\r\nDEL x`, `${owner} ü`];
      await Promise.all(names.map((each, index) => store.link(each, `k${index}`, TTL_MS)));
      expect(await Promise.all(names.map((each) => store.linked(each)))).toEqual(
        names.map((_, index) => [`k${index}`]),
      );
    });
  });
}
