import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type CachedSite, startCachedSite } from "../../app/testing/cached-site.ts";
import { fakeController, type Outcome, tenfold } from "../testing.ts";

describe("tenfold purge", () => {
  let site: CachedSite;
  beforeAll(async () => {
    site = await startCachedSite();
  }, 30_000);
  afterAll(() => site.stop(), 30_000);

  const purge = (...words: string[]): Promise<Outcome> => tenfold(["purge", ...words, "--state", site.state]);

  test("says a sentence for each thing, and the next request is a miss", async () => {
    await site.get("/a/1?x");
    const { code, out } = await purge(`http://${site.host}/a/1?x`, `http://${site.host}/b`, "--tag", "t");
    expect([code, out.split("\n")]).toEqual([
      0,
      [`purged url http://${site.host}/a/1?x`, `purged url http://${site.host}/b`, "purged tag t"],
    ]);
    expect((await site.get("/a/1?x")).body).toBe("2");
  });

  test("counts where that is asked for, purging or not, softly or not", async () => {
    for (const path of ["/product-17/a", "/product-17/b"]) await site.get(path);
    const rows: [words: string[], out: string][] = [
      [["--dry-run"], "would purge tag product-17: 2 responses"],
      [["--dry-run", "--soft"], "would mark tag product-17 stale: 2 responses"],
      [["--count", "--soft"], "marked tag product-17 stale: 2 responses will be asked about"],
      [["--count"], "purged tag product-17: 2 responses will be fetched anew"],
      [["--count"], "purged tag product-17: no response will be fetched anew"],
    ];
    for (const [words, out] of rows)
      expect(await purge("--tag", "product-17", ...words)).toEqual({ code: 0, out, err: "" });
  });

  test("forgets everything only when that is meant", async () => {
    await site.get("/every/a");
    const refused = await purge("--everything");
    expect([refused.code, refused.err]).toEqual([
      2,
      expect.stringContaining("--everything lacks --yes: add it"),
    ]);
    expect((await site.get("/every/a")).body).toBe("1");
    expect((await purge("--everything", "--dry-run")).out).toMatch(/^would purge everything: \d+ responses$/);
    expect((await site.get("/every/a")).body).toBe("1");
    expect((await purge("--everything", "--yes")).out).toBe("purged everything");
    expect((await site.get("/every/a")).body).toBe("2");
  });

  test("gives scripts the sequence", async () => {
    const { out } = await purge("--prefix", `${site.host}/img/`, "--json");
    expect(JSON.parse(out)).toEqual({
      sequence: expect.any(Number),
      soft: false,
      dryRun: false,
      purged: [{ what: `prefix ${site.host}/img/` }],
    });
  });

  test("takes more than one request has room for", async () => {
    const tags = Array.from({ length: 250 }, (_, number) => ["--tag", `t${number}`]).flat();
    const { code, out } = await purge(...tags);
    expect([code, out.split("\n").length]).toEqual([0, 250]);
  });

  test("waits where more is to be counted than the controller does at once", async () => {
    const tags = Array.from({ length: 120 }, (_, number) => ["--tag", `t${number}`]).flat();
    const { code, out } = await purge(...tags, "--dry-run");
    expect([code, out.split("\n").length]).toEqual([0, 120]);
  }, 20_000);

  test("that is wrong exits with 2, having said all that is wrong and purged nothing", async () => {
    const rows: [words: string[], err: string][] = [
      [[], "purge names nothing to purge: give urls, tags, prefixes or everything"],
      [["shop.example/a"], '"shop.example/a" is no http or https URL: write "https://shop.example/a"'],
      [["--prefix", "h/*"], '"h/*" holds "*": leave it out: a prefix needs none'],
      [["/a", "--prefix", "h/?"], "2 problems: nothing was purged"],
      [["--everything", "--yes", "--tag", "a"], "stands beside single things"],
    ];
    for (const [words, err] of rows) {
      const outcome = await purge(...words);
      expect([outcome.code, outcome.err]).toEqual([2, expect.stringContaining(err)]);
    }
  });
});

describe("tenfold purge without a cache", () => {
  test("exits with 1 and the controller's words", async () => {
    using controller = fakeController();
    const { code, err } = await tenfold(["purge", "--tag", "a"], { cwd: controller.folder });
    expect([code, err, controller.requests.at(-1)]).toEqual([
      1,
      "tenfold: it is unknown-service: mend it",
      expect.stringMatching(/^POST \/v1\/cache\/purge\?wait=5000 \{.*"tags":\["a"\]/),
    ]);
  });
});
