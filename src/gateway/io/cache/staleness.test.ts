/** What becomes of a stored response that is not fresh any more: refreshed, checked, or served for want of better. */
import { afterEach, describe, expect, test } from "bun:test";
import { HEALTH } from "../../scoreboard.ts";
import { eventually, get, ok, settle, stopAll, Target } from "../../testing/index.ts";
import { bare, before, type Cached, FRESH, inOrder, said } from "./testing.ts";

afterEach(stopAll);

const TAGGED = 'ETag: "1"';
const ASK = "Cache-Control: no-cache";
const UNCHANGED = "HTTP/1.1 304 Not Modified\r\n\r\n";

/** A page that is stored, and stale since forty seconds; then the target does what `script` says. */
async function stale(
  cache: Parameters<typeof before>[0],
  fields: string,
  ...then: readonly string[]
): Promise<Cached> {
  const cached = await before(cache, await Target.start(inOrder(ok("old", fields, TAGGED), ...then)));
  await cached.ask();
  cached.later(99.5);
  if (then.length === 0) cached.target.script = () => undefined;
  return cached;
}

describe("stale-while-revalidate", () => {
  const SWR = "Cache-Control: max-age=60, stale-while-revalidate=600";

  test("answers at once, and refreshes once for all who ask meanwhile", async () => {
    const { target, ask, status } = await stale({}, SWR);
    const answers = await Promise.all([ask(), ask(), ask()]);
    expect(answers.map(said)).toEqual(
      Array.from({ length: 3 }, () => "hit; ttl=-40; detail=stale-while-revalidate"),
    );
    expect([answers[0]?.body, answers[0]?.field("age")]).toEqual(["old", "99"]);
    await target.arrived(2);
    target.last.send(ok("new", FRESH));
    await eventually("the new one is there", () => target.arrivals.length === 2);
    await settle();
    expect([(await ask()).body, await status(), target.arrivals.length]).toEqual([
      "new",
      expect.stringMatching(/^hit; ttl=\d/),
      2,
    ]);
  });

  test("asks with the validator, and 304 makes it fresh again", async () => {
    const { target, status, gateway } = await stale({}, SWR, UNCHANGED);
    await status();
    await target.arrived(2);
    expect(target.arrivals[1]?.head).toMatch(/if-none-match: "1"/i);
    await gateway.idle();
    expect(await status()).toMatch(/^hit; ttl=(59|60)$/);
  });

  test("goes on with the stale one when the refresh fails, and tries again at the next request", async () => {
    const { target, ask, gateway } = await stale({}, SWR, bare("503 No"), ok("new", FRESH));
    for (const count of [2, 3]) {
      expect((await ask()).body).toBe("old");
      await target.arrived(count);
      await gateway.idle();
    }
    await settle();
    expect((await ask()).body).toBe("new");
  });

  test("is over after its time", async () => {
    const { ask, later } = await stale({}, SWR, ok("new", FRESH));
    later(700);
    expect((await ask()).body).toBe("new");
  });

  test("of the rule counts where the response says nothing, and not against must-revalidate", async () => {
    const cached = await stale({ staleWhileRevalidate: "10m" }, FRESH, ok("new", FRESH));
    expect((await cached.ask()).body).toBe("old");
    const strict = await stale(
      { staleWhileRevalidate: "10m" },
      "Cache-Control: max-age=60, must-revalidate",
      ok("new", FRESH),
    );
    expect((await strict.ask()).body).toBe("new");
  });

  test("refreshes for the request that follows on the same connection, too", async () => {
    const { target, gateway } = await stale({}, SWR, ok("new", FRESH));
    const client = await gateway.connect();
    client.send(get("/") + get("/other") + get("/"));
    expect([(await client.answer()).body, (await client.answer()).body]).toEqual(["old", "new"]);
    expect((await client.answer()).status).toBe(200);
    await target.arrived(3);
    expect(target.arrivals.filter(({ head }) => head.startsWith("GET / ")).length).toBe(2);
  });
});

