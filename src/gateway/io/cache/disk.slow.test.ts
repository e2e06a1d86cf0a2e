/** A response that is on disk and not in memory: whatever is asked of it, the answer is the one that memory would give. */
import { afterEach, describe, expect, test } from "bun:test";
import { systemClock } from "../../../base/index.ts";
import { YIELD_MS } from "../../../transport/io/index.ts";
import { eventually, get, ok, request, stopAll, Target } from "../../testing/index.ts";
import { beforeDisk, type OnDisk } from "./testing/disk.ts";
import { bare, FRESH, inOrder, said } from "./testing.ts";

afterEach(stopAll);

/** One that goes back into memory whole, and one that is read in pieces of 256 KiB. */
const BODIES = { small: "0123456789".repeat(1000), large: "0123456789abcdef".repeat(100_000) } as const;
const SIZES = ["small", "large"] as const;
type SizeName = (typeof SIZES)[number];

const TAGGED = 'ETag: "1"';
const UNCHANGED = "HTTP/1.1 304 Not Modified\r\nCache-Control: max-age=60\r\n\r\n";

/** A page that is on disk alone; then the target says what is left. */
async function onDisk(
  size: SizeName,
  { cache = {}, fields = FRESH }: { cache?: Parameters<typeof beforeDisk>[0]; fields?: string } = {},
  ...then: readonly string[]
): Promise<OnDisk> {
  const target = await Target.start(inOrder(ok(BODIES[size], fields, TAGGED), ...then));
  const scene = await beforeDisk(cache, target);
  await scene.ask();
  await scene.toDisk();
  if (then.length === 0) target.script = () => undefined;
  return scene;
}

test("what leaves a full memory is found on disk, byte for byte, and is in memory again", async () => {
  const body = (path: string): string => path.padEnd(20_000, path);
  const target = await Target.start(({ head }) => ok(body(head.split(" ")[1] ?? ""), FRESH));
  const { gateway, tier, store } = await beforeDisk({}, target);
  const client = await gateway.connect();
  const paths = Array.from({ length: 900 }, (_, at) => `/page/${at}/`);
  for (const path of paths) await client.ask(get(path));
  await tier.flush();
  expect(store.stats().entries).toBeLessThan(500);
  const results: string[] = [];
  for (const path of paths) {
    const answer = await client.ask(get(path));
    if (answer.body !== body(path)) throw new Error(`a wrong body for ${path}`);
    results.push(said(answer).replace(/ttl=\d+/, "ttl"));
  }
  expect(new Set(results)).toEqual(new Set(["hit; ttl; detail=disk", "hit; ttl"]));
  expect(target.arrivals.length).toBe(paths.length);
  expect(said(await client.ask(get("/page/899/")))).toMatch(/^hit; ttl=\d+$/);
}, 20_000);

