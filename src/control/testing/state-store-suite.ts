/** The suite every state store must pass. `open` opens the store again on the same data when called twice. */
import { describe, expect, test } from "bun:test";
import type { Change, StateStore } from "../state-store.ts";

/** A fresh place for a store. */
export interface StorePlace {
  open(): Promise<StateStore>;
}

/** Runs `check` on an open store and closes it. */
async function withStore(place: StorePlace, check: (store: StateStore) => Promise<void>): Promise<void> {
  const store = await place.open();
  try {
    await check(store);
  } finally {
    await store.close();
  }
}

const runOn = (place: () => StorePlace) => (check: (store: StateStore) => Promise<void>) => () =>
  withStore(place(), check);

/** Declares the tests of the contract for one implementation. */
export function stateStoreSuite(name: string, place: () => StorePlace): void {
  keepsValues(name, place);
  refusesLostUpdates(name, place);
  tellsWatchers(name, place);
}

function keepsValues(name: string, place: () => StorePlace): void {
  const run = runOn(place);
  describe(`${name} keeps values`, () => {
    test(
      "what was put is got, with the revision of its write",
      run(async (store) => {
        const put = await store.put("a", "1", 0);
        expect(await store.get("a")).toEqual({
          key: "a",
          value: "1",
          revision: put.kind === "done" ? put.revision : -1,
        });
      }),
    );

    test(
      "a list holds the keys under its prefix in order",
      run(async (store) => {
        for (const key of ["t/2", "s/1", "t/1", "t/10"]) await store.put(key, key, "any");
        const { entries } = await store.list("t/");
        expect(entries.map((entry) => entry.key)).toEqual(["t/1", "t/10", "t/2"]);
      }),
    );

    test("what was acknowledged is there after opening again, what was deleted is not", async () => {
      const there = place();
      await withStore(there, async (store) => {
        await store.put("kept", "é∞\n", 0);
        await store.put("gone", "x", 0);
        await store.delete("gone", "any");
      });
      await withStore(there, async (store) => {
        expect((await store.list("")).entries).toEqual([{ key: "kept", value: "é∞\n", revision: 1 }]);
      });
    });

    test("revisions go on growing after opening again", async () => {
      const there = place();
      await withStore(there, async (store) => {
        await store.put("a", "1", 0);
        await store.delete("a", "any");
      });
      await withStore(there, async (store) => {
        expect(await store.put("a", "2", 0)).toEqual({ kind: "done", revision: 3 });
      });
    });
  });
}

function refusesLostUpdates(name: string, place: () => StorePlace): void {
  const run = runOn(place);
  describe(`${name} refuses lost updates`, () => {
    test(
      "of two writers that read the same revision one is refused and told the actual one",
      run(async (store) => {
        await store.put("a", "1", 0);
        const both = await Promise.all([store.put("a", "2", 1), store.put("a", "3", 1)]);
        expect(both).toEqual([
          { kind: "done", revision: 2 },
          { kind: "conflict", actual: 2 },
        ]);
      }),
    );

    test(
      "creating needs absence, and deleting needs the right revision",
      run(async (store) => {
        await store.put("a", "1", 0);
        expect(await store.put("a", "2", 0)).toEqual({ kind: "conflict", actual: 1 });
        expect(await store.delete("a", 7)).toEqual({ kind: "conflict", actual: 1 });
        expect(await store.delete("a", 1)).toEqual({ kind: "done", revision: 2 });
      }),
    );
  });
}

function tellsWatchers(name: string, place: () => StorePlace): void {
  const run = runOn(place);
  describe(`${name} tells watchers`, () => {
    test(
      "every change after the given revision, once and in order",
      run(async (store) => {
        const seen: Change[] = [];
        await store.put("t/1", "a", 0);
        await store.put("t/2", "b", 0);
        const cancel = store.watch("t/", 1, (change) => seen.push(change));
        await store.put("s/1", "elsewhere", 0);
        await store.delete("t/1", "any");
        cancel();
        await store.put("t/3", "c", 0);
        expect(seen.map((change) => change.kind)).toEqual(["put", "delete"]);
      }),
    );

    test("a watcher from before what is remembered is told to list again", async () => {
      const there = place();
      await withStore(there, async (store) => {
        await store.put("a", "1", 0);
        await store.put("a", "2", "any");
      });
      await withStore(there, async (store) => {
        const seen: Change[] = [];
        store.watch("", 1, (change) => seen.push(change));
        expect(seen).toEqual([{ kind: "lost", revision: 2 }]);
      });
    });
  });
}
