import { afterAll, expect, test } from "bun:test";
import { join } from "node:path";
import { hasRedis, SYNCED, startRedis } from "../resp/testing/store-servers.ts";
import { CookieJar } from "../session/testing.ts";
import { AppFolders, service, tenfold, until } from "./testing/app-folder.ts";

const APP = join(import.meta.dir, "../session/testing/app-server.ts");
const USERS = 10;

const folders = new AppFolders();
const redis = hasRedis ? await startRedis(SYNCED) : undefined;
afterAll(async () => {
  await folders.remove();
  await redis?.stop();
}, 30_000);

test.skipIf(redis === undefined)(
  "three tasks behind the gateway, one killed, then all deployed anew: nobody is signed out (needs redis-server)",
  async () => {
    const { folder, url } = folders.make("sessions", {
      command: [process.execPath, APP],
      tasks: 3,
      env: { STORE: redis?.url ?? "" },
    });
    expect(await tenfold(["up", "--detach"], folder)).toMatchObject({ code: 0 });
    const jars = Array.from({ length: USERS }, () => new CookieJar());
    const served = new Set<number>();
    const ask = async (jar: CookieJar, path = ""): Promise<{ status: number; visits?: number }> => {
      const response = await fetch(url + path, { headers: { cookie: jar.field ?? "" } });
      jar.take(response.headers.getSetCookie());
      const body = (await response.json()) as { visits?: number; pid: number };
      served.add(body.pid);
      return { status: response.status, ...(body.visits === undefined ? {} : { visits: body.visits }) };
    };
    for (const jar of jars) expect(await ask(jar, "in")).toEqual({ status: 200, visits: 1 });

    const victim = (await service(folder)).tasks[0]?.pid ?? 0;
    process.kill(victim, "SIGKILL");
    for (const jar of jars) expect(await ask(jar)).toEqual({ status: 200, visits: 2 });
    await until(async () => (await service(folder)).healthy === 3);

    expect(await tenfold(["deploy", "web"], folder)).toMatchObject({ code: 0 });
    served.clear();
    for (const jar of jars) expect(await ask(jar)).toEqual({ status: 200, visits: 3 });
    expect(served.size).toBe(3);
  },
  60_000,
);
