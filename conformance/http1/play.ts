/**
 * Plays the corpus against a proxy: several lanes, each a listener of the proxy with an origin of its own, so that
 * what reaches an origin belongs to the one case that its lane is playing.
 */
import type { Case } from "./case.ts";
import { CORPUS } from "./corpus.ts";
import { type Delivery, exchange } from "./exchange.ts";
import { type Fault, judge, type Observation } from "./judge.ts";
import { RecordingOrigin } from "./recording-origin.ts";

/** One case with its family, what was seen and the verdict. */
export interface Played {
  readonly family: string;
  readonly name: string;
  readonly played: Case;
  readonly seen: Observation;
  readonly fault: Fault;
}

/** A listener of the proxy under test and the origin behind it. */
export interface Lane {
  readonly port: number;
  readonly origin: RecordingOrigin;
}

/** Settings of one run. */
export interface PlayOptions {
  readonly delivery: Delivery;
  /** Whether what should be refused must be. */
  readonly strict: boolean;
}

/** Starts `count` origins for the proxy to forward to. */
export function startOrigins(count: number): Promise<RecordingOrigin[]> {
  return Promise.all(Array.from({ length: count }, () => RecordingOrigin.start()));
}

/** Plays every case once, in the order of the corpus within each lane; results in the order of the corpus. */
export async function playCorpus(lanes: readonly Lane[], options: PlayOptions): Promise<Played[]> {
  const cases = Object.entries(CORPUS).flatMap(([family, rows]) =>
    rows.map((played) => ({ family, played })),
  );
  const results: Played[] = [];
  let next = 0;
  await Promise.all(
    lanes.map(async (lane) => {
      for (let at = next++; at < cases.length; at = next++) {
        const { family, played } = cases[at]!;
        const seen = await playOne(lane, played, options.delivery);
        results[at] = { family, name: played.name, played, seen, fault: judge(played, seen, options.strict) };
      }
    }),
  );
  return results;
}

async function playOne(lane: Lane, played: Case, delivery: Delivery): Promise<Observation> {
  lane.origin.take();
  const answers = await exchange(lane.port, played, delivery);
  return { answers, reached: lane.origin.take() };
}
