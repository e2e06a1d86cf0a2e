/** The cluster client against real redis-servers, and against servers that the test plays. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { createServer, type Socket } from "node:net";
import { seededRandom } from "../../base/index.ts";
import { slotOf } from "../cluster/index.ts";
import { ReplyError, textOf } from "../reply.ts";
import { RequestReader } from "../request-reader.ts";
import { startRedisCluster, type TestCluster } from "../testing/store-cluster.ts";
import { hasRedis } from "../testing/store-servers.ts";
import { readRequests } from "../testing.ts";
import { RespCluster } from "./cluster.ts";
import { openStoreClient } from "./store-client.ts";
import { StoreError } from "./store-error.ts";

const open: (() => void)[] = [];
afterEach(() => {
  for (const close of open.splice(0)) close();
});

const codeOf = (error: unknown): string =>
  error instanceof StoreError || error instanceof ReplyError ? error.code : String(error);
const outcome = (call: Promise<unknown>): Promise<unknown> => call.catch(codeOf);

describe.skipIf(!hasRedis)("a client of a cluster (needs redis-server)", () => {
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await startRedisCluster({ replicas: 0 });
  });
  afterAll(() => cluster.stop());

  const client = (deadlineMs = 2000): RespCluster => {
    const made = new RespCluster({ url: cluster.url, deadlineMs });
    open.push(() => made.close());
    return made;
  };

  /** Begins to move the slot of a key to another node; what is returned ends it there. */
  function beginMove(key: string): { readonly move: (...keys: string[]) => void; readonly end: () => void } {
    const slot = String(slotOf(key));
    const from = cluster.primaryOf(Number(slot));
    const to = cluster.nodes.find((node) => node !== from) ?? from;
    cluster.cli(["CLUSTER", "SETSLOT", slot, "IMPORTING", cluster.idOf(from)], to.port);
    cluster.cli(["CLUSTER", "SETSLOT", slot, "MIGRATING", cluster.idOf(to)], from.port);
    return {
      move: (...keys) => {
        const place = ["127.0.0.1", String(to.port), "", "0", "1000", "KEYS"];
        cluster.cli(["MIGRATE", ...place, ...keys], from.port);
      },
      end: () => {
        for (const node of [to, ...cluster.nodes.filter((each) => each !== to)])
          cluster.cli(["CLUSTER", "SETSLOT", slot, "NODE", cluster.idOf(to)], node.port);
      },
    };
  }

  test("our slots are the server's, for random keys", async () => {
    const random = seededRandom(7);
    const store = client();
    const keys = Array.from({ length: 500 }, () =>
      Uint8Array.from(
        { length: Math.floor(random() * 12) },
        () => [123, 125, 97, 255][Math.floor(random() * 4)] ?? 0,
      ),
    );
    const slots = await store.pipeline(keys.map((key) => ["CLUSTER", "KEYSLOT", key]));
    expect(slots).toEqual(keys.map((key) => slotOf(key)));
  });

  test("values of many slots are written, read in order, counted and deleted as if they were in one", async () => {
    const store = client();
    const keys = Array.from({ length: 200 }, (_, at) => `many${at}`);
    expect(await store.call(["MSET", ...keys.flatMap((key, at) => [key, at])])).toBe("OK");
    const found = await store.call(["MGET", ...keys, "none"]);
    expect((found as (Uint8Array | null)[]).map((each) => textOf(each))).toEqual([
      ...keys.map((_, at) => String(at)),
      undefined,
    ]);
    const replies = await store.pipeline([
      ["GET", "many3"],
      ["EXISTS", ...keys],
      ["INCR", "many0x"],
      ["GET", "many5"],
    ]);
    expect([textOf(replies[0]), replies[1], replies[2], textOf(replies[3])]).toEqual(["3", 200, 1, "5"]);
    expect(await store.call(["DEL", ...keys])).toBe(200);
    expect(await outcome(store.call(["SINTER", "many1", "many2"]))).toBe("CROSSSLOT");
  });

  test("what is between MULTI and EXEC goes where its keys are, beside others", async () => {
    const store = client();
    const replies = await store.pipeline([
      ["SET", "a", "1"],
      ["MULTI"],
      ["SET", "{t}x", "2"],
      ["INCR", "{t}x"],
      ["EXEC"],
      ["GET", "a"],
    ]);
    expect([replies[4], textOf(replies[5])]).toEqual([["OK", 3], "1"]);
  });

  test("the map of before a move is mended by the first answer", async () => {
    const store = client();
    await store.call(["SET", "moved", "1"]);
    const { move, end } = beginMove("moved");
    move("moved");
    end();
    expect(textOf(await store.call(["GET", "moved"]))).toBe("1");
    const { owners, primaries } = store.map ?? { owners: [], primaries: [] };
    const port = cluster.primaryOf(slotOf("moved")).port;
    expect(primaries[owners[slotOf("moved")] ?? -1]).toBe(`127.0.0.1:${port}`);
  });

  test("keys on both sides of a slot under way are found, alone and together, and transactions run", async () => {
    const store = client();
    const [a, b] = ["{way}a", "{way}b"];
    await store.call(["MSET", a, "1", b, "2"]);
    const { move, end } = beginMove(a);
    move(b);
    expect(textOf(await store.call(["GET", b]))).toBe("2"); // ASK
    expect((await store.call(["MGET", a, b])) as unknown[]).toHaveLength(2); // TRYAGAIN, then one by one
    const replies = await store.pipeline([["MULTI"], ["INCR", b], ["INCR", b], ["EXEC"]]);
    expect(replies.at(-1)).toEqual([3, 4]);
    const watched = await store.watched(b, async (send) => [
      ["SET", b, `${textOf(await send(["GET", b]))}!`],
    ]);
    expect(watched).toEqual(["OK"]);
    // What needs both keys at once waits for the end of the move.
    const both = store.call([
      "EVAL",
      "return redis.call('GET', KEYS[1]) .. redis.call('GET', KEYS[2])",
      2,
      a,
      b,
    ]);
    await Bun.sleep(50);
    move(a);
    end();
    expect(textOf(await both)).toBe("14!");
  });

  test("requests of one slot stay in order: one refused in the middle is not made up for later", async () => {
    const store = client();
    const [here, gone, last] = ["{order}here", "{order}gone", "{order}last"];
    await store.call(["MSET", here, "1", gone, "2", last, "3"]);
    const { move, end } = beginMove(here);
    move(gone);
    const replies = await store.pipeline([
      ["GET", here],
      ["GET", gone],
      ["GET", last],
    ]);
    expect([textOf(replies[0]), codeOf(replies[1]), textOf(replies[2])]).toEqual(["1", "ASK", "3"]);
    // Nothing follows: then it can be had.
    const tail = await store.pipeline([
      ["GET", here],
      ["GET", gone],
    ]);
    expect(tail.map((reply) => textOf(reply))).toEqual(["1", "2"]);
    move(here, last);
    end();
  });

  test("what needs the end of a move is given up at the deadline, with what the cluster said", async () => {
    const store = client();
    const [a, b] = ["{stuck}a", "{stuck}b"];
    await store.call(["MSET", a, "1", b, "2"]);
    const { move, end } = beginMove(a);
    move(b);
    const startMs = performance.now();
    expect(await outcome(store.call(["SINTERSTORE", a, a, b], 150))).toBe("TRYAGAIN");
    expect(performance.now() - startMs).toBeWithin(40, 400);
    move(a);
    end();
  });

  test("an optimistic transaction is refused when another wrote first", async () => {
    const store = openStoreClient({ url: cluster.url });
    open.push(() => store.close());
    await store.call(["SET", "watched", "1"]);
    const lost = await store.watched("watched", async () => {
      await store.call(["SET", "watched", "2"]);
      return [["SET", "watched", "3"]];
    });
    expect([lost, textOf(await store.call(["GET", "watched"]))]).toEqual([undefined, "2"]);
    expect(await store.watched("watched", async () => undefined)).toBeUndefined();
  });

  test("a user's password opens every node", async () => {
    for (const { port } of cluster.nodes)
      cluster.cli(["ACL", "SETUSER", "app", "on", ">p@ss,word", "~*", "+@all"], port);
    const [first = ""] = cluster.url.split("//").slice(1);
    const store = new RespCluster({ url: `redis-cluster://app:p%40ss,word@${first}` });
    const wrong = new RespCluster({ url: `redis-cluster://app:secret@${first}`, deadlineMs: 300 });
    open.push(
      () => store.close(),
      () => wrong.close(),
    );
    expect(textOf(await store.call(["ACL", "WHOAMI"]))).toBe("app");
    expect(await store.pipeline(["a", "b", "c", "d"].map((key) => ["SET", key, key]))).toEqual(
      Array(4).fill("OK"),
    );
    const told = await wrong.call(["GET", "a"]).catch((error: Error) => error.message);
    expect(told).toBeString();
    expect(told).not.toContain("secret");
  });
});

