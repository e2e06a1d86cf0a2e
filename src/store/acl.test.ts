import { describe, expect, test } from "bun:test";
import { TestClient, testStore } from "./testing/index.ts";

describe("users", () => {
  function login(rules: readonly string[]): { admin: TestClient; user: TestClient } {
    const { store, client: admin } = testStore();
    expect(admin.say("ACL", "SETUSER", "u", "on", ">pw", ...rules)).toBe("OK");
    const user = new TestClient(store);
    expect(user.say("AUTH", "u", "pw")).toBe("OK");
    return { admin, user };
  }

  test("who may only write a key get to know nothing of it", () => {
    const { user, admin } = login(["%W~k", "+@all"]);
    admin.say("SET", "k", "secret");
    for (const request of [
      ["GET", "k"],
      ["GETDEL", "k"],
      ["GETSET", "k", "x"],
      ["SET", "k", "x", "GET"],
      ["COPY", "k", "k"],
    ])
      expect(user.say(...request)).toContain("-NOPERM");
    expect(user.say("SET", "k", "x")).toBe("OK");
    expect(user.say("DEL", "k")).toBe(1);
    expect(String(admin.say("ACL", "LIST"))).toContain("%W~k");
  });

  test("may subscribe to a pattern only when a rule is that pattern", () => {
    const { user } = login(["&news.?", "+@all", "resetkeys"]);
    expect(user.say("PSUBSCRIBE", "news.*")).toContain("-NOPERM");
    expect(user.all("PSUBSCRIBE", "news.?")[0]).toEqual(["$psubscribe", "$news.?", 1]);
  });

  test("are not half changed by rules of which one is none", () => {
    const { user, admin } = login(["~k", "+get"]);
    expect(admin.say("ACL", "SETUSER", "u", "+set", "allkeys", "nonsense")).toContain("-ERR");
    expect(user.say("SET", "k", "x")).toContain("-NOPERM");
    expect(user.say("GET", "j")).toContain("-NOPERM");
    admin.say("ACL", "SETUSER", "u", "allkeys");
    expect(user.say("GET", "j")).toBeNull();
  });

  test("leave no password in what the store tells", () => {
    const { admin, user } = login(["~*", "+@all", ">s3cr3t-pw"]);
    user.say("AUTH", "u", "wr0ng-pw");
    const told = [["ACL", "LIST"], ["ACL", "GETUSER", "u"], ["CLIENT", "LIST"], ["INFO"]].map((request) =>
      JSON.stringify(admin.say(...request)),
    );
    for (const text of told) expect(text).not.toMatch(/s3cr3t-pw|wr0ng-pw/);
  });
});
