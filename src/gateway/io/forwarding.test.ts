import { afterEach, describe, expect, test } from "bun:test";
import { gatewayTo, get, ok, request, stopAll, Target, track } from "../testing/index.ts";

afterEach(stopAll);

type Extra = Parameters<typeof gatewayTo>[1];

/** The head that reaches the target when a client sends these fields. */
async function headAtTarget(fields: readonly string[], extra?: Extra): Promise<string> {
  const target = track(await Target.start());
  const gateway = await gatewayTo([target], extra);
  await (await gateway.connect()).ask(get("/", ...fields));
  return target.arrivals[0]?.head ?? "";
}

const CLAIMS = ["X-Forwarded-For: 203.0.113.9", "X-Request-Id: mine", "Forwarded: for=203.0.113.9"];
const TRUST = { gateway: { forwarded: { trustedProxies: "127.0.0.0/8" } } };

describe("what a target is told of the client", () => {
  test("address, protocol, host and port, the way by which it came, and an id", async () => {
    const head = await headAtTarget([]);
    expect(head).toMatch(/^X-Forwarded-For: 127\.0\.0\.1$/m);
    expect(head).toMatch(/^X-Forwarded-Proto: http$/m);
    expect(head).toMatch(/^X-Forwarded-Host: shop\.example$/m);
    expect(head).toMatch(/^X-Forwarded-Port: \d+$/m);
    expect(head).toMatch(/^Forwarded: for=127\.0\.0\.1;proto=http;host="shop\.example"$/m);
    expect(head).toMatch(/^Via: 1\.1 tenfold$/m);
    expect(head).toMatch(/^X-Request-Id: [0-9a-f]{20}$/m);
  });

  test("is never what a client says of itself", async () => {
    const head = await headAtTarget(CLAIMS);
    expect(head).not.toContain("203.0.113.9");
    expect(head).not.toContain("mine");
    expect(head.match(/x-forwarded-for/gi)).toHaveLength(1);
  });

  test("goes behind what a trusted proxy said", async () => {
    const head = await headAtTarget(CLAIMS, TRUST);
    expect(head).toMatch(/^X-Forwarded-For: 203\.0\.113\.9, 127\.0\.0\.1$/m);
    expect(head).toMatch(/^Forwarded: for=203\.0\.113\.9, for=127\.0\.0\.1;/m);
    expect(head).toMatch(/^X-Request-Id: mine$/m);
  });

  test("can be switched off", async () => {
    const head = await headAtTarget([], { gateway: { forwarded: { fields: "off" } } });
    expect(head).not.toMatch(/forwarded/i);
  });

  test("the answer carries the same id", async () => {
    const target = track(await Target.start());
    const gateway = await gatewayTo([target]);
    const answer = await (await gateway.connect()).ask(get("/"));
    expect(target.arrivals[0]?.head).toContain(`X-Request-Id: ${answer.field("x-request-id")}`);
  });
});

describe("the Host that a target gets", () => {
  test("is the client's", async () => {
    expect(await headAtTarget([])).toMatch(/^Host: shop\.example$/m);
  });

  test("or the target's own address", async () => {
    expect(await headAtTarget([], { rule: { host: "target" } })).toMatch(/^Host: 127\.0\.0\.1:\d+$/m);
  });

  test("or a fixed one", async () => {
    const head = await headAtTarget([], { rule: { host: "internal.example" } });
    expect(head.match(/^host: .*$/gim)).toEqual(["Host: internal.example"]);
  });

  test("is the target's address when an HTTP/1.0 client names none", async () => {
    const target = track(await Target.start());
    const gateway = await gatewayTo([target]);
    await (await gateway.connect()).ask("GET / HTTP/1.0\r\n\r\n");
    expect(target.arrivals[0]?.head).toContain(`Host: ${target.address}`);
  });
});

describe("fields that end at this hop", () => {
  test("are not forwarded, whether known or named by Connection", async () => {
    const fields = [
      "Connection: close, X-Secret",
      "X-Secret: 1",
      "Keep-Alive: 5",
      "TE: trailers",
      "X-Kept: 1",
    ];
    const head = await headAtTarget(fields);
    expect(head).not.toMatch(/x-secret|keep-alive|^te:|^connection:/im);
    expect(head).toContain("X-Kept: 1");
  });

  test("are not passed back either", async () => {
    const target = track(await Target.start(() => ok("", "Connection: X-Inner", "X-Inner: 1", "X-Kept: 1")));
    const gateway = await gatewayTo([target]);
    const { head } = await (await gateway.connect()).ask(get("/"));
    expect(head).not.toMatch(/x-inner|^connection:/im);
    expect(head).toContain("X-Kept: 1");
  });
});

describe("Max-Forwards", () => {
  test("is counted down, and at 0 the gateway answers", async () => {
    const target = track(await Target.start());
    const gateway = await gatewayTo([target]);
    const client = await gateway.connect();
    await client.ask(request("OPTIONS", "/", ["Max-Forwards: 1"]));
    expect(target.arrivals[0]?.head).toContain("Max-Forwards: 0");
    expect((await client.ask(request("OPTIONS", "/", ["Max-Forwards: 0"]))).status).toBe(200);
    expect(target.arrivals.length).toBe(1);
  });
});
