/** Two gateways in a row, as an edge and its shield: what the client of the first one gets, and what it keeps. */
import { afterEach, describe, expect, test } from "bun:test";
import { systemClock } from "../../../base/index.ts";
import { freePort } from "../../../base/testing.ts";
import type { UserConfig } from "../../../config/index.ts";
import { tagHash } from "../../../edge/index.ts";
import {
  type Answer,
  type Client,
  get,
  ok,
  stopAll,
  Target,
  TestGateway,
  track,
} from "../../testing/index.ts";

afterEach(stopAll);

interface Tiers {
  readonly origin: Target;
  readonly shield: TestGateway;
  readonly edge: TestGateway;
  readonly client: Client;
  /** Lets so many seconds pass at both. */
  readonly wait: (seconds: number) => void;
}

interface Wanted {
  readonly script: () => string;
  readonly fallback?: boolean;
  readonly cache?: object;
  readonly shieldCache?: object;
}

async function tiers({ script, fallback = false, cache = {}, shieldCache = cache }: Wanted): Promise<Tiers> {
  let offsetMs = 0;
  const clock = { nowMs: () => systemClock.nowMs(), wallMs: () => systemClock.wallMs() + offsetMs };
  const origin = track(await Target.start(script));
  const config =
    (edge: string, to: string, far?: string) =>
    (port: number): UserConfig => ({
      gateway: { workers: 1, edge, cache: { memory: "8MiB" } },
      listeners: {
        web: {
          address: `127.0.0.1:${port}`,
          rules: [{ forward: "next", cache: edge === "s1" ? shieldCache : cache }],
        },
      },
      targetGroups: {
        next: {
          targets: [to],
          algorithm: "consistent-hash",
          on: "url",
          ...(far === undefined ? {} : { fallback: "far" }),
        },
        ...(far === undefined ? {} : { far: { targets: [far] } }),
      },
    });
  const shield = track(await TestGateway.start(config("s1", origin.address), { clock }));
  const address = `127.0.0.1:${shield.port}`;
  const edge = track(
    await TestGateway.start(config("fra", address, fallback ? origin.address : undefined), { clock }),
  );
  return {
    origin,
    shield,
    edge,
    client: await edge.connect(),
    wait: (seconds) => void (offsetMs += seconds * 1000),
  };
}

const fresh =
  (...fields: string[]) =>
  (): string =>
    ok("x", "Cache-Control: max-age=60, stale-if-error=600", ...fields);

/** All members of Cache-Status, over its lines, the one nearest to the origin first. */
function cacheStatus({ head }: Answer): readonly string[] {
  return [...head.matchAll(/^cache-status: (.*)$/gim)]
    .flatMap(([, value = ""]) => value.split(", "))
    .map((text) => text.trim());
}

describe("an answer that came by a shield", () => {
  test("names the edge that the client talked to, once, whatever it is", async () => {
    const { client, edge } = await tiers({
      script: () => ok("x", "Cache-Control: max-age=60", "X-Edge: origin"),
    });
    const answers = [
      await client.ask(get("/a")),
      await client.ask(get("/a")),
      await client.ask(get("/a", "Range: bytes=0-0")),
    ];
    answers.push(await client.ask(get("/a", "If-None-Match: *")), await client.ask("GET / HTTP/1.1\r\n\r\n"));
    expect(
      answers.map(({ head }) => [...head.matchAll(/^x-edge: (.*)$/gim)].map(([, name = ""]) => name)),
    ).toEqual(answers.map(() => ["fra"]));
    expect(edge.log).toEqual([]);
  });

  test("says what each cache did, the one nearest to the origin first (RFC 9211)", async () => {
    const { client } = await tiers({ script: fresh() });
    expect(cacheStatus(await client.ask(get("/a")))).toEqual([
      "tenfold-s1; fwd=uri-miss; stored",
      "tenfold-fra; fwd=uri-miss; stored",
    ]);
    expect(cacheStatus(await client.ask(get("/a")))).toEqual([
      "tenfold-s1; fwd=uri-miss; stored",
      expect.stringMatching(/^tenfold-fra; hit; ttl=(58|59|60)$/),
    ]);
  });

  test("is as old as it is in all, not only at the edge", async () => {
    const { client, shield, wait } = await tiers({ script: fresh() });
    await (await shield.connect()).ask(get("/a", "Host: shop.example"));
    wait(20);
    expect(Number((await client.ask(get("/a"))).field("age"))).toBeWithin(20, 22);
    wait(20);
    const later = await client.ask(get("/a"));
    expect(Number(later.field("age"))).toBeWithin(40, 43);
    expect(cacheStatus(later).at(-1)).toMatch(/hit; ttl=(17|18|19|20)$/);
  });

  test("is as old for those who waited for the fetch of another", async () => {
    const { client, shield, edge, wait } = await tiers({ script: fresh() });
    await (await shield.connect()).ask(get("/a"));
    wait(20);
    const clients = [client, await edge.connect(), await edge.connect()];
    const ages = await Promise.all(
      clients.map(async (one) => Number((await one.ask(get("/a"))).field("age"))),
    );
    for (const age of ages) expect(age).toBeWithin(20, 22);
  });
});

