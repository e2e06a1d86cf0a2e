import { describe, expect, test } from "bun:test";
import { POLICIES, type Policy } from "./eviction.ts";
import { ExpiryCycle } from "./expiry-cycle.ts";
import { TestClient, testStore } from "./testing/index.ts";

describe("transactions", () => {
  test("run together, and not at all when one could not be queued", () => {
    const { client } = testStore();
    expect(["MULTI", "PING"].map((word) => client.say(word))).toEqual(["OK", "QUEUED"]);
    expect(client.say("INCR", "n")).toBe("QUEUED");
    expect(client.say("EXEC")).toEqual(["PONG", 1]);
    client.say("MULTI");
    client.say("NOSUCH");
    expect(client.say("EXEC")).toBe("-EXECABORT Transaction discarded because of previous errors.");
  });

  test("fail when a watched key was changed by anybody, or has expired", () => {
    const { store, client, time } = testStore();
    const other = new TestClient(store);
    const attempt = (meanwhile: () => void): unknown => {
      client.say("SET", "k", 1, "PX", 100);
      client.say("WATCH", "k");
      meanwhile();
      client.say("MULTI");
      client.say("PING");
      return client.say("EXEC");
    };
    expect(attempt(() => other.say("SET", "k", 2))).toBe(null);
    expect(attempt(() => other.say("FLUSHALL"))).toBe(null);
    expect(attempt(() => time.advance(150))).toBe(null);
    expect(attempt(() => other.say("GET", "k"))).toEqual(["PONG"]);
    expect(attempt(() => client.say("UNWATCH"))).toEqual(["PONG"]);
  });
});

describe("clients that wait", () => {
  test("are served in the order in which they came, one element each", () => {
    const { store, client } = testStore();
    const waiting = [1, 2, 3].map(() => new TestClient(store));
    for (const one of waiting) expect(one.all("BLPOP", "list", 0)).toEqual([]);
    client.say("RPUSH", "list", "a", "b");
    expect(waiting.map(({ pushed }) => pushed)).toEqual([[["$list", "$a"]], [["$list", "$b"]], []]);
    expect(client.say("EXISTS", "list")).toBe(0);
  });

  test("get nothing when their time is over", () => {
    const { store, time } = testStore();
    const one = new TestClient(store);
    one.all("BLMOVE", "from", "to", "LEFT", "RIGHT", 1.5);
    time.advance(1499);
    expect(one.pushed).toEqual([]);
    time.advance(2);
    expect(one.pushed).toEqual([null]);
  });

  test("pass an element on from one to the next", () => {
    const { store, client } = testStore();
    const [mover, popper] = [new TestClient(store), new TestClient(store)];
    popper.all("BRPOP", "to", 0);
    mover.all("BLMOVE", "from", "to", "LEFT", "RIGHT", 0);
    client.say("LPUSH", "from", "x");
    expect([mover.pushed, popper.pushed]).toEqual([["$x"], [["$to", "$x"]]]);
  });

  test("wait for sorted sets too, and can be let go", () => {
    const { store, client } = testStore();
    const [one, two] = [new TestClient(store), new TestClient(store)];
    one.all("BZPOPMIN", "z", 0);
    two.all("BZPOPMAX", "other", 0);
    client.say("ZADD", "z", 2, "m");
    expect(one.pushed).toEqual([["$z", "$m", "$2"]]);
    expect(client.say("CLIENT", "UNBLOCK", two.session.id, "ERROR")).toBe(1);
    expect(two.pushed).toEqual(["-UNBLOCKED client unblocked via CLIENT UNBLOCK"]);
  });
});

describe("channels", () => {
  test("deliver by name and by pattern", () => {
    const { store, client } = testStore();
    const one = new TestClient(store);
    expect(one.all("SUBSCRIBE", "news", "chat")).toEqual([
      ["$subscribe", "$news", 1],
      ["$subscribe", "$chat", 2],
    ]);
    one.all("PSUBSCRIBE", "n*");
    expect(client.say("PUBLISH", "news", "hi")).toBe(2);
    expect(one.pushed).toEqual([
      ["$message", "$news", "$hi"],
      ["$pmessage", "$n*", "$news", "$hi"],
    ]);
    expect(String(one.say("GET", "k"))).toStartWith("-ERR Can't execute 'get'");
    one.all("UNSUBSCRIBE");
    one.all("PUNSUBSCRIBE");
    expect(one.say("GET", "k")).toBe(null);
    expect(client.say("PUBLISH", "news", "hi")).toBe(0);
  });
});

