import { describe, expect, test } from "bun:test";
import { parseConfig, type UserRule } from "../config/index.ts";
import { keyRulesOf } from "./cache-key-rules.ts";

/** How the responses of a URL choose their query, by the rules of one listener. */
function choices(rules: readonly UserRule[], host: string, target: string): readonly string[] {
  const parsed = parseConfig(
    { listeners: { web: { address: "127.0.0.1:8080", rules } }, targetGroups: { far: { targets: ["h:1"] } } },
    { folder: "/", cores: 1 },
  );
  if (parsed.kind === "problems") throw new Error(JSON.stringify(parsed.problems));
  return keyRulesOf(parsed.config)({ host, target }).map(({ query }) =>
    typeof query === "string" ? query : JSON.stringify(query),
  );
}

const all = { cache: {}, forward: "far" } as const;
const none = { cache: { key: { query: "none" } }, forward: "far" } as const;

describe("the key rules of a URL", () => {
  test("are those of the first rule that host and path decide for", () => {
    const rules: UserRule[] = [
      { match: { path: "/img/*" }, ...none },
      { match: { host: "*.a.example" }, ...all },
    ];
    expect(choices(rules, "x.a.example:80", "/img/a?b")).toEqual(["none"]);
    expect(choices(rules, "x.a.example:80", "/%69mg/a")).toEqual(["none"]);
    expect(choices(rules, "x.a.example", "/")).toEqual(["all"]);
  });

  test("are those of later rules too where another condition may have decided", () => {
    expect(choices([{ match: { header: { "x-beta": true } }, ...none }, all], "h", "/")).toEqual([
      "none",
      "all",
    ]);
  });

  test("are all where no rule with a cache fits: too much rather than too little", () => {
    const rules: UserRule[] = [
      { match: { path: "/a" }, ...none },
      { match: { path: "/b" }, ...all },
    ];
    expect(choices(rules, "h", "/c")).toEqual(["none", "all"]);
    expect(choices([{ match: { path: "/c" }, respond: 404 }, ...rules], "h", "/c")).toEqual(["none", "all"]);
  });

  test("count once, whatever else tells the responses apart", () => {
    const device = { cache: { key: { device: true } }, forward: "far" } as const;
    expect(choices([{ match: { method: "GET" }, ...device }, all], "h", "/")).toEqual(["all"]);
  });
});
