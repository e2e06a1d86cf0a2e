import { describe, expect, test } from "bun:test";
import {
  type AppliedQuorum,
  fits,
  hasQuorum,
  NO_QUORUM,
  type PublishedQuorum,
  published,
  type QuorumState,
  quorumStep,
  sameQuorum,
} from "./quorum.ts";

const NAMES = ["a", "b", "c", "d"];

function subsets(names: readonly string[]): string[][] {
  return names.reduce<string[][]>((all, name) => [...all, ...all.map((one) => [...one, name])], [[]]);
}

/** Every way to wait for `count` of some names. */
const APPLIED: readonly AppliedQuorum[] = subsets(NAMES).flatMap((names) =>
  names.map((_, index) => ({ count: index + 1, names })),
);

/** Whether all sets that can acknowledge meet all that can vote, by looking at all of them. */
function meets(applied: AppliedQuorum, { names, votes }: PublishedQuorum): boolean {
  const acks = subsets(applied.names).filter((set) => set.length === applied.count);
  const voters = subsets(names).filter((set) => set.length === votes);
  return acks.every((ack) => voters.every((voter) => ack.some((name) => voter.includes(name))));
}

describe("a quorum", () => {
  test("fits what is published exactly when every acknowledging set meets every voting one", () => {
    for (const applied of APPLIED)
      for (const names of subsets(NAMES))
        for (let votes = 1; votes <= names.length; votes += 1)
          expect(fits(applied, { names, votes })).toBe(meets(applied, { names, votes }));
  });

  test("is reached by the names that count, with what is on their disks", () => {
    const replicas = [
      { name: "a", flushed: 10n },
      { name: "x", flushed: 99n },
    ];
    expect(hasQuorum({ count: 1, names: ["a", "b"] }, replicas, 10n)).toBe(true);
    expect(hasQuorum({ count: 1, names: ["a", "b"] }, replicas, 11n)).toBe(false);
    expect(hasQuorum({ count: 2, names: ["a", "b"] }, replicas, 1n)).toBe(false);
    expect(hasQuorum(NO_QUORUM, [], 99n)).toBe(true);
  });
});

/** Goes from one quorum to another, and checks each state on the way. `late`: the replicas catch up only when nothing else is left. */
function change(from: AppliedQuorum, to: AppliedQuorum): number {
  const behind = NAMES.map((name) => ({ name, flushed: 0n }));
  let state: QuorumState = { applied: from, recorded: published(from), replicas: behind, since: 0n };
  // What was acknowledged before and may still be on those alone that the old quorum names.
  let owed: AppliedQuorum | undefined;
  for (let steps = 0; steps < 10; steps += 1) {
    const step = quorumStep(state, to);
    if (step.kind === "none") return steps;
    if (step.kind === "publish") {
      state = { ...state, recorded: step.quorum };
    } else if (step.kind === "apply") {
      owed = state.applied;
      state = { ...state, applied: step.quorum, since: 5n };
    } else {
      state = { ...state, replicas: NAMES.map((name) => ({ name, flushed: 5n })) };
      owed = undefined;
    }
    if (state.recorded === null) continue;
    expect(fits(state.applied, state.recorded)).toBe(true);
    if (owed !== undefined && state.replicas === behind) expect(fits(owed, state.recorded)).toBe(true);
  }
  throw new Error(`never gets from ${JSON.stringify(from)} to ${JSON.stringify(to)}`);
}

describe("a change of quorum", () => {
  test("gets from any to any other, and fits what is published at each step", () => {
    for (const from of [...APPLIED, NO_QUORUM])
      for (const to of [...APPLIED, NO_QUORUM]) {
        const steps = change(from, to);
        if (sameQuorum(from, to)) expect(steps).toBe(0);
      }
  });

  test("to nobody is published first, from nobody last", () => {
    const one = { count: 1, names: ["a"] };
    const behind = { replicas: [], since: 5n };
    expect(quorumStep({ applied: one, recorded: published(one), ...behind }, NO_QUORUM)).toEqual({
      kind: "publish",
      quorum: null,
    });
    expect(quorumStep({ applied: NO_QUORUM, recorded: null, ...behind }, one)).toEqual({
      kind: "apply",
      quorum: one,
    });
    expect(quorumStep({ applied: one, recorded: null, ...behind }, one)).toEqual({ kind: "wait" });
  });
});
