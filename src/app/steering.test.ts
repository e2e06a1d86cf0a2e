/** Steering with real edges that fall ill: what a resolver is told, and when. */
import { expect, test } from "bun:test";
import { Resolver } from "node:dns/promises";
import { world } from "../steering/testing.ts";
import { StartFailure } from "./start-failure.ts";
import { decideOnce, startSteering } from "./steering.ts";
import { until } from "./testing/cached-site.ts";

const INTERVAL_MS = 100;

/** An edge on a loopback address of its own. */
function edge(hostname: string): Bun.Server<undefined> {
  return Bun.serve({ hostname, port: 0, fetch: () => new Response("ok") });
}

function configFor(first: number, second: number) {
  const health = (port: number) => ({
    path: "/healthz",
    port,
    intervalMs: INTERVAL_MS,
    timeoutMs: 500,
    fall: 2,
    rise: 1,
  });
  return world({
    edges: {
      near: { region: "eu", addresses: "127.0.0.1", health: health(first) },
      far: { region: "us", addresses: "127.0.0.2", health: health(second) },
    },
    regions: { eu: { prefixes: "127.0.0.0/8" }, us: {} },
    roundTrips: { eu: { us: "90ms" } },
  });
}

test("an edge that dies is left within its checks, the next is told, and it is back when it is well", async () => {
  let near = edge("127.0.0.1");
  const far = edge("127.0.0.2");
  const nearPort = near.port ?? 0;
  const config = configFor(nearPort, far.port ?? 0);
  const said: string[] = [];
  const handle = await startSteering(config, { say: (line) => void said.push(line) });
  /** By a new resolver each time: one keeps an answer for as long as it lives. */
  const answerIs = async (address: string): Promise<boolean> => {
    const resolver = new Resolver();
    resolver.setServers([`127.0.0.1:${handle.address.port}`]);
    return (await resolver.resolve4("cdn.example")).join(" ") === address;
  };
  try {
    await until(async () => Promise.resolve(said.length === 2));
    expect(await answerIs("127.0.0.1")).toBe(true);
    await near.stop(true);
    const diedMs = performance.now();
    await until(() => answerIs("127.0.0.2"));
    // Two checks, jitter, and what a loaded machine adds.
    expect(performance.now() - diedMs).toBeLessThan(INTERVAL_MS * 2 * 1.1 + 2000);
    expect(said.at(-1)).toStartWith("edge near is unhealthy (connect-refused); asked at 127.0.0.1:");
    expect((await decideOnce(config, "127.0.0.9"))?.reason).toBe("next");
    await far.stop(true);
    await until(() => answerIs("127.0.0.1 127.0.0.2"));
    expect(handle.decide("127.0.0.9")?.reason).toBe("fail-open");
    near = Bun.serve({ hostname: "127.0.0.1", port: nearPort, fetch: () => new Response("ok") });
    await until(() => answerIs("127.0.0.1"));
  } finally {
    handle.stop();
    await Promise.all([near.stop(true), far.stop(true)]);
  }
}, 30_000);

test("an address that is taken is told with the mend", async () => {
  const taken = edge("127.0.0.1");
  try {
    const config = { ...configFor(1, 1), address: { host: "127.0.0.1", port: taken.port ?? 0 } };
    const failure = await startSteering(config, { say: () => {} }).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(StartFailure);
    expect(String(failure)).toContain("cannot be opened for DNS (EADDRINUSE)");
  } finally {
    await taken.stop(true);
  }
});

test("a client that is no address is decided for nowhere", async () => {
  const config = configFor(1, 1);
  expect(await decideOnce(config, "nobody")).toBeUndefined();
});
