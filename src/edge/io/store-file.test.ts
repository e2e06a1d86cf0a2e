import { afterEach, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { HEADER, openBlock, type Store } from "../store/index.ts";
import { body, put } from "../store/testing.ts";
import { mapStore, observeStore, openStore, sealStore } from "./index.ts";

const folders: string[] = [];

function storePath(): string {
  const path = mkdtempSync(join(tmpdir(), "tenfold-store-"));
  folders.push(path);
  return join(path, "store");
}

const open = (path: string, bytes: number = 2 << 20): Store => openStore({ path, bytes, workers: 3 });

/** Changes words of the header as another program or another time would have left them. */
function scribble(path: string, field: number, value: number): void {
  new Int32Array(Bun.mmap(path, { shared: true }).buffer)[field] = value;
}

afterEach(() => {
  for (const path of folders.splice(0)) rmSync(path, { recursive: true });
});

test("a new file has all its bytes on the disk, and workers map what was opened", () => {
  const path = storePath();
  put(open(path), "example.com/a");
  expect(statSync(path).size).toBe(2 << 20);
  expect(statSync(path).blocks * 512).toBeGreaterThanOrEqual(2 << 20);
  expect(body(mapStore(path, 1), "example.com/a")).toBe("example.com/a");
});

test("opened again in the same boot, the store has kept what it held", () => {
  const path = storePath();
  put(open(path), "example.com/a");
  expect(body(open(path), "example.com/a")).toBe("example.com/a");
});

test("after another boot an unsealed store is made anew, and a sealed one is believed", () => {
  const path = storePath();
  put(open(path), "example.com/a");
  sealStore(path);
  scribble(path, HEADER.bootId, 1);
  expect(body(open(path), "example.com/a")).toBe("example.com/a");
  scribble(path, HEADER.bootId, 1);
  scribble(path, HEADER.bootId + 1, 1);
  scribble(path, HEADER.bootId + 2, 1);
  scribble(path, HEADER.bootId + 3, 1);
  expect(body(open(path), "example.com/a")).toBeUndefined();
});

test.each([
  ["of another version", (path: string) => scribble(path, HEADER.version, 99)],
  ["cut short", (path: string) => truncateSync(path, 1 << 20)],
  ["empty", (path: string) => truncateSync(path, 0)],
  ["something else", (path: string) => writeFileSync(path, "hello")],
])("a file that is %s is made anew", (_, damage) => {
  const path = storePath();
  put(open(path), "example.com/a");
  damage(path);
  const store = open(path);
  expect(body(store, "example.com/a")).toBeUndefined();
  expect(put(store, "example.com/a")).toBeUndefined();
});

test("a store of another size is made anew; who has the old one mapped keeps it", () => {
  const path = storePath();
  const old = open(path);
  put(old, "example.com/a");
  expect(body(open(path, 3 << 20), "example.com/a")).toBeUndefined();
  expect(body(old, "example.com/a")).toBe("example.com/a");
});

test("a worker does not map what is missing or not a store", () => {
  const path = storePath();
  expect(() => mapStore(path, 0)).toThrow();
  writeFileSync(path, "");
  expect(() => mapStore(path, 0)).toThrow("is empty");
});

/** Whether this user may mount a small disk, which the test of a full one needs. */
function mountDisk(folder: string): boolean {
  return spawnSync("mount", ["-t", "tmpfs", "-o", "size=1500k", "tmpfs", folder]).status === 0;
}

test("an observer sees what workers have stored, and leaves no trace", () => {
  const path = storePath();
  const store = open(path);
  put(store, "example.com/a");
  const before = readFileSync(path);
  const observer = observeStore(path);
  expect(observer && body(observer, "example.com/a")).toBe("example.com/a");
  expect(readFileSync(path).equals(before)).toBe(true);
  put(store, "example.com/b");
  const next = observeStore(path);
  expect(next && body(next, "example.com/b")).toBe("example.com/b");
});

test("there is nothing to observe without a store, or where nobody uses it", () => {
  const path = storePath();
  expect(observeStore(path)).toBeUndefined();
  open(path);
  const { layout } = openBlock(Bun.mmap(path, { shared: true }));
  scribble(path, layout.columns, 2 ** 22 - 1); // the pid of no process
  expect(observeStore(path)).toBeUndefined();
  scribble(path, HEADER.version, 99);
  expect(observeStore(path)).toBeUndefined();
});

test("a disk without room is an error when the store is opened, and leaves no file", () => {
  const path = storePath();
  const disk = dirname(path);
  if (!mountDisk(disk)) return;
  try {
    expect(() => open(path)).toThrow("no room for 2097152 bytes");
    expect(readdirSync(disk)).toEqual([]);
  } finally {
    spawnSync("umount", ["-l", disk]);
  }
});

test("what is not a file is left alone", () => {
  expect(() => open(dirname(storePath()))).toThrow("is not a file");
});
