import { afterAll, describe, expect, test } from "bun:test";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import express from "express";
import session, { type Store } from "express-session";
import { systemClock } from "../../base/index.ts";
import { hasRedis, startRedis } from "../../resp/testing/store-servers.ts";
import { openSessionStore } from "../io/index.ts";
import type { RecordStore } from "../store.ts";
import { jsonStore } from "../stores/json.ts";
import { memoryStore } from "../stores/memory.ts";
import { CookieJar } from "../testing.ts";
import { TenfoldStore } from "./tenfold-store.ts";

declare module "express-session" {
  interface SessionData {
    [name: string]: unknown;
  }
}

const redis = hasRedis ? await startRedis() : undefined;
const own = redis && openSessionStore(redis.url);
const stops: (() => unknown)[] = [() => own?.close(), () => redis?.stop()];
afterAll(() => Promise.all(stops.map((stop) => stop())));

/** An app as one finds it: express-session, with our store in its one line. */
async function app(store: TenfoldStore) {
  const gates = new Map<string, () => void>();
  const server = express();
  server.use(
    session({
      store: store as unknown as Store,
      secret: "s",
      resave: false,
      saveUninitialized: false,
      cookie: { maxAge: 60_000 },
    }),
  );
  server.get("/set/:name/:value", (request, response) => {
    request.session[request.params.name] = request.params.value;
    response.send("set");
  });
  server.get("/slow/:name/:value", (request, response) => {
    gates.set(request.params.name, () => {
      request.session[request.params.name] = request.params.value;
      response.send("set");
    });
  });
  server.get("/delete/:name", (request, response) => {
    delete request.session[request.params.name];
    response.send("deleted");
  });
  server.get("/regenerate", (request, response) =>
    request.session.regenerate(() => {
      request.session["fresh"] = true;
      response.send("regenerated");
    }),
  );
  server.get("/reload", (request, response) => {
    request.session["unsaved"] = 1;
    request.session.reload(() => response.json(request.session));
  });
  server.get("/destroy", (request, response) => request.session.destroy(() => response.send("destroyed")));
  server.get("/all", (request, response) => void response.json(request.session));
  const http = createServer(server);
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  stops.push(() => http.close());
  const origin = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
  const ask = async (jar: CookieJar, path: string): Promise<string> => {
    const response = await fetch(origin + path, {
      headers: jar.field === undefined ? {} : { cookie: jar.field },
    });
    jar.take(response.headers.getSetCookie());
    return response.status === 200 ? response.text() : `status ${response.status}`;
  };
  const fields = async (jar: CookieJar): Promise<Record<string, unknown>> => {
    const all = Object.entries(JSON.parse(await ask(jar, "/all")) as object);
    return Object.fromEntries(all.filter(([name]) => name !== "cookie"));
  };
  /** Waits until a slow request has loaded its session. */
  const opening = async (name: string): Promise<void> => {
    while (!gates.has(name)) await Bun.sleep(1);
  };
  const open = async (name: string): Promise<void> => {
    await opening(name);
    gates.get(name)?.();
  };
  return { ask, fields, open, opening };
}

const STORES: Record<string, (() => RecordStore) | undefined> = {
  memory: () => memoryStore(),
  "redis-server (needs redis-server)": own && (() => own),
  "redis-server in the format of connect-redis (needs redis-server)": own && (() => jsonStore(own.commands)),
};