describe.each(SIZES)("a %s response on disk", (size) => {
  const body = BODIES[size];

  test("is a hit that says so, with its age", async () => {
    const scene = await onDisk(size);
    scene.later(9.5);
    const answer = await scene.ask();
    expect([answer.body === body, answer.field("age"), said(answer)]).toEqual([
      true,
      "9",
      "hit; ttl=50; detail=disk",
    ]);
    expect(scene.store.stats().counters["hit disk"]).toBe(1);
  });

  test("is answered in part, with 304, with 416, and to HEAD", async () => {
    const scene = await onDisk(size);
    const part = await scene.ask("/", "Range: bytes=7000-7999");
    expect([part.status, part.body === body.slice(7000, 8000), part.field("content-range")]).toEqual([
      206,
      true,
      `bytes 7000-7999/${body.length}`,
    ]);
    await scene.toDisk();
    expect((await scene.ask("/", 'If-None-Match: "1"')).status).toBe(304);
    await scene.toDisk();
    expect((await scene.ask("/", "Range: bytes=9000000-")).status).toBe(416);
    await scene.toDisk();
    const client = await scene.gateway.connect();
    const head = await client.ask(request("HEAD", "/"));
    expect([head.field("content-length"), said(head)]).toEqual([
      String(body.length),
      expect.stringMatching(/^hit; ttl=\d+; detail=disk$/),
    ]);
    expect((await client.ask(get("/", "Range: bytes=-5"))).body).toBe(body.slice(-5));
    expect(scene.target.arrivals.length).toBe(1);
  });

  test("is found by a client that wants no fetch", async () => {
    const scene = await onDisk(size);
    expect((await scene.ask("/", "Cache-Control: only-if-cached")).status).toBe(200);
    expect((await scene.ask("/other", "Cache-Control: only-if-cached")).status).toBe(504);
  });

  test("is checked once it is stale, and fresh again after a 304, in memory or on disk", async () => {
    const scene = await onDisk(size, {}, UNCHANGED);
    scene.later(99.5);
    const answer = await scene.ask();
    expect([answer.body === body, said(answer)]).toEqual([
      true,
      expect.stringMatching(/^fwd=stale; fwd-status=304; ttl=(5[5-9]|60); detail=expired$/),
    ]);
    expect(scene.target.arrivals[1]?.head).toMatch(/if-none-match: "1"/i);
    await eventually("it is on disk", () => scene.tier.stats().written >= 1);
    await scene.toDisk();
    const again = await scene.ask();
    expect([again.body === body, said(again), again.field("age")]).toEqual([
      true,
      expect.stringMatching(/^hit; ttl=(5[5-9]|60); detail=disk$/),
      expect.stringMatching(/^[0-5]$/),
    ]);
    expect(scene.target.arrivals.length).toBe(2);
  });

  test("gives way to what a target has instead", async () => {
    const scene = await onDisk(size, {}, ok("new", FRESH));
    scene.later(99.5);
    expect((await scene.ask()).body).toBe("new");
    await scene.toDisk();
    expect([(await scene.ask()).body, scene.target.arrivals.length]).toEqual(["new", 2]);
  });

  test("is served stale while it is refreshed, whether that succeeds or not", async () => {
    const fields = "Cache-Control: max-age=60, stale-while-revalidate=600";
    const scene = await onDisk(size, { fields }, bare("503 No"), UNCHANGED);
    scene.later(99.5);
    const stale = await scene.ask();
    expect([stale.body === body, said(stale)]).toEqual([true, "hit; ttl=-40; detail=stale-while-revalidate"]);
    await scene.target.arrived(2);
    await scene.gateway.idle();
    await scene.toDisk();
    expect(said(await scene.ask())).toBe("hit; ttl=-40; detail=stale-while-revalidate");
    await scene.target.arrived(3);
    await scene.gateway.idle();
    await scene.toDisk();
    // While it is written anew it is not yet from the disk.
    const fresh = await scene.ask();
    expect([fresh.body === body, said(fresh)]).toEqual([
      true,
      expect.stringMatching(/^hit; ttl=(5[5-9]|60)(; detail=disk)?$/),
    ]);
  });

  test("stands in when no target answers", async () => {
    const scene = await onDisk(size, { cache: { staleIfError: "1h" } }, bare("503 No"));
    scene.later(99.5);
    const answer = await scene.ask();
    expect([answer.body === body, said(answer)]).toEqual([true, "hit; ttl=-40; detail=stale-if-error"]);
  });

  test("is gone after a purge, and after a change that went well", async () => {
    const scene = await onDisk(size, {}, ok("second", FRESH), ok("", FRESH), ok("third", FRESH));
    scene.tier.purge({ kind: "all", hard: true });
    expect((await scene.ask()).body).toBe("second");
    await scene.toDisk();
    const client = await scene.gateway.connect();
    await client.ask(request("POST", "/", ["Content-Length: 0"]));
    expect([(await scene.ask()).body, scene.target.arrivals.length]).toEqual(["third", 4]);
  });

  test("is read once for a crowd", async () => {
    const scene = await onDisk(size);
    const answers = await Promise.all(Array.from({ length: 40 }, () => scene.ask()));
    expect(answers.every((answer) => answer.body === body)).toBe(true);
    expect([scene.tier.stats().found, scene.target.arrivals.length]).toEqual([1, 1]);
  });

  test("has as many variants as in memory", async () => {
    const kindOf = (head: string): string => /x-kind: (\w+)/i.exec(head)?.[1] ?? "";
    const target = await Target.start(({ head }) =>
      ok(kindOf(head).repeat(body.length), FRESH, "Vary: X-Kind"),
    );
    const scene = await beforeDisk({}, target);
    for (const kind of ["a", "b", "c"]) await scene.ask("/", `X-Kind: ${kind}`);
    await scene.toDisk();
    const kinds = ["c", "a", "b", "a"];
    const answers = await Promise.all(kinds.map((kind) => scene.ask("/", `X-Kind: ${kind}`)));
    expect(answers.map((answer) => answer.body[0])).toEqual(kinds);
    expect(answers.every((answer) => answer.body.length === body.length)).toBe(true);
    expect(target.arrivals.length).toBe(3);
    expect((await scene.ask("/", "X-Kind: d")).body[0]).toBe("d");
  });

  test("comes in its place in a row of pipelined requests", async () => {
    const scene = await onDisk(size);
    scene.target.script = () => ok("small", FRESH);
    const client = await scene.gateway.connect();
    client.send(get("/1") + get("/") + get("/2") + get("/", "Range: bytes=1-3") + get("/3"));
    const bodies: string[] = [];
    for (let at = 0; at < 5; at++) bodies.push((await client.answer()).body);
    expect([bodies[0], bodies[1] === body, bodies[2], bodies[3], bodies[4]]).toEqual([
      "small",
      true,
      "small",
      "123",
      "small",
    ]);
  });
});

