/** What is sent, as a table: a day, a second on average, a second at the peak. */
import type { Table } from "../report/report.ts";
import type { Bandwidth } from "./bandwidth.ts";
import { BITS_IN_HEAD, DAY_IN_HEAD, inBrackets, inHead, over, plus, times } from "./mental.ts";
import { type Inputs, type MentalRow, mentalRow, mentalTable } from "./mental-table.ts";

const BITS_PER_SECOND = "bytes a day x 8 / 86,400 s";

/** The bandwidth of a workload. */
export function bandwidthTable({ peak }: { readonly peak: number }, bandwidth: Bandwidth): Table {
  const { answersPerDay, filesPerDay } = bandwidth;
  return mentalTable("Bandwidth", [
    sent("answers", answersPerDay, bandwidth.answersBps),
    ...(filesPerDay > 0 ? [sent("files", filesPerDay, bandwidth.filesBps)] : []),
    ...all(bandwidth, peak),
  ]);
}

function sent(what: "answers" | "files", perDay: number, bps: number): MentalRow {
  const mental = over(times(inHead(perDay, "bytes"), BITS_IN_HEAD), DAY_IN_HEAD);
  const inputs: Inputs = [["bytes a day", perDay, "bytesPerDay"]];
  return mentalRow(mental, [
    `${what}Bps`,
    what,
    bps,
    "bitsPerSecond",
    BITS_PER_SECOND,
    { inputs, digits: 3 },
  ]);
}

function all({ answersPerDay, filesPerDay, peakBps }: Bandwidth, peak: number): MentalRow[] {
  const [answers, files] = [inHead(answersPerDay, "bytes"), inHead(filesPerDay, "bytes")];
  const both = filesPerDay > 0 ? inBrackets(plus(answers, files)) : answers;
  const inputs: Inputs = [
    ["answers", answersPerDay, "bytesPerDay"],
    ["files", filesPerDay, "bytesPerDay"],
  ];
  return [
    mentalRow(over(times(both, BITS_IN_HEAD, inHead(peak, "ratio")), DAY_IN_HEAD), [
      "peakBps",
      "all, at the peak",
      peakBps,
      "bitsPerSecond",
      `${BITS_PER_SECOND} x peak`,
      { inputs: [...inputs, ["peak", peak, "ratio"]], digits: 3 },
    ]),
    mentalRow(filesPerDay > 0 ? plus(answers, files) : answers, [
      "sentPerDay",
      "all",
      answersPerDay + filesPerDay,
      "bytesPerDay",
      "answers + files",
      { inputs },
    ]),
  ];
}
