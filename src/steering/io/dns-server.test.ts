import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { Resolver } from "node:dns/promises";
import type { Socket } from "bun";
import { seededRandom, simulatedTime, systemClock } from "../../base/index.ts";
import type { UserSteering } from "../../config/index.ts";
import { Answerer } from "../answer.ts";
import { PrefixLimiter } from "../limiter.ts";
import { Steering } from "../steer.ts";
import { dataOf, opt, queryFor, read, world } from "../testing.ts";
import { DnsServer } from "./dns-server.ts";

/** Everybody here is 127.0.0.1. */
const HERE: Partial<UserSteering> = {
  regions: {
    eu: { prefixes: "127.0.0.0/8", at: [50.1, 8.7] },
    us: { prefixes: "198.51.100.0/24", at: [39, -77.5] },
    ap: { at: [35.8, 140.4] },
  },
};

async function start(perSecond = 0, changes: Partial<UserSteering> = {}): Promise<DnsServer> {
  const config = world({ ...HERE, ...changes });
  const answerer = new Answerer(new Steering(config), 1, () => "healthy");
  const limiter = new PrefixLimiter(perSecond, systemClock);
  return DnsServer.open({ address: config.address, answer: (query) => answerer.answer(query), limiter });
}

/** Sends datagrams and gives what comes within a while after the last one. */
async function exchange(port: number, queries: readonly Uint8Array[]): Promise<Uint8Array[]> {
  const replies: Uint8Array[] = [];
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const last = queryFor("cdn.example", "A", { id: 0xfffe });
  const socket = await Bun.udpSocket({
    hostname: "127.0.0.1",
    socket: {
      data(_, bytes) {
        if (bytes[0] === 0xff && bytes[1] === 0xfe) resolve(undefined);
        else replies.push(new Uint8Array(bytes));
      },
    },
  });
  for (const query of queries) socket.send(query, port, "127.0.0.1");
  const again = setInterval(() => socket.send(last, port, "127.0.0.1"), 50);
  await promise;
  clearInterval(again);
  socket.close();
  return replies;
}

/** A TCP connection: what came on it until it was closed or `bytes` were there. */
async function overTcp(port: number, pieces: readonly Uint8Array[], wanted: number): Promise<Uint8Array> {
  let input = new Uint8Array(0);
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const socket = await Bun.connect({
    hostname: "127.0.0.1",
    port,
    socket: {
      data(_, bytes) {
        input = Uint8Array.from([...input, ...bytes]);
        if (input.length >= wanted) resolve(undefined);
      },
      close: () => resolve(undefined),
    },
  });
  for (const piece of pieces) {
    socket.write(piece);
    socket.flush();
    await Bun.sleep(2);
  }
  await promise;
  socket.end();
  return input;
}

const framed = (message: Uint8Array): Uint8Array =>
  Uint8Array.of(message.length >> 8, message.length & 255, ...message);

