import { afterEach, expect, test } from "bun:test";
import { type MetricFamily, renderMetrics } from "../../../base/index.ts";
import { countsOf, type Store } from "../../../edge/index.ts";
import { cacheMetrics } from "../../cache-metrics.ts";
import {
  type Arrival,
  eventually,
  get,
  ok,
  plainStore,
  post,
  proxyTo,
  stopAll,
  Target,
  TestGateway,
  track,
} from "../../testing/index.ts";

afterEach(stopAll);

/** Path -> fields of the answer. */
const ANSWERS: Readonly<Record<string, readonly string[]>> = {
  "/fresh": ["Cache-Control: max-age=60"],
  "/swr": ["Cache-Control: max-age=0, stale-while-revalidate=60"],
  "/asked": ["Cache-Control: no-cache", 'ETag: "a"'],
  "/failing": ["Cache-Control: max-age=0, stale-if-error=60", 'ETag: "a"'],
  "/private": ["Cache-Control: private"],
};

/** Answers by `ANSWERS`; 304 to If-None-Match. */
function answerTo({ head }: Arrival): string {
  const path = head.split(" ")[1] ?? "";
  const fields = ANSWERS[path] ?? [];
  if (!/^if-none-match/im.test(head)) return ok("hello", ...fields);
  return `HTTP/1.1 304 Not Modified\r\n${fields.map((line) => `${line}\r\n`).join("")}\r\n`;
}

interface Scene {
  readonly target: Target;
  readonly store: Store;
  readonly gateway: TestGateway;
  /** Asks one after the other. */
  readonly ask: (...requests: readonly string[]) => Promise<void>;
}

async function scene(): Promise<Scene> {
  const target = track(await Target.start(answerTo));
  const store = plainStore(4 << 20);
  const config = proxyTo([target.address], { gateway: { accessLog: "json" }, rule: { cache: {} } });
  const gateway = track(await TestGateway.start(config, { store }));
  const client = await gateway.connect();
  const ask = async (...requests: readonly string[]): Promise<void> => {
    for (const request of requests) await client.ask(request);
  };
  return { target, store, gateway, ask };
}

/** "hit fresh" -> how often. */
function results(store: Store): Record<string, number> {
  const { requests } = countsOf(store.stats());
  return Object.fromEntries(requests.map(({ result, reason, count }) => [`${result} ${reason}`, count]));
}

test.each([
  ["what is fresh is a hit", [get("/fresh"), get("/fresh")], { "miss absent": 1, "hit fresh": 1 }],
  [
    "what is refreshed behind the client's back is stale",
    [get("/swr"), get("/swr")],
    { "miss absent": 1, "stale stale-while-revalidate": 1 },
  ],
  [
    "what a target had to be asked about is revalidated",
    [get("/asked"), get("/asked")],
    { "miss absent": 1, "revalidated no-cache": 1 },
  ],
  [
    "what goes around the cache says why",
    [
      post("/fresh", "body"),
      get("/fresh", "Cache-Control: no-store"),
      get("/x", "Cache-Control: only-if-cached"),
    ],
    { "bypass request-body": 1, "bypass request-no-store": 1, "bypass only-if-cached": 1 },
  ],
])("%s", async (_, requests, expected) => {
  const { ask, store } = await scene();
  await ask(...requests);
  expect(results(store)).toEqual(expected);
});

test("what stands in for a failure is stale, for that reason", async () => {
  const { ask, store, target } = await scene();
  await ask(get("/failing"));
  target.script = () => "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n";
  await ask(get("/failing"));
  expect(results(store)).toEqual({ "miss absent": 1, "stale stale-if-error": 1 });
});

test("requests that share a fetch are one miss and the rest collapsed", async () => {
  const { gateway, store, target } = await scene();
  target.script = () => undefined;
  const clients = await Promise.all([1, 2, 3].map(() => gateway.connect()));
  const answers = clients.map((client) => client.ask(get("/fresh")));
  await eventually("the fetch", () => target.arrivals.length === 1);
  target.last.send(ok("hello", "Cache-Control: max-age=60"));
  await Promise.all(answers);
  expect(results(store)).toEqual({ "miss absent": 1, "collapsed absent": 2 });
});

test("what is not kept is counted by its reason, and bytes by where they came from", async () => {
  const { ask, store } = await scene();
  await ask(get("/private"), get("/fresh"), get("/fresh"));
  const { refused, servedBytes, fetchedBytes } = countsOf(store.stats());
  expect(refused).toEqual({ private: 1 });
  expect([servedBytes > 5, fetchedBytes > 10]).toEqual([true, true]);
});

test("the metrics tell results, refusals, purges and what is held", async () => {
  const { ask, store } = await scene();
  await ask(get("/fresh"), get("/fresh"), get("/private"), post("/other", ""));
  const families: MetricFamily[] = cacheMetrics(store.stats());
  const page = renderMetrics(families);
  for (const line of [
    'tenfold_cache_requests_total{result="hit",reason="fresh"} 1',
    'tenfold_cache_refused_total{reason="private"} 1',
    "tenfold_cache_entries 1",
    "tenfold_cache_stored_total 1",
  ])
    expect(page).toContain(`${line}\n`);
  expect(page).toMatch(/^tenfold_cache_purges_total\{kind="url"\} [1-9]/m);
  expect(page).toMatch(/^tenfold_cache_capacity_bytes [1-9]/m);
  expect(cacheMetrics(undefined)).toEqual([]);
});

test("the access log says how the cache answered", async () => {
  const { ask, gateway } = await scene();
  await ask(
    get("/asked"),
    get("/asked"),
    get("/fresh"),
    get("/fresh"),
    get("/swr"),
    get("/swr"),
    post("/a", "b"),
  );
  await eventually("all lines", () => gateway.accessLog.length === 7);
  expect(gateway.accessLog.map((line) => JSON.parse(line).cache)).toEqual([
    "miss",
    "revalidated",
    "miss",
    "hit",
    "miss",
    "stale",
    "bypass",
  ]);
});
