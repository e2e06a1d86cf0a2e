/** A Redis Cluster as the store of a config: tasks behind the gateway, a primary killed, nobody is signed out. */
import { afterAll, expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { slotOf } from "../resp/index.ts";
import { startRedisCluster } from "../resp/testing/store-cluster.ts";
import { hasRedis } from "../resp/testing/store-servers.ts";
import { CookieJar } from "../session/testing.ts";
import { AppFolders, tenfold } from "./testing/app-folder.ts";

const APP = join(import.meta.dir, "../session/testing/app-server.ts");
const USERS = 12;

const folders = new AppFolders();
const cluster = hasRedis ? await startRedisCluster() : undefined;
afterAll(async () => {
  await folders.remove();
  await cluster?.stop();
}, 30_000);

test.skipIf(cluster === undefined)(
  "tasks find the cluster in their environment, and its failover signs nobody out (needs redis-server)",
  async () => {
    if (cluster === undefined) return;
    const { folder, url } = folders.make("clustered", { command: [process.execPath, APP], tasks: 2 });
    const path = join(folder, "tenfold.config.json");
    const config = JSON.parse(readFileSync(path, "utf8")) as object;
    writeFileSync(path, JSON.stringify({ ...config, stores: { shared: { url: cluster.url } } }));
    expect(await tenfold(["up", "--detach"], folder)).toMatchObject({ code: 0 });

    const jars = Array.from({ length: USERS }, () => new CookieJar());
    const ask = async (jar: CookieJar, to = ""): Promise<{ status: number; visits?: number }> => {
      const response = await fetch(url + to, { headers: { cookie: jar.field ?? "" } });
      jar.take(response.headers.getSetCookie());
      if (!response.ok) return { status: response.status };
      return { status: response.status, visits: ((await response.json()) as { visits: number }).visits };
    };
    for (const jar of jars) expect(await ask(jar, "in")).toEqual({ status: 200, visits: 1 });

    await Bun.sleep(200); // the replicas have it
    const victim = cluster.primaryOf(slotOf("any"));
    const survivor = cluster.nodes.find((node) => node !== victim);
    await victim.kill();
    while (cluster.primaryOf(slotOf("any"), survivor?.port) === victim) await Bun.sleep(50);
    for (const jar of jars) {
      let answer = await ask(jar);
      // The tasks learn of the new primary, and patience with the old one ends, within a few seconds.
      for (let times = 0; answer.status === 503 && times < 50; times++) {
        await Bun.sleep(100);
        answer = await ask(jar);
      }
      expect(answer.status).toBe(200);
      expect(answer.visits).toBeGreaterThanOrEqual(2);
    }
  },
  60_000,
);