test("what is too large for memory is kept on disk, and found while it is on its way there", async () => {
  const scene = await beforeDisk({}, await Target.start(() => ok(BODIES.large, FRESH)));
  expect((await scene.ask()).body === BODIES.large).toBe(true);
  const [one, two] = await Promise.all([scene.ask(), scene.ask()]);
  expect([one.body === BODIES.large, two.body === BODIES.large, scene.target.arrivals.length]).toEqual([
    true,
    true,
    1,
  ]);
  expect(scene.store.stats().entries).toBe(0);
});

test("a hit on disk does not wait until the transport's loop has nothing else to do", async () => {
  const scene = await onDisk("large");
  const client = await scene.gateway.connect();
  let soonestMs = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 20; round++) {
    const beganMs = systemClock.nowMs();
    const { body } = await client.ask(get("/", "Range: bytes=0-9"));
    expect(body).toBe("0123456789");
    soonestMs = Math.min(soonestMs, systemClock.nowMs() - beganMs);
  }
  expect(soonestMs).toBeLessThan(YIELD_MS / 2);
});

test("a newer response in memory leaves none older on disk", async () => {
  const scene = await onDisk("small", {}, ok("new", "Cache-Control: max-age=10"), ok("newest", FRESH));
  await scene.ask("/", "Cache-Control: no-cache");
  const key = { hashHi: 0, hashLo: 0, key: new Uint8Array(0) };
  scene.store.walk((entry) => {
    const { hashHi, hashLo, bytes, keyOffset, keyBytes } = entry;
    Object.assign(key, { hashHi, hashLo, key: bytes.slice(keyOffset, keyOffset + keyBytes) });
  });
  scene.store.remove(key.hashHi, key.hashLo, key.key, 0, key.key.length);
  expect((await scene.ask()).body).toBe("newest");
});

test("compressed forms are made anew, and not written to disk", async () => {
  const body = "a {}\n".repeat(12_000);
  const scene = await beforeDisk(
    { compress: true },
    await Target.start(() => ok(body, FRESH, "Content-Type: text/css")),
  );
  for (let look = 0; look < 2; look++) await scene.ask("/style", "Accept-Encoding: gzip");
  await eventually("a form is there", () => scene.store.stats().entries === 2);
  const kept: { readonly hashHi: number; readonly hashLo: number; readonly isForm: boolean }[] = [];
  scene.store.walk(({ hashHi, hashLo, bodyBytes }) => {
    kept.push({ hashHi, hashLo, isForm: bodyBytes < body.length });
  });
  const client = await scene.gateway.connect();
  // Asked for twice, so that they push the others out.
  for (let at = 0; at < 1400; at++) await client.ask(get(`/filler/${at >> 1}`));
  await scene.tier.flush();
  for (const { hashHi, hashLo, isForm } of kept) expect(scene.tier.mayHave(hashHi, hashLo)).toBe(!isForm);
  const coded = await scene.ask("/style", "Accept-Encoding: gzip");
  expect([coded.status, coded.field("content-encoding"), said(coded)]).toEqual([
    200,
    undefined,
    expect.stringMatching(/^hit; ttl=\d+; detail=disk$/),
  ]);
}, 20_000);
