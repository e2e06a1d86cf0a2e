import { afterAll, describe, expect, test } from "bun:test";
import { mkdir, readdir, readFile, stat, utimes, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { writeFileAtomic } from "./atomic-file.ts";
import { removeTestFolders, testFolder } from "./testing.ts";

const HOUR_MS = 3_600_000;

afterAll(removeTestFolders);

test("a new file holds the data, and nothing else is left in the folder", async () => {
  const folder = await testFolder();
  await writeFileAtomic(join(folder, "state.json"), '{"revision":1}');
  expect(await readFile(join(folder, "state.json"), "utf8")).toBe('{"revision":1}');
  expect(await readdir(folder)).toEqual(["state.json"]);
});

test("an old file is replaced whole, by bytes too", async () => {
  const path = join(await testFolder(), "state");
  await writeFileAtomic(path, "a much longer text than the next one");
  await writeFileAtomic(path, Uint8Array.of(0, 255, 10));
  expect([...(await readFile(path))]).toEqual([0, 255, 10]);
});

test("the mode is the one asked for, also when the old file was open to more", async () => {
  const path = join(await testFolder(), "admin.token");
  await writeFile(path, "old", { mode: 0o644 });
  await writeFileAtomic(path, "new", 0o600);
  expect((await stat(path)).mode & 0o777).toBe(0o600);
});

test("of many writers at once one wins whole, and readers never see a mix", async () => {
  const folder = await testFolder();
  const path = join(folder, "state");
  const versions = Array.from({ length: 20 }, (_, version) => String(version % 10).repeat(50_000));
  await writeFileAtomic(path, versions[0] ?? "");
  const writes = versions.map((version) => writeFileAtomic(path, version));
  const reads = Array.from({ length: 50 }, () => readFile(path, "utf8"));
  for (const seen of await Promise.all(reads)) expect(versions).toContain(seen);
  await Promise.all(writes);
  expect(await readdir(folder)).toEqual(["state"]);
});

describe("a failed write leaves what was there, and no temporary file", () => {
  test("when the rename fails", async () => {
    const folder = await testFolder();
    await mkdir(join(folder, "taken", "inside"), { recursive: true });
    const failure = await writeFileAtomic(join(folder, "taken"), "data").catch((problem) => problem);
    expect(failure).toMatchObject({ syscall: "rename" });
    expect(await readdir(folder)).toEqual(["taken"]);
  });

  test("when the disk takes no more, told by the system's own code", async () => {
    const folder = await testFolder();
    const path = join(folder, "state");
    await writeFile(path, "old");
    const module = join(import.meta.dir, "atomic-file.ts");
    const script = `
      const { writeFileAtomic } = await import(${JSON.stringify(module)});
      await writeFileAtomic(${JSON.stringify(path)}, "x".repeat(1e6)).catch((problem) => console.log(problem.code));`;
    // The shell's bound on file size (1 block) fails the write halfway, as a full disk does.
    const shell = Bun.spawn([
      "sh",
      "-c",
      `ulimit -f 1; trap "" XFSZ; exec "$0" -e "$1"`,
      process.execPath,
      script,
    ]);
    expect(await new Response(shell.stdout).text()).toBe("EFBIG\n");
    expect(await readFile(path, "utf8")).toBe("old");
    expect(await readdir(folder)).toEqual([basename(path)]);
  });

  test("when the folder is not there", async () => {
    const path = join(await testFolder(), "missing", "state");
    const failure = await writeFileAtomic(path, "data").catch((problem) => problem);
    expect(failure).toMatchObject({ code: "ENOENT" });
  });
});

test("temporary files that a killed writer left an hour ago are removed, and no others", async () => {
  const folder = await testFolder();
  const names = [".state.123-0.tmp", ".state.124-7.tmp", ".notes.tmp", "state.tmp"];
  for (const name of names) await writeFile(join(folder, name), "half");
  const longAgo = new Date(Date.now() - 2 * HOUR_MS);
  for (const name of names.slice(1)) await utimes(join(folder, name), longAgo, longAgo);
  await writeFileAtomic(join(folder, "state"), "whole");
  expect((await readdir(folder)).toSorted()).toEqual([
    ".notes.tmp",
    ".state.123-0.tmp",
    "state",
    "state.tmp",
  ]);
});
