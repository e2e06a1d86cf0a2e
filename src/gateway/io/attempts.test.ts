import { afterEach, describe, expect, test } from "bun:test";
import { freePort } from "../../base/testing.ts";
import { GROUP_COUNTER } from "../scoreboard.ts";
import {
  type Arrival,
  eventually,
  gatewayTo,
  get,
  ok,
  post,
  proxyTo,
  SilentListener,
  stopAll,
  Target,
  TestGateway,
  track,
} from "../testing/index.ts";

afterEach(stopAll);

/** A gateway before one address where nobody listens and one target that does. */
async function besideDead(target: Target, extra: Parameters<typeof proxyTo>[1] = {}): Promise<TestGateway> {
  const dead = `127.0.0.1:${freePort()}`;
  return track(await TestGateway.start(proxyTo([dead, target.address], extra)));
}

/** Closes a connection on its second request, and answers all others. */
function closesOnReuse({ connection, head }: Arrival): string | undefined {
  const isSecond =
    connection.received.indexOf(" HTTP/1.1\r\n") !== connection.received.lastIndexOf(" HTTP/1.1\r\n");
  if (!isSecond) return ok(head.slice(0, head.indexOf(" HTTP")));
  connection.socket.destroy();
  return undefined;
}

describe("a target that refuses connections", () => {
  test("costs a request nothing while another one accepts", async () => {
    const target = track(await Target.start());
    const gateway = await besideDead(target);
    const client = await gateway.connect();
    for (let i = 0; i < 6; i++) expect((await client.ask(get("/"))).status).toBe(200);
    for (let i = 0; i < 6; i++) expect((await client.ask(post("/", "body"))).status).toBe(200);
    expect(gateway.scoreboard.groupCounter(0, GROUP_COUNTER.retries)).toBeGreaterThan(0);
    await gateway.idle();
  });

  test("is named on the page when there is no other", async () => {
    const dead = `127.0.0.1:${freePort()}`;
    const gateway = track(await TestGateway.start(proxyTo([dead])));
    const client = await gateway.connect();
    const answer = await client.ask(get("/"));
    expect(answer.status).toBe(502);
    expect(answer.field("content-type")).toBe("application/json");
    const { error } = JSON.parse(answer.body);
    expect(error.code).toBe("connect-refused");
    expect(error.tried).toEqual([`${dead}: connect-refused`, `${dead}: connect-refused`]);
    expect(error.requestId).toBe(answer.field("x-request-id"));
    expect((await client.ask(get("/", "Accept: text/html,*/*"))).body).toContain(
      "<code>connect-refused</code>",
    );
  });

  test("is not tried again when the rule says so", async () => {
    const target = track(await Target.start());
    const gateway = await besideDead(target, { rule: { retry: 0 } });
    const client = await gateway.connect();
    const statuses = [await client.ask(get("/")), await client.ask(get("/"))].map(({ status }) => status);
    expect(statuses.toSorted((a, b) => a - b)).toEqual([200, 502]);
  });
});

describe("a connection that the target closes while it rests", () => {
  test("a GET that meets it is sent again, and its client sees nothing of it", async () => {
    const target = track(await Target.start(closesOnReuse));
    const gateway = await gatewayTo([target], { rule: { retry: 0 } });
    const client = await gateway.connect();
    for (let i = 0; i < 4; i++) expect((await client.ask(get("/"))).body).toBe("GET /");
    expect(target.connections.length).toBe(4);
  });

  test("a POST that may have reached the target is not", async () => {
    const target = track(await Target.start(closesOnReuse));
    const gateway = await gatewayTo([target]);
    const client = await gateway.connect();
    await client.ask(post("/", "first"));
    const answer = await client.ask(post("/", "second"));
    expect(answer.status).toBe(502);
    expect(answer.field("x-error-code")).toBe("upstream-closed");
    expect(target.arrivals.length).toBe(2);
  });

  test("a POST is sent again where the rule allows it", async () => {
    const target = track(await Target.start(closesOnReuse));
    const gateway = await gatewayTo([target], { rule: { retry: { nonIdempotent: true } } });
    const client = await gateway.connect();
    await client.ask(post("/", "first"));
    expect((await client.ask(post("/", "second"))).body).toBe("POST /");
    expect(target.arrivals.at(-1)?.body).toBe("second");
  });

  test("is not used again once the gateway has seen the close", async () => {
    const target = track(
      await Target.start(({ connection }) => {
        setImmediate(() => connection.socket.end());
        return ok("bye");
      }),
    );
    const gateway = await gatewayTo([target], { rule: { retry: 0 } });
    const client = await gateway.connect();
    expect((await client.ask(post("/", "1"))).body).toBe("bye");
    await eventually("the gateway closes too", () => target.last.hasEnded || target.last.isClosed);
    expect((await client.ask(post("/", "2"))).body).toBe("bye");
  });

  test("is not used again when the target speaks on it unasked", async () => {
    const target = track(await Target.start(() => ok("answer")));
    const gateway = await gatewayTo([target]);
    const client = await gateway.connect();
    await client.ask(get("/1"));
    target.last.send(ok("smuggled"));
    await eventually("the gateway closes it", () => target.open === 0);
    expect((await client.ask(get("/2"))).body).toBe("answer");
    expect(target.connections.length).toBe(2);
  });

  test("rests no longer than the target's own Keep-Alive says", async () => {
    const target = track(await Target.start(() => ok("", "Keep-Alive: timeout=1")));
    const gateway = await gatewayTo([target]);
    const client = await gateway.connect();
    await client.ask(get("/1"));
    await client.ask(get("/2"));
    expect(target.connections.length).toBe(2);
  });
});

