/** Large bodies in slices from a target that knows no ranges, lies, changes or fails. */
import { afterEach, describe, expect, test } from "bun:test";
import { eventually, get, stopAll } from "../../testing/index.ts";
import { bodyOf, type Origin, part, SLICE, sameBody, scene, slice, whole } from "./testing/ranged-origin.ts";
import { bare, FRESH, said } from "./testing.ts";

afterEach(stopAll);

describe("a target", () => {
  test("that knows no ranges is believed: its 200 is sent and kept as a whole", async () => {
    const { origin, ask } = await scene(1.5);
    origin.instead = () => whole("all of it", FRESH);
    expect([(await ask("/", "Range: bytes=0-3")).body, (await ask("/", "Range: bytes=0-2")).body]).toEqual([
      "all of it",
      "all",
    ]);
    expect(origin.ranges.length).toBe(1);
  });

  test("whose body is no longer than a slice is kept as a whole, and its ranges are sent as such", async () => {
    const { origin, ask } = await scene(0.5);
    const first = await ask("/", "Range: bytes=0-1");
    expect([first.status, first.body, first.field("content-range")]).toEqual([
      206,
      "pl",
      `bytes 0-1/${origin.body.length}`,
    ]);
    const again = await ask("/");
    expect([again.status, again.field("content-range"), said(again)]).toEqual([
      200,
      undefined,
      expect.stringMatching(/^hit/),
    ]);
    sameBody(again, origin.body);
    expect(origin.ranges).toEqual([slice(0)]);
  });

  test.each(["404 Not Found", "302 Found", "500 Broken"])("that answers %s is passed on", async (status) => {
    const { origin, ask } = await scene(2);
    origin.instead = () => bare(status, "Cache-Control: max-age=60");
    expect((await ask("/", "Range: bytes=0-3")).status).toBe(Number(status.slice(0, 3)));
  });

  test("without a strong validator is asked for what the client wants, and the next time at once", async () => {
    const { origin, ask } = await scene(3);
    origin.etag = 'W/"weak"';
    const answer = await ask("/", "Range: bytes=0-3");
    expect([answer.status, answer.body, said(answer)]).toEqual([
      206,
      "plac",
      "fwd=uri-miss; detail=slice-no-validator",
    ]);
    await ask("/", "Range: bytes=0-3");
    expect(origin.ranges).toEqual([slice(0), "0-3", "0-3"]);
  });

  test.each([
    ["another range", "bytes 7-65542/196608"],
    ["a shorter one", "bytes 0-9/196608"],
    ["one that ends before it begins", "bytes 9-0/196608"],
    ["one behind its own end", "bytes 0-65535/100"],
    ["one of unknown length", "bytes 0-65535/*"],
    ["nonsense", "bytes x"],
  ])(
    "that says %s than it was asked for is refused, and asked for what the client wants",
    async (_, range) => {
      const { origin, ask } = await scene(3);
      origin.instead = (asked) =>
        asked === `bytes=${slice(0)}`
          ? part(origin.body.slice(0, SLICE), range, 'ETag: "one"', FRESH)
          : undefined;
      const answer = await ask("/", "Range: bytes=0-3");
      expect([answer.body, said(answer)]).toEqual(["plac", "fwd=uri-miss; detail=slice-mismatch"]);
    },
  );

  test("whose slice is shorter than it says cuts the client, and nothing of it is kept", async () => {
    const { origin, ask, gateway } = await scene(3);
    origin.instead = (asked) =>
      asked === `bytes=${slice(1)}`
        ? `HTTP/1.1 206 Partial Content\r\nETag: "one"\r\n${FRESH}\r\nContent-Range: bytes ${slice(1)}/${3 * SLICE}\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n`
        : undefined;
    const client = await gateway.connect();
    client.send(get("/"));
    await eventually("the client is cut", () => client.isClosed);
    expect(client.received.length).toBeLessThan(2 * SLICE);
    origin.instead = () => undefined;
    sameBody(await ask("/"), origin.body);
  });

  test.each([
    ["says so (412)", (origin: Origin) => void (origin.etag = '"two"')],
    [
      "does not look at If-Match",
      (origin: Origin) => {
        origin.instead = (asked) =>
          asked === `bytes=${slice(1)}`
            ? part(origin.body.slice(0, SLICE), `bytes ${slice(1)}/${3 * SLICE}`, 'ETag: "two"', FRESH)
            : undefined;
      },
    ],
    [
      "sends the whole",
      (origin: Origin) => {
        origin.instead = (asked) =>
          asked === `bytes=${slice(1)}` ? whole(origin.body, 'ETag: "two"', FRESH) : undefined;
      },
    ],
  ])("that changes in the middle and %s cuts the client, and the old slices are gone", async (_, change) => {
    const { origin, ask, gateway } = await scene(3);
    await ask("/", "Range: bytes=0-1");
    change(origin);
    const client = await gateway.connect();
    client.send(get("/"));
    await eventually("the client is cut", () => client.isClosed);
    expect(client.received.length).toBeLessThan(SLICE + 1000);
    origin.etag = '"two"';
    origin.body = bodyOf(3 * SLICE, "new");
    origin.instead = () => undefined;
    sameBody(await ask("/"), origin.body);
  });

  test("that breaks off in the middle of a slice is asked for it again, and the client sees nothing of it", async () => {
    const { origin, ask } = await scene(3);
    let cuts = 0;
    origin.instead = (asked, { connection }) => {
      if (asked !== `bytes=${slice(1)}` || cuts++ > 0) return undefined;
      const range = `bytes ${slice(1)}/${3 * SLICE}`;
      connection.send(
        part(origin.body.slice(SLICE, 2 * SLICE), range, 'ETag: "one"', FRESH).slice(0, SLICE / 2),
      );
      setTimeout(() => connection.socket.resetAndDestroy(), 5);
      return "";
    };
    sameBody(await ask("/"), origin.body);
    expect(cuts).toBe(2);
  });

  test("that fails in the middle of a body cuts the client, and the next one goes on from what is stored", async () => {
    const { origin, ask, gateway } = await scene(3);
    origin.instead = (asked) => (asked === `bytes=${slice(1)}` ? bare("500 Broken") : undefined);
    const client = await gateway.connect();
    client.send(get("/"));
    await eventually("the client is cut", () => client.isClosed);
    origin.instead = () => undefined;
    sameBody(await ask("/"), origin.body);
    expect(origin.ranges.filter((range) => range === slice(0)).length).toBe(1);
  });

  test("that says no-store has nothing kept, and each client gets its range", async () => {
    const { origin, ask } = await scene(3);
    origin.fields = ["Cache-Control: no-store"];
    const answer = await ask("/", "Range: bytes=5-8");
    expect([answer.body, said(answer)]).toEqual([origin.body.slice(5, 9), "fwd=uri-miss; detail=no-store"]);
  });
});
