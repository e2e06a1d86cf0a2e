import { describe, expect, test } from "bun:test";
import { isLoop, siteOf } from "./site.ts";
import { viewOfGet } from "./testing/heads.ts";

const FRA = siteOf({ name: "tenfold", edge: "fra" });

/** Whether a request with these fields is refused by `site`. */
function loops(fields: readonly string[], site = FRA): boolean {
  const { head, bytes } = viewOfGet("/", ...fields);
  return isLoop(site, head, bytes);
}

describe("the names of an installation", () => {
  test("tell it from the others of its site; one that is alone has none", () => {
    expect(FRA).toMatchObject({ cacheName: "tenfold-fra", edge: "fra", cdnId: "tenfold-fra" });
    expect(Buffer.from(FRA.edgeLine).toString()).toBe("X-Edge: fra\r\n");
    expect(siteOf({ name: "mine" })).toMatchObject({ cacheName: "mine", edge: undefined, cdnId: "" });
  });
});

describe("CDN-Loop", () => {
  test("with our own id once is no loop: a rule may forward to another listener of this gateway", () => {
    expect(loops([])).toBe(false);
    expect(loops(["CDN-Loop: tenfold-fra"])).toBe(false);
  });

  test("with our own id twice is one, in one line or several, in any case, with parameters or without", () => {
    for (const fields of [
      ["CDN-Loop: tenfold-fra, tenfold-fra"],
      ["CDN-Loop: tenfold-fra", "cdn-loop: other, Tenfold-FRA"],
      ['CDN-Loop: tenfold-fra; abc=123; def="456" , tenfold-fra;x'],
    ])
      expect([fields, loops(fields)]).toEqual([fields, true]);
  });

  test("with others' ids, however many, is none; nor with ours inside another", () => {
    expect(loops([`CDN-Loop: ${"tenfold-lon, ".repeat(40)}tenfold-fra`])).toBe(false);
    expect(loops(["CDN-Loop: tenfold-fra2, x-tenfold-fra, tenfold-fra.example"])).toBe(false);
  });

  test("means nothing to a gateway that is no edge", () => {
    expect(loops(["CDN-Loop: tenfold, tenfold"], siteOf({ name: "tenfold" }))).toBe(false);
  });
});
