/**
 * Feeds: push on write, or pull on read.
 *
 * A push writes each item into all followers' feeds, a pull merges all followed when a feed is read. Each tie has one
 * follower and one followed, so on the mean both touch as many entries: what is rarer should do the work. Where those who
 * write much are also followed by many, a push costs more than that.
 */
import { formatNumber } from "../report/unit.ts";
import { question, type Trigger, type Verdict } from "./question.ts";

/** One entry of one feed, written to a store in batches. */
const ENTRY_MS = 0.1;

/** Below one read for each write a feed is built more often than it is looked at. */
const READS_PER_WRITE = 1;

/** Push, pull, or both. */
export const fanOut: ReturnType<typeof question> = question({
  asks: "feeds: push on write or pull on read",
  reads: ["readRps", "writeRps", "followersMax", "staleMs"],
  decide: ({ readRps, writeRps, followersMax, staleMs }): Verdict => {
    const ratio = writeRps === 0 ? Infinity : readRps / writeRps;
    const spreadMs = followersMax * ENTRY_MS;
    return {
      ...verdictOf(ratio >= READS_PER_WRITE, spreadMs >= staleMs, spreadMs),
      triggers: triggersOf({ readRps, writeRps, followersMax, staleMs }, ratio, spreadMs),
    };
  },
});

function triggersOf(
  facts: Readonly<Record<"readRps" | "writeRps" | "followersMax" | "staleMs", number>>,
  ratio: number,
  spreadMs: number,
): Trigger[] {
  return [
    {
      kind: "number",
      key: "feedReadsPerWrite",
      what: "reads of a feed for each item written",
      value: ratio,
      threshold: READS_PER_WRITE,
      unit: "ratio",
      formula: "reads / writes",
      inputs: [
        ["reads", facts.readRps, "perSecond"],
        ["writes", facts.writeRps, "perSecond"],
      ],
      because: "each tie has two ends: on the mean a push touches as many entries as a pull",
    },
    {
      kind: "number",
      key: "feedSpread",
      what: "time to reach all followers of the most followed",
      value: spreadMs,
      threshold: facts.staleMs,
      unit: "ms",
      formula: "followers x 0.1 ms, one writer",
      inputs: [["followers", facts.followersMax, "count"]],
      because: "the age that a reader does not notice",
    },
  ];
}

function verdictOf(often: boolean, slow: boolean, spreadMs: number): Omit<Verdict, "triggers"> {
  if (!often)
    return {
      choice: "pull",
      answer: "pull on read",
      tradeOff: "each read merges everybody that is followed: the slowest of many answers decides",
    };
  if (slow)
    return {
      choice: "both",
      answer: "push for most, pull for the few whom many follow",
      tradeOff: "two ways to build one feed, merged at each read",
    };
  return {
    choice: "push",
    answer: "push on write",
    tradeOff: `a write costs as much as its author has followers: ${formatNumber(spreadMs, "ms", 2)} for the most followed`,
  };
}
