/**
 * Requests of one session that run at the same time, in seeded orders of their steps, on a real redis-server: how many
 * fields that they set are missing afterwards? Ours, express-session on our store, and express-session on connect-redis.
 *
 *     bin/bun bench/session-races.ts [--interleavings 100000] [--seed 1]
 */
import { createHmac } from "node:crypto";
import { IncomingMessage, ServerResponse } from "node:http";
import { Socket } from "node:net";
import { createClient } from "@redis/client";
import { RedisStore } from "connect-redis";
import session, { type Store } from "express-session";
import { seededRandom } from "../src/base/index.ts";
import { hasRedis, startRedis } from "../src/resp/testing/store-servers.ts";
import { createSessions, openSessionStore, TenfoldStore } from "../src/session/io/index.ts";
import { CookieJar } from "../src/session/testing.ts";
import { options } from "./harness/arguments.ts";
import { conclude } from "./harness/results.ts";

const { interleavings, seed } = options({ interleavings: 100_000, seed: 1 });

/** Requests of one session at once. Each has two steps: it loads, and it sets its field and saves. */
const REQUESTS = 3;

/** Sessions that are worked on at once, so that the round trips overlap. */
const SESSIONS_AT_ONCE = 256;

const SECRET = "a secret of this bench alone";

type Fields = Record<string, unknown>;

/** A request in its two steps. */
interface Request {
  load(): Promise<void>;
  save(): Promise<void>;
}

/** One session with its requests, and the fields it has in the end. */
interface Round {
  readonly requests: readonly Request[];
  fields(): Promise<Fields>;
}

if (!hasRedis) {
  console.log("needs redis-server (Debian: redis-server)");
  process.exit(1);
}
const redis = await startRedis();
const store = openSessionStore(redis.url);
const client = createClient({ url: redis.url });
await client.connect();

const sides: Record<string, () => Promise<Round>> = {
  "tenfold/session": ours,
  "express-session on TenfoldStore": onExpress(new TenfoldStore({ store }) as unknown as Store),
  "express-session on connect-redis": onExpress(new RedisStore({ client })),
};

const lost: Record<string, { fields: number; sessions: number; seconds: number }> = {};
for (const [name, begin] of Object.entries(sides)) {
  lost[name] = await run(begin);
  const { fields, sessions, seconds } = lost[name];
  console.log(
    `${name}: ${fields} of ${interleavings * REQUESTS} fields lost, in ${sessions} sessions (${seconds.toFixed(1)} s)`,
  );
}
store.close();
client.destroy();
await redis.stop();

const lostOf = (name: string): number => lost[name]?.fields ?? Number.NaN;
conclude(
  "session-races",
  [
    {
      claim: `${interleavings} interleavings of ${REQUESTS} requests of one session: no field is lost`,
      figure: `${lostOf("tenfold/session")} lost`,
      met: lostOf("tenfold/session") === 0,
    },
    {
      claim: "the same with express-session, on our store",
      figure: `${lostOf("express-session on TenfoldStore")} lost`,
      met: lostOf("express-session on TenfoldStore") === 0,
    },
    {
      claim: "the same script finds losses where there are some: express-session on connect-redis",
      figure: `${lostOf("express-session on connect-redis")} of ${interleavings * REQUESTS} lost`,
      met: lostOf("express-session on connect-redis") > 0,
    },
  ],
  { interleavings, seed, lost },
);
process.exit();

async function run(begin: () => Promise<Round>) {
  const random = seededRandom(seed);
  const startedMs = performance.now();
  let [fields, sessions, begun] = [0, 0, 0];
  const work = async (): Promise<void> => {
    while (begun < interleavings) {
      begun++;
      const order = shuffledSteps(random);
      const round = await begin();
      const loaded = new Set<number>();
      for (const index of order) {
        const request = round.requests[index];
        await (loaded.has(index) ? request?.save() : request?.load());
        loaded.add(index);
      }
      const found = await round.fields();
      const missing = Array.from({ length: REQUESTS }, (_, index) => found[`f${index}`]).filter(
        (value) => value !== 1,
      );
      fields += missing.length;
      if (missing.length > 0) sessions++;
    }
  };
  await Promise.all(Array.from({ length: SESSIONS_AT_ONCE }, work));
  return { fields, sessions, seconds: (performance.now() - startedMs) / 1000 };
}

/** Each request's number twice, in any order: its first step, and its second. */
function shuffledSteps(random: () => number): number[] {
  const steps = Array.from({ length: 2 * REQUESTS }, (_, index) => index >> 1);
  for (let left = steps.length - 1; left > 0; left--) {
    const other = Math.floor(random() * (left + 1));
    [steps[left], steps[other]] = [steps[other] ?? 0, steps[left] ?? 0];
  }
  return steps;
}

async function ours(): Promise<Round> {
  const sessions = createSessions<Fields>({ store, storeTimeout: "30s" });
  const jar = new CookieJar();
  const first = await sessions.open({ cookie: undefined });
  first.session.set("begun", true);
  jar.take(await first.commit());
  const request = (name: string): Request => {
    let open = first;
    return {
      load: async () => {
        open = await sessions.open({ cookie: jar.field });
      },
      save: async () => {
        open.session.set(name, 1);
        jar.take(await open.commit());
      },
    };
  };
  return {
    requests: Array.from({ length: REQUESTS }, (_, index) => request(`f${index}`)),
    fields: async () => {
      const { session: last } = await sessions.open({ cookie: jar.field });
      return Object.fromEntries(last.names().map((name) => [name, last.get(name)]));
    },
  };
}

/** express-session's own middleware, run on requests of node:http that have no socket behind them. */
function onExpress(expressStore: Store): () => Promise<Round> {
  const middleware = session({
    store: expressStore,
    secret: SECRET,
    resave: false,
    saveUninitialized: false,
  });
  const begin = (cookie: string | undefined) => {
    const request = new IncomingMessage(new Socket()) as IncomingMessage & {
      session: Fields;
      sessionID: string;
      originalUrl: string;
    };
    Object.assign(request, { url: "/", originalUrl: "/", headers: cookie === undefined ? {} : { cookie } });
    const response = new ServerResponse(request);
    const ended = new Promise<void>((resolve) => {
      response.end = (() => resolve()) as never;
    });
    const loaded = new Promise<void>((resolve, reject) => {
      middleware(request as never, response as never, (error) =>
        error ? reject(error as Error) : resolve(),
      );
    });
    const save = (): Promise<void> => {
      response.end();
      return ended;
    };
    return { request, loaded, save };
  };
  return async () => {
    const first = begin(undefined);
    await first.loaded;
    first.request.session["begun"] = true;
    const id = first.request.sessionID;
    await first.save();
    const signature = createHmac("sha256", SECRET).update(id).digest("base64").replace(/=+$/, "");
    const cookie = `connect.sid=${encodeURIComponent(`s:${id}.${signature}`)}`;
    const request = (name: string): Request => {
      let open = first;
      return {
        load: async () => {
          open = begin(cookie);
          await open.loaded;
        },
        save: async () => {
          open.request.session[name] = 1;
          await open.save();
        },
      };
    };
    return {
      requests: Array.from({ length: REQUESTS }, (_, index) => request(`f${index}`)),
      fields: async () => {
        const last = begin(cookie);
        await last.loaded;
        return last.request.session;
      },
    };
  };
}
