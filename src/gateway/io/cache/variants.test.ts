/** Responses that differ by what their request says: Vary, and the key of the rule. */
import { afterEach, describe, expect, test } from "bun:test";
import { get, ok, settle, stopAll, Target } from "../../testing/index.ts";
import { bare, before, cached, FRESH, said } from "./testing.ts";

afterEach(stopAll);

/** Answers with the value of X-Kind, by which it varies. */
function byKind({ head }: { readonly head: string }): string {
  return ok(kindIn(head), FRESH, "Vary: X-Kind");
}

function kindIn(head: string): string {
  return /x-kind: (\w+)/i.exec(head)?.[1] ?? "none";
}

test("variants stand side by side, and a missing field is a variant of its own", async () => {
  const { target, ask } = await before({}, await Target.start(byKind));
  const kinds = [["X-Kind: a"], ["X-Kind: b"], [], ["X-Kind: a"], ["X-Kind: b"], []];
  const bodies: string[] = [];
  for (const kind of kinds) bodies.push((await ask("/", ...kind)).body);
  expect(bodies).toEqual(["a", "b", "none", "a", "b", "none"]);
  expect(target.arrivals.length).toBe(3);
});

test("who asks for another variant while one is on its way gets his own, and it is stored", async () => {
  const { target, gateway, ask, status } = await before({}, await Target.start(() => undefined));
  const leader = await gateway.connect();
  leader.send(get("/", "X-Kind: aa"));
  await target.arrived(1);
  const first = target.last;
  first.send(`HTTP/1.1 200 OK\r\n${FRESH}\r\nVary: X-Kind\r\nContent-Length: 2\r\n\r\na`);
  await leader.sees("\r\n\r\na");
  target.script = byKind;
  const other = await ask("/", "X-Kind: bb");
  expect([other.body, said(other)]).toEqual(["bb", "fwd=uri-miss; stored"]);
  first.send("a");
  expect((await leader.answer()).body).toBe("aa");
  expect(
    [await status("/", "X-Kind: aa"), await status("/", "X-Kind: bb")].map((words) => words.slice(0, 3)),
  ).toEqual(["hit", "hit"]);
});

test("ten variants asked for at once are ten responses", async () => {
  const { target, ask } = await before(
    {},
    await Target.start((arrival) => void setTimeout(() => arrival.connection.send(byKind(arrival)), 10)),
  );
  const kinds = Array.from({ length: 10 }, (_, i) => `k${i}`);
  const answers = await Promise.all([...kinds, ...kinds].map((kind) => ask("/", `X-Kind: ${kind}`)));
  expect(answers.map(({ body }) => body)).toEqual([...kinds, ...kinds]);
  expect(target.arrivals.length).toBeLessThanOrEqual(20);
});

test("endless variants of one URL push out each other, and nothing else", async () => {
  const { gateway, ask, status } = await before({}, await Target.start(byKind));
  await ask("/other");
  const client = await gateway.connect();
  for (let i = 0; i < 200; i++) await client.ask(get("/", `X-Kind: k${i}`));
  expect(gateway.store?.stats().entries).toBeLessThan(50);
  expect(
    [await status("/", "X-Kind: k199"), await status("/other")].map((words) => words.slice(0, 3)),
  ).toEqual(["hit", "hit"]);
});

test("when Vary changes, what varied otherwise is out of date, whoever else asks meanwhile", async () => {
  const { target, gateway, ask, status, later } = await before({}, await Target.start(byKind));
  await ask("/", "X-Kind: a", "X-New: 1");
  later(100);
  target.script = () => undefined;
  const client = await gateway.connect();
  client.send(get("/", "X-Kind: a", "X-New: 1"));
  await target.arrived(2);
  const connection = target.last;
  connection.send(`HTTP/1.1 200 OK\r\n${FRESH}\r\nVary: X-New\r\nContent-Length: 3\r\n\r\nn`);
  await client.sees("\r\n\r\nn");
  target.script = () => ok("else", FRESH);
  await ask("/else");
  connection.send("ew");
  expect((await client.answer()).body).toBe("new");
  expect(await status("/", "X-Kind: a", "X-New: 1")).toMatch(/^hit/);
  expect((await ask("/", "X-Kind: b", "X-New: 1")).body).toBe("new");
});

test("Accept-Encoding selects by the codings it takes, not by its words", async () => {
  const { target, ask } = await cached({}, FRESH, "Vary: Accept-Encoding");
  const wishes = ["gzip, br", "br;q=1.0, gzip;q=0.5", "gzip", "identity"];
  const bodies: string[] = [];
  for (const wish of wishes) bodies.push((await ask("/", `Accept-Encoding: ${wish}`)).body);
  expect(bodies).toEqual(["1", "1", "2", "3"]);
  expect(target.arrivals.length).toBe(3);
});