describe("client-side caching", () => {
  const cached = (
    ...options: string[]
  ): { reader: TestClient; writer: TestClient; run: (n: number) => void } => {
    const { store, client: writer, time } = testStore();
    const reader = new TestClient(store);
    reader.say("HELLO", 3);
    reader.say("CLIENT", "TRACKING", "ON", ...options);
    return { reader, writer, run: (n) => time.advance(n) };
  };

  test("tells a reader once that a key it read has changed", () => {
    const { reader, writer } = cached();
    reader.say("GET", "k");
    writer.say("SET", "k", 1);
    writer.say("SET", "k", 2);
    writer.say("SET", "other", 2);
    expect(reader.pushed).toEqual([["$invalidate", ["$k"]]]);
  });

  test("tells it when the key expires, and when everything goes", () => {
    const { reader, writer, run } = cached();
    writer.say("SET", "k", 1, "PX", 50);
    reader.say("GET", "k");
    run(60);
    writer.say("GET", "k");
    reader.say("GET", "other");
    writer.say("FLUSHALL");
    expect(reader.pushed).toEqual([
      ["$invalidate", ["$k"]],
      ["$invalidate", null],
    ]);
  });

  test("in broadcast mode tells of every key with a prefix, read or not", () => {
    const { reader, writer } = cached("BCAST", "PREFIX", "user:");
    writer.say("MSET", "user:1", 1, "order:1", 1);
    expect(reader.pushed).toEqual([["$invalidate", ["$user:1"]]]);
  });

  test("in broadcast mode puts the keys of a round into one message for each prefix", () => {
    const { reader, writer } = cached("BCAST", "PREFIX", "user:", "PREFIX", "order:");
    writer.say("MSET", "user:1", 1, "order:1", 1, "user:2", 1, "other", 1);
    expect(reader.pushed).toEqual([
      ["$invalidate", ["$user:1", "$user:2"]],
      ["$invalidate", ["$order:1"]],
    ]);
  });

  test("with NOLOOP does not tell who changed it; without, tells behind the reply", () => {
    const quiet = cached("NOLOOP").reader;
    quiet.say("GET", "k");
    quiet.say("SET", "k", 1);
    expect(quiet.pushed).toEqual([]);
    const loud = cached().reader;
    loud.say("GET", "k");
    expect(loud.say("SET", "k", 1)).toBe("OK");
    expect(loud.pushed).toEqual([["$invalidate", ["$k"]]]);
  });

  test("OPTIN remembers only what was asked for, OPTOUT all but that", () => {
    const optIn = cached("OPTIN");
    optIn.reader.say("GET", "a");
    optIn.reader.say("CLIENT", "CACHING", "YES");
    optIn.reader.say("GET", "b");
    const optOut = cached("OPTOUT");
    optOut.reader.say("GET", "a");
    optOut.reader.say("CLIENT", "CACHING", "NO");
    optOut.reader.say("GET", "b");
    for (const { writer } of [optIn, optOut]) writer.say("MSET", "a", 1, "b", 1);
    expect(optIn.reader.pushed).toEqual([["$invalidate", ["$b"]]]);
    expect(optOut.reader.pushed).toEqual([["$invalidate", ["$a"]]]);
  });

  test("tells a client of its own transaction behind the whole reply of EXEC", () => {
    const { reader } = cached();
    reader.say("GET", "a");
    reader.say("MULTI");
    reader.say("SET", "a", 1);
    reader.say("SET", "b", 1);
    expect(reader.say("EXEC")).toEqual(["OK", "OK"]);
    expect(reader.pushed).toEqual([["$invalidate", ["$a"]]]);
  });

  test("can be redirected to a RESP2 client that subscribes", () => {
    const { store, client: writer } = testStore();
    const [reader, listener] = [new TestClient(store), new TestClient(store)];
    listener.all("SUBSCRIBE", "__redis__:invalidate");
    reader.say("CLIENT", "TRACKING", "ON", "REDIRECT", listener.session.id);
    reader.say("GET", "k");
    writer.say("DEL", "k");
    writer.say("SET", "k", 1);
    expect(listener.pushed).toEqual([["$message", "$__redis__:invalidate", ["$k"]]]);
  });

  test("remembers a bounded number of keys: the oldest is told as changed", () => {
    const { store, client: writer } = testStore({ trackingKeysMax: 10 });
    const reader = new TestClient(store);
    reader.say("HELLO", 3);
    reader.say("CLIENT", "TRACKING", "ON");
    for (let i = 0; i < 12; i++) reader.say("GET", `k${i}`);
    expect(reader.pushed).toEqual([
      ["$invalidate", ["$k0"]],
      ["$invalidate", ["$k1"]],
    ]);
    expect(writer.say("PING")).toBe("PONG");
  });
});

