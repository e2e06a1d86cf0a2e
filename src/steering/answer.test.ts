import { describe, expect, test } from "bun:test";
import { seededRandom } from "../base/index.ts";
import type { UserSteering } from "../config/index.ts";
import { Answerer, type DnsQuery } from "./answer.ts";
import type { EdgeHealth } from "./steer.ts";
import { Steering } from "./steer.ts";
import { dataOf, opt, queryFor, read, world } from "./testing.ts";

/** The answerer of the world, with these edges unhealthy. */
function answerer(changes: Partial<UserSteering> = {}, ill: readonly string[] = []): Answerer {
  const health = (edge: string): EdgeHealth => (ill.includes(edge) ? "unhealthy" : "healthy");
  return new Answerer(new Steering(world(changes)), 42, health);
}

const WORLD = answerer();

function ask(bytes: Uint8Array, more: Partial<DnsQuery> = {}, of: Answerer = WORLD): ReturnType<typeof read> {
  return read(of.answer({ bytes, source: "10.0.0.1", transport: "udp", ...more }));
}

describe("an answer", () => {
  test("gives the nearest edge of the sender, with a short life, as an authority", () => {
    const packet = ask(queryFor("cdn.example"));
    expect(packet).toMatchObject({
      id: 7,
      rcode: "NOERROR",
      flag_aa: true,
      flag_rd: true,
      flag_ra: false,
      flag_tc: false,
    });
    expect(packet.answers).toMatchObject([{ name: "cdn.example", type: "A", ttl: 30, data: "192.0.2.1" }]);
    expect(dataOf(ask(queryFor("www.cdn.example"), { source: "10.1.0.1" }))).toEqual(["192.0.2.2"]);
    expect(dataOf(ask(queryFor("cdn.example", "AAAA")))).toEqual(["2001:db8:1::1"]);
  });

  test("gives the next edge while the nearest is unhealthy, and all when all are", () => {
    expect(dataOf(ask(queryFor("cdn.example"), {}, answerer({}, ["fra"])))).toEqual(["192.0.2.2"]);
    const none = answerer({}, ["fra", "iad", "nrt"]);
    expect(dataOf(ask(queryFor("cdn.example"), {}, none))).toEqual(["192.0.2.1", "192.0.2.2", "192.0.2.3"]);
  });

  test("returns the question as it was asked, letter by letter", () => {
    const bytes = queryFor("WwW.cDn.ExAmPlE");
    expect(ask(bytes).questions).toEqual([{ name: "WwW.cDn.ExAmPlE", type: "A", class: "IN" }]);
    expect(dataOf(ask(bytes))).toEqual(["192.0.2.1"]);
  });

  test("to another type, or another family, is that there is none, with the SOA", () => {
    for (const [name, type, source] of [
      ["cdn.example", "MX", "10.0.0.1"],
      ["cdn.example", "AAAA", "10.1.0.1"],
      ["www.cdn.example", "SOA", "10.0.0.1"],
    ] as const) {
      const packet = ask(queryFor(name, type), { source });
      expect([packet.rcode, packet.answers, packet.flag_aa]).toEqual(["NOERROR", [], true]);
      expect(packet.authorities).toMatchObject([{ type: "SOA", name: "cdn.example", ttl: 30 }]);
    }
  });

  test("to a name that is not there is NXDOMAIN with the SOA", () => {
    const packet = ask(queryFor("nothing.cdn.example"));
    expect([packet.rcode, packet.flag_aa]).toEqual(["NXDOMAIN", true]);
    expect(packet.authorities).toMatchObject([{ type: "SOA" }]);
  });

  test("outside the zone, to a transfer or another class is a refusal, without authority", () => {
    const chaos = { questions: [{ name: "cdn.example", type: "A", class: "CH" }] } as const;
    for (const bytes of [
      queryFor("example"),
      queryFor("evilcdn.example"),
      queryFor("."),
      queryFor("cdn.example", "AXFR"),
      queryFor("", "A", { questions: [...chaos.questions] }),
    ]) {
      const packet = ask(bytes);
      expect([packet.rcode, packet.flag_aa, packet.answers, packet.authorities]).toEqual([
        "REFUSED",
        false,
        [],
        [],
      ]);
    }
  });

  test("for the zone itself gives SOA and NS, with the addresses of its own name servers", () => {
    const [soa] = dataOf(ask(queryFor("cdn.example", "SOA")));
    expect(soa).toMatchObject({
      mname: "ns1.cdn.example",
      rname: "hostmaster.cdn.example",
      serial: 42,
      minimum: 30,
    });
    const ns = ask(queryFor("cdn.example", "NS"));
    expect(dataOf(ns)).toEqual(["ns1.cdn.example", "ns.elsewhere.example"]);
    expect(ns.additionals).toMatchObject([{ data: "192.0.2.53" }, { data: "2001:db8::53" }]);
    expect(dataOf(ask(queryFor("ns1.cdn.example")))).toEqual(["192.0.2.53"]);
  });

  test("to ANY is as short as can be", () => {
    expect(ask(queryFor("cdn.example", "ANY")).answers).toMatchObject([
      { type: "HINFO", data: { cpu: "RFC8482" } },
    ]);
  });
});

