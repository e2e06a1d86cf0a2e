/** What every shared store must do; run against each. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import type { Invalidation, NewValue, SharedStore, StoredValue } from "./store.ts";

/** How the suite gets at a store. */
export interface StoreFixture {
  /** A way to the store, as another process would have. */
  readonly open: () => Promise<SharedStore>;
  /** Lets time pass; on real time at least so much. */
  readonly pass: (ms: number) => Promise<void>;
  /** Waits until the bus has brought what was sent. */
  readonly settle: () => Promise<void>;
  readonly stop: () => Promise<void>;
}

const LEASE_MS = 5000;
const text = (value: StoredValue | undefined): string | undefined =>
  value === undefined ? undefined : new TextDecoder().decode(value.payload);

/** A value as it is stored; an hour unless said otherwise. */
export function newValue(payload: string, more: Partial<NewValue> = {}): NewValue {
  const bytes = new TextEncoder().encode(payload);
  return { payload: bytes, ttlMs: 3_600_000, graceMs: 0, loadMs: 7, tags: [], ...more };
}

let tokens = 0;
const ask = (refresh = false) => ({ token: `t${tokens++}`, leaseMs: LEASE_MS, refresh });

/** Runs all rules against one kind of store. */
export function storeSuite(name: string, start: () => Promise<StoreFixture>): void {
  describe(name, () => {
    let fixture: StoreFixture;
    let a: SharedStore;
    let b: SharedStore;
    let key = "";
    const opened: SharedStore[] = [];
    beforeAll(async () => {
      fixture = await start();
      [a, b] = [await fixture.open(), await fixture.open()];
      opened.push(a, b);
    });
    beforeEach(() => {
      key = `key:${tokens++}`;
    });
    afterAll(async () => {
      await Promise.all(opened.map((each) => each.close()));
      await fixture.stop();
    });

    /** Takes the lease of the key, which must be free. */
    async function win(store: SharedStore): Promise<string> {
      const found = await store.lookup(key, ask());
      if (found.kind !== "won") throw new Error(`${found.kind} instead of won`);
      return found.token;
    }

    test("of two who miss one wins the lease and the other waits; what the winner fills is a hit for both", async () => {
      const token = await win(a);
      expect(await b.lookup(key, ask())).toEqual({ kind: "wait", stale: undefined });
      expect(await a.fill(key, token, newValue("v", { tags: ["x", "y"] }))).toBe(true);
      const found = await b.lookup(key, ask());
      expect(found).toMatchObject({ kind: "hit", value: { loadMs: 7, tags: ["x", "y"] } });
      expect(text(await a.peek(key))).toBe("v");
    });

    const voids: [string, (key: string) => Invalidation][] = [
      ["of the key", (of) => ({ kind: "key", key: of, soft: false })],
      ["of the key, softly", (of) => ({ kind: "key", key: of, soft: true })],
      ["of a tag", () => ({ kind: "tag", tag: "x" })],
      ["of a prefix", (of) => ({ kind: "prefix", prefix: of.slice(0, -1) })],
      ["of everything", () => ({ kind: "all" })],
    ];
    test.each(voids)("an invalidation %s voids the lease: the fill is refused", async (_, invalidation) => {
      const token = await win(a);
      await b.invalidate(invalidation(key));
      expect(await a.fill(key, token, newValue("old", { tags: ["x"] }))).toBe(false);
      expect(await b.peek(key)).toBeUndefined();
    });

    test.each(voids)("an invalidation %s ends what was stored", async (_, invalidation) => {
      await a.put(key, newValue("old", { tags: ["x"] }));
      await b.invalidate(invalidation(key));
      expect((await a.peek(key))?.freshMs ?? 0).toBeLessThanOrEqual(0);
      const found = await a.lookup(key, ask());
      expect(found.kind).toBe("won");
    });

    test("what is stored after an invalidation stays", async () => {
      for (const [, invalidation] of voids) await a.invalidate(invalidation(key));
      const token = await win(a);
      expect(await a.fill(key, token, newValue("new", { tags: ["x"] }))).toBe(true);
      expect(text(await b.peek(key))).toBe("new");
    });

    test("other tags, and prefixes that do not fit, change nothing", async () => {
      await a.put(key, newValue("v", { tags: ["x"] }));
      await b.invalidate({ kind: "tag", tag: "xx" });
      await b.invalidate({ kind: "prefix", prefix: `${key}:` });
      expect(text(await a.peek(key))).toBe("v");
    });

    test("a put voids leases: who loaded before it cannot overwrite it", async () => {
      const token = await win(a);
      await b.put(key, newValue("written"));
      expect(await a.fill(key, token, newValue("loaded"))).toBe(false);
      expect(text(await a.peek(key))).toBe("written");
    });

    test("only the holder of the token fills, and once", async () => {
      const token = await win(a);
      expect(await b.fill(key, "another", newValue("v"))).toBe(false);
      expect(await a.fill(key, token, newValue("v"))).toBe(true);
      expect(await a.fill(key, token, newValue("w"))).toBe(false);
    });

    test("a lease that is given back is free for the next, and only its holder gives it back", async () => {
      const token = await win(a);
      await b.release(key, "another");
      expect((await b.lookup(key, ask())).kind).toBe("wait");
      await a.release(key, token);
      expect((await b.lookup(key, ask())).kind).toBe("won");
    });

    test("past its time a value is stale, for winner and waiter, until the grace is over", async () => {
      await a.put(key, newValue("v", { ttlMs: 40, graceMs: 60_000 }));
      expect((await a.lookup(key, ask())).kind).toBe("hit");
      await fixture.pass(60);
      const won = await a.lookup(key, ask());
      const waits = await b.lookup(key, ask());
      expect([won.kind, waits.kind]).toEqual(["won", "wait"]);
      expect(won.kind === "won" ? text(won.stale) : "").toBe("v");
      expect(waits.kind === "wait" ? text(waits.stale) : "").toBe("v");
      await a.put(key, newValue("v", { ttlMs: 10, graceMs: 10 }));
      await fixture.pass(40);
      expect(await a.peek(key)).toBeUndefined();
    });

    test("a value that is softly invalidated is stale at once", async () => {
      await a.put(key, newValue("v", { graceMs: 60_000 }));
      await a.invalidate({ kind: "key", key, soft: true });
      const won = await a.lookup(key, ask());
      expect(won.kind === "won" ? text(won.stale) : won.kind).toBe("v");
    });

    test("a lookup that refreshes gets a lease although the value is fresh, and one at a time", async () => {
      await a.put(key, newValue("v"));
      expect((await a.lookup(key, ask(true))).kind).toBe("won");
      expect((await b.lookup(key, ask(true))).kind).toBe("wait");
      expect((await b.lookup(key, ask())).kind).toBe("hit");
    });

    test("a lease ends by itself", async () => {
      const lease = await a.lookup(key, { token: "short", leaseMs: 30, refresh: false });
      await fixture.pass(60);
      expect((await b.lookup(key, ask())).kind).toBe("won");
      expect(await a.fill(key, lease.kind === "won" ? lease.token : "", newValue("late"))).toBe(false);
    });

    test("a lease that its holder renews does not end, and nobody else renews it", async () => {
      const lease = await a.lookup(key, { token: "long", leaseMs: 100, refresh: false });
      const token = lease.kind === "won" ? lease.token : "";
      await a.renew(key, token, LEASE_MS);
      await b.renew(key, "another", 30);
      await fixture.pass(150);
      expect((await b.lookup(key, ask())).kind).toBe("wait");
      expect(await a.fill(key, token, newValue("v"))).toBe(true);
      await a.renew(key, token, LEASE_MS);
      expect((await b.lookup(key, ask(true))).kind).toBe("won");
    });

    test("a lease that was voided is not renewed", async () => {
      const token = await win(a);
      await b.invalidate({ kind: "key", key, soft: false });
      await a.renew(key, token, LEASE_MS);
      expect((await b.lookup(key, ask())).kind).toBe("won");
      expect(await a.fill(key, token, newValue("old"))).toBe(false);
    });

    test("a writer alone stores; two who overlap store nothing, whoever ends first", async () => {
      await a.beginWrite(key, "w1", LEASE_MS);
      expect((await b.lookup(key, ask())).kind).toBe("wait");
      expect(await a.endWrite(key, "w1", newValue("one"))).toBe(true);
      await a.beginWrite(key, "w2", LEASE_MS);
      await b.beginWrite(key, "w3", LEASE_MS);
      expect(await b.endWrite(key, "w3", newValue("three"))).toBe(false);
      const token = await win(b);
      expect(await a.endWrite(key, "w2", newValue("two"))).toBe(false);
      expect(await b.fill(key, token, newValue("loaded in between"))).toBe(false);
      expect(await a.peek(key)).toBeUndefined();
    });

    test("others hear of invalidations, puts and writes; who made them does not", async () => {
      const [heard, own]: [Invalidation[], Invalidation[]] = [[], []];
      a.listen({ invalidated: (each) => own.push(each), interrupted: () => {} });
      b.listen({ invalidated: (each) => heard.push(each), interrupted: () => {} });
      await fixture.settle();
      await a.put(key, newValue("v"));
      await a.invalidate({ kind: "tag", tag: "t" });
      await a.invalidate({ kind: "prefix", prefix: "p" });
      await a.beginWrite(key, "w", LEASE_MS);
      await a.endWrite(key, "w", newValue("v"));
      await a.invalidate({ kind: "all" });
      await fixture.settle();
      const changed = { kind: "key", key, soft: false };
      const others = [{ kind: "tag", tag: "t" }, { kind: "prefix", prefix: "p" }, { kind: "all" }];
      expect(heard.filter(({ kind }) => kind === "key")).toEqual([changed, changed] as never);
      // A store of several partitions tells the others once for each.
      const told = new Set(heard.filter(({ kind }) => kind !== "key").map((each) => JSON.stringify(each)));
      expect([...told].toSorted()).toEqual(others.map((each) => JSON.stringify(each)).toSorted());
      expect(own).toEqual([]);
    });

    test("keys, tags and payloads may hold any bytes", async () => {
      const payload = Uint8Array.from({ length: 256 }, (_, byte) => byte);
      key = `ключ\r\n "*?[ ${key}`;
      await a.put(key, { ...newValue(""), payload, tags: ["tag with spaces", "ü%"] });
      const found = await b.peek(key);
      expect(found?.payload).toEqual(payload);
      expect(found?.tags).toEqual(["tag with spaces", "ü%"]);
      await b.invalidate({ kind: "tag", tag: "ü%" });
      expect(await a.peek(key)).toBeUndefined();
    });

    test("more prefixes than are told apart invalidate too much, never too little", async () => {
      await a.put(key, newValue("v"));
      const other = `other${key}`;
      await a.put(other, newValue("v"));
      await a.invalidate({ kind: "prefix", prefix: key });
      for (let at = 0; at < 70; at++) await a.invalidate({ kind: "prefix", prefix: `none${at}` });
      expect(await a.peek(key)).toBeUndefined();
      await a.put(key, newValue("w"));
      expect(text(await a.peek(key))).toBe("w");
    });
  });
}