describe("a request that goes by several gateways", () => {
  test("collects their ids in CDN-Loop, whoever sent it, and Connection cannot take it out (RFC 8586)", async () => {
    const { client, origin } = await tiers({ script: fresh() });
    await client.ask(get("/a", "CDN-Loop: other; v=1", "Connection: cdn-loop"));
    const ids = [...(origin.arrivals[0]?.head ?? "").matchAll(/^cdn-loop: (.*)$/gim)].map(([, id = ""]) =>
      id.trim(),
    );
    expect(ids).toEqual(["other; v=1", "tenfold-fra", "tenfold-s1"]);
  });

  test("is refused with 508 when it goes in a circle", async () => {
    const port = freePort();
    const config = (at: number): UserConfig => ({
      gateway: { workers: 1, edge: "fra" },
      listeners: { web: { address: `127.0.0.1:${at}`, rules: [{ forward: "self" }] } },
      targetGroups: { self: { targets: [`127.0.0.1:${port}`] } },
    });
    const gateway = track(await TestGateway.start(config, { port }));
    const answer = await (await gateway.connect()).ask(get("/"));
    expect([answer.status, answer.field("x-error-code")]).toEqual([508, "loop-detected"]);
    expect(answer.head).toStartWith("HTTP/1.1 508 Loop Detected");
  });
});

describe("when a tier is gone", () => {
  test("a shield: the edge asks the origin itself, and what it gets is fresh", async () => {
    const { client, shield, origin, wait } = await tiers({ script: fresh(), fallback: true });
    await client.ask(get("/a"));
    shield.stop();
    wait(61);
    expect(cacheStatus(await client.ask(get("/a"))).at(-1)).toContain("fwd=stale");
    expect(cacheStatus(await client.ask(get("/a"))).at(-1)).toContain("hit");
    expect(origin.arrivals.length).toBe(2);
  });

  test("a shield, without a fallback: the edge gives out what is stale", async () => {
    const { client, shield, wait } = await tiers({ script: fresh() });
    await client.ask(get("/a"));
    shield.stop();
    wait(61);
    expect(cacheStatus(await client.ask(get("/a"))).at(-1)).toMatch(
      /tenfold-fra; hit; ttl=-\d+; detail=stale-if-error/,
    );
  });

  test("the origin: the shield's stale answer goes on to the client, and the edge does not take it for fresh", async () => {
    const { client, origin, shield, wait } = await tiers({ script: fresh(), cache: { ttl: "1h" } });
    await (await shield.connect()).ask(get("/a"));
    origin.stop();
    wait(3601);
    for (let i = 0; i < 3; i++) {
      const answer = await client.ask(get("/a"));
      expect([answer.status, answer.body]).toEqual([200, "x"]);
      expect(cacheStatus(answer).at(-2)).toMatch(/^tenfold-s1; hit; ttl=-\d+; detail=stale-if-error$/);
      expect(cacheStatus(answer).at(-1)).not.toContain("hit");
    }
  });

  test("the origin: what the edge has itself stays there as something to fall back on", async () => {
    const { client, origin, shield, wait } = await tiers({ script: fresh('ETag: "1"') });
    await client.ask(get("/a"));
    origin.stop();
    wait(61);
    expect((await client.ask(get("/a"))).body).toBe("x");
    shield.stop();
    const alone = await client.ask(get("/a"));
    expect([alone.body, cacheStatus(alone).at(-1)]).toEqual(["x", expect.stringContaining("stale-if-error")]);
  });
});

describe("a soft purge of the shield and then of the edge", () => {
  test("does not let the edge keep as fresh what the shield gives out as stale", async () => {
    let version = 1;
    const script = (): string =>
      ok(`v${version}`, "Cache-Control: max-age=600, stale-while-revalidate=600", `ETag: "${version}"`);
    const { client, shield, edge } = await tiers({ script });
    expect((await client.ask(get("/a"))).body).toBe("v1");
    version = 2;
    for (const gateway of [shield, edge]) gateway.store?.purge({ kind: "all", hard: false });
    // The first to ask may be given the old one by either tier, while each of them asks the next.
    let body = "";
    for (let i = 0; i < 20 && body !== "v2"; i++) {
      body = (await client.ask(get("/a"))).body;
      await edge.idle();
      await shield.idle();
    }
    expect(body).toBe("v2");
  });
});

describe("what is said to caches alone", () => {
  const tagged = (): string => ok("x", "Cache-Control: max-age=60", "Cache-Tag: a, b", "Surrogate-Key: c");

  test("goes from a shield to its edges, on a miss and on a hit, so that they can purge by it, and not to clients", async () => {
    const { client, edge, shield, origin } = await tiers({ script: tagged, shieldCache: { shield: true } });
    const direct = await shield.connect();
    for (let i = 0; i < 2; i++)
      expect((await direct.ask(get("/a"))).head).toMatch(/^Cache-Tag: a, b\r\nSurrogate-Key: c$/m);
    for (let i = 0; i < 2; i++)
      expect((await client.ask(get("/a"))).head).not.toMatch(/^(cache-tag|surrogate-key)/im);
    for (const { store } of [shield, edge]) {
      const hash = store === undefined ? 0 : tagHash(store, "b");
      expect(store?.countConcerned({ kind: "tag", hash, hard: true })).toBe(1);
    }
    expect(origin.arrivals.length).toBe(1);
  });

  test("ends at a cache that is none", async () => {
    const { shield } = await tiers({ script: tagged });
    const direct = await shield.connect();
    for (let i = 0; i < 2; i++)
      expect((await direct.ask(get("/a"))).head).not.toMatch(/^(cache-tag|surrogate-key)/im);
  });
});
