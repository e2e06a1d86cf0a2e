/** Builders for tests of steering: a small world with three regions and three edges. */
import { type DecodedPacket, decode, encode, type Packet } from "dns-packet";
import { parseConfig, type SteeringConfig, type UserSteering } from "../config/index.ts";

const WORLD: UserSteering = {
  address: "127.0.0.1:0",
  zone: "cdn.example",
  names: ["@", "www"],
  nameservers: { "ns1.cdn.example": ["192.0.2.53", "2001:db8::53"], "ns.elsewhere.example": [] },
  edges: {
    fra: { region: "eu", addresses: ["192.0.2.1", "2001:db8:1::1"] },
    iad: { region: "us", addresses: "192.0.2.2" },
    nrt: { region: "ap", addresses: "192.0.2.3" },
  },
  regions: {
    eu: { prefixes: ["10.0.0.0/8", "2001:db8:e000::/36"], at: [50.1, 8.7] },
    us: { prefixes: ["10.1.0.0/16", "2001:db8:a000::/36"], at: [39, -77.5] },
    ap: { prefixes: "10.2.0.0/16", at: [35.8, 140.4] },
  },
  roundTrips: { eu: { us: "90ms" } },
};

/** The world with some of it replaced; it must be good. */
export function world(changes: Partial<UserSteering> = {}): SteeringConfig {
  const outcome = parseConfig({ steering: { ...WORLD, ...changes } }, { folder: "/", cores: 1 });
  if (outcome.kind === "ok" && outcome.config.steering !== undefined) return outcome.config.steering;
  throw new Error(JSON.stringify(outcome));
}

/** A query of one name, as bytes. */
export function queryFor(
  name: string,
  type: "A" | "AAAA" | "ANY" | "MX" | "NS" | "SOA" | "AXFR" = "A",
  more: Packet = {},
): Uint8Array {
  // The library's types know no ANY.
  const questions = [{ name, type: type as "A" }];
  return new Uint8Array(encode({ type: "query", id: 7, flags: 0x100, questions, ...more }));
}

/** An OPT record; with a network of clients when one is given as the data of its option. */
export function opt(
  subnet?: readonly number[],
  {
    udpPayloadSize = 1232,
    ednsVersion = 0,
  }: { readonly udpPayloadSize?: number; readonly ednsVersion?: number } = {},
): Packet {
  const options =
    subnet === undefined ? [] : [{ code: 8 as const, ip: undefined, data: Buffer.from(subnet) }];
  return {
    additionals: [
      {
        type: "OPT",
        name: ".",
        udpPayloadSize,
        ednsVersion,
        extendedRcode: 0,
        flags: 0,
        flag_do: false,
        options,
      },
    ],
  };
}

/** An answer, read by the library. */
export function read(bytes: Uint8Array | undefined): DecodedPacket & { readonly rcode: string } {
  if (bytes === undefined) throw new Error("no answer");
  return decode(Buffer.from(bytes)) as DecodedPacket & { readonly rcode: string };
}

/** What the answers of a packet say. */
export function dataOf({ answers = [] }: Packet): unknown[] {
  return answers.map((answer) => ("data" in answer ? answer.data : undefined));
}