const bulk = (text: string): string => `$${text.length}\r\n${text}\r\n`;

/** A node that the test plays: it says that it has all slots, and answers everything else by `answer`. */
async function play(
  answer: (name: string, port: number) => string,
): Promise<{ port: number; asked: string[] }> {
  const asked: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    const reader = new RequestReader();
    let isHung = false; // a reply that is not given holds up all behind it
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("data", (bytes) => {
      for (const [name = ""] of readRequests([new Uint8Array(Buffer.from(bytes))], reader) as string[][]) {
        asked.push(name);
        if (isHung) continue;
        if (name === "HELLO") socket.write("%1\r\n+server\r\n+x\r\n");
        else if (name === "CLUSTER")
          socket.write(`*1\r\n*3\r\n:0\r\n:16383\r\n*3\r\n${bulk("127.0.0.1")}:${port}\r\n${bulk("id")}`);
        else {
          const text = answer(name, port);
          isHung = text === "";
          socket.write(text);
        }
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  open.push(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return { port, asked };
}

describe("a client of nodes that misbehave", () => {
  test("a node that sends round in a circle is left after the bound or the deadline", async () => {
    const { port, asked } = await play((_, own) => `-MOVED ${slotOf("k")} 127.0.0.1:${own}\r\n`);
    const store = new RespCluster({ url: `redis-cluster://127.0.0.1:${port}`, deadlineMs: 300 });
    open.push(() => store.close());
    const startMs = performance.now();
    expect(await outcome(store.call(["GET", "k"]))).toBe("MOVED");
    expect(performance.now() - startMs).toBeLessThan(500);
    expect(asked.filter((name) => name === "GET").length).toBeWithin(3, 15);
  });

  test("a thousand redirected calls ask for the map a few times, not a thousand", async () => {
    const { port, asked } = await play((text, own) =>
      `-MOVED ${slotOf("k")} 127.0.0.1:${own}\r\n`.repeat(text.split("GET").length - 1),
    );
    const store = new RespCluster({ url: `redis-cluster://127.0.0.1:${port}`, deadlineMs: 400 });
    open.push(() => store.close());
    await Promise.all(Array.from({ length: 1000 }, () => outcome(store.call(["GET", "k"]))));
    expect(asked.filter((name) => name === "CLUSTER").length).toBeLessThan(8);
  });

  test("a node that loads its data, or a cluster that is down, is asked again until it answers", async () => {
    let refusals = 3;
    const { port } = await play(() =>
      refusals-- > 0 ? "-LOADING Redis is loading the dataset in memory\r\n" : "+OK\r\n",
    );
    const store = new RespCluster({ url: `redis-cluster://127.0.0.1:${port}` });
    open.push(() => store.close());
    expect(await store.call(["SET", "k", "v"])).toBe("OK");
  });

  test("what was sent and not answered is not sent again", async () => {
    const { port, asked } = await play(() => "");
    const store = new RespCluster({ url: `redis-cluster://127.0.0.1:${port}`, deadlineMs: 200 });
    open.push(() => store.close());
    expect(await outcome(store.call(["SET", "k", "v"]))).toBe("deadline-exceeded");
    await Bun.sleep(200);
    expect(asked.filter((name) => name === "SET")).toHaveLength(1);
  });

  test("a server that is no cluster, and one that is not there, are told in time", async () => {
    const { port } = await play(() => "");
    const absent = new RespCluster({ url: "redis-cluster://127.0.0.1:1", deadlineMs: 200 });
    open.push(() => absent.close());
    const startMs = performance.now();
    expect(await outcome(absent.call(["GET", "k"]))).toBe("not-connected");
    expect(performance.now() - startMs).toBeLessThan(400);
    expect(() => new RespCluster({ url: `redis://127.0.0.1:${port}` })).toThrow("is no cluster's URL");
  });
});
