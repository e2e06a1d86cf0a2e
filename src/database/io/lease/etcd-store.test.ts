import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../../../base/testing.ts";
import { firstRecord } from "../../failover/record.ts";
import { EtcdStore } from "./etcd-store.ts";
import { leaseStoreSuite } from "./suite.ts";

const hasEtcd = spawnSync("etcd", ["--version"]).status === 0;
const FIRST = firstRecord("s1", 1, 7n, null);
const NOBODY = "http://127.0.0.1:1";

const folder = mkdtempSync(join(tmpdir(), "tenfold-etcd-"));
const endpoint = `http://127.0.0.1:${freePort()}`;
let etcd: ChildProcess | undefined;
let keys = 0;

function newKey(): string {
  return `/tenfold/test/${(keys += 1)}`;
}

async function isUp(): Promise<boolean> {
  const store = new EtcdStore({ endpoints: [endpoint], key: "/up", deadlineMs: 500 });
  const reply = await store.read();
  return reply.kind !== "failed" || reply.reason === "empty";
}

beforeAll(async () => {
  if (!hasEtcd) return;
  const peer = `http://127.0.0.1:${freePort()}`;
  etcd = spawn(
    "etcd",
    [
      "--name",
      "a",
      "--data-dir",
      folder,
      "--listen-client-urls",
      endpoint,
      "--advertise-client-urls",
      endpoint,
    ]
      .concat(["--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer])
      .concat(["--initial-cluster", `a=${peer}`]),
    { stdio: "ignore", env: { ...process.env, ETCD_UNSUPPORTED_ARCH: process.arch } },
  );
  const endMs = performance.now() + 15_000;
  while (!(await isUp()) && performance.now() < endMs)
    await new Promise((resolve) => setTimeout(resolve, 50));
}, 20_000);

afterAll(() => {
  etcd?.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
});

if (hasEtcd)
  leaseStoreSuite({
    name: "a lease store in etcd",
    open: () => {
      const key = newKey();
      return { client: () => new EtcdStore({ endpoints: [endpoint], key, deadlineMs: 2_000 }) };
    },
  });
else test.skip("a lease store in etcd (needs etcd)", () => {});

describe("an etcd store", () => {
  test("says that nobody answers, within its deadline", async () => {
    const store = new EtcdStore({ endpoints: [NOBODY], key: "/k", deadlineMs: 300 });
    expect(await store.read()).toMatchObject({ kind: "failed", reason: "unreachable" });
    expect(await store.write(FIRST, 0)).toMatchObject({ kind: "failed", reason: "unreachable" });
  });

  test("gives a silent endpoint its deadline and no longer", async () => {
    const silent = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data: () => {} } });
    const store = new EtcdStore({
      endpoints: [`http://127.0.0.1:${silent.port}`],
      key: "/k",
      deadlineMs: 100,
    });
    const startMs = performance.now();
    expect(await store.read()).toMatchObject({ kind: "failed", reason: "timeout" });
    expect(performance.now() - startMs).toBeLessThan(1_500);
    silent.stop(true);
  });

  test.skipIf(!hasEtcd)("goes to the next endpoint after a failure (needs etcd)", async () => {
    const store = new EtcdStore({ endpoints: [NOBODY, endpoint], key: newKey(), deadlineMs: 2_000 });
    expect(await store.write(FIRST, 0)).toMatchObject({ kind: "failed", reason: "unreachable" });
    expect(await store.write(FIRST, 0)).toMatchObject({ kind: "stored" });
  });

  test.skipIf(!hasEtcd)("takes what is no record for corrupt (needs etcd)", async () => {
    const key = newKey();
    const body = JSON.stringify({ key: btoa(key), value: btoa("{}") });
    await fetch(`${endpoint}/v3/kv/put`, { method: "POST", body });
    const store = new EtcdStore({ endpoints: [endpoint], key, deadlineMs: 2_000 });
    expect(await store.read()).toMatchObject({ kind: "failed", reason: "corrupt" });
  });

  test.skipIf(!hasEtcd)("authenticates, and says so when the password is wrong (needs etcd)", async () => {
    const call = (path: string, body: unknown): Promise<Response> =>
      fetch(`${endpoint}/v3/auth/${path}`, { method: "POST", body: JSON.stringify(body) });
    const root = { name: "root", password: "secret" };
    await call("user/add", root);
    await call("role/add", { name: "root" });
    await call("user/grant", { user: "root", role: "root" });
    await call("enable", {});
    const key = newKey();
    const store = (user: { name: string; password: string }): EtcdStore =>
      new EtcdStore({ endpoints: [endpoint], key, deadlineMs: 2_000, user });
    expect(await store({ ...root, password: "wrong" }).read()).toMatchObject({
      kind: "failed",
      reason: "refused",
    });
    expect(await store(root).write(FIRST, 0)).toMatchObject({ kind: "stored" });
    expect(await new EtcdStore({ endpoints: [endpoint], key, deadlineMs: 2_000 }).read()).toMatchObject({
      kind: "failed",
      reason: "refused",
    });
  });
});