describe("users", () => {
  test("without a password nobody gets in where there is one", () => {
    const { client } = testStore({ password: "secret" });
    expect(client.say("GET", "k")).toBe("-NOAUTH Authentication required.");
    expect(client.say("AUTH", "wrong")).toBe(
      "-WRONGPASS invalid username-password pair or user is disabled.",
    );
    expect(client.say("AUTH", "secret")).toBe("OK");
    expect(client.say("GET", "k")).toBe(null);
  });

  test("may run what their rules say, on the keys that their rules say", () => {
    const { store, client } = testStore();
    client.say(
      "ACL",
      "SETUSER",
      "app",
      "on",
      ">pw",
      "~app:*",
      "+@read",
      "+set",
      "-@dangerous",
      "&app:*",
      "+publish",
    );
    const app = new TestClient(store);
    expect(app.say("AUTH", "app", "pw")).toBe("OK");
    expect(app.say("SET", "app:1", "x")).toBe("OK");
    expect(app.say("GET", "app:1")).toBe("$x");
    expect(String(app.say("GET", "other"))).toStartWith("-NOPERM");
    expect(String(app.say("DEL", "app:1"))).toStartWith("-NOPERM");
    expect(String(app.say("KEYS", "*"))).toStartWith("-NOPERM");
    expect(app.say("PUBLISH", "app:x", "m")).toBe(0);
    expect(String(app.say("PUBLISH", "x", "m"))).toStartWith("-NOPERM");
    expect(client.say("ACL", "DELUSER", "app")).toBe(1);
    expect(app.closed).toBe(true);
  });

  test("a rule that is none is refused and changes nothing", () => {
    const { client } = testStore();
    expect(String(client.say("ACL", "SETUSER", "x", "+nosuch"))).toStartWith("-ERR Error in ACL SETUSER");
    expect(client.say("ACL", "USERS")).toEqual(["$default"]);
  });
});

describe("memory", () => {
  const value = "x".repeat(200);

  test("that is full refuses writes with noeviction, and reads and deletions go on", () => {
    const { store, client } = testStore({ maxMemoryBytes: 1_000_000 });
    let written = 0;
    while (client.say("SET", `k${written}`, value) === "OK") written++;
    expect(written).toBeGreaterThan(2000);
    expect(client.say("SET", "k", value)).toBe("-OOM command not allowed when used memory > 'maxmemory'.");
    expect(client.say("GET", "k0")).toBe(`$${value}`);
    expect(client.say("DEL", "k0", "k1")).toBe(2);
    expect(client.say("SET", "k", "y")).toBe("OK");
    expect(store.usedBytes).toBeLessThan(1_001_000);
  });

  test.each(POLICIES.filter((policy) => policy !== "noeviction"))(
    "stays within its bound with %p",
    (policy) => {
      const { store, client } = testStore({ maxMemoryBytes: 1_000_000, policy });
      for (let i = 0; i < 20_000; i++) expect(client.say("SET", `k${i}`, value, "EX", 1000 + i)).toBe("OK");
      expect(store.usedBytes).toBeLessThan(1_010_000);
      expect(store.evicted).toBeGreaterThan(10_000);
      expect(store.space(0).size + store.evicted).toBe(20_000);
    },
  );

  test.each<Policy>(["allkeys-lru", "allkeys-lfu", "allkeys-s3-fifo"])(
    "with %p keeps what is used",
    (policy) => {
      const { store, client, time } = testStore({ maxMemoryBytes: 1_000_000, policy });
      for (let i = 0; i < 15_000; i++) {
        client.say("SET", `k${i}`, value);
        for (let hot = 0; hot < 3; hot++) client.say("GET", `k${(i + hot) % 100}`);
        if (i % 10 === 0) time.advance(1000);
      }
      const kept = Array.from({ length: 100 }, (_, i) => client.say("EXISTS", `k${i}`));
      expect(kept.filter((is) => is === 1).length).toBeGreaterThan(90);
      expect(store.usedBytes).toBeLessThan(1_010_000);
    },
  );

  test("a scan of many new keys does not throw out what is used, with allkeys-s3-fifo", () => {
    const { client } = testStore({ maxMemoryBytes: 1_000_000, policy: "allkeys-s3-fifo" });
    for (let round = 0; round < 5; round++)
      for (let i = 0; i < 500; i++)
        client.say(round === 0 ? "SET" : "GET", `hot${i}`, ...(round === 0 ? [value] : []));
    for (let i = 0; i < 30_000; i++) client.say("SET", `scan${i}`, value);
    const kept = Array.from({ length: 500 }, (_, i) => client.say("EXISTS", `hot${i}`));
    expect(kept.filter((is) => is === 1).length).toBeGreaterThan(450);
  });
});

