import { afterEach, describe, expect, test } from "bun:test";
import { freePort } from "../../base/testing.ts";
import type { UserConfig } from "../../config/index.ts";
import { GROUP_COUNTER } from "../scoreboard.ts";
import {
  type Arrival,
  eventually,
  get,
  ok,
  post,
  stopAll,
  Target,
  TestGateway,
  track,
} from "../testing/index.ts";

afterEach(stopAll);

type Group = NonNullable<UserConfig["targetGroups"]>[string];

const QUIET = { ejection: { consecutive5xx: 0, consecutiveFailures: 0 } } as const;

/** A gateway whose group "shields" stands before the group "origin". */
async function tiers(
  groups: Readonly<Record<string, Group>>,
  rule: Partial<NonNullable<UserConfig["listeners"]>[string]["rules"][number]> = {},
): Promise<TestGateway> {
  const targetGroups = Object.fromEntries(
    Object.entries(groups).map(([name, group]) => [name, { ...QUIET, ...group }]),
  );
  const config = (port: number): UserConfig => ({
    gateway: { workers: 1, cache: { memory: "8MiB" } },
    listeners: { web: { address: `127.0.0.1:${port}`, rules: [{ forward: "shields", ...rule }] } },
    targetGroups,
  });
  return track(await TestGateway.start(config));
}

const dead = (): string => `127.0.0.1:${freePort()}`;

/** What a gateway counted for the group in the first row. */
const counted = (gateway: TestGateway): readonly number[] => {
  const { slot = 0 } = gateway.snapshot.targetGroups.find(({ name }) => name === "shields") ?? {};
  const { scoreboard } = gateway;
  const { fallbacks, fallbacksRefused } = GROUP_COUNTER;
  return [
    scoreboard.groupCounter(slot, fallbacks),
    scoreboard.groupCounter(slot, fallbacksRefused),
    scoreboard.groupFallbacks(slot),
  ];
};

describe("a group with a fallback", () => {
  test("does not need it while a target answers", async () => {
    const [shield, origin] = [track(await Target.start()), track(await Target.start())];
    const gateway = await tiers({
      shields: { targets: [dead(), shield.address], fallback: "origin" },
      origin: { targets: [origin.address] },
    });
    const client = await gateway.connect();
    for (let i = 0; i < 4; i++) expect((await client.ask(get("/"))).status).toBe(200);
    expect([origin.arrivals.length, counted(gateway)]).toEqual([0, [0, 0, 0]]);
  });

  test("is answered by it when every target that was tried refuses, whatever the method", async () => {
    const origin = track(await Target.start());
    const gateway = await tiers({
      shields: { targets: [dead(), dead()], fallback: "origin" },
      origin: { targets: [origin.address] },
    });
    const client = await gateway.connect();
    expect((await client.ask(get("/"))).status).toBe(200);
    expect((await client.ask(post("/", "body"))).status).toBe(200);
    await gateway.idle();
    expect(counted(gateway)).toEqual([2, 0, 0]);
    expect(origin.arrivals.map(({ body }) => body)).toEqual(["", "body"]);
  });

  test("is answered by it when the connection broke before an answer, if that does no harm", async () => {
    const breaks = ({ connection }: Arrival): void => void connection.socket.destroy();
    const [shield, origin] = [track(await Target.start(breaks)), track(await Target.start())];
    const gateway = await tiers({
      shields: { targets: [shield.address], fallback: "origin" },
      origin: { targets: [origin.address] },
    });
    const client = await gateway.connect();
    expect((await client.ask(get("/"))).status).toBe(200);
    expect((await client.ask(post("/", "body"))).status).toBe(502);
    expect(origin.arrivals.length).toBe(1);
  });

  test("goes to it at once when no target is healthy: nobody is asked in panic", async () => {
    const origin = track(await Target.start());
    const shield = track(await Target.start());
    shield.script = ({ head }) =>
      head.startsWith("GET /well") ? "HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n" : ok("shield");
    const health = { path: "/well", interval: "50ms", fall: 1 } as const;
    const gateway = await tiers({
      shields: { targets: [shield.address], fallback: "origin", health },
      origin: { targets: [origin.address] },
    });
    const slot = gateway.snapshot.targetGroups.find(({ name }) => name === "shields")?.targets[0]?.slot ?? 0;
    await eventually("the shield is found unwell", () => gateway.scoreboard.health(slot) === 2);
    const client = await gateway.connect();
    await client.ask(get("/a"));
    expect(origin.arrivals.length).toBe(1);
    expect(shield.arrivals.filter(({ head }) => head.startsWith("GET /a"))).toEqual([]);
  });

  test("has at most so many requests there, and says with a reason and a time that there are more", async () => {
    const holds: Arrival[] = [];
    const origin = track(await Target.start((arrival) => void holds.push(arrival)));
    const gateway = await tiers({
      shields: { targets: [dead()], fallback: { group: "origin", requestsMax: 2 } },
      origin: { targets: [origin.address] },
    });
    const clients = [await gateway.connect(), await gateway.connect(), await gateway.connect()];
    for (const client of clients.slice(0, 2)) client.send(get("/"));
    await origin.arrived(2);
    const refused = await clients[2]!.ask(get("/"));
    expect([refused.status, refused.field("x-error-code"), refused.field("retry-after")]).toEqual([
      503,
      "fallback-full",
      "1",
    ]);
    for (const { connection } of holds) connection.send(ok("late"));
    for (const client of clients.slice(0, 2)) expect((await client.answer()).body).toBe("late");
    expect(counted(gateway)).toEqual([2, 1, 0]);
    origin.script = () => ok("again");
    expect((await clients[2]!.ask(get("/"))).body).toBe("again");
  });

  test("gives its place back when the client leaves", async () => {
    const origin = track(await Target.start(() => {}));
    const gateway = await tiers({
      shields: { targets: [dead()], fallback: { group: "origin", requestsMax: 1 } },
      origin: { targets: [origin.address] },
    });
    const client = await gateway.connect();
    client.send(get("/"));
    await origin.arrived(1);
    client.reset();
    await eventually("the place is free", () => counted(gateway)[2] === 0);
  });

  test("may have one whose own is lost as well: the last of the chain answers", async () => {
    const origin = track(await Target.start());
    const gateway = await tiers({
      shields: { targets: [dead()], fallback: "far" },
      far: { targets: [dead()], fallback: "origin" },
      origin: { targets: [origin.address] },
    });
    const client = await gateway.connect();
    expect((await client.ask(get("/"))).status).toBe(200);
    await gateway.idle();
    expect(counted(gateway)).toEqual([1, 0, 0]);
  });

  test("retries within the fallback as often as within the group itself", async () => {
    const origin = track(await Target.start());
    const gateway = await tiers({
      shields: { targets: [dead()], fallback: "origin" },
      origin: { targets: [dead(), origin.address] },
    });
    const client = await gateway.connect();
    for (let i = 0; i < 4; i++) expect((await client.ask(get("/"))).status).toBe(200);
  });

  test("goes to it instead of holding the request until a target accepts", async () => {
    const origin = track(await Target.start());
    const gateway = await tiers({
      shields: { targets: [dead()], fallback: "origin", connections: { hold: "5s" } },
      origin: { targets: [origin.address] },
    });
    const client = await gateway.connect();
    expect((await client.ask(get("/"))).status).toBe(200);
  });
});

