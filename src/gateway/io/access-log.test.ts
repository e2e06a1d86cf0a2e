import { afterEach, describe, expect, test } from "bun:test";
import {
  eventually,
  gatewayTo,
  get,
  ok,
  post,
  stopAll,
  Target,
  type TestGateway,
  track,
  upgrade,
} from "../testing/index.ts";

afterEach(stopAll);

const JSON_LOG = { gateway: { accessLog: "json" } } as const;

async function lines(gateway: TestGateway, count: number): Promise<Record<string, unknown>[]> {
  await eventually(`${count} lines`, () => gateway.accessLog.length >= count);
  return gateway.accessLog.map((line) => JSON.parse(line));
}

describe("the access log", () => {
  test("has one line for each request, with what became of it", async () => {
    const target = track(await Target.start(() => ok("hello")));
    const gateway = await gatewayTo([target], JSON_LOG);
    const client = await gateway.connect();
    const { head } = await client.ask(post("/a?b=c", "body", "User-Agent: test"));
    const [line] = await lines(gateway, 1);
    expect(line).toMatchObject({ method: "POST", path: "/a", query: "b=c", status: 200, userAgent: "test" });
    expect(line).toMatchObject({ listener: "web", rule: "web/0", group: "app", target: target.address });
    expect(line).toMatchObject({ clientIp: "127.0.0.1", reason: "", attempts: 1 });
    expect(head).toContain(String(line?.["requestId"]));
    expect(line?.["bytesOut"]).toBe(client.bytesReceived);
  });

  test("names the client behind trusted proxies", async () => {
    const forwarded = { trustedProxies: "127.0.0.1" };
    const gateway = await gatewayTo([track(await Target.start())], {
      gateway: { accessLog: "json", forwarded },
    });
    await (await gateway.connect()).ask(get("/", "X-Forwarded-For: 203.0.113.9"));
    expect((await lines(gateway, 1))[0]).toMatchObject({ clientIp: "203.0.113.9" });
  });

  test("tells why a request failed, and how often it was tried", async () => {
    const target = track(await Target.start(({ connection }) => void connection.socket.destroy()));
    const gateway = await gatewayTo([target], JSON_LOG);
    await (await gateway.connect()).ask(get("/"));
    expect((await lines(gateway, 1))[0]).toMatchObject({
      status: 502,
      reason: "upstream-closed",
      attempts: 2,
    });
  });

  test("tells of requests that never became one, by the code of their mistake", async () => {
    const gateway = await gatewayTo([], JSON_LOG);
    await (await gateway.connect()).ask("GET / HTTP/1.1\r\n\r\n");
    expect((await lines(gateway, 1))[0]).toMatchObject({ status: 400, reason: "host-missing", method: "-" });
  });

  test("tells of clients that left", async () => {
    const target = track(await Target.start(() => undefined));
    const gateway = await gatewayTo([target], JSON_LOG);
    const client = await gateway.connect();
    client.send(get("/"));
    await target.arrived(1);
    client.reset();
    expect((await lines(gateway, 1))[0]).toMatchObject({ status: 499, reason: "client-closed" });
  });

  test("counts the bytes of a tunnel in both directions", async () => {
    const switching = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
    const target = track(await Target.start(() => `${switching}12345`));
    const gateway = await gatewayTo([target], JSON_LOG);
    const client = await gateway.connect();
    client.send(upgrade("/ws"));
    await client.sees("12345");
    client.send("x".repeat(1000));
    await eventually("the bytes are there", () => target.last.received.endsWith("x".repeat(1000)));
    client.reset();
    const [line] = await lines(gateway, 1);
    expect(line).toMatchObject({ status: 101, reason: "", bytesOut: client.bytesReceived });
    expect(line?.["bytesIn"]).toBe(upgrade("/ws").length + 1000);
  });

  test("a client cannot write lines of its own", async () => {
    const gateway = await gatewayTo([track(await Target.start())], { gateway: { accessLog: "combined" } });
    await (await gateway.connect()).ask(get("/", 'User-Agent: a" 200 1 "-" "b'));
    await eventually("a line", () => gateway.accessLog.length === 1);
    expect(gateway.accessLog[0]).toEndWith('"a\\x22 200 1 \\x22-\\x22 \\x22b"');
  });
});