test("a variant is revalidated with its own validator", async () => {
  const script = ({ head }: { readonly head: string }): string =>
    /if-none-match/i.test(head)
      ? "HTTP/1.1 304 Not Modified\r\n\r\n"
      : ok(kindIn(head), "Cache-Control: no-cache", "Vary: X-Kind", `ETag: "${kindIn(head)}"`);
  const { target, ask } = await before({}, await Target.start(script));
  for (const kind of ["a", "b"]) await ask("/", `X-Kind: ${kind}`);
  for (const kind of ["a", "b"]) expect((await ask("/", `X-Kind: ${kind}`)).body).toBe(kind);
  expect(target.arrivals.slice(2).map(({ head }) => /if-none-match: (.*)/i.exec(head)?.[1])).toEqual([
    '"a"',
    '"b"',
  ]);
});

/** A key rule -> paths and fields of requests, and which of them share a response, by number. */
const KEYS = [
  [{ query: "all" }, [["/?a=1"], ["/?a=2"], ["/"], ["/?a=1"]], "1231"],
  [{ query: "none" }, [["/?a=1"], ["/?a=2"], ["/"], ["/x?a=1"]], "1112"],
  [{ query: { only: ["page"] } }, [["/?page=1&x=1"], ["/?x=2&page=1"], ["/?page=2"], ["/"]], "1123"],
  [
    { query: { except: ["utm_source"] } },
    [["/?a=1&utm_source=x"], ["/?a=1"], ["/?utm_source=y"], ["/"]],
    "1122",
  ],
  [{ sortQuery: true }, [["/?b=1&a=2"], ["/?a=2&b=1"], ["/?a=1&b=2"]], "112"],
  [{ headers: ["x-plan"] }, [["/", "X-Plan: a"], ["/", "x-plan: a"], ["/", "X-Plan: b"], ["/"]], "1123"],
  [
    { cookies: ["plan"] },
    [["/", "Cookie: plan=a; other=1"], ["/", "Cookie: other=2; plan=a"], ["/", "Cookie: plan=b"], ["/"]],
    "1123",
  ],
  [
    { device: true },
    [
      ["/", "User-Agent: iPhone Mobile"],
      ["/", "User-Agent: Android Mobile"],
      ["/", "User-Agent: iPad"],
      ["/"],
    ],
    "1123",
  ],
  [
    { languages: ["de", "en"] },
    [
      ["/", "Accept-Language: de-AT"],
      ["/", "Accept-Language: fr, de;q=0.5"],
      ["/", "Accept-Language: en"],
      ["/", "Accept-Language: fr"],
    ],
    "1123",
  ],
  [
    {},
    [
      ["/", "Host: a.example"],
      ["/", "Host: b.example"],
      ["/", "Host: A.EXAMPLE"],
      ["/", "Host: a.example:8080"],
    ],
    "1213",
  ],
] as const;

describe("the key", () => {
  test.each(KEYS)("%j", async (key, requests, groups) => {
    const { ask } = await cached({ key }, FRESH);
    let numbers = "";
    for (const [path, ...fields] of requests) numbers += (await ask(path, ...fields)).body;
    expect(numbers).toBe(groups);
  });

  test("does not tell an absolute URL from a path with a host", async () => {
    const { gateway, ask } = await cached({}, FRESH);
    await ask("/a");
    const client = await gateway.connect();
    expect((await client.ask(get("http://shop.example/a"))).body).toBe("1");
  });

  test("that is too long sends its request around the cache", async () => {
    const path = `/${"x".repeat(17_000)}`;
    const extra = { gateway: { limits: { requestLineMax: "20KiB" } } } as const;
    const { status } = await before({}, await Target.start(() => ok("long", FRESH)), extra);
    expect([await status(path), await status(path)]).toEqual([
      "fwd=bypass; detail=key-too-long",
      "fwd=bypass; detail=key-too-long",
    ]);
  });

  test("is of what a method that goes around the cache makes invalid, too", async () => {
    const script = ({ head }: { readonly head: string }, count: number): string =>
      head.startsWith("POST") ? bare("200 OK") : ok(String(count), FRESH);
    const { gateway, ask } = await before(
      { key: { headers: ["x-plan"], query: "none" } },
      await Target.start(script),
    );
    for (const plan of ["a", "b"]) await ask("/?x=1", `X-Plan: ${plan}`);
    await (await gateway.connect()).ask(
      "POST /?y=2 HTTP/1.1\r\nHost: shop.example\r\nContent-Length: 0\r\n\r\n",
    );
    await settle();
    for (const [plan, body] of [
      ["a", "4"],
      ["b", "5"],
    ] as const)
      expect((await ask("/?x=1", `X-Plan: ${plan}`)).body).toBe(body);
  });
});
