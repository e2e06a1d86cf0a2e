/** What a person sees of `tenfold availability`. The numbers are proved beside the formulas. */
import { describe, expect, test } from "bun:test";
import { tenfold } from "../testing.ts";

const ask = (...words: string[]) => tenfold(["availability", ...words]);

const SHOP = "series(lb 99.99, 2x app 99.95, db 99.99)";

describe("an answer", () => {
  const rows: [words: string[], said: string[]][] = [
    [["99.9"], ["It allows 8.76 h of downtime a year."]],
    [[" 99.9 % "], ["month of 30 days   43.2 min"]],
    [
      [SHOP],
      [
        "99.979976 % available",
        "Next: one more lb or db",
        "More copies of app would change next to nothing.",
      ],
    ],
    [
      [SHOP, "--price", "lb=20", "--price", "app=40", "--price", "db=300"],
      ["Next: one more lb;", "4.57 a minute"],
    ],
    [
      [SHOP, "--explain"],
      ["= (U - U with it up) / U", "with U = 0.0002002"],
    ],
    [[SHOP, "--json"], ['"availability":{"label":"availability","value":0.99979976']],
    [[SHOP, "--md"], ["| lb | 1 | 99.99 % |"]],
  ];
  for (const [words, said] of rows)
    test(`to ${words.join(" ")}`, async () => {
      const { code, out } = await ask(...words);
      for (const sentence of said) expect(out).toContain(sentence);
      expect(code).toBe(0);
    });
});

describe("a question that cannot be answered is refused, and mended", () => {
  const rows: [words: string[], said: string[]][] = [
    [["series(lb 99.99, db)"], ["series(lb 99.99, db)\n                 ^^\n", '"db": has no availability']],
    [[SHOP, "--price", "ap=3"], ["did you mean app?"]],
    [[SHOP, "--target", "999"], ["is more than 100 %"]],
    [["99.9", "--target", "99.99"], ["a percentage alone has no parts to add"]],
  ];
  for (const [words, said] of rows)
    test(words.join(" "), async () => {
      const { code, err } = await ask(...words);
      for (const sentence of said) expect(err).toContain(sentence);
      expect(code).toBe(2);
    });
});