describe("a cached rule whose group is lost", () => {
  const CACHE = { cache: { softTimeout: "10s" } } as const;
  const fresh = (body: string): string =>
    ok(body, "Cache-Control: max-age=1, stale-if-error=60", 'ETag: "1"');

  test("asks the fallback rather than give out what is stale", async () => {
    const [shield, origin] = [
      track(await Target.start(() => fresh("shield"))),
      track(await Target.start(() => fresh("origin"))),
    ];
    const gateway = await tiers(
      { shields: { targets: [shield.address], fallback: "origin" }, origin: { targets: [origin.address] } },
      { cache: { ttl: "1ms" } },
    );
    const client = await gateway.connect();
    expect((await client.ask(get("/"))).body).toBe("shield");
    shield.stop();
    expect((await client.ask(get("/"))).body).toBe("origin");
  });

  test("gives out what is stale when the fallback is full, and 503 where nothing is stored", async () => {
    const [shield, origin] = [
      track(await Target.start(() => fresh("old"))),
      track(await Target.start(() => {})),
    ];
    const gateway = await tiers(
      {
        shields: { targets: [shield.address], fallback: { group: "origin", requestsMax: 1 } },
        origin: { targets: [origin.address] },
      },
      { cache: { ...CACHE.cache, ttl: "1ms" } },
    );
    const [client, other] = [await gateway.connect(), await gateway.connect()];
    expect((await client.ask(get("/a"))).body).toBe("old");
    shield.stop();
    other.send(get("/b"));
    await origin.arrived(1);
    const stale = await client.ask(get("/a"));
    expect([stale.body, stale.field("cache-status")]).toEqual([
      "old",
      expect.stringContaining("stale-if-error"),
    ]);
    expect((await client.ask(get("/c"))).field("x-error-code")).toBe("fallback-full");
  });
});

describe("a URL as the key of consistent hashing", () => {
  test("leads to one target for all that the cache of the rule takes for one", async () => {
    const targets = [track(await Target.start()), track(await Target.start()), track(await Target.start())];
    const gateway = await tiers(
      {
        shields: { targets: targets.map(({ address }) => address), algorithm: "consistent-hash", on: "url" },
      },
      { cache: { key: { query: { except: ["utm"] } } } },
    );
    const client = await gateway.connect();
    for (let i = 0; i < 12; i++) await client.ask(get(`/one?utm=${i}`));
    expect(targets.map(({ arrivals }) => arrivals.length).toSorted((a, b) => a - b)).toEqual([0, 0, 12]);
    for (let i = 0; i < 60; i++) await client.ask(get(`/many?page=${i}`));
    expect(Math.min(...targets.map(({ arrivals }) => arrivals.length))).toBeGreaterThan(5);
  });
});
