import { describe, expect, test } from "bun:test";
import { config, good, lines } from "./testing.ts";

const stores = (all: object) => config({ stores: all });

describe("what must not vanish is never where something is dropped", () => {
  test("a store evicts only when it is said to be a cache", () => {
    const evicting = { url: "embedded:", eviction: "allkeys-lru" };
    const mend = 'write eviction: "noeviction", or use: "cache" if all in it can be made again';
    expect(lines(stores({ shared: evicting }))).toEqual([
      `stores.shared.eviction: is allkeys-lru, which drops what must not vanish when memory is full; ${mend}`,
    ]);
    expect(lines(stores({ users: { ...evicting, use: "sessions", eviction: "volatile-ttl" } }))).toEqual([
      `stores.users.eviction: is volatile-ttl, which drops sessions when memory is full; ${mend}`,
    ]);
    expect(lines(stores({ pages: { ...evicting, use: "cache" } }))).toEqual([]);
  });

  test("a cache evicts unless it has no bound", () => {
    const cache = { url: "embedded:", use: "cache" };
    expect(good(stores({ pages: cache })).stores[0]?.eviction).toBe("allkeys-s3-fifo");
    expect(good(stores({ shared: { url: "embedded:" } })).stores[0]?.eviction).toBe("noeviction");
    expect(lines(stores({ pages: { ...cache, eviction: "noeviction" } }))).toEqual([
      'stores.pages.eviction: is noeviction, by which a cache that is full refuses every new value; leave it out (allkeys-s3-fifo), or write use: "state"',
    ]);
    expect(lines(stores({ pages: { ...cache, eviction: "noeviction", memory: "0B" } }))).toEqual([]);
  });

  const shared: [string, object, object][] = [
    ["two databases", { url: "redis://:p@h:6379/0" }, { url: "redis://h/1", use: "cache" }],
    ["two schemes", { url: "valkeys://H.", use: "cache" }, { url: "redis://h:6379", use: "sessions" }],
    ["two names", { url: "redis://localhost" }, { url: "redis://127.0.0.1/3", use: "cache" }],
    ["a cluster", { url: "redis-cluster://u:p@a:1,b:2" }, { url: "redis://b:2/0", use: "cache" }],
    ["two kinds", { url: "embedded:", address: "0.0.0.0:6379" }, { url: "redis://[::1]", use: "cache" }],
  ];
  test.each(shared)("a cache and something else on one server are refused: %s", (_, a, b) => {
    const [line, ...more] = lines(stores({ a, b }));
    expect(line).toStartWith("stores.b.url: is the server of stores.a: one is for ");
    expect(line).toEndWith("; give each a server of its own");
    expect(line).not.toContain(":p@");
    expect(more).toEqual([]);
  });

  test("two caches on one server, and two servers, are fine; Postgres drops nothing", () => {
    const cache = { url: "redis://h/1", use: "cache" };
    expect(lines(stores({ a: { url: "redis://h/0", use: "cache" }, b: cache }))).toEqual([]);
    expect(lines(stores({ a: { url: "redis://h/0" }, b: { url: "redis://h/1", use: "sessions" } }))).toEqual(
      [],
    );
    expect(lines(stores({ a: { url: "redis://h:6380" }, b: cache, c: { url: "redis://g" } }))).toEqual([]);
    expect(lines(stores({ a: { url: "pg://h/db" }, b: { url: "pg://h/db", use: "cache" } }))).toEqual([]);
  });

  test("a use that is none is met with the nearest", () => {
    expect(lines(stores({ shared: { url: "embedded:", use: "session" } }))).toEqual([
      'stores.shared.use: is the string "session"; did you mean "sessions"?',
    ]);
  });
});

describe("a store's URL", () => {
  const urls = [
    "pg://h/db",
    "postgres://u:p@h:5433/db?sslmode=require",
    "postgresql:///db?host=/run/postgresql",
    "redis://h/2",
  ];
  test.each(urls)("%s is one", (url) => {
    expect(lines(stores({ shared: { url } }))).toEqual([]);
  });

  test.each(["pg://:secret@h", "pg://h/", "pgsql://h/db", "pg:db", "redis://h/db"])("%s is none", (url) => {
    const [line] = lines(stores({ shared: { url } }));
    expect(line).toStartWith("stores.shared.url: is no store's URL; write ");
    expect(line).not.toContain("secret");
  });
});
