import { describe, expect, test } from "bun:test";
import type { UserConfig } from "../config/index.ts";
import { compileRoutes, findRoute, type RequestView } from "./route.ts";
import { request, snapshotOf, viewOf, viewOfGet } from "./testing/index.ts";

type Match = NonNullable<NonNullable<UserConfig["listeners"]>[string]["rules"][number]["match"]>;

/** Whether a rule with this match takes the request. */
function matches(match: Match, view: RequestView): boolean {
  const rules = [{ match, respond: 204 }];
  const snapshot = snapshotOf({ listeners: { web: { address: 8080, rules } } });
  return findRoute(compileRoutes(snapshot.listeners[0]!.rules), view) !== undefined;
}

const path = (pattern: string, asked: string): boolean => matches({ path: pattern }, viewOfGet(asked));

describe("paths", () => {
  test("an exact one holds for itself alone, query aside", () => {
    expect(path("/a", "/a")).toBe(true);
    expect(path("/a", "/a?b=c")).toBe(true);
    for (const other of ["/a/", "/ab", "/A", "/"]) expect(path("/a", other)).toBe(false);
  });

  test("a prefix holds for the folder and all below it, not for its namesakes", () => {
    for (const below of ["/api", "/api/", "/api/x/y", "/api?x"]) expect(path("/api/*", below)).toBe(true);
    for (const other of ["/apix", "/ap", "/API/x"]) expect(path("/api/*", other)).toBe(false);
    expect(path("/*", "/anything")).toBe(true);
  });

  test("a glob's star stays inside its segment, two stars do not", () => {
    expect(path("/img/*.png", "/img/a.png")).toBe(true);
    expect(path("/img/*.png", "/img/a/b.png")).toBe(false);
    expect(path("/img/**/*.png", "/img/a/b.png")).toBe(true);
    expect(path("/v?/x", "/v1/x")).toBe(true);
    expect(path("/v?/x", "/v12/x")).toBe(false);
  });

  test("a regex is searched in the path", () => {
    expect(path("~ ^/v[0-9]+/", "/v12/x")).toBe(true);
    expect(path("~ ^/v[0-9]+/", "/w/v12/")).toBe(false);
  });

  test.each([
    "/api/../admin/x",
    "/%61dmin/x",
    "/admin%2Fx",
    "//admin//x",
    "/./admin/./x",
    "/a/b/%2e%2e/../admin/x",
    "/../admin/x",
    "/admin/y/%2E%2e/x",
    "/api\\..\\admin\\x",
    "/api/%5c..%5C../admin/x",
  ])("%s is /admin/x, to every kind of match", (asked) => {
    for (const pattern of ["/admin/x", "/admin/*", "/adm*/x", "~ ^/admin/x$"])
      expect(path(pattern, asked)).toBe(true);
    expect(path("/api/*", asked)).toBe(false);
  });

  test("what stays encoded after normalising is compared in capitals", () => {
    expect(path("~ ^/a%20b$", "/a%20b")).toBe(true);
    expect(path("~ ^/a%3Ab$", "/a%3ab")).toBe(true);
    expect(path("/a/b", "/a/c/..")).toBe(false);
    expect(path("/a/", "/a/c/..")).toBe(true);
  });
});

describe("other conditions", () => {
  test("hosts: case, port and a last dot do not count, a star is any name below", () => {
    const host = (pattern: string, sent: string): boolean =>
      matches({ host: pattern }, viewOfGet("/", `Host: ${sent}`));
    for (const sent of ["shop.example", "Shop.Example:8080", "shop.example."]) {
      expect(host("shop.example", sent)).toBe(true);
    }
    expect(host("shop.example", "www.shop.example")).toBe(false);
    expect(host("*.shop.example", "www.shop.example")).toBe(true);
    expect(host("*.shop.example", "shop.example")).toBe(false);
    expect(host("*.shop.example", "evilshop.example")).toBe(false);
  });

  test("methods are compared whole", () => {
    expect(matches({ method: ["GET", "HEAD"] }, viewOf(request("HEAD", "/")))).toBe(true);
    expect(matches({ method: "GET" }, viewOf(request("GETS", "/")))).toBe(false);
  });

  test("headers: present, absent, equal, or by regex", () => {
    const header = (value: string | boolean, ...fields: string[]): boolean =>
      matches({ header: { "X-Beta": value } }, viewOfGet("/", ...fields));
    expect(header(true, "x-beta: 1")).toBe(true);
    expect(header(true)).toBe(false);
    expect(header(false)).toBe(true);
    expect(header("yes", "X-BETA: yes")).toBe(true);
    expect(header("yes", "X-Beta: yes please")).toBe(false);
    expect(header("~ ^y", "X-Beta: yes please")).toBe(true);
  });

  test("query parameters are looked for by name", () => {
    const query = (value: string | boolean, asked: string): boolean =>
      matches({ query: { v: value } }, viewOfGet(asked));
    expect(query("2", "/?a=1&v=2")).toBe(true);
    expect(query("2", "/?vv=2")).toBe(false);
    expect(query(true, "/?v")).toBe(true);
    expect(query(false, "/")).toBe(true);
  });

  test("source addresses are compared with blocks", () => {
    const source = { source: ["10.0.0.0/8", "2001:db8::/32"] };
    expect(matches(source, { ...viewOfGet("/"), clientIp: "10.1.2.3" })).toBe(true);
    expect(matches(source, { ...viewOfGet("/"), clientIp: "2001:db8::1" })).toBe(true);
    expect(matches(source, { ...viewOfGet("/"), clientIp: "11.0.0.1" })).toBe(false);
  });

  test("all of them must hold", () => {
    const both: Match = { path: "/a", method: "POST" };
    expect(matches(both, viewOf(request("POST", "/a", ["Content-Length: 0"])))).toBe(true);
    expect(matches(both, viewOfGet("/a"))).toBe(false);
  });
});
