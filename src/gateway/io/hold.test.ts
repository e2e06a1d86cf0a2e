/** Requests of a service wait a while for a target, instead of failing while the only task is being replaced. */
import { afterEach, describe, expect, test } from "bun:test";
import { freePort } from "../../base/testing.ts";
import type { UserConfig } from "../../config/index.ts";
import { eventually, get, post, stopAll, Target, TestGateway, track } from "../testing/index.ts";

afterEach(stopAll);

/** A service "app" whose requests are held for `holdMs`. */
function service(holdMs: number): (port: number) => UserConfig {
  return (port) => ({
    gateway: { workers: 1, stopTimeout: "300ms" },
    listeners: { web: { address: `127.0.0.1:${port}`, rules: [{ forward: "app" }] } },
    services: { app: { command: ["true"], connections: { holdMs } } },
  });
}

function taskAt(port: number): { service: string; address: { host: string; port: number }; state: "active" } {
  return { service: "app", address: { host: "127.0.0.1", port }, state: "active" };
}

describe("a request whose group is empty", () => {
  test("is answered by the first target that comes, and its body is whole", async () => {
    const gateway = track(await TestGateway.start(service(4000)));
    const client = await gateway.connect();
    client.send(post("/", "held body"));
    await eventually("the request is held", () => gateway.worker.connections === 1);
    const target = track(await Target.start());
    gateway.apply(service(4000)(gateway.port), [taskAt(target.port)]);
    expect((await client.answer()).status).toBe(200);
    expect(target.arrivals[0]?.body).toBe("held body");
    await gateway.idle();
  });

  test("is told so when nobody comes in time", async () => {
    const gateway = track(await TestGateway.start(service(100)));
    const answer = await (await gateway.connect()).ask(get("/"));
    expect([answer.status, answer.field("x-error-code")]).toEqual([503, "no-target"]);
  });

  test("is forgotten when its client goes", async () => {
    const gateway = track(await TestGateway.start(service(4000)));
    const client = await gateway.connect();
    client.send(get("/"));
    await eventually("the request is held", () => gateway.worker.connections === 1);
    client.socket.resetAndDestroy();
    await eventually("its connection is gone", () => gateway.worker.connections === 0);
    const target = track(await Target.start());
    gateway.apply(service(4000)(gateway.port), [taskAt(target.port)]);
    expect((await (await gateway.connect()).ask(get("/"))).status).toBe(200);
    expect(target.arrivals).toHaveLength(1);
  });
});

describe("a request that every target refuses", () => {
  test("waits for the one that takes their place, whatever its method", async () => {
    const dead = freePort();
    const gateway = track(await TestGateway.start(service(4000)));
    gateway.apply(service(4000)(gateway.port), [taskAt(dead)]);
    const client = await gateway.connect();
    client.send(post("/", "body"));
    const target = track(await Target.start());
    gateway.apply(service(4000)(gateway.port), [taskAt(target.port)]);
    expect((await client.answer()).status).toBe(200);
    expect(target.arrivals).toHaveLength(1);
  });

  test("is told who refused it when nobody does", async () => {
    const dead = freePort();
    const gateway = track(await TestGateway.start(service(200)));
    gateway.apply(service(200)(gateway.port), [taskAt(dead)]);
    const answer = await (await gateway.connect()).ask(get("/"));
    expect([answer.status, answer.field("x-error-code")]).toEqual([502, "connect-refused"]);
  });
});