describe("names", () => {
  const of = (...list: string[]): Answerer => answerer({ names: list });
  const rcode = (names: Answerer, name: string): [string, number] => {
    const packet = ask(queryFor(name), {}, names);
    return [packet.rcode, packet.answers?.length ?? 0];
  };

  test('a "*" stands for every name below that is not there otherwise', () => {
    const names = of("*", "a.b");
    expect(rcode(names, "any.cdn.example")).toEqual(["NOERROR", 1]);
    expect(rcode(names, "deep.any.cdn.example")).toEqual(["NOERROR", 1]);
    expect(rcode(names, "cdn.example")).toEqual(["NOERROR", 0]);
    // RFC 4592 §2.2.1: b is there, as what a.b lies below.
    expect(rcode(names, "b.cdn.example")).toEqual(["NOERROR", 0]);
    expect(rcode(names, "c.b.cdn.example")).toEqual(["NXDOMAIN", 0]);
  });

  test("a label with a dot or a strange byte in it is another name", () => {
    const dotted = queryFor("www-cdn.example");
    dotted[16] = 0x2e; // "www.cdn" as one label
    expect(ask(dotted, {}, of("*", "www")).rcode).toBe("REFUSED");
  });
});

describe("a client's network", () => {
  const subnetIn = (packet: ReturnType<typeof read>): number[] | undefined => {
    const [record] = packet.additionals ?? [];
    const [option] = record?.type === "OPT" ? record.options : [];
    return option?.data === undefined ? undefined : [...option.data];
  };

  test("counts instead of the sender's, and the answer says for how much of it it holds", () => {
    const packet = ask(queryFor("cdn.example", "A", opt([0, 1, 24, 0, 10, 2, 3])));
    expect([dataOf(packet), subnetIn(packet)]).toEqual([["192.0.2.3"], [0, 1, 24, 16, 10, 2, 3]]);
    const v6 = ask(queryFor("cdn.example", "A", opt([0, 2, 40, 0, 0x20, 0x01, 0x0d, 0xb8, 0xa0])));
    expect([dataOf(v6), subnetIn(v6)?.slice(0, 4)]).toEqual([["192.0.2.2"], [0, 2, 40, 36]]);
  });

  test("that is wider than what the answer holds for gets the longer scope", () => {
    expect(subnetIn(ask(queryFor("cdn.example", "A", opt([0, 1, 8, 0, 10]))))).toEqual([0, 1, 8, 16, 10]);
  });

  test("of no bits hides the client: the sender counts, for everybody behind it", () => {
    const packet = ask(queryFor("cdn.example", "A", opt([0, 1, 0, 0])), { source: "10.1.0.1" });
    expect([dataOf(packet), subnetIn(packet)]).toEqual([["192.0.2.2"], [0, 1, 0, 0]]);
  });

  test("that was not said is not answered", () => {
    expect(subnetIn(ask(queryFor("cdn.example", "A", opt())))).toBeUndefined();
    expect(ask(queryFor("cdn.example")).additionals).toEqual([]);
  });

  test("has scope 0 where the answer is the same for all", () => {
    expect(subnetIn(ask(queryFor("gone.cdn.example", "A", opt([0, 1, 24, 0, 10, 2, 3]))))?.[3]).toBe(0);
  });

  test("that is malformed is a format error", () => {
    const rows = [
      [0, 3, 8, 0, 1],
      [0, 1, 33, 0, 1, 2, 3, 4, 5],
      [0, 1, 24, 0, 10],
      [0, 1, 24, 24, 10, 2, 3],
      [0, 1, 20, 0, 10, 2, 3],
      [0, 1, 24],
    ];
    for (const data of rows) {
      const answer = WORLD.answer({
        bytes: queryFor("cdn.example", "A", opt(data)),
        source: "10.0.0.1",
        transport: "udp",
      });
      // The library cannot read some of these, and they get nothing.
      if (answer !== undefined) expect([data, read(answer).rcode]).toEqual([data, "FORMERR"]);
      else expect(data.length).toBeLessThan(4);
    }
  });
});

