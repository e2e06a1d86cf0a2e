import { afterEach, expect, test } from "bun:test";
import { systemClock } from "../../../base/index.ts";
import type { UserConfig } from "../../../config/index.ts";
import type { Store } from "../../../edge/index.ts";
import {
  get,
  ok,
  plainStore,
  proxyTo,
  snapshotOf,
  stopAll,
  Target,
  TestGateway,
  track,
  viewOf,
} from "../../testing/index.ts";
import { type CacheExplanation, explainCache } from "./explain.ts";
import { ruleCache } from "./rule-cache.ts";

afterEach(stopAll);

const FRESH = ["Cache-Control: max-age=60", "Vary: Accept-Encoding", "Cache-Tag: a, b"];

type UserCache = NonNullable<NonNullable<UserConfig["listeners"]>[string]["rules"][number]["cache"]>;

interface Scene {
  readonly store: Store;
  /** What is said of a request, now or some seconds later. */
  readonly explain: (request: string, laterS?: number) => CacheExplanation | undefined;
}

/** A real gateway that has answered these requests, the target sending `fields`. */
async function scene(fields: readonly string[], requests: readonly string[]): Promise<Scene> {
  const target = track(await Target.start(() => ok("hello", ...fields)));
  const store = plainStore(4 << 20);
  const config = proxyTo([target.address], { rule: { cache: {} } });
  const gateway = track(await TestGateway.start(config, { store }));
  const client = await gateway.connect();
  for (const request of requests) await client.ask(request);
  return {
    store,
    explain: (request, laterS = 0) => explainOf(request, store, systemClock.wallMs() + laterS * 1000),
  };
}

function explainOf(
  request: string,
  store: Store | undefined,
  nowMs: number,
  user: UserCache = {},
): CacheExplanation | undefined {
  const { gateway, listeners } = snapshotOf(proxyTo(["127.0.0.1:1"], { rule: { cache: user } })(8080));
  const config = listeners[0]?.rules[0]?.cache;
  if (config === undefined) throw new Error("a rule without a cache");
  return explainCache({ view: viewOf(request), cache: ruleCache(config, gateway), store, nowMs });
}

test("what is stored for a request is told with its age, freshness, variants and tags", async () => {
  const { explain } = await scene(FRESH, [get("/a"), get("/a", "Accept-Encoding: br")]);
  expect(explain(get("/a"), 20)).toMatchObject({
    decision: { kind: "hit", reason: "fresh" },
    hasLooked: true,
    variants: 2,
    stored: { status: 200, bodyBytes: 5, tags: 2, vary: "accept-encoding", isGuess: false },
  });
  const { ageMs = 0, freshForMs = 0 } = explain(get("/a"), 20)?.stored ?? {};
  expect([Math.round(ageMs / 10_000), Math.round(freshForMs / 10_000)]).toEqual([2, 4]);
});

test("a variant for others is none for this request", async () => {
  const { explain } = await scene(FRESH, [get("/a", "Accept-Encoding: br")]);
  const explanation = explain(get("/a"));
  expect(explanation).toMatchObject({ variants: 1, decision: { kind: "miss", reason: "absent" } });
  expect(explanation?.stored).toBeUndefined();
});

test("the decision is the gateway's own", async () => {
  const { explain } = await scene(["Cache-Control: max-age=60, must-revalidate"], [get("/a")]);
  const reasons: [request: string, laterS: number, decision: string][] = [
    [get("/a"), 90, "revalidate must-revalidate"],
    [get("/a", "Cache-Control: no-cache"), 0, "revalidate request-no-cache"],
    [get("/b"), 0, "miss absent"],
    [get("/b", "Range: bytes=0-1"), 0, "miss range"],
    [get("/b", "X-Original-URL: /c"), 0, "miss unkeyed-header"],
    [get("/b", "Cache-Control: only-if-cached"), 0, "gateway-timeout only-if-cached"],
    [get("/a", "Content-Length: 4"), 0, "bypass request-body"],
  ];
  for (const [request, laterS, expected] of reasons) {
    const decision = explain(request, laterS)?.decision;
    expect(`${decision?.kind} ${decision?.reason}`).toBe(expected);
  }
});

test("a key says what counts beside the URL", () => {
  const key = { headers: ["accept"], cookies: ["theme"], device: true, languages: ["en", "de"] };
  const request = get("/a", "Accept: a=b", "Accept-Language: de", "User-Agent: iPhone");
  expect(explainOf(request, undefined, 0, { key })?.key.parts).toEqual([
    "accept: a=b",
    "cookie theme: none",
    "device: mobile",
    "language: de",
  ]);
});

test("what was not kept last time says why, until that is forgotten", async () => {
  const { explain } = await scene(["Cache-Control: private"], [get("/a")]);
  expect(explain(get("/a"))?.notKept).toBe("private");
  expect(explain(get("/a"), 200)?.notKept).toBeUndefined();
  expect(explain(get("/b"))?.notKept).toBeUndefined();
});

test("without a store it is the config that speaks; an upgrade is no matter of the cache", () => {
  expect(explainOf(get("/a?b=1"), undefined, 0)).toMatchObject({
    key: { url: "http://shop.example/a?b=1", parts: [] },
    hasLooked: false,
    variants: 0,
  });
  const upgrade = get("/a", "Connection: upgrade", "Upgrade: websocket");
  expect(explainOf(upgrade, undefined, 0)).toBeUndefined();
});
