import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, watch } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isCopied } from "../../copied-files.ts";
import { writeOwned } from "./owner.ts";

describe("a file for the server's user", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "tenfold-owner-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  test("is replaced whole, under a name meanwhile that no copy of the data directory takes", async () => {
    const seen = new Set<string>();
    const watcher = watch(folder, (_, name) => seen.add(name ?? ""));
    await writeOwned(join(folder, "tenfold.conf"), "one", undefined);
    await writeOwned(join(folder, "tenfold.conf"), "two", undefined);
    watcher.close();
    expect(readdirSync(folder)).toEqual(["tenfold.conf"]);
    expect(readFileSync(join(folder, "tenfold.conf"), "utf8")).toBe("two");
    seen.delete("tenfold.conf");
    expect([...seen].filter(isCopied)).toEqual([]);
    expect(seen.size).toBeGreaterThan(0);
  });

  test("that cannot be written leaves nothing behind", async () => {
    mkdirSync(join(folder, "tenfold.conf", "full"), { recursive: true });
    const problem = await writeOwned(join(folder, "tenfold.conf"), "one", undefined).catch(
      (error: unknown) => error,
    );
    expect(problem).toBeInstanceOf(Error);
    expect(readdirSync(folder)).toEqual(["tenfold.conf"]);
  });
});