describe("a target that closes before it answers", () => {
  test("a GET goes to another target", async () => {
    const broken = track(await Target.start(({ connection }) => void connection.socket.destroy()));
    const target = track(await Target.start());
    const gateway = await gatewayTo([broken, target]);
    const client = await gateway.connect();
    for (let i = 0; i < 4; i++) expect((await client.ask(get("/"))).status).toBe(200);
    expect(broken.arrivals.length).toBeGreaterThan(0);
  });

  test("a POST that reached it does not", async () => {
    const broken = track(await Target.start(({ connection }) => void connection.socket.destroy()));
    const gateway = await gatewayTo([broken]);
    const client = await gateway.connect();
    const answer = await client.ask(post("/", "pay"));
    expect(answer.field("x-error-code")).toBe("upstream-closed");
    expect(broken.arrivals.length).toBe(1);
    await gateway.idle();
  });

  test("a PUT whose body is still on its way is not sent again without it", async () => {
    const broken = track(
      await Target.start(({ connection }) => {
        connection.socket.on("data", () => connection.socket.destroy());
      }),
    );
    const gateway = await gatewayTo([broken]);
    const client = await gateway.connect();
    client.send("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n");
    await broken.arrived(1);
    client.send("half");
    const answer = await client.answer();
    expect(answer.field("x-error-code")).toBe("upstream-closed");
    expect(answer.field("connection")).toBe("close");
    expect(broken.arrivals.length).toBe(1);
  });
});

describe("a target that does not accept in time", () => {
  test.skipIf(!SilentListener.isPossible)(
    "is given up after the connect timeout (needs glibc to be shown)",
    async () => {
      const silent = track(new SilentListener());
      await silent.fill();
      const timeouts = { connect: "100ms" } as const;
      const gateway = track(await TestGateway.start(proxyTo([silent.address], { gateway: { timeouts } })));
      const client = await gateway.connect();
      const answer = await client.ask(post("/", "body"));
      expect(answer.status).toBe(504);
      const tried = `${silent.address}: connect-timeout`;
      expect(JSON.parse(answer.body).error.tried).toEqual([tried, tried]);
      await gateway.idle();
    },
  );

  test.skipIf(!SilentListener.isPossible)(
    "another one is tried, with any method (needs glibc to be shown)",
    async () => {
      const silent = track(new SilentListener());
      await silent.fill();
      const target = track(await Target.start());
      const timeouts = { connect: "100ms" } as const;
      const configAt = proxyTo([silent.address, target.address], { gateway: { timeouts } });
      const client = await track(await TestGateway.start(configAt)).connect();
      expect((await client.ask(post("/", "body"))).status).toBe(200);
      expect(target.arrivals[0]?.body).toBe("body");
    },
  );
});

describe("the retry budget", () => {
  /** All targets refuse, and every request may be tried once more. */
  async function refused(requests: number, retryBudget: { ratio: number; perSecond: number }) {
    const dead = [`127.0.0.1:${freePort()}`, `127.0.0.1:${freePort()}`];
    const gateway = track(await TestGateway.start(proxyTo(dead, { group: { retryBudget } })));
    const client = await gateway.connect();
    for (let i = 0; i < requests; i++) expect((await client.ask(get("/"))).status).toBe(502);
    const last = JSON.parse((await client.ask(get("/"))).body);
    const count = (counter: number) => gateway.scoreboard.groupCounter(0, counter);
    return {
      retries: count(GROUP_COUNTER.retries),
      refused: count(GROUP_COUNTER.retriesRefused),
      tried: last.error.tried,
    };
  }

  test("lets one of five be sent again when all fail, and says so on the page", async () => {
    const { retries, refused: kept, tried } = await refused(98, { ratio: 0.2, perSecond: 0 });
    expect([retries, kept]).toEqual([19, 80]);
    expect(tried.at(-1)).toBe("retry-budget-spent");
  });

  test("lets some a second be sent again whatever their number", async () => {
    expect(await refused(19, { ratio: 0, perSecond: 1 })).toMatchObject({ retries: 10, refused: 10 });
  });
});
