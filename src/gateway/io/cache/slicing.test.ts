/** Large bodies in slices: what a client gets, what the target is asked for, and what happens when the target lies or changes. */
import { afterEach, describe, expect, test } from "bun:test";
import type { UserCache } from "../../../config/index.ts";
import {
  type Answer,
  type Arrival,
  eventually,
  get,
  request,
  settle,
  stopAll,
  Target,
} from "../../testing/index.ts";
import { bare, before, type Cached, FRESH, said } from "./testing.ts";

afterEach(stopAll);

const SLICE = 64 * 1024;
const SLICED: UserCache = { slice: "64KiB" };

/** What a target holds: a body that tells its places apart, and how it speaks of it. */
class Origin {
  body: string;
  etag = '"one"';
  fields: readonly string[] = [FRESH];
  /** Ranges that were asked for, in order. */
  readonly ranges: (string | undefined)[] = [];
  /** In the place of an answer. */
  instead: (range: string | undefined, arrival: Arrival) => string | undefined | void = () => undefined;

  constructor(slices: number) {
    this.body = bodyOf(slices * SLICE);
  }

  readonly answer = (arrival: Arrival): string => {
    const range = fieldOf(arrival, "range");
    this.ranges.push(range?.replace("bytes=", ""));
    const other = this.instead(range, arrival);
    if (typeof other === "string") return other;
    const tag = `ETag: ${this.etag}`;
    if (fieldOf(arrival, "if-none-match") === this.etag)
      return bare("304 Not Modified", tag).replace("Content-Length: 0\r\n", "");
    const pinned = fieldOf(arrival, "if-match");
    if (pinned !== undefined && pinned !== this.etag) return bare("412 Precondition Failed");
    const [, from, to] = /bytes=(\d+)-(\d*)/.exec(range ?? "") ?? [];
    if (from === undefined) return whole(this.body, tag, ...this.fields);
    const first = Number(from);
    if (first >= this.body.length)
      return bare("416 Range Not Satisfiable", `Content-Range: bytes */${this.body.length}`);
    const last = Math.min(to === "" ? Number.POSITIVE_INFINITY : Number(to), this.body.length - 1);
    return part(
      this.body.slice(first, last + 1),
      `bytes ${first}-${last}/${this.body.length}`,
      tag,
      ...this.fields,
    );
  };
}

function bodyOf(length: number, name = "place"): string {
  return Array.from({ length: Math.ceil(length / 16) }, (_, i) => `${name}${i}`.padEnd(16, "."))
    .join("")
    .slice(0, length);
}

function fieldOf({ head }: Arrival, name: string): string | undefined {
  return new RegExp(`^${name}: *(.*)$`, "im").exec(head)?.[1]?.trim();
}

function whole(body: string, ...fields: string[]): string {
  return ["HTTP/1.1 200 OK", ...fields, `Content-Length: ${body.length}`, "", body].join("\r\n");
}

function part(body: string, range: string, ...fields: string[]): string {
  const lines = ["HTTP/1.1 206 Partial Content", ...fields, `Content-Range: ${range}`];
  return [...lines, `Content-Length: ${body.length}`, "", body].join("\r\n");
}

interface Scene extends Cached {
  readonly origin: Origin;
}

async function scene(slices: number, cache: UserCache = {}): Promise<Scene> {
  const origin = new Origin(slices);
  const cached = await before({ ...SLICED, ...cache }, await Target.start(origin.answer));
  return { ...cached, origin };
}

/** The range of a slice. */
function slice(number: number): string {
  return `${number * SLICE}-${(number + 1) * SLICE - 1}`;
}

/** Slices are asked for one after the other, on connections of their own. */
function sorted(ranges: readonly (string | undefined)[]): string[] {
  return ranges.map(String).toSorted((a, b) => a.localeCompare(b));
}

function sameBody(answer: Answer, body: string): void {
  expect([answer.body.length, answer.body === body]).toEqual([body.length, true]);
}

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
    const { status, body, field } = await ask("/", `Range: ${range}`);
    const [from, to] = span.split("-").map(Number);
    expect([status, field("content-range")]).toEqual([206, `bytes ${span}/${origin.body.length}`]);
    expect(body).toBe(origin.body.slice(from, (to ?? 0) + 1));
    expect(sorted(origin.ranges)).toEqual(sorted(slices.map(slice)));
    const again = await ask("/", `Range: ${range}`);
    expect([again.body, origin.ranges.length]).toEqual([body, slices.length]);
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
    const { origin, gateway, target } = await scene(120);
    const slow = await gateway.connect();
    slow.socket.pause();
    slow.send(get("/"));
    await target.arrived(2);
    await eventually("the fetch has stopped", () => origin.ranges.length > 2);
    await Bun.sleep(300);
    const fetched = origin.ranges.length;
    await Bun.sleep(200);
    expect(origin.ranges.length).toBe(fetched);
    expect(fetched).toBeLessThan(110);
    slow.socket.resume();
    sameBody(await slow.answer(), origin.body);
  });

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
  const { status, body, field } = await ask("/", `Range: bytes=${at}-${at + 13}`);
  expect([status, body, field("content-range")]).toEqual([
    206,
    `at ${at}...`,
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
