import { afterAll, expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import packageJson from "../package.json" with { type: "json" };
import { buildDoors } from "./doors.ts";

const folder = mkdtempSync(join(tmpdir(), "tenfold-doors-"));
afterAll(() => rmSync(folder, { recursive: true }));

test("every door of the package is where Node looks for it, and no chunk of an earlier build stays", async () => {
  mkdirSync(join(folder, "chunks"));
  writeFileSync(join(folder, "chunks/of-old.js"), "");
  await buildDoors(folder);
  const missing = Object.values(packageJson.exports)
    .map((door) => door.default.replace("./dist/", ""))
    .filter((path) => !existsSync(join(folder, path)));
  expect(missing).toEqual([]);
  expect(readdirSync(join(folder, "chunks"))).not.toContain("of-old.js");
});

test("doors share their chunks: an error of one is an instance of what another one exports", async () => {
  await buildDoors(folder);
  const program = `
    import { RespClient, StoreError } from ${JSON.stringify(join(folder, "resp/io/index.js"))};
    import { openSessionStore } from ${JSON.stringify(join(folder, "session/io/index.js"))};
    const store = openSessionStore("redis://127.0.0.1:1");
    store.load("k").catch((error) => { console.log(error instanceof StoreError, typeof RespClient); process.exit(); });`;
  const child = Bun.spawnSync(["node", "--input-type=module", "-e", program]);
  expect(child.stdout.toString() + child.stderr.toString()).toBe("true function\n");
});