describe("stale-if-error", () => {
  const SIE = "Cache-Control: max-age=60, stale-if-error=600";

  test.each(["500 Broken", "502 Bad", "503 No", "504 Late"])("stands in for %s", async (status) => {
    const { ask } = await stale({}, SIE, bare(status));
    const answer = await ask();
    expect([answer.status, answer.body, said(answer)]).toEqual([
      200,
      "old",
      "hit; ttl=-40; detail=stale-if-error",
    ]);
  });

  test.each(["404 Gone", "429 Slow"])("does not stand in for %s", async (status) => {
    const { ask } = await stale({}, SIE, bare(status));
    expect((await ask()).status).toBe(Number(status.slice(0, 3)));
  });

  test.each(["must-revalidate", "proxy-revalidate", "no-cache"])(
    "never goes against %s",
    async (directive) => {
      const { ask } = await stale({}, `Cache-Control: max-age=60, ${directive}`, bare("503 No"));
      expect((await ask()).status).toBe(503);
    },
  );

  test("stands in for a target that refuses", async () => {
    const { target, ask } = await stale({}, SIE);
    target.stop();
    expect((await ask()).body).toBe("old");
  });

  test("stands in for a target that breaks off, and for one that breaks the grammar", async () => {
    const { target, ask } = await stale({}, SIE);
    target.script = ({ connection }) => void connection.socket.resetAndDestroy();
    expect((await ask()).body).toBe("old");
    target.script = () => "nonsense\r\n\r\n";
    expect((await ask()).body).toBe("old");
  });

  test("is over after its time", async () => {
    const { ask, later } = await stale({ grace: "0s" }, SIE, bare("503 No"));
    later(700);
    expect((await ask()).status).toBe(503);
  });

  test("is there after the soft timeout, and the slow answer is stored when it comes", async () => {
    const { target, ask, status } = await stale({ softTimeout: "50ms" }, SIE);
    const answers = await Promise.all([ask(), ask(), ask()]);
    expect(answers.map(({ body }) => body)).toEqual(["old", "old", "old"]);
    expect(target.arrivals.length).toBe(2);
    target.last.send(ok("new", FRESH));
    await settle();
    expect([(await ask()).body, await status()]).toEqual(["new", expect.stringMatching(/^hit; ttl=\d/)]);
  });

  test("does not cut short the wait for a response that must be checked", async () => {
    const { target, gateway } = await stale(
      { softTimeout: "50ms" },
      "Cache-Control: max-age=60, must-revalidate",
    );
    const client = await gateway.connect();
    client.send(get("/"));
    await target.arrived(2);
    // Well past the soft timeout, when it would have got the stale one.
    await new Promise((resolve) => setTimeout(resolve, 200));
    target.last.send(ok("new", FRESH));
    expect((await client.answer()).body).toBe("new");
  });
});

describe("grace", () => {
  const OLD = "Cache-Control: max-age=60";

  test("is given when nobody is there to ask, and by the first request that finds out", async () => {
    const { target, ask, later } = await stale({}, OLD);
    later(3_600);
    target.stop();
    const answer = await ask();
    expect([answer.status, answer.body, said(answer)]).toEqual([200, "old", "hit; ttl=-3640; detail=grace"]);
  });

  test("is given at once when the checks say that all targets are down, and ends when one is up", async () => {
    const state = { well: true };
    const script = ({ head }: { readonly head: string }): string => {
      if (head.includes("/healthz")) return state.well ? ok("") : bare("503 No");
      return ok(state.well ? "page" : "unwell", OLD);
    };
    const health = { path: "/healthz", interval: "60ms", timeout: "50ms", rise: 1, fall: 1 } as const;
    const cached = await before({}, await Target.start(script), { group: { health, panicThreshold: 0 } });
    const slot = cached.gateway.snapshot.targetGroups[0]!.targets[0]!.slot;
    const isAt = (is: number) => () => cached.gateway.scoreboard.health(slot) === is;
    await eventually("it is healthy", isAt(HEALTH.healthy));
    await cached.ask();
    state.well = false;
    await eventually("it is unhealthy", isAt(HEALTH.unhealthy));
    cached.later(3_600);
    expect(await cached.status()).toMatch(/detail=grace$/);
    state.well = true;
    await eventually("it is healthy again", isAt(HEALTH.healthy));
    expect((await cached.ask()).body).toBe("page");
  });

  test("has an end, and is not for what must be checked", async () => {
    for (const [fields, seconds] of [
      [OLD, 90_000],
      ["Cache-Control: max-age=60, must-revalidate", 100],
    ] as const) {
      const { target, ask, later } = await stale({}, fields);
      later(seconds);
      target.stop();
      expect((await ask()).status).toBe(502);
    }
  });

  test("is no use without a stored response", async () => {
    const { ask, target } = await before({}, await Target.start(() => undefined));
    target.stop();
    expect((await ask("/")).status).toBe(502);
  });
});

