import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { identify } from "../../base/io/index.ts";
import { temporaryFolder } from "../testing/folders.ts";
import { acquireLock } from "./lock.ts";

/** A lock file that names `holder`. */
function lockedBy(holder: object): string {
  const folder = temporaryFolder();
  writeFileSync(join(folder, "lock"), JSON.stringify(holder));
  return folder;
}

describe("the lock of a state directory", () => {
  test("is held by one process and free after release", () => {
    const folder = join(temporaryFolder(), "state");
    const first = acquireLock(folder);
    if (first.kind !== "held") throw new Error(first.message);
    expect(acquireLock(folder).kind).toBe("refused");
    first.release();
    expect(existsSync(join(folder, "lock"))).toBe(false);
    expect(acquireLock(folder).kind).toBe("held");
  });

  test("held by a live process is refused with its pid and what to do", async () => {
    const sleeper = Bun.spawn(["sleep", "60"]);
    const refused = acquireLock(lockedBy(identify(sleeper.pid)!));
    sleeper.kill("SIGKILL");
    await sleeper.exited;
    if (refused.kind !== "refused") throw new Error("must be refused");
    expect(refused.pid).toBe(sleeper.pid);
    expect(refused.message).toContain("tenfold down");
  });

  test("of a process that died is taken over", async () => {
    const sleeper = Bun.spawn(["sleep", "60"]);
    const folder = lockedBy(identify(sleeper.pid)!);
    sleeper.kill("SIGKILL");
    await sleeper.exited;
    expect(acquireLock(folder)).toMatchObject({ kind: "held", tookOverFrom: sleeper.pid });
  });

  test("of a pid that now belongs to another process, or of another boot, is taken over", () => {
    const own = identify(process.pid)!;
    expect(acquireLock(lockedBy({ ...own, startTime: "1" })).kind).toBe("held");
    expect(acquireLock(lockedBy({ ...own, bootId: "another" })).kind).toBe("held");
  });

  test("that is not readable as a lock is taken over", () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, "lock"), "{");
    expect(acquireLock(folder).kind).toBe("held");
    expect(JSON.parse(readFileSync(join(folder, "lock"), "utf8"))).toEqual(identify(process.pid));
  });

  test("is taken by exactly one of many that find a stale one at once", async () => {
    const folder = lockedBy({ pid: 1, startTime: "never", bootId: "never" });
    const code = `const { acquireLock } = await import(${JSON.stringify(join(import.meta.dir, "lock.ts"))});
      process.stdout.write(acquireLock(${JSON.stringify(folder)}).kind); setTimeout(() => {}, 60000);`;
    const racers = Array.from({ length: 6 }, () =>
      Bun.spawn([process.execPath, "-e", code], { stdout: "pipe" }),
    );
    const firstWords = await Promise.all(
      racers.map(async (racer) => (await racer.stdout.getReader().read()).value),
    );
    for (const racer of racers) racer.kill("SIGKILL");
    const kinds = firstWords.map((bytes) => new TextDecoder().decode(bytes));
    expect(kinds.filter((kind) => kind === "held")).toHaveLength(1);
  });
});