for (const [name, make] of Object.entries(STORES)) {
  describe.skipIf(make === undefined)(`express-session on ${name}`, () => {
    const ready = make && app(new TenfoldStore({ store: make(), hashIds: !name.includes("connect-redis") }));
    const opened = async () => (await ready) ?? expect.unreachable();

    test("keeps fields, changes and deletes them", async () => {
      const { ask, fields } = await opened();
      const jar = new CookieJar();
      await ask(jar, "/set/a/1");
      await ask(jar, "/set/b/2");
      await ask(jar, "/delete/a");
      expect(await fields(jar)).toEqual({ b: "2" });
    });

    test("two requests at once lose no field", async () => {
      const { ask, fields, open, opening } = await opened();
      const jar = new CookieJar();
      await ask(jar, "/set/a/1");
      const [one, other] = [ask(jar, "/slow/a/changed"), ask(jar, "/slow/y/2")];
      await Promise.all([opening("a"), opening("y")]);
      await open("a");
      await one;
      await open("y");
      await other;
      expect(await fields(jar)).toEqual({ a: "changed", y: "2" });
    });

    test("regenerate, reload and destroy do what they do on any store", async () => {
      const { ask, fields } = await opened();
      const jar = new CookieJar();
      await ask(jar, "/set/a/1");
      const before = jar.field;
      await ask(jar, "/regenerate");
      expect(jar.field).not.toBe(before);
      expect(await fields(jar)).toEqual({ fresh: true });
      expect(JSON.parse(await ask(jar, "/reload"))).not.toHaveProperty("unsaved");
      await ask(jar, "/destroy");
      expect(await fields(jar)).toEqual({});
    });

    test("a session that was destroyed is not brought back by a request on its way", async () => {
      const { ask, fields, open } = await opened();
      const jar = new CookieJar();
      await ask(jar, "/set/a/1");
      const late = ask(jar, "/slow/late/1");
      await ask(jar, "/destroy");
      await open("late");
      await late;
      expect(await fields(jar)).toEqual({});
    });
  });
}

test("express-session keeps nothing under the id that is in the cookie", async () => {
  const store = memoryStore();
  const keys: string[] = [];
  const spied = {
    ...store,
    create: (key: string, ...rest: [ReadonlyMap<string, string>, number]) => (
      keys.push(key), store.create(key, ...rest)
    ),
  };
  const { ask } = await app(new TenfoldStore({ store: spied }));
  const jar = new CookieJar();
  await ask(jar, "/set/a/1");
  const id = /s%3A([^.]+)\./.exec(jar.field ?? "")?.[1] ?? "";
  expect([keys.length, keys[0]?.length, keys[0]?.includes(id)]).toEqual([1, 43, false]);
});

test("express-session answers 503 while the store is away", async () => {
  const store = memoryStore();
  const { ask } = await app(
    new TenfoldStore({ store: { ...store, load: () => Promise.reject(new Error("away")) } }),
  );
  const jar = new CookieJar();
  await ask(jar, "/set/a/1");
  expect(await ask(jar, "/all")).toBe("status 503");
});

test.skipIf(redis === undefined)(
  "a session that connect-redis wrote goes on, and back (needs redis-server)",
  async () => {
    const { RedisStore } = await import("connect-redis");
    const { createClient } = await import("@redis/client");
    const client = createClient({ url: redis?.url ?? "" });
    await client.connect();
    stops.push(() => client.destroy());
    const theirs = await app(new RedisStore({ client }) as never);
    const ours = await app(new TenfoldStore({ store: jsonStore(own!.commands), hashIds: false }));
    const jar = new CookieJar();
    await theirs.ask(jar, "/set/a/1");
    await ours.ask(jar, "/set/b/2");
    expect(await theirs.fields(jar)).toEqual({ a: "1", b: "2" });
    const [key = ""] = await client.keys("sess:*").then((keys) => keys.slice(-1));
    expect(await client.ttl(key)).toBeWithin(50, 61);
  },
);

test("a cookie that is renewed keeps its attributes, and its end moves with each use", async () => {
  const server = express();
  const store = new TenfoldStore({ store: memoryStore() }) as unknown as Store;
  const cookie = { maxAge: 60_000, sameSite: "lax" as const };
  server.use(session({ store, secret: "s", resave: false, saveUninitialized: true, rolling: true, cookie }));
  server.get("/", (request, response) => {
    request.session.cookie.maxAge = 90_000;
    response.send("kept");
  });
  const http = createServer(server);
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  stops.push(() => http.close());
  const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}/`;
  const jar = new CookieJar();
  const renewed: string[] = [];
  for (let turn = 0; turn < 3; turn++) {
    const response = await fetch(url, { headers: jar.field === undefined ? {} : { cookie: jar.field } });
    renewed.push(...response.headers.getSetCookie());
    jar.take(response.headers.getSetCookie());
  }
  expect(renewed).toHaveLength(3);
  for (const field of renewed) {
    for (const attribute of ["Path=/", "HttpOnly", "SameSite=Lax"]) expect(field).toContain(attribute);
    const leftMs = Date.parse(/Expires=([^;]+)/.exec(field)?.[1] ?? "") - systemClock.wallMs();
    expect(leftMs).toBeWithin(60_000, 91_000);
  }
  expect(new Set(renewed.map((field) => field.split(";")[0])).size).toBe(1);
});
