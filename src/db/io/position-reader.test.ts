import { expect, test } from "bun:test";
import { systemScheduler } from "../../base/index.ts";
import { PositionReader } from "./position-reader.ts";
import type { Lease } from "./server.ts";

interface Asked {
  readonly name: string;
  readonly answer: (position: bigint) => void;
  readonly fail: (error: Error) => void;
}

/** A reader whose questions are answered by hand, and leases that say when they were given back. */
function setUp(): {
  reader: PositionReader;
  asked: Asked[];
  given: string[];
  lease: (name: string) => Lease;
} {
  const asked: Asked[] = [];
  const given: string[] = [];
  const names = new Map<Lease, string>();
  const reader = new PositionReader((lease) => {
    const { promise, resolve, reject } = Promise.withResolvers<bigint>();
    asked.push({ name: names.get(lease) ?? "", answer: resolve, fail: reject });
    return promise;
  }, systemScheduler);
  const lease = (name: string): Lease => {
    const release = (broken = false): unknown => given.push(broken ? `${name} broken` : name);
    const made = { release } as unknown as Lease;
    names.set(made, name);
    return made;
  };
  return { reader, asked, given, lease };
}

test("one question is under way; commits that come meanwhile share the next one, on the last one's connection", async () => {
  const { reader, asked, given, lease } = setUp();
  const first = reader.behind(lease("a"));
  const others = ["b", "c", "d"].map((name) => reader.behind(lease(name)));
  expect([asked.map(({ name }) => name), given]).toEqual([["a"], ["b", "c"]]);
  asked[0]?.answer(1n);
  expect(await first).toBe(1n);
  expect(asked.map(({ name }) => name)).toEqual(["a", "d"]);
  asked[1]?.answer(2n);
  expect(await Promise.all(others)).toEqual([2n, 2n, 2n]);
  expect(given).toEqual(["b", "c", "a", "d"]);
});

test("a question that is not answered keeps the next one waiting for a moment alone", async () => {
  const { reader, asked, lease } = setUp();
  const stuck = reader.behind(lease("a"));
  const next = reader.behind(lease("b"));
  while (asked.length < 2) await Bun.sleep(5);
  asked[1]?.answer(2n);
  expect(await next).toBe(2n);
  asked[0]?.answer(1n);
  expect(await stuck).toBe(1n);
});

test("a question whose connection is lost is lost for its commits, and the next is asked", async () => {
  const { reader, asked, given, lease } = setUp();
  const lost = reader.behind(lease("a")).catch((error: Error) => error.message);
  const next = reader.behind(lease("b"));
  asked[0]?.fail(Object.assign(new Error("gone"), { code: "ECONNRESET" }));
  expect(await lost).toBe("gone");
  asked[1]?.answer(2n);
  expect(await next).toBe(2n);
  expect(given).toEqual(["a broken", "b"]);
});
