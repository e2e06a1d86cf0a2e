import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type CachedSite, startCachedSite } from "../../app/testing/cached-site.ts";
import { type Outcome, tenfold } from "../testing.ts";

interface Figures {
  readonly figures: Readonly<Record<string, { readonly value: number; readonly formula: string }>>;
}

describe("tenfold cost", () => {
  let site: CachedSite;
  beforeAll(async () => {
    site = await startCachedSite([
      { match: { path: "/img/*" }, cache: { ttl: "1h" }, forward: "origin" },
      { cache: { ttl: "1h" }, forward: "origin" },
    ]);
    for (let report = 0; report < 60; report++) await site.get(`/reports/2025/${report}`);
    for (let again = 0; again < 20; again++) await site.get("/img/a");
  }, 30_000);
  afterAll(() => site.stop(), 30_000);

  const cost = (...words: string[]): Promise<Outcome> => tenfold(["cost", ...words, "--state", site.state]);
  const valuesOf = ({ out }: Outcome): Record<string, number> =>
    Object.fromEntries(
      Object.entries((JSON.parse(out) as Figures).figures).map(([key, { value }]) => [key, value]),
    );

  test("counts the traffic since the start, and reckons with it", async () => {
    const values = valuesOf(await cost("--json"));
    // One more was the site's own start; what came before it listened was none.
    expect(values).toMatchObject({
      requests: 81,
      fromStore: 19,
      misses: 62,
      fetches: 62,
      stored: 62,
      hits: 19,
    });
    const { answeredBytes = 0, servedBytes = 0, fetchedBytes = 0, span = 1, edgeCost } = values;
    expect(answeredBytes).toBe(servedBytes + fetchedBytes);
    expect(edgeCost).toBeCloseTo((answeredBytes / 1e9) * ((30 * 86_400_000) / span) * 0.02, 9);
  });

  test("counts for a time that is given, from then on", async () => {
    const counting = cost("--for", "2s", "--json");
    for (let again = 0; again < 3; again++) {
      await Bun.sleep(200);
      await site.get("/img/a");
    }
    const { requests = 0, fromStore, misses, span } = valuesOf(await counting);
    expect([requests, fromStore, misses]).toEqual([3, 3, 0]);
    expect(span).toBeWithin(2000, 4000);
  });

  test("names the folder that nobody asks for again, with a rule that the config takes", async () => {
    const early = await cost();
    expect(early.out).toContain("not enough data yet: a folder is judged by 50 responses");
    await Bun.sleep(1500);
    const { out } = await cost("--settle", "1s");
    expect(out).toContain(`- ${site.host}/reports/: nobody asked again for 60 of 60 (100 %`);
    expect(out).toContain(
      '{ match: { host: "127.0.0.1", path: "/reports/*" }, cache: false, forward: "origin" }',
    );
    expect(out).not.toContain(`${site.host}/img/: nobody`);
  });

  test("takes prices, the whole of another currency or one row", async () => {
    const file = join(site.state, "prices.yaml");
    writeFileSync(file, "edgeGb: 1000\n");
    const { out } = await cost("--prices", file, "--explain");
    expect(out).toContain("price = 1,000");
    expect(out).toContain("= GB x month / span x price of a GB");
    writeFileSync(file, "edgeGB: 1\ncurrency: EUR\n");
    const wrong = await cost("--prices", file);
    expect([wrong.code, wrong.err]).toEqual([2, expect.stringContaining("did you mean edgeGb?")]);
    expect(wrong.err).toContain("some rows are still in USD");
  });

  test("prints Markdown, and the name of what stands behind", async () => {
    const { out } = await cost("--md", "--from", "shield");
    expect(out).toMatch(/^# What the cache costs and saves/);
    expect(out).toContain("| bytes from the shield |");
  });

  test("refuses what means nothing", async () => {
    const rows: [words: string[], err: string][] = [
      [["--from", "moon"], "write origin or shield"],
      [["--for", "10"], "--for"],
      [["--settle", "1ms"], "--settle"],
    ];
    for (const [words, err] of rows) {
      const { code, err: said } = await cost(...words);
      expect([code, said]).toEqual([2, expect.stringContaining(err)]);
    }
    const nobody = await tenfold(["cost", "--state", "/nowhere"]);
    expect(nobody.code).not.toBe(0);
  });
});

test("tenfold cost says so when nothing came", async () => {
  const site = await startCachedSite();
  try {
    const { code, err } = await tenfold(["cost", "--for", "1s", "--state", site.state]);
    expect([code, err]).toEqual([1, expect.stringContaining("no request came for a rule with a cache")]);
  } finally {
    await site.stop();
  }
}, 30_000);

test("tenfold cost says so when there is no cache", async () => {
  const site = await startCachedSite([{ forward: "origin" }]);
  try {
    const { code, err } = await tenfold(["cost", "--state", site.state]);
    expect([code, err]).toEqual([1, expect.stringContaining("no rule has a cache")]);
  } finally {
    await site.stop();
  }
}, 30_000);
