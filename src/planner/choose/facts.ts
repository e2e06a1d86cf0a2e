/** What an app is like: the facts that rules look at. What is not said has a default, and the answer says so. */
import { type Problem, shapes } from "../../config/index.ts";
import { type Outcome, ok } from "../outcome.ts";
import { parseCount, parseRate, parseShare } from "../quantity.ts";

const { bounded, bySort, bytes, duration, flag, leaf, number, object, word } = shapes;

/** All facts. Rates are of the busiest second. */
export interface Facts {
  readonly readRps: number;
  readonly writeRps: number;
  readonly sizeBytes: number;
  readonly rowsScannedPerRow: number;
  readonly cpuMs: number;
  /** Largest share of requests that ask for a tenth of the data. */
  readonly hotShare: number;
  /** Age that a reader may not notice, ms. */
  readonly staleMs: number;
  /** A wrong answer costs money or cannot be taken back. */
  readonly money: boolean;
  /** What clients hold open: games, calls, live editing. */
  readonly longLived: boolean;
  /** State that only one task has: a room, a session in memory. */
  readonly state: "none" | "session" | "room";
  readonly joins: "many" | "few" | "none";
  readonly graphDepth: number;
  /** Followers of the most followed. */
  readonly followersMax: number;
  /** How unequal requests are in cost: coefficient of variation. */
  readonly costCv: number;
  readonly http: boolean;
  /** Availability that is wanted, 0..1. */
  readonly availability: number;
  readonly retentionDrop: boolean;
}

/** What holds when nothing is said. */
export const DEFAULT_FACTS: Facts = {
  readRps: 100,
  writeRps: 5,
  sizeBytes: 10e9,
  rowsScannedPerRow: 1,
  cpuMs: 10,
  hotShare: 0.8,
  staleMs: 1000,
  money: false,
  longLived: false,
  state: "session",
  joins: "many",
  graphDepth: 1,
  followersMax: 1000,
  costCv: 1,
  http: true,
  availability: 0.999,
  retentionDrop: false,
};

/** Facts, and the names of those that were given. */
export interface Known {
  readonly facts: Facts;
  readonly given: ReadonlySet<keyof Facts>;
}

const rate = (): shapes.Shape<number> => ({
  ...number({ min: 0, max: 1e12 }),
  spelling: {
    keyOf: (key) => key.replace(/Rps$/, "s"),
    shape: leaf('a rate such as "100/s"', "string", (text: string) => parseRate(text)),
  },
});

const share = bySort<number>({
  number: number({ min: 0, max: 1 }),
  string: leaf('a share such as "80%"', "string", (text: string) => parseShare(text)),
});

const count = bySort<number>({
  number: number({ min: 0, max: 1e15 }),
  string: leaf('a number such as "10k"', "string", (text: string) => parseCount(text)),
});

const shape = object<Facts>({
  readRps: rate(),
  writeRps: rate(),
  sizeBytes: bytes(0, 9e15),
  rowsScannedPerRow: count,
  cpuMs: duration(0),
  hotShare: share,
  staleMs: duration(0),
  money: flag,
  longLived: flag,
  state: word(["none", "session", "room"]),
  joins: word(["many", "few", "none"]),
  graphDepth: count,
  followersMax: count,
  costCv: number({ min: 0, max: 100 }),
  http: flag,
  availability: share,
  retentionDrop: flag,
});

/** The facts of a file or of options; all problems at once. */
export function parseFacts(input: unknown): Outcome<Known> {
  const problems: Problem[] = [];
  const draft = shape.read(input, { path: "", problems }) ?? DEFAULT_FACTS;
  if (problems.length > 0) return { kind: "problems", problems: bounded(problems) };
  return ok({ facts: { ...DEFAULT_FACTS, ...draft }, given: new Set(Object.keys(draft) as (keyof Facts)[]) });
}
