import { expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { firstRecord } from "../../failover/record.ts";
import { openLeaseStore } from "./open-store.ts";

const WANTED = { cluster: "main", ttlMs: 5_000 };

test("a file: URL is a folder that two who open it share", async () => {
  const folder = mkdtempSync(join(tmpdir(), "tenfold-store-"));
  const [one, other] = [`file:${folder}/lease`, `file://${folder}/lease`].map((url) =>
    openLeaseStore({ ...WANTED, url }),
  );
  expect((await one?.write(firstRecord("db1", 1, 0n, null), 0))?.kind).toBe("stored");
  expect(await other?.read()).toMatchObject({ kind: "stored", stored: { record: { server: "db1" } } });
  rmSync(folder, { recursive: true });
});

test("an etcd: URL names members, a user and a key", async () => {
  const requests: string[] = [];
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: async (request) => {
      requests.push(`${new URL(request.url).pathname} ${await request.text()}`);
      return Response.json({ token: "t" });
    },
  });
  await openLeaseStore({ ...WANTED, url: `etcd://root:p%40ss@127.0.0.1:${server.port}/shop` }).read();
  await openLeaseStore({ ...WANTED, url: `etcd://127.0.0.1:${server.port}` }).read();
  expect(requests).toEqual([
    '/v3/auth/authenticate {"name":"root","password":"p@ss"}',
    `/v3/kv/range {"key":"${btoa("shop")}"}`,
    `/v3/kv/range {"key":"${btoa("tenfold/databases/main")}"}`,
  ]);
  await server.stop(true);
});

test("another URL is refused, and its password is not repeated", () => {
  expect(() => openLeaseStore({ ...WANTED, url: "redis://u:secret@h" })).toThrow("redis://…@h");
});