describe("expiry", () => {
  test("takes out what nobody asks for", () => {
    const { store, client, time } = testStore();
    for (let i = 0; i < 5000; i++) client.say("SET", `k${i}`, 1, "PX", 1000);
    for (let i = 0; i < 5000; i++) client.say("SET", `stay${i}`, 1);
    time.advance(2000);
    store.tick();
    const cycle = new ExpiryCycle(store);
    for (let run = 0; run < 100; run++) cycle.run();
    expect(store.space(0).size).toBe(5000);
    expect(store.expired).toBe(5000);
  });

  test("goes by monotonic time: a wall clock that is set does not end or lengthen a life", () => {
    const { client, store, time } = testStore();
    client.say("SET", "k", 1, "EX", 100);
    const { clock } = store.parts;
    Object.defineProperty(clock, "wallMs", { value: () => time.clock.nowMs() + 10 ** 12 });
    expect(client.say("TTL", "k")).toBe(100);
    time.advance(99_000);
    expect(client.say("EXISTS", "k")).toBe(1);
    time.advance(1001);
    expect(client.say("EXISTS", "k")).toBe(0);
  });
});

describe("settings", () => {
  test("are read by pattern and set by name, all or none", () => {
    const { client } = testStore();
    expect(client.say("CONFIG", "SET", "maxmemory", "100mb", "maxmemory-policy", "allkeys-s3-fifo")).toBe(
      "OK",
    );
    expect(client.say("CONFIG", "GET", "maxmemory*")).toEqual([
      "$maxmemory",
      "$104857600",
      "$maxmemory-policy",
      "$allkeys-s3-fifo",
      "$maxmemory-samples",
      "$10",
    ]);
    expect(String(client.say("CONFIG", "SET", "maxmemory", "1", "maxmemory-policy", "no"))).toStartWith(
      "-ERR CONFIG SET failed",
    );
    expect(client.say("CONFIG", "GET", "maxmemory")).toEqual(["$maxmemory", "$104857600"]);
  });
});

describe("COMMAND", () => {
  test("describes each command by its row, as Redis does", () => {
    const { client } = testStore();
    const [[name, arity, flags, first, last, step] = []] = client.say(
      "COMMAND",
      "INFO",
      "mset",
    ) as unknown[][];
    expect([name, arity, first, last, step]).toEqual(["$mset", -3, 1, -1, 2]);
    expect(flags).toEqual(["write", "denyoom"]);
    expect(client.say("COMMAND", "GETKEYS", "ZUNIONSTORE", "to", 2, "a", "b")).toEqual(["$to", "$a", "$b"]);
  });
});

test("a scan of a database of a few keys is done in one step", () => {
  const { client } = testStore();
  expect(client.say("SCAN", 0)).toEqual(["$0", []]);
  client.say("MSET", "a", 1, "b", 2, "c", 3);
  const [cursor, keys] = client.say("SCAN", 0) as [string, string[]];
  expect([cursor, keys.toSorted()]).toEqual(["$0", ["$a", "$b", "$c"]]);
});

test("the subcommands of a command are listed by HELP", () => {
  const { client } = testStore();
  expect(client.say("CLIENT", "NOPE")).toBe("-ERR unknown subcommand 'NOPE'. Try CLIENT HELP.");
  expect(client.say("CLIENT", "HELP")).toContain("TRACKING");
});
