/** Large bodies in slices: what a client gets, what the target is asked for, and by how many. */
import { afterEach, describe, expect, test } from "bun:test";
import { seededRandom } from "../../../base/index.ts";
import { type Arrival, eventually, get, request, settle, stopAll, Target } from "../../testing/index.ts";
import {
  bodyOf,
  fieldOf,
  Origin,
  part,
  SLICE,
  sameBody,
  scene,
  slice,
  sorted,
} from "./testing/ranged-origin.ts";
import { before, FRESH, said } from "./testing.ts";

afterEach(stopAll);

/** Failures name it. */
const SEED = 20_261_126;

describe("a large body", () => {
  test("is fetched in slices, sent as one, and then comes from the store", async () => {
    const { origin, ask, target } = await scene(5.5);
    const first = await ask("/");
    expect([first.status, first.field("content-length"), first.field("content-range")]).toEqual([
      200,
      String(origin.body.length),
      undefined,
    ]);
    sameBody(first, origin.body);
    expect(said(first)).toBe("fwd=uri-miss; fwd-status=206; stored");
    const again = await ask("/");
    sameBody(again, origin.body);
    expect(said(again)).toMatch(/^hit/);
    expect(sorted(origin.ranges)).toEqual(sorted([0, 1, 2, 3, 4, 5].map(slice)));
    expect(target.arrivals.length).toBe(6);
  });

  test.each([
    ["bytes=200000-200009", [3], "200000-200009"],
    ["bytes=131071-131072", [1, 2], "131071-131072"],
    ["bytes=327680-", [5], "327680-360447"],
    ["bytes=-5", [0, 5], "360443-360447"],
  ])("of which %s is wanted costs the slices %j", async (range, slices, span) => {
    const { origin, ask } = await scene(5.5);
    const answer = await ask("/", `Range: ${range}`);
    const [from, to] = span.split("-").map(Number);
    expect([answer.status, answer.field("content-range")]).toEqual([
      206,
      `bytes ${span}/${origin.body.length}`,
    ]);
    expect(answer.body).toBe(origin.body.slice(from, (to ?? 0) + 1));
    expect(sorted(origin.ranges)).toEqual(sorted(slices.map(slice)));
    const again = await ask("/", `Range: ${range}`);
    expect([again.body, origin.ranges.length]).toEqual([answer.body, slices.length]);
  });

  test("is sent in the name of the edge that sends it, fetched and stored (RFC 9211)", async () => {
    const origin = new Origin(2);
    const gateway = { gateway: { edge: "fra" } };
    const { ask } = await before({ slice: "64KiB" }, await Target.start(origin.answer), gateway);
    for (const note of ["fwd=uri-miss", "hit"])
      expect((await ask("/", "Range: bytes=5-9")).field("cache-status")).toStartWith(`tenfold-fra; ${note}`);
  });

  test("of several ranges is sent whole, as from a whole one", async () => {
    const { origin, ask } = await scene(2.5);
    const answer = await ask("/", "Range: bytes=0-1,5-6");
    expect(answer.status).toBe(200);
    sameBody(answer, origin.body);
  });

  test("has nothing behind its end, and the target is asked for that once", async () => {
    const { origin, ask } = await scene(2.5);
    expect((await ask("/", "Range: bytes=999999-")).status).toBe(416);
    await ask("/", "Range: bytes=0-1");
    const asked = origin.ranges.length;
    const answer = await ask("/", "Range: bytes=999999-");
    expect([answer.status, answer.field("content-range")]).toEqual([416, `bytes */${origin.body.length}`]);
    expect(origin.ranges.length).toBe(asked);
  });

  test("answers conditions, If-Range and HEAD from one slice", async () => {
    const { origin, ask, gateway } = await scene(2.5);
    await ask("/", "Range: bytes=0-1");
    expect((await ask("/", 'If-None-Match: "one"')).status).toBe(304);
    expect((await ask("/", "Range: bytes=0-1", 'If-Range: "one"')).body).toBe("pl");
    const client = await gateway.connect();
    const head = await client.ask(request("HEAD", "/"));
    expect([head.status, head.field("content-length")]).toEqual([200, String(origin.body.length)]);
    expect(origin.ranges).toEqual([slice(0)]);
    sameBody(await ask("/", "Range: bytes=0-1", 'If-Range: "other"'), origin.body);
  });

  test("goes with one change of its URL, in all its slices", async () => {
    const { origin, ask, gateway } = await scene(3);
    await ask("/");
    const sizes: number[] = [];
    gateway.store?.walk((entry) => sizes.push(entry.bodyBytes));
    expect(sizes).toEqual([SLICE, SLICE, SLICE]);
    await (await gateway.connect()).ask(request("POST", "/", ["Content-Length: 0"]));
    origin.ranges.length = 0;
    sameBody(await ask("/"), origin.body);
    expect(sorted(origin.ranges)).toEqual(sorted([0, 1, 2].map(slice)));
  });

  test("is asked about when the slice that is wanted first is stale, and its other slices are still right", async () => {
    const { origin, ask, later } = await scene(3);
    await ask("/");
    later(61);
    const answer = await ask("/");
    sameBody(answer, origin.body);
    expect(said(answer)).toMatch(/^fwd=stale; fwd-status=304/);
    expect(sorted(origin.ranges)).toEqual(sorted([0, 1, 2, 0].map(slice)));
  });

  test("that has changed is fetched anew, and nothing of the old one is left", async () => {
    const { origin, ask, later } = await scene(3);
    await ask("/");
    later(61);
    origin.etag = '"two"';
    origin.body = bodyOf(3 * SLICE, "new");
    sameBody(await ask("/"), origin.body);
    const seek = await ask("/", `Range: bytes=${SLICE}-${SLICE + 9}`);
    expect([seek.body, said(seek)]).toEqual([
      origin.body.slice(SLICE, SLICE + 10),
      expect.stringMatching(/^hit/),
    ]);
  });
});