describe("EDNS", () => {
  test("of another version is refused with the one that is spoken", () => {
    const packet = ask(queryFor("cdn.example", "A", opt(undefined, { ednsVersion: 1 })));
    const [record] = packet.additionals ?? [];
    expect(record).toMatchObject({ type: "OPT", extendedRcode: 1, ednsVersion: 0 });
    expect(packet.answers).toEqual([]);
  });

  test("twice is a format error", () => {
    const [one] = opt().additionals ?? [];
    expect(ask(queryFor("cdn.example", "A", { additionals: [one!, one!] })).rcode).toBe("FORMERR");
  });
});

describe("size", () => {
  const long = `${"a".repeat(60)}.${"b".repeat(60)}`;
  const many = answerer({
    names: long,
    edges: { fra: { region: "eu", addresses: Array.from({ length: 8 }, (_, at) => `192.0.2.${at}`) } },
  });
  const bytes = queryFor(`${long}.cdn.example`);

  test("by UDP is 512 bytes, or what the client takes up to 1232; more is left out and told to come by TCP", () => {
    const rows: [more: Parameters<typeof queryFor>[2], limit: number][] = [
      [{}, 512],
      [opt(undefined, { udpPayloadSize: 100 }), 512],
      [opt(undefined, { udpPayloadSize: 65_535 }), 1232],
    ];
    for (const [more, limit] of rows) {
      const answer = many.answer({
        bytes: queryFor(`${long}.cdn.example`, "A", more),
        source: "10.0.0.1",
        transport: "udp",
      });
      expect(answer?.length).toBeLessThanOrEqual(limit);
      expect([read(answer).flag_tc, dataOf(read(answer))]).toEqual([true, []]);
    }
  });

  test("by TCP is all of it, eight addresses at most", () => {
    const packet = ask(bytes, { transport: "tcp" }, many);
    expect([packet.flag_tc, packet.answers?.length]).toEqual([false, 8]);
  });
});

describe("what is no query", () => {
  const silent = (bytes: Uint8Array): boolean =>
    WORLD.answer({ bytes, source: "10.0.0.1", transport: "udp" }) === undefined;
  const changed = (at: number, value: number): Uint8Array =>
    queryFor("cdn.example").map((byte, i) => (i === at ? value : byte));

  test("gets no answer: a response, less than a header, a name that does not end, a pointer in the question", () => {
    expect(
      [changed(2, 0x80), new Uint8Array(11), queryFor("cdn.example").subarray(0, 20), changed(12, 0xc0)].map(
        silent,
      ),
    ).toEqual([true, true, true, true]);
  });

  test("gets a code alone where it can be told: other operations, no question or two", () => {
    expect(ask(changed(2, 0x28)).rcode).toBe("NOTIMP");
    expect([ask(changed(5, 0)).rcode, ask(changed(5, 2)).rcode, ask(changed(7, 1)).rcode]).toEqual([
      "FORMERR",
      "FORMERR",
      "FORMERR",
    ]);
  });

  test("never throws, is never more than a datagram, whatever the bytes: 20,000 of them, seeded", () => {
    const random = seededRandom(5);
    const seeds = [
      queryFor("www.cdn.example"),
      queryFor("cdn.example", "NS", opt([0, 1, 24, 0, 10, 2, 3])),
      queryFor("cdn.example", "AAAA", opt([0, 2, 40, 0, 0x20, 1, 13, 0xb8, 0xa0])),
    ];
    let answered = 0;
    for (let round = 0; round < 20_000; round++) {
      const seed = seeds[round % seeds.length]!;
      const bytes =
        round % 4 === 0
          ? Uint8Array.from({ length: Math.floor(random() * 600) }, () => random() * 256)
          : mutated(seed, random);
      const answer = WORLD.answer({ bytes, source: "10.0.0.1", transport: "udp" });
      if (answer === undefined) continue;
      answered++;
      expect(answer.length).toBeLessThanOrEqual(1232);
      expect([answer[0], answer[1], (answer[2]! & 0x80) !== 0]).toEqual([bytes[0], bytes[1], true]);
    }
    expect(answered).toBeGreaterThan(1000);
  });
});

/** A few bytes changed, or its end cut off or repeated. */
function mutated(seed: Uint8Array, random: () => number): Uint8Array {
  const bytes = [...seed];
  for (let change = 0; change <= random() * 4; change++)
    bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256);
  const kind = random();
  if (kind < 0.2) return Uint8Array.from(bytes.slice(0, Math.floor(random() * bytes.length)));
  return Uint8Array.from(kind < 0.3 ? [...bytes, ...bytes.slice(12)] : bytes);
}