describe("a stored response that is checked", () => {
  test("is checked at every request where it says no-cache", async () => {
    const { target, ask } = await before({}, await Target.start(inOrder(ok("body", ASK, TAGGED), UNCHANGED)));
    for (let i = 0; i < 3; i++) expect((await ask()).body).toBe("body");
    expect(target.arrivals.map(({ head }) => /if-none-match/i.test(head))).toEqual([false, true, true]);
  });

  test("takes the fields of a 304, but for those of its body and of the connection", async () => {
    const fields = ["X-Note: new", "Content-Length: 99", "Connection: X-Hop", "X-Hop: 1", FRESH];
    const { ask } = await stale(
      {},
      "Cache-Control: max-age=60\r\nX-Note: old\r\nX-Kept: 1",
      ["HTTP/1.1 304 Not Modified", ...fields, "\r\n"].join("\r\n"),
    );
    for (const answer of [await ask(), await ask()]) {
      const { body } = answer;
      const named = ["x-note", "x-kept", "content-length", "x-hop"].map((name) => answer.field(name));
      expect([body, ...named]).toEqual(["old", "new", "1", "3", undefined]);
    }
  });

  test("gives way to a 200, for all who waited", async () => {
    const { target, ask, status } = await stale({}, FRESH);
    const answers = Promise.all([ask(), ask(), ask()]);
    await target.arrived(2);
    await settle();
    target.last.send(ok("new", FRESH));
    expect((await answers).map(({ body }) => body)).toEqual(["new", "new", "new"]);
    expect((await answers).map(said)).toEqual([
      "fwd=stale; fwd-status=200; stored; detail=expired",
      "fwd=stale; stored; collapsed; detail=expired",
      "fwd=stale; stored; collapsed; detail=expired",
    ]);
    expect(await status()).toMatch(/^hit/);
  });

  test("is right for all who waited when the target says 304", async () => {
    const { target, ask } = await stale({}, FRESH);
    const answers = Promise.all([ask(), ask("/", TAGGED.replace("ETag", "If-None-Match"))]);
    await target.arrived(2);
    await settle();
    target.last.send(UNCHANGED);
    expect((await answers).map(({ status, body }) => [status, body])).toEqual([
      [200, "old"],
      [304, ""],
    ]);
    expect(target.arrivals.length).toBe(2);
  });

  test("is fetched anew when a 304 speaks of another one", async () => {
    const { target, ask } = await stale(
      {},
      FRESH,
      'HTTP/1.1 304 Not Modified\r\nETag: "2"\r\n\r\n',
      ok("new", FRESH),
    );
    expect((await ask()).body).toBe("new");
    expect(target.arrivals.map(({ head }) => /if-none-match/i.test(head))).toEqual([false, true, false]);
  });

  test("is gone when the target says that it is private now, by 200 or by 304", async () => {
    for (const answer of [
      ok("mine", "Cache-Control: private"),
      "HTTP/1.1 304 Not Modified\r\nCache-Control: private\r\n\r\n",
    ]) {
      const { target, ask } = await stale({}, FRESH, answer);
      await ask();
      target.script = () => bare("503 No");
      expect((await ask()).status).toBe(503);
    }
  });

  test("is checked with the date when it has no tag", async () => {
    const date = "Thu, 01 Jan 2026 00:00:00 GMT";
    const { target, ask, later } = await before(
      {},
      await Target.start(inOrder(ok("old", FRESH, `Last-Modified: ${date}`), UNCHANGED)),
    );
    await ask();
    later(100);
    expect((await ask()).body).toBe("old");
    expect(target.arrivals[1]?.head).toContain(`If-Modified-Since: ${date}`);
  });

  test("is checked on behalf of a client with as many fields as there may be", async () => {
    const { ask } = await stale({}, FRESH, ok("new", FRESH));
    const many = Array.from({ length: 99 }, (_, i) => `X-${i}: 1`);
    expect((await ask("/", ...many)).status).toBe(200);
  });

  test("is checked with the client's own fields, byte for byte", async () => {
    const { target, ask } = await stale({}, FRESH, ok("new", FRESH));
    await ask("/", "X-Name: Jos\xe9");
    expect(target.arrivals[1]?.head).toContain("X-Name: Jos\xe9");
  });

  test("is checked for a request behind an empty line", async () => {
    const { target, gateway } = await stale({}, FRESH, ok("new", FRESH));
    const client = await gateway.connect();
    expect((await client.ask(`\r\n${get("/")}`)).body).toBe("new");
    expect(target.arrivals[1]?.head).toMatch(/^GET \/ HTTP\/1\.1\r\n/);
  });
});
