/** `tenfold purge` at one installation of a site, and what clients of all of them see. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { ApiError } from "../../app/index.ts";
import { until } from "../../app/testing/cached-site.ts";
import { type EdgeSite, type Installation, startEdgeSite } from "../../app/testing/edge-site.ts";
import { type Outcome, tenfold } from "../testing.ts";

async function metricsOf({ state }: Installation): Promise<string> {
  const { admin } = JSON.parse(readFileSync(join(state, "controller.json"), "utf8"));
  return (await fetch(`http://${admin}/metrics`)).text();
}

describe("tenfold purge at a site of several edges", () => {
  let site: EdgeSite;
  let version = 1;
  beforeAll(async () => {
    site = await startEdgeSite();
    await until(async () => (await purge("--tag", "warm-up")).code === 0);
  }, 60_000);
  afterAll(() => site.stop(), 30_000);

  const at = (one: Installation, ...words: string[]): Promise<Outcome> =>
    tenfold([...words, "--state", one.state]);
  const purge = (...words: string[]): Promise<Outcome> => at(site.fra, "purge", ...words);
  const body = async (one: Installation, path: string): Promise<string> => (await one.get(path)).text();
  const change = (): string => {
    site.setVersion(++version);
    return String(version);
  };
  const eventsOf = (one: Installation): string =>
    readFileSync(join(one.state, "logs", "controller.log"), "utf8");

  test("is true for all when it has ended, by tag, URL and prefix, and says who has acknowledged it", async () => {
    const words = [
      ["--tag", "all"],
      ["http://shop.example/a"],
      ["--prefix", "shop.example/"],
      ["--everything", "--yes"],
    ];
    for (const what of words) {
      for (const one of [site.fra, site.lon]) expect(await body(one, "/a")).toBe(String(version));
      const now = change();
      const { code, out } = await purge(...what);
      expect([what, code, out.split("\n").at(-1)]).toEqual([what, 0, "acknowledged by s1, lon"]);
      for (const one of [site.lon, site.fra]) expect([what, await body(one, "/a")]).toEqual([what, now]);
    }
  });

  test("may be asked of a shield as well as of an edge", async () => {
    for (const one of [site.fra, site.lon]) await body(one, "/b");
    const now = change();
    expect((await at(site.shield, "purge", "--tag", "all")).out).toContain("acknowledged by fra, lon");
    for (const one of [site.lon, site.fra]) expect(await body(one, "/b")).toBe(now);
  });

  test("is a line in the log of each, which says where it came from", async () => {
    await purge("--tag", "audited");
    const line = /"event":"cache-purged".*purged tag audited \(purge \d+\), number \d+ of fra".*"from":"fra"/;
    for (const one of [site.lon, site.shield]) await until(async () => line.test(eventsOf(one)));
    await until(async () => /"event":"cache-purged".*purged tag audited/.test(eventsOf(site.fra)));
    expect(eventsOf(site.fra).match(/purged tag audited/g)?.length).toBe(1);
  });

  test("names an edge that cannot be reached, exits with 1, and reaches it when that is back", async () => {
    await body(site.lon, "/c");
    const now = change();
    site.lon.admin.isCut = true;
    const { code, out } = await purge("--tag", "all", "--wait", "500ms");
    expect([code, out]).toEqual([
      1,
      expect.stringMatching(/acknowledged by s1\nNOT acknowledged by lon \(.+\): it is told/),
    ]);
    expect(await body(site.lon, "/c")).not.toBe(now);
    expect((await at(site.fra, "status")).out).toMatch(/lon +edge +\d+ +1 /);
    site.lon.admin.isCut = false;
    await until(async () => (await body(site.lon, "/c")) === now);
    await until(async () => /lon +edge +\d+ +0 /.test((await at(site.fra, "status")).out));
  }, 20_000);

  test("goes on after the controller that was asked has been started anew", async () => {
    await body(site.lon, "/d");
    const now = change();
    site.lon.admin.isCut = true;
    expect((await purge("--tag", "all", "--wait", "0ms")).code).toBe(1);
    await site.fra.restart();
    site.lon.admin.isCut = false;
    await until(async () => (await body(site.lon, "/d")) === now);
  }, 20_000);

  test("does not count in others for a dry run", async () => {
    expect((await purge("--tag", "only-counted", "--dry-run")).out).not.toContain("acknowledged");
    await until(async () => (await purge("--tag", "after-it")).code === 0);
    await until(async () => eventsOf(site.lon).includes("purged tag after-it"));
    expect(eventsOf(site.lon)).not.toContain("only-counted");
  });

  test("with a wait that is none is refused", async () => {
    for (const wait of ["soon", "2m"])
      expect((await purge("--tag", "a", "--wait", wait)).err).toContain("--wait is");
  });

  test("can be followed in the metrics", async () => {
    await until(async () => (await metricsOf(site.fra)).includes('tenfold_purge_lag{edge="lon"} 0'));
    expect(await metricsOf(site.fra)).toContain('tenfold_edge_reachable{edge="s1"} 1');
  });

  test("is taken from nobody without the token, nor in a shape that is none", async () => {
    const { admin } = JSON.parse(readFileSync(join(site.lon.state, "controller.json"), "utf8"));
    const token = readFileSync(join(site.lon.state, "admin.token"), "utf8").trim();
    const send = async (given: string, data: unknown): Promise<[number, string]> => {
      const headers = { authorization: `Bearer ${given}` };
      const answer = await fetch(`http://${admin}/v1/edges/ams/purges`, {
        method: "POST",
        headers,
        body: JSON.stringify(data),
      });
      return [answer.status, ((await answer.json()) as Partial<ApiError>).error?.code ?? "ok"];
    };
    const batch = { epoch: "e", first: 1, purges: [{ tags: ["a"] }], oldest: 1, head: 1 };
    expect(await send("wrong", batch)).toEqual([401, "unauthorized"]);
    expect(await send(token, { ...batch, first: 0 })).toEqual([400, "bad-batch"]);
    expect(await send(token, batch)).toEqual([200, "ok"]);
  });
});
