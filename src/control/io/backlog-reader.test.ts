import { afterEach, expect, test } from "bun:test";
import { type SimulatedTime, simulatedTime } from "../../base/index.ts";
import { BacklogReader } from "./backlog-reader.ts";

const stops: (() => void)[] = [];
afterEach(() => stops.splice(0).forEach((stop) => stop()));

function source(answer: () => Response | Promise<Response>): { url: string; asked: () => number } {
  let asked = 0;
  const server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => ((asked += 1), answer()) });
  stops.push(() => void server.stop(true));
  return { url: `http://127.0.0.1:${server.port}/depth`, asked: () => asked };
}

/** Asks as the autoscaler does, a second at a time, until it gives something or `seconds` are over. */
async function readFor(
  reader: BacklogReader,
  time: SimulatedTime,
  url: string,
  seconds = 5,
): Promise<number | undefined> {
  for (let second = 0; second < seconds; second++) {
    const depth = reader.read(url);
    if (depth !== undefined) return depth;
    await Bun.sleep(30);
    time.advance(1000);
  }
  return undefined;
}

test("a depth is read in the background, at most once a second", async () => {
  const { url, asked } = source(() => Response.json({ depth: 120, oldestMs: 4 }));
  const time = simulatedTime();
  const reader = new BacklogReader(time.clock);
  expect(reader.read(url)).toBeUndefined();
  while (reader.read(url) === undefined) await Bun.sleep(5);
  for (let calls = 0; calls < 100; calls++) reader.read(url);
  expect([reader.read(url), asked()]).toEqual([120, 1]);
  time.advance(1000);
  reader.read(url);
  while (asked() < 2) await Bun.sleep(5);
  expect(asked()).toBe(2);
});

test.each([
  ["a number alone", "7", 7],
  ["no JSON", "seven", undefined],
  ["another shape", '{"length":7}', undefined],
  ["a negative one", '{"depth":-1}', undefined],
  ["a page", `"${"x".repeat(100_000)}"`, undefined],
])("%s", async (_, text, expected) => {
  const time = simulatedTime();
  const { url } = source(() => new Response(text));
  expect(await readFor(new BacklogReader(time.clock), time, url)).toBe(expected);
});

test("a source that fails is believed for ten seconds more, then its signal is lost", async () => {
  let isBroken = false;
  const { url } = source(() => (isBroken ? new Response("", { status: 503 }) : Response.json({ depth: 5 })));
  const time = simulatedTime();
  const reader = new BacklogReader(time.clock);
  expect(await readFor(reader, time, url)).toBe(5);
  isBroken = true;
  reader.read(url);
  await Bun.sleep(50);
  time.advance(9000);
  expect(reader.read(url)).toBe(5);
  await Bun.sleep(50);
  time.advance(2000);
  expect(reader.read(url)).toBeUndefined();
});
