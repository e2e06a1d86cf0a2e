/** What a change of a resource does to what is stored of it, and to what is on its way. */
import { afterEach, describe, expect, test } from "bun:test";
import { ok, post, request, stopAll, Target } from "../../testing/index.ts";
import { bare, before, FRESH } from "./testing.ts";

afterEach(stopAll);

describe("a change", () => {
  const script = ({ head }: { readonly head: string }, count: number): string =>
    /^(GET|HEAD)/.test(head) ? ok(String(count), FRESH, 'Cache-Groups: "all"') : bare("200 OK");

  test.each(["POST", "PUT", "DELETE", "PATCH", "FROB"])(
    "by %s makes what is stored of its URL invalid",
    async (method) => {
      const { gateway, ask, status } = await before({}, await Target.start(script));
      await ask("/a?b=1");
      await (await gateway.connect()).ask(request(method, "/a?b=1", ["Content-Length: 0"]));
      expect(await status("/a?b=1")).toBe("fwd=uri-miss; stored");
    },
  );

  test("by OPTIONS is none", async () => {
    const { gateway, ask, status } = await before({}, await Target.start(script));
    await ask();
    await (await gateway.connect()).ask(request("OPTIONS", "/"));
    expect(await status()).toMatch(/^hit/);
  });

  test.each([
    "Location: http://other.example/b",
    "Content-Location: //other.example/b",
    "Location: http://shop.example:8080/b",
  ])("with %s leaves the other origin alone", async (field) => {
    const { gateway, ask, status, target } = await before({}, await Target.start(script));
    const hosts = ["Host: shop.example", "Host: other.example", "Host: shop.example:8080"];
    for (const host of hosts) await ask("/b", host);
    target.script = () => bare("201 Created", field);
    await (await gateway.connect()).ask(post("/a", ""));
    for (const host of hosts) expect(await status("/b", host)).toMatch(/^hit/);
  });

  test.each([
    "Location: http://shop.example/b",
    "Content-Location: /b",
    "Location: b",
    "Content-Location: http://SHOP.example:80/b#part",
  ])("with %s makes that invalid too", async (field) => {
    const { gateway, ask, status, target } = await before({}, await Target.start(script));
    await ask("/b");
    target.script = ({ head }, count) =>
      head.startsWith("POST") ? bare("201 Created", field) : script({ head }, count);
    await (await gateway.connect()).ask(post("/a", "body"));
    expect(await status("/b")).toBe("fwd=uri-miss; stored");
  });

  test("names groups, of its own host, that are invalid with it", async () => {
    const { gateway, ask, status, target } = await before({}, await Target.start(script));
    for (const host of ["Host: shop.example", "Host: other.example"]) await ask("/c", host);
    target.script = ({ head }, count) =>
      head.startsWith("POST") ? bare("200 OK", 'Cache-Group-Invalidation: "all"') : script({ head }, count);
    await (await gateway.connect()).ask(post("/a", ""));
    expect(await status("/c", "Host: other.example")).toMatch(/^hit/);
    expect(await status("/c", "Host: shop.example")).toBe("fwd=uri-miss; stored");
  });

  test("that comes while a response is on its way keeps that from being served after it", async () => {
    const { target, gateway, ask } = await before({}, await Target.start(() => undefined));
    const early = ask("/");
    await target.arrived(1);
    const { connection } = target.arrivals[0]!;
    target.script = () => bare("200 OK");
    await (await gateway.connect()).ask(post("/", "change"));
    connection.send(ok("before", FRESH));
    expect((await early).body).toBe("before");
    target.script = () => ok("after", FRESH);
    expect((await ask("/")).body).toBe("after");
  });

  test("that purges softly, while a response is on its way, makes that response stale", async () => {
    const { target, gateway, ask } = await before({}, await Target.start(() => undefined));
    const early = ask("/");
    await target.arrived(1);
    gateway.store?.purge({ kind: "all", hard: false });
    target.last.send(ok("before", FRESH));
    expect((await early).body).toBe("before");
    target.script = () => ok("after", FRESH);
    expect((await ask("/")).body).toBe("after");
  });
});
