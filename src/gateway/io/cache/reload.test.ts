/** Rules with a cache that come, change and go while clients wait, and one whose store cannot be opened. */
import { afterEach, expect, test } from "bun:test";
import type { UserCache } from "../../../config/index.ts";
import {
  eventually,
  type GatewayOptions,
  get,
  ok,
  proxyTo,
  settle,
  stopAll,
  Target,
  TestGateway,
  track,
} from "../../testing/index.ts";
import { before, type Cached, FRESH, inOrder, said } from "./testing.ts";

afterEach(stopAll);

/** From now on the gateway serves by this cache, or by none. */
function reload({ gateway, target }: Cached, cache?: UserCache): void {
  gateway.apply(proxyTo([target.address], { rule: cache === undefined ? {} : { cache } })(gateway.port));
}

function counting(): Promise<Target> {
  return Target.start((_, count) => ok(String(count), FRESH));
}

test("a rule that loses its cache asks the target, and one that gets it back serves what was stored", async () => {
  const cached = await before({}, await counting());
  await cached.ask();
  reload(cached);
  const around = await cached.ask();
  expect([around.body, said(around)]).toEqual(["2", ""]);
  reload(cached, {});
  expect((await cached.ask()).body).toBe("1");
});

test("a rule that gets a cache for the first time caches from then on", async () => {
  const target = track(await counting());
  const gateway = track(await TestGateway.start(proxyTo([target.address])));
  const client = await gateway.connect();
  expect((await client.ask(get("/"))).body).toBe("1");
  gateway.apply(proxyTo([target.address], { rule: { cache: {} } })(gateway.port));
  expect([(await client.ask(get("/"))).body, (await client.ask(get("/"))).body]).toEqual(["2", "2"]);
});

test("a rule that loses its cache while many wait answers all of them by one fetch", async () => {
  const cached = await before({}, await Target.start(() => undefined));
  const answers = Promise.all([cached.ask(), cached.ask(), cached.ask()]);
  await cached.target.arrived(1);
  await settle();
  reload(cached);
  cached.target.last.send(ok("for all", FRESH));
  expect((await answers).map(({ body }) => body)).toEqual(["for all", "for all", "for all"]);
});

test("a rule whose key changes does not serve what was stored by the old one", async () => {
  const cached = await before({ key: { headers: ["x-plan"] } }, await counting());
  await cached.ask("/", "X-Plan: a");
  reload(cached, { key: { query: "none" } });
  expect((await cached.ask("/", "X-Plan: a")).body).toBe("2");
});

test("a target that goes with a reload is not what a stored response needs", async () => {
  const cached = await before({}, await counting());
  await cached.ask();
  const other = track(await Target.start());
  cached.gateway.apply(proxyTo([other.address], { rule: { cache: {} } })(cached.gateway.port));
  cached.target.stop();
  expect(await cached.status()).toMatch(/^hit/);
  expect((await cached.ask("/new")).body).toBe("GET /new HTTP/1.1");
});

test("a listener that drains tells the clients of its hits to close, and finishes what they follow", async () => {
  const cached = await before(
    {},
    await Target.start(
      inOrder(
        ok("stored", FRESH),
        "HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: 4\r\n\r\nha",
      ),
    ),
  );
  await cached.ask();
  const [leader, follower] = [await cached.gateway.connect(), await cached.gateway.connect()];
  for (const client of [leader, follower]) client.send(get("/slow"));
  await Promise.all([leader.sees("\r\n\r\nha"), follower.sees("\r\n\r\nha")]);
  const drained = cached.gateway.worker.drain();
  cached.target.last.send("lf");
  for (const client of [leader, follower]) {
    expect((await client.answer()).body).toBe("half");
    await client.closes();
  }
  await drained;
});

test("a rule whose store cannot be opened serves as without a cache, and says so in the log", async () => {
  const target = track(await counting());
  const options: GatewayOptions = {
    get store(): never {
      throw new Error("no space");
    },
  };
  const gateway = track(await TestGateway.start(proxyTo([target.address], { rule: { cache: {} } }), options));
  const client = await gateway.connect();
  expect([(await client.ask(get("/"))).body, (await client.ask(get("/"))).body]).toEqual(["1", "2"]);
  expect(gateway.log.join()).toContain("cache-unavailable");
});

test("many bodies push each other out, and every answer stays right", async () => {
  const body = (path: string): string => path.padEnd(60_000, path);
  const target = await Target.start(({ head }) => ok(body(head.split(" ")[1] ?? ""), FRESH));
  const cached = await before({}, target, { gateway: { cache: { memory: "8MiB" } } });
  const client = await cached.gateway.connect();
  for (let i = 0; i < 300; i++) {
    const path = `/${i % 150}`;
    expect((await client.ask(get(path))).body === body(path)).toBe(true);
  }
  const { entries, liveBytes } = cached.gateway.store!.stats();
  expect([entries > 10, liveBytes < 8 * 1024 * 1024]).toEqual([true, true]);
});

test.each([
  ["a hundredth of the memory", "no limit", "70KB", "stored"],
  ["a hundredth of the memory", "no limit", "80KB", "detail=too-large"],
  ["what its rule says", "200KB", "190KB", "stored"],
  ["what its rule says", "200KB", "210KB", "detail=too-large"],
  ["a twentieth of the memory, whatever its rule says", "1MiB", "370KB", "stored"],
  ["a twentieth of the memory, whatever its rule says", "1MiB", "380KB", "detail=too-large"],
] as const)("a response is kept up to %s (%s): %s is %s", async (_, objectMax, size, words) => {
  const target = await Target.start(() => ok("x".repeat(Number.parseInt(size, 10) * 1000), FRESH));
  const cache = objectMax === "no limit" ? {} : { objectMax };
  const cached = await before(cache, target, { gateway: { cache: { memory: "8MiB" } } });
  expect(await cached.status()).toBe(`fwd=uri-miss; ${words}`);
  expect((await cached.status()).startsWith("hit")).toBe(words === "stored");
});

test("a client that goes while it waits for a fetch is forgotten, and the fetch is stored", async () => {
  const cached = await before({}, await Target.start(() => undefined));
  const client = await cached.gateway.connect();
  client.send(get("/"));
  await cached.target.arrived(1);
  client.reset();
  await eventually("its connection is gone", () => cached.gateway.worker.connections === 0);
  cached.target.last.send(ok("late", FRESH));
  await cached.gateway.idle();
  expect([await cached.status(), cached.target.arrivals.length]).toEqual([expect.stringMatching(/^hit/), 1]);
});