describe("a DNS server", () => {
  let server: DnsServer;
  let port = 0;
  beforeAll(async () => {
    server = await start();
    ({ port } = server.address);
  });
  afterAll(() => server.stop());

  test("answers a resolver of another make", async () => {
    const resolver = new Resolver();
    resolver.setServers([`127.0.0.1:${port}`]);
    expect(await resolver.resolve4("www.cdn.example", { ttl: true })).toEqual([
      { address: "192.0.2.1", ttl: 30 },
    ]);
    expect(await resolver.resolve6("cdn.example")).toEqual(["2001:db8:1::1"]);
    expect(await resolver.resolveNs("cdn.example")).toEqual(["ns1.cdn.example", "ns.elsewhere.example"]);
    expect(await resolver.resolveSoa("cdn.example")).toMatchObject({ nsname: "ns1.cdn.example", minttl: 30 });
    const codes = ["no.cdn.example", "example.org"].map((name) =>
      resolver.resolve4(name).catch((error: NodeJS.ErrnoException) => error.code),
    );
    expect(await Promise.all(codes)).toEqual(["ENOTFOUND", "EREFUSED"]);
  });

  test("answers over UDP by the network that a resolver speaks for", async () => {
    const [reply] = await exchange(port, [queryFor("cdn.example", "A", opt([0, 1, 24, 0, 198, 51, 100]))]);
    expect(dataOf(read(reply))).toEqual(["192.0.2.2"]);
  });

  test("answers over TCP, several on one connection, however they are cut", async () => {
    const two = [queryFor("cdn.example"), queryFor("cdn.example", "NS")].flatMap((query) => [
      ...framed(query),
    ]);
    const pieces = [two.slice(0, 1), two.slice(1, 7), two.slice(7, 40), two.slice(40)].map((piece) =>
      Uint8Array.from(piece),
    );
    const input = await overTcp(port, pieces, 200);
    const length = (input[0]! << 8) | input[1]!;
    expect(dataOf(read(input.subarray(2, 2 + length)))).toEqual(["192.0.2.1"]);
    expect(dataOf(read(input.subarray(4 + length)))).toEqual(["ns1.cdn.example", "ns.elsewhere.example"]);
  });

  test("closes a TCP connection that sends what is no query, or one that is too long", async () => {
    expect(await overTcp(port, [framed(new Uint8Array(30).fill(0xff))], 1)).toEqual(new Uint8Array(0));
    expect(await overTcp(port, [Uint8Array.of(0xff, 0xff, 1)], 1)).toEqual(new Uint8Array(0));
  });

  test("lives through ten thousand datagrams of nonsense, and answers each with less than its bound or nothing", async () => {
    const random = seededRandom(3);
    const seed = [...queryFor("www.cdn.example", "A", opt([0, 1, 24, 0, 198, 51, 100]))];
    for (let batch = 0; batch < 20; batch++) {
      const queries = Array.from({ length: 500 }, () => {
        const bytes = Uint8Array.from(seed);
        for (let change = 0; change < 3; change++)
          bytes[Math.floor(random() * bytes.length)] = random() * 256;
        return random() < 0.2 ? bytes.subarray(0, random() * bytes.length) : bytes;
      });
      const replies = await exchange(port, queries);
      expect(replies.every(({ length }) => length <= 1232)).toBe(true);
    }
    expect(server.counts.udp).toBeGreaterThan(5000);
    const [reply] = await exchange(port, [queryFor("cdn.example")]);
    expect(dataOf(read(reply))).toEqual(["192.0.2.1"]);
  }, 30_000);

  test("says which address is taken, and leaves nothing open", async () => {
    const taken = start(0, { address: `127.0.0.1:${port}` });
    expect(await taken.catch((error: NodeJS.ErrnoException) => error.code)).toBe("EADDRINUSE");
  });
});

test("who asks too often by UDP is told to come by TCP, or gets nothing; by TCP it is answered", async () => {
  const server = await start(10);
  try {
    const { port } = server.address;
    const queries = Array.from({ length: 60 }, (_, id) => queryFor("cdn.example", "A", { id }));
    const replies = (await exchangeFor(port, queries)).map((bytes) => read(bytes));
    const whole = replies.filter(({ flag_tc }) => !flag_tc).length;
    const cut = replies.filter(({ flag_tc }) => flag_tc).length;
    expect([whole >= 20 && whole <= 25, cut >= 15 && cut <= 21]).toEqual([true, true]);
    const input = await overTcp(port, [framed(queryFor("cdn.example"))], 20);
    expect(dataOf(read(input.subarray(2)))).toEqual(["192.0.2.1"]);
  } finally {
    server.stop();
  }
});

/** As `exchange`, without a last query that is answered: whatever comes until nothing has come for a while. */
async function exchangeFor(port: number, queries: readonly Uint8Array[]): Promise<Uint8Array[]> {
  const replies: Uint8Array[] = [];
  const socket = await Bun.udpSocket({
    hostname: "127.0.0.1",
    socket: { data: (_, bytes) => void replies.push(new Uint8Array(bytes)) },
  });
  for (const query of queries) socket.send(query, port, "127.0.0.1");
  for (let seen = -1; seen !== replies.length; await Bun.sleep(100)) seen = replies.length;
  socket.close();
  return replies;
}

test("a connection that says nothing for ten seconds is closed, one that asks is not", async () => {
  const { clock, scheduler, advance } = simulatedTime();
  const config = world(HERE);
  const answerer = new Answerer(new Steering(config), 1, () => "healthy");
  const limiter = new PrefixLimiter(0, clock);
  const server = await DnsServer.open({
    address: config.address,
    answer: (query) => answerer.answer(query),
    limiter,
    clock,
    scheduler,
  });
  const closed: string[] = [];
  const connect = (name: string): Promise<Socket> =>
    Bun.connect({
      hostname: "127.0.0.1",
      port: server.address.port,
      socket: {
        data: () => void closed.push(`${name} answered`),
        close: () => void closed.push(`${name} closed`),
      },
    });
  const has = async (what: string): Promise<void> => {
    while (!closed.includes(what)) await Bun.sleep(5);
  };
  try {
    await connect("silent");
    const busy = await connect("busy");
    busy.write(framed(queryFor("cdn.example")));
    await has("busy answered");
    advance(9000);
    busy.write(framed(queryFor("cdn.example")));
    while (closed.length < 2) await Bun.sleep(5);
    advance(3000);
    await has("silent closed");
    expect(closed).toEqual(["busy answered", "busy answered", "silent closed"]);
    busy.end();
  } finally {
    server.stop();
  }
});
