/** The table of powers of two as a report. */
import type { Report } from "../report/report.ts";
import { formatNumber } from "../report/unit.ts";
import { POWERS_OF_TWO, type PowerOfTwo } from "./powers-of-two.ts";

/** Powers of two, exact and as one reckons with them. */
export function powersReport(): Report {
  return {
    title: "Powers of two",
    answer: [
      "Ten more powers are a thousand times as much, and 2.4 % on top each time.",
      "86,400 seconds are a day: reckon with 10^5. A million a day is 12/s.",
    ],
    sections: [
      {
        kind: "table",
        title: "Powers",
        columns: [
          { title: "2^n", align: "right" },
          { title: "exact", align: "right" },
          { title: "about", align: "right" },
          { title: "off by", align: "right" },
          { title: "known as" },
        ],
        rows: POWERS_OF_TWO.map((power) => [
          `2^${power.exponent}`,
          exactly(power),
          power.near,
          formatNumber(power.nearValue / power.value - 1, "share", 2),
          power.known,
        ]),
      },
    ],
  };
}

/** With every digit: a table of powers that rounds them would be none. */
function exactly({ exponent }: PowerOfTwo): string {
  return (2n ** BigInt(exponent)).toString().replace(/\B(?=(\d{3})+$)/g, ",");
}
