/** What every store of versions must do; each implementation runs it. */
import { describe, expect, test } from "bun:test";
import { EVERYTHING, SCHEMA, type VersionStore } from "./versions.ts";

/** A fresh store for one test, and a way to let its marks' time pass. */
export interface VersionsSubject {
  readonly store: VersionStore;
  readonly pass: (ms: number) => Promise<void>;
}

/** Marks in the suite last so long, ms. */
export const SUITE_MARK_MS = 80;

/** Runs the suite. */
export function versionsSuite(name: string, make: () => VersionsSubject | Promise<VersionsSubject>): void {
  const TABLES = [SCHEMA, EVERYTHING, "public.a", "public.b"];

  /** The versions, asked twice where the first look only makes them. */
  async function look(
    store: VersionStore,
    tables: readonly string[] = TABLES,
  ): Promise<readonly string[] | undefined> {
    return (await store.snapshot(tables)) ?? (await store.snapshot(tables));
  }

  describe(`versions in ${name}`, () => {
    test("stay as they are while nobody writes", async () => {
      const { store } = await make();
      const before = await look(store);
      expect(before).toHaveLength(4);
      expect(await look(store)).toEqual(before);
    });

    test("cannot be had while a write is announced, and are new after it", async () => {
      const { store } = await make();
      const before = await look(store);
      const token = await store.before(["public.a"]);
      expect(await store.snapshot(TABLES)).toBeUndefined();
      expect(await look(store, ["public.b"])).toEqual([before?.[3] ?? ""]);
      await store.committed(token);
      const after = await look(store);
      expect(after?.[2]).not.toBe(before?.[2]);
      expect([after?.[0], after?.[1], after?.[3]]).toEqual([before?.[0], before?.[1], before?.[3]]);
    });

    test("are the same after a write that came to nothing", async () => {
      const { store } = await make();
      const before = await look(store);
      await store.rolledBack(await store.before(["public.a"]));
      expect(await look(store)).toEqual(before);
    });

    test("cannot be had before the last of several writers is done", async () => {
      const { store } = await make();
      await look(store);
      const [one, other] = [await store.before(["public.a"]), await store.before(["public.a"])];
      await store.committed(one);
      expect(await store.snapshot(["public.a"])).toBeUndefined();
      await store.rolledBack(other);
      expect(await store.snapshot(["public.a"])).toHaveLength(1);
    });

    test("are new when a writer was not heard of again", async () => {
      const { store, pass } = await make();
      const before = await look(store);
      await store.before(["public.a"]);
      await pass(2 * SUITE_MARK_MS);
      const after = await look(store);
      expect(after?.[2]).not.toBe(before?.[2]);
      expect(after?.[3]).toBe(before?.[3] ?? "");
    });

    test("cannot be had for as long as a writer renews its mark", async () => {
      const { store, pass } = await make();
      await look(store);
      const token = await store.before(["public.a"]);
      await pass(0.75 * SUITE_MARK_MS);
      await store.renew(token);
      await pass(0.75 * SUITE_MARK_MS);
      expect(await store.snapshot(TABLES)).toBeUndefined();
    });

    test("are new again for each repetition of a commit's news", async () => {
      const { store } = await make();
      const token = await store.before(["public.a"]);
      await store.committed(token);
      const once = await look(store);
      await store.committed(token);
      expect((await look(store))?.[2]).not.toBe(once?.[2]);
    });

    test("of the schema come with each write, so that a writer knows whether its catalog is old", async () => {
      const { store } = await make();
      const [version] = (await look(store)) ?? [];
      const token = await store.before(["public.a"]);
      expect(token.schema).toBe(version ?? "");
      const change = await store.before([SCHEMA, EVERYTHING]);
      expect(change.schema).toBe(version ?? "");
      expect((await store.before(["public.b"])).schema).toBeUndefined();
      const moved = await store.committed(change);
      expect(moved).not.toBe(version ?? "");
      expect(await store.committed(token)).toBe(moved ?? "");
    });
  });
}
