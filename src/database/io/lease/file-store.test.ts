import { afterAll, expect, test } from "bun:test";
import { chmodSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { firstRecord } from "../../failover/record.ts";
import { FileStore } from "./file-store.ts";
import { leaseStoreSuite } from "./suite.ts";

const root = mkdtempSync(join(tmpdir(), "tenfold-lease-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const FIRST = firstRecord("s1", 1, 7n, null);
let made = 0;

function newFolder(): string {
  return join(root, String((made += 1)));
}

leaseStoreSuite({
  name: "a lease store in a folder",
  open: () => {
    const folder = newFolder();
    return { client: () => new FileStore(folder, `test-${(made += 1)}`) };
  },
});

test("the folder keeps the last revisions and no drafts", async () => {
  const folder = newFolder();
  const store = new FileStore(folder, "a");
  for (let revision = 0; revision < 50; revision += 1) await store.write(FIRST, revision);
  const names = readdirSync(folder);
  expect(names).toContain("record.50");
  expect(names.length).toBeLessThanOrEqual(16);
  expect(names.filter((name) => name.startsWith("draft"))).toEqual([]);
});

test("a writer that slept for many revisions does not bring an old one back", async () => {
  const folder = newFolder();
  const store = new FileStore(folder, "a");
  for (let revision = 0; revision < 40; revision += 1)
    await store.write({ ...FIRST, term: revision + 1 }, revision);
  const reply = await new FileStore(folder, "b").write({ ...FIRST, term: 99 }, 3);
  expect(reply).toMatchObject({ kind: "conflict", stored: { revision: 40 } });
});

test("a record that is cut off is corrupt: nobody may go on by a guess", async () => {
  const folder = newFolder();
  const store = new FileStore(folder, "a");
  await store.write(FIRST, 0);
  writeFileSync(join(folder, "record.1"), '{"term":1,');
  expect(await store.read()).toMatchObject({ kind: "failed", reason: "corrupt" });
  expect(await store.write(FIRST, 1)).toMatchObject({ kind: "failed", reason: "corrupt" });
});

test("a folder that cannot be written is a failure and not an exception", async () => {
  const folder = newFolder();
  symlinkSync("/proc/self/nowhere", folder);
  expect(await new FileStore(folder, "a").write(FIRST, 0)).toMatchObject({
    kind: "failed",
    reason: "unreachable",
  });
  chmodSync(root, 0o700);
});