describe("clients at the same time", () => {
  test("are served by one fetch of each slice", async () => {
    const { origin, ask } = await scene(4);
    const answers = await Promise.all(Array.from({ length: 20 }, () => ask("/")));
    for (const answer of answers) sameBody(answer, origin.body);
    expect(sorted(origin.ranges)).toEqual(sorted([0, 1, 2, 3].map(slice)));
  });

  test("of which one does not read have it fetched no further than one slice ahead", async () => {
    const { origin, gateway, target } = await scene(300);
    const slow = await gateway.connect();
    slow.keeps = false;
    slow.socket.pause();
    slow.send(get("/"));
    await target.arrived(2);
    for (let seen = 0; seen !== origin.ranges.length; ) {
      seen = origin.ranges.length;
      await Bun.sleep(300);
    }
    // What the kernel takes for a client that does not read is some megabytes.
    expect(origin.ranges.length).toBeLessThan(250);
    slow.socket.resume();
    const { length } = origin.body;
    await eventually("the rest comes", () => slow.bytesReceived > length, 15_000);
    expect(origin.ranges.length).toBe(300);
  }, 20_000);

  test("of which one leaves do not lose what it began", async () => {
    const { origin, gateway, ask } = await scene(3);
    const leaving = await gateway.connect();
    leaving.send(get("/"));
    await leaving.sees("place0");
    leaving.reset();
    await settle();
    sameBody(await ask("/"), origin.body);
  });
});

test("without slices a part is passed on and not kept", async () => {
  const origin = new Origin(1);
  const { ask } = await before({}, await Target.start(origin.answer));
  const answers = [await ask("/", "Range: bytes=0-3"), await ask("/", "Range: bytes=0-3")];
  expect(answers.map(said)).toEqual(["fwd=uri-miss; detail=range", "fwd=uri-miss; detail=range"]);
  expect(origin.ranges).toEqual(["0-3", "0-3"]);
});

test("a seek in a body of 10 GiB fetches the slices it needs, and no others", async () => {
  const total = 10 * 1024 ** 3;
  const ranges: (string | undefined)[] = [];
  const script = (arrival: Arrival): string => {
    const range = fieldOf(arrival, "range");
    ranges.push(range);
    const [, from = "", to = ""] = /bytes=(\d+)-(\d+)/.exec(range ?? "") ?? [];
    const last = Math.min(Number(to), total - 1);
    const body = `at ${from}.`.padEnd(last - Number(from) + 1, ".");
    return part(body, `bytes ${from}-${last}/${total}`, 'ETag: "large"', FRESH);
  };
  const { ask } = await before({ slice: "1MiB" }, await Target.start(script));
  const at = 7 * 1024 ** 3;
  const answer = await ask("/", `Range: bytes=${at}-${at + 13}`);
  expect([answer.status, answer.body, answer.field("content-range")]).toEqual([
    206,
    `at ${at}.`,
    `bytes ${at}-${at + 13}/${total}`,
  ]);
  expect(await ask("/", "Range: bytes=-1")).toMatchObject({ status: 206, body: "." });
  const mib = 1024 ** 2;
  expect(ranges).toEqual([
    `bytes=${at}-${at + mib - 1}`,
    `bytes=0-${mib - 1}`,
    `bytes=${total - mib}-${total - 1}`,
  ]);
});

test("a crowd over a body that is larger than the cache gets the bytes that each asked for", async () => {
  const origin = new Origin(200);
  const target = await Target.start(origin.answer);
  const { ask, gateway } = await before({ slice: "64KiB" }, target, {
    gateway: { cache: { memory: "8MiB" } },
  });
  const random = seededRandom(SEED);
  const wrong = await Promise.all(
    Array.from({ length: 60 }, async () => {
      const first = Math.floor(random() * (origin.body.length - 1));
      const last = Math.min(origin.body.length - 1, first + Math.floor(random() * 12 * SLICE));
      const { body } = await ask("/", `Range: bytes=${first}-${last}`);
      return body === origin.body.slice(first, last + 1) ? [] : [`${first}-${last}`];
    }),
  );
  expect({ seed: SEED, wrong: wrong.flat() }).toEqual({ seed: SEED, wrong: [] });
  await gateway.idle();
  expect(gateway.log).toEqual([]);
}, 20_000);
