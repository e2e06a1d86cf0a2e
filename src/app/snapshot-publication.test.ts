import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readSnapshot } from "../gateway/io/index.ts";
import { proxyTo, snapshotOf } from "../gateway/testing/index.ts";
import { SnapshotPublication } from "./snapshot-publication.ts";

const SNAPSHOT = snapshotOf(proxyTo(["127.0.0.1:9001"])(8080));

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "publication-"));
  path = join(folder, "snapshot.json");
});
afterEach(() => rmSync(folder, { recursive: true }));

test("a look at the file while a version is being written does not put the one before back", async () => {
  const publication = new SnapshotPublication(path);
  await publication.publish({ ...SNAPSHOT, revision: 1 });
  for (let revision = 2; revision <= 40; revision++) {
    const looks: Promise<boolean>[] = [];
    const look = setInterval(() => looks.push(publication.restore()), 0);
    await publication.publish({ ...SNAPSHOT, revision });
    clearInterval(look);
    looks.push(publication.restore());
    expect(await Promise.all(looks)).not.toContain(true);
    expect(readSnapshot(path).revision).toBe(revision);
  }
});

test("a file that somebody changed or deleted is put back", async () => {
  const publication = new SnapshotPublication(path);
  await publication.publish(SNAPSHOT);
  writeFileSync(path, "{}");
  expect(await publication.restore()).toBe(true);
  expect(readSnapshot(path)).toEqual(SNAPSHOT);
  rmSync(path);
  expect(await publication.restore()).toBe(true);
  expect(readSnapshot(path)).toEqual(SNAPSHOT);
  expect(await publication.restore()).toBe(false);
});

test("a version that could not be written is not in force", async () => {
  const publication = new SnapshotPublication(join(folder, "missing", "snapshot.json"));
  expect(await publication.publish(SNAPSHOT).catch(String)).toContain("ENOENT");
  expect(publication.latest).toBeUndefined();
  expect(await publication.restore()).toBe(false);
});

test("what an earlier controller published is gone on from", async () => {
  await new SnapshotPublication(path).publish({ ...SNAPSHOT, revision: 7 });
  const next = new SnapshotPublication(path);
  next.takeUp();
  expect(next.latest?.revision).toBe(7);
  expect(await next.restore()).toBe(false);
});
