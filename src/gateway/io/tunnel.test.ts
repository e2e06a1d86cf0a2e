import { afterEach, describe, expect, test } from "bun:test";
import {
  echoTunnel,
  eventually,
  gatewayTo,
  get,
  ok,
  stopAll,
  Target,
  track,
  upgrade,
} from "../testing/index.ts";

afterEach(stopAll);

const SWITCH = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";

describe("a tunnel", () => {
  test("passes bytes untouched in both directions", async () => {
    const target = track(await Target.start(echoTunnel));
    const gateway = await gatewayTo([target]);
    const client = await gateway.connect();
    client.send(upgrade("/ws"));
    const head = await client.takeHead();
    expect(head).toStartWith("HTTP/1.1 101 ");
    expect(head).toMatch(/^upgrade: websocket$/im);
    expect(head).toMatch(/^connection: upgrade$/im);
    client.send("\x81\x05hello\0\xff");
    await client.sees("\x81\x05hello\0\xff");
  });

  test("brings the client what the target sent right behind its 101", async () => {
    const target = track(await Target.start(() => `${SWITCH}welcome`));
    const gateway = await gatewayTo([target]);
    const client = await gateway.connect();
    client.send(upgrade("/ws"));
    await client.takeHead();
    await client.sees("welcome");
  });

  test("brings the target what the client sent without waiting for the 101", async () => {
    const target = track(await Target.start(() => undefined));
    const gateway = await gatewayTo([target]);
    const client = await gateway.connect();
    client.send(`${upgrade("/ws")}early`);
    await target.arrived(1);
    expect(target.last.received).not.toContain("early");
    target.last.send(SWITCH);
    await eventually("the early bytes", () => target.last.received.endsWith("\r\n\r\nearly"));
  });

  test("counts as in flight at its target for as long as it lasts", async () => {
    const target = track(await Target.start(echoTunnel));
    const gateway = await gatewayTo([target]);
    const client = await gateway.connect();
    client.send(upgrade("/ws"));
    await client.takeHead();
    expect(gateway.inFlight).toBe(1);
    client.reset();
    await gateway.idle();
    await eventually("the target's connection closes", () => target.open === 0);
  });

  test("goes on in the other direction when the client has ended its own", async () => {
    const target = track(await Target.start(() => SWITCH));
    const gateway = await gatewayTo([target]);
    const client = await gateway.connect();
    client.send(upgrade("/ws"));
    await client.takeHead();
    client.send("last words");
    client.end();
    await eventually("the client's end", () => target.last.hasEnded);
    expect(target.last.received).toEndWith("last words");
    target.last.send("still here");
    await client.sees("still here");
    target.last.socket.end();
    await client.closes();
    await gateway.idle();
  });

  test("goes on in the other direction when the target has ended its own", async () => {
    const target = track(await Target.start(() => SWITCH));
    const gateway = await gatewayTo([target]);
    const client = await gateway.connect();
    client.send(upgrade("/ws"));
    await client.takeHead();
    target.last.send("last words");
    target.last.socket.end();
    await client.sees("last words");
    await eventually("the target's end", () => client.hasEnded);
    client.send("still here");
    await eventually("the client's bytes", () => target.last.received.endsWith("still here"));
    client.end();
    await gateway.idle();
  });

  test("ends after its own idle timeout, not after that of requests", async () => {
    const target = track(await Target.start(echoTunnel));
    const timeouts = { idle: "50ms", firstByte: "50ms", tunnelIdle: "200ms" } as const;
    const gateway = await gatewayTo([target], { gateway: { timeouts } });
    const client = await gateway.connect();
    client.send(upgrade("/ws"));
    await client.takeHead();
    const openedMs = performance.now();
    await client.closes();
    expect(performance.now() - openedMs).toBeGreaterThan(140);
    await gateway.idle();
  });

  test("neither connection is used for another request", async () => {
    const target = track(
      await Target.start((arrival) => (arrival.head.includes("/ws") ? SWITCH : ok("plain"))),
    );
    const gateway = await gatewayTo([target]);
    const client = await gateway.connect();
    client.send(upgrade("/ws"));
    await client.takeHead();
    client.end();
    target.last.socket.end();
    await client.closes();
    const other = await gateway.connect();
    expect((await other.ask(get("/"))).body).toBe("plain");
    expect(target.connections.length).toBe(2);
  });
});

describe("an upgrade that the target declines", () => {
  test("is an answer like any other, and the connection stays", async () => {
    const target = track(await Target.start(() => ok("no")));
    const gateway = await gatewayTo([target]);
    const client = await gateway.connect();
    expect((await client.ask(upgrade("/ws"))).body).toBe("no");
    expect((await client.ask(get("/"))).body).toBe("no");
    expect(target.connections.length).toBe(1);
  });

  test("a 101 that nobody asked for is refused", async () => {
    const target = track(await Target.start(() => SWITCH));
    const gateway = await gatewayTo([target]);
    const client = await gateway.connect();
    const answer = await client.ask(get("/"));
    expect(answer.status).toBe(502);
    expect(answer.field("x-error-code")).toBe("upstream-invalid");
  });
});
