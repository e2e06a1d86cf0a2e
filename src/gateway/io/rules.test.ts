import { afterEach, describe, expect, test } from "bun:test";
import type { UserConfig } from "../../config/index.ts";
import { get, request, stopAll, Target, TestGateway, track } from "../testing/index.ts";

afterEach(stopAll);

type Rules = NonNullable<UserConfig["listeners"]>[string]["rules"];

/** A gateway with these rules and one group for each target. */
async function withRules(rules: Rules, groups: Record<string, Target> = {}): Promise<TestGateway> {
  const entries = Object.entries(groups).map(([name, { address }]) => [name, { targets: [{ address }] }]);
  return track(
    await TestGateway.start((port) => ({
      gateway: { workers: 1 },
      listeners: { web: { address: `127.0.0.1:${port}`, rules } },
      targetGroups: Object.fromEntries(entries),
    })),
  );
}

describe("rules", () => {
  test("the first that matches serves the request", async () => {
    const [api, web] = [track(await Target.start()), track(await Target.start())];
    const rules: Rules = [
      { match: { path: "/api/*" }, forward: "api" },
      { match: { path: "/api/never" }, respond: 500 },
      { match: { host: "shop.example" }, forward: "web" },
    ];
    const client = await (await withRules(rules, { api, web })).connect();
    for (const path of ["/api/never", "/api", "/", "/apix"])
      expect((await client.ask(get(path))).status).toBe(200);
    expect([api.arrivals.length, web.arrivals.length]).toEqual([2, 2]);
  });

  test("a request that none matches: 404 no-rule", async () => {
    const client = await (await withRules([{ match: { path: "/a" }, respond: 204 }])).connect();
    const answer = await client.ask(get("/b"));
    expect(answer.status).toBe(404);
    expect(answer.field("x-error-code")).toBe("no-rule");
    expect((await client.ask(get("/a"))).status).toBe(204);
  });

  test("a path that only looks harmless is matched for what it means", async () => {
    const rules: Rules = [{ match: { path: "/admin/*" }, respond: 403 }, { respond: 204 }];
    const client = await (await withRules(rules)).connect();
    for (const path of ["/api/../admin/x", "/%61dmin/x", "//admin/x", "/./admin", "/api/%2e%2e/admin/x"]) {
      expect((await client.ask(get(path))).status).toBe(403);
    }
    expect((await client.ask(get("/administration"))).status).toBe(204);
  });

  test("a redirect fills in what the request says", async () => {
    const client = await (
      await withRules([{ redirect: { to: "https://{host}{path}{query}", status: 308 } }])
    ).connect();
    const answer = await client.ask(get("/a/b?c=d"));
    expect(answer.status).toBe(308);
    expect(answer.field("location")).toBe("https://shop.example/a/b?c=d");
  });

  test("a fixed response has its status, fields and body", async () => {
    const respond = { status: 418, body: "short and stout", headers: { "X-Tea": "yes" } };
    const client = await (await withRules([{ respond }])).connect();
    for (let i = 0; i < 2; i++) {
      const answer = await client.ask(get("/"));
      expect([answer.status, answer.body, answer.field("x-tea")]).toEqual([418, "short and stout", "yes"]);
    }
    expect((await client.ask(request("HEAD", "/"))).field("content-length")).toBe("15");
  });

  test("a fixed response reads a body that nobody wants, and the connection stays", async () => {
    const client = await (await withRules([{ respond: 204 }])).connect();
    client.send(request("POST", "/", ["Content-Length: 5"]));
    expect((await client.answer()).status).toBe(204);
    client.send(`12345${get("/")}`);
    expect((await client.answer()).status).toBe(204);
  });

  test("weights share the traffic between groups, and weight 0 gets none", async () => {
    const [a, b, none] = [
      track(await Target.start()),
      track(await Target.start()),
      track(await Target.start()),
    ];
    const forward = [
      { group: "a", weight: 3 },
      { group: "b", weight: 1 },
      { group: "none", weight: 0 },
    ];
    const client = await (await withRules([{ forward }], { a, b, none })).connect();
    for (let i = 0; i < 200; i++) await client.ask(get("/"));
    expect(none.arrivals.length).toBe(0);
    expect(a.arrivals.length).toBeGreaterThan(130);
    expect(b.arrivals.length).toBeGreaterThan(30);
  });

  test("source addresses are those of the client behind trusted proxies", async () => {
    const gateway = track(
      await TestGateway.start((port) => ({
        gateway: { workers: 1, forwarded: { trustedProxies: "127.0.0.1" } },
        listeners: {
          web: {
            address: `127.0.0.1:${port}`,
            rules: [{ match: { source: "203.0.113.0/24" }, respond: 204 }, { respond: 403 }],
          },
        },
      })),
    );
    const client = await gateway.connect();
    expect((await client.ask(get("/", "X-Forwarded-For: 203.0.113.9"))).status).toBe(204);
    expect((await client.ask(get("/", "X-Forwarded-For: 203.0.113.9, 198.51.100.1"))).status).toBe(403);
    expect((await client.ask(get("/"))).status).toBe(403);
  });
});
