/** The tables that everybody who estimates should have at hand, as reports. */
import { figure } from "../report/figure.ts";
import type { Report } from "../report/report.ts";
import { formatNumber } from "../report/unit.ts";
import { LATENCY_NUMBERS, type Measurable, POWERS_OF_TWO } from "./tables.ts";

/** Powers of two. */
export function powersReport(): Report {
  return {
    title: "Powers of two",
    answer: ["Every ten powers are about a thousand."],
    sections: [
      {
        kind: "table",
        title: "Powers",
        columns: [
          { title: "2^n", align: "right" },
          { title: "exact", align: "right" },
          { title: "about" },
          { title: "bytes" },
        ],
        rows: POWERS_OF_TWO.map(({ exponent, value, near, bytes }) => [
          `2^${exponent}`,
          figure({
            key: `two${exponent}`,
            label: `2^${exponent}`,
            value,
            unit: "count",
            formula: `2^${exponent}`,
            digits: 20,
          }),
          near,
          bytes,
        ]),
      },
    ],
  };
}

/** Latency numbers, as published, and as measured where they were. */
export function latencyReport(measured: ReadonlyMap<Measurable, number>): Report {
  const own = measured.size > 0;
  return {
    title: "How long things take",
    answer: [
      own
        ? "Published ranges beside this machine."
        : "Published ranges with their years; --measure puts this machine beside them.",
    ],
    sections: [
      {
        kind: "table",
        title: "Times",
        columns: [
          { title: "what" },
          { title: "published", align: "right" },
          { title: "of" },
          ...(own ? [{ title: "here", align: "right" as const }] : []),
        ],
        rows: LATENCY_NUMBERS.map(({ what, fromMs, toMs, year, key }) => {
          const here = key === undefined ? undefined : measured.get(key);
          const range =
            fromMs === toMs
              ? formatNumber(fromMs, "ms", 3)
              : `${formatNumber(fromMs, "ms", 3)} to ${formatNumber(toMs, "ms", 3)}`;
          const cell =
            here === undefined || key === undefined
              ? ""
              : figure({
                  key,
                  label: `${what}, here`,
                  value: here,
                  unit: "ms",
                  formula: "median of repeated measurements",
                  digits: 3,
                });
          return [what, range, year, ...(own ? [cell] : [])];
        }),
      },
    ],
  };
}
