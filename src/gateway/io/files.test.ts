import { afterEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemScheduler } from "../../base/index.ts";
import type { Snapshot } from "../../config/index.ts";
import { eventually, proxyTo, snapshotOf } from "../testing/index.ts";
import { mapScoreboard, openScoreboard } from "./scoreboard-file.ts";
import { readSnapshot, SnapshotWatch } from "./snapshot-file.ts";

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

/** A path in a folder of its own. */
function fresh(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), "tenfold-gateway-"));
  folders.push(folder);
  return join(folder, name);
}

const FIRST = snapshotOf(proxyTo(["127.0.0.1:9001"])(8080));
const SECOND = snapshotOf(proxyTo(["127.0.0.1:9002"])(8080), FIRST);

describe("the scoreboard's file", () => {
  test("is shared by everybody who maps it", () => {
    const path = fresh("scoreboard");
    const [one, other] = [openScoreboard(path, 2), openScoreboard(path, 2)];
    one.columns[1]!.moveInFlight(5, 0, 1);
    expect(other.inFlight(5)).toBe(1);
    expect(mapScoreboard(path).inFlight(5)).toBe(1);
  });

  test("is made anew when it is of another layout, and refused by who only reads", () => {
    const path = fresh("scoreboard");
    writeFileSync(path, Buffer.alloc(100_000, 7));
    expect(() => mapScoreboard(path)).toThrow("not a scoreboard of this version");
    expect(openScoreboard(path, 2).columns).toHaveLength(2);
  });

  test("is refused when it is empty or cut short", () => {
    const path = fresh("scoreboard");
    openScoreboard(path, 2);
    truncateSync(path, 8192);
    expect(() => mapScoreboard(path)).toThrow("cut short");
    truncateSync(path, 0);
    expect(() => mapScoreboard(path)).toThrow("is empty");
  });
});

describe("the snapshot's file", () => {
  /** Watches from the first revision on. */
  function watch(path: string): { seen: Snapshot[]; failures: unknown[]; watching: SnapshotWatch } {
    const [seen, failures] = [[] as Snapshot[], [] as unknown[]];
    const watching = new SnapshotWatch(path, FIRST.revision, {
      scheduler: systemScheduler,
      changed: (snapshot) => seen.push(snapshot),
      failed: (error) => failures.push(error),
    });
    return { seen, failures, watching };
  }

  test("is read back as it was written", () => {
    const path = fresh("snapshot.json");
    writeFileSync(path, JSON.stringify(FIRST));
    expect(readSnapshot(path)).toEqual(FIRST);
  });

  test("is noticed when it changes, once", async () => {
    const path = fresh("snapshot.json");
    writeFileSync(path, JSON.stringify(FIRST));
    const { seen, watching } = watch(path);
    watching.start();
    writeFileSync(path, JSON.stringify(SECOND));
    await eventually("the change is noticed", () => seen.length > 0);
    watching.check();
    watching.stop();
    expect(seen.map(({ revision }) => revision)).toEqual([2]);
  });

  test("that is damaged is told of, and the one in force stays", () => {
    const path = fresh("snapshot.json");
    writeFileSync(path, '{"revision": 3');
    const { seen, failures, watching } = watch(path);
    watching.check();
    expect([seen.length, failures.length]).toEqual([0, 1]);
    expect(String(failures[0])).toContain(path);
    writeFileSync(path, JSON.stringify(SECOND));
    watching.check();
    expect(seen).toHaveLength(1);
  });
});
