/** How times are written in a design: "10ms", { mean, cv }, or measured quantiles. */
import { shapes } from "../../config/index.ts";
import type { Distribution } from "./distribution.ts";

const { duration, integer, leaf, list, number, object, report, sortOf, word } = shapes;

/** Stages of an Erlang distribution. */
const STAGES_MAX = 1000;

/** Measured quantiles of one distribution. */
const QUANTILES_MAX = 10_000;

interface DistributionDraft {
  readonly kind: Distribution["kind"];
  readonly meanMs: number;
  readonly cv: number;
  readonly k: number;
  readonly quantiles: readonly (readonly [number, number])[];
}

const quantile = leaf<readonly [number, number]>(
  'a pair such as [0.5, "10ms"]',
  "list",
  (pair: readonly unknown[], place) => {
    const at = typeof pair[0] === "number" ? pair[0] : undefined;
    const ms = duration(0).spelling?.shape.read(pair[1], place);
    return at !== undefined && at >= 0 && at <= 1 && ms !== undefined ? [at, ms] : undefined;
  },
);

const distributionObject = object<DistributionDraft>({
  kind: word(["constant", "exponential", "erlang", "hyperexponential", "lognormal", "empirical"]),
  meanMs: duration(0),
  cv: number({ min: 0, max: 100 }),
  k: integer({ min: 1, max: STAGES_MAX }),
  quantiles: list(quantile, QUANTILES_MAX, 2),
});

/** "10ms" is exponential; { mean, cv } is log-normal; other kinds by name. */
export const distribution: shapes.Shape<Distribution> = {
  expected: 'a time such as "10ms", or { mean: "10ms", cv: 0.5 }',
  read(input, place) {
    if (sortOf(input) !== "object") {
      const meanMs = duration(0).spelling?.shape.read(input, place);
      return meanMs === undefined ? undefined : { kind: meanMs === 0 ? "constant" : "exponential", meanMs };
    }
    const known = place.problems.length;
    const draft = distributionObject.read(input, place) as Partial<DistributionDraft>;
    return place.problems.length > known ? undefined : distributionOf(draft, place);
  },
};

function distributionOf(draft: Partial<DistributionDraft>, place: shapes.Place): Distribution | undefined {
  const { meanMs, cv = 1, k = 2, quantiles } = draft;
  if (quantiles !== undefined) {
    const ascends = quantiles.every(
      ([at, ms], i) => i === 0 || (at >= (quantiles[i - 1]?.[0] ?? 0) && ms >= (quantiles[i - 1]?.[1] ?? 0)),
    );
    if (ascends && quantiles[0]?.[0] === 0 && quantiles.at(-1)?.[0] === 1)
      return { kind: "empirical", quantiles };
    return report(
      place,
      "has quantiles that do not ascend from 0 to 1",
      'write [[0, "1ms"], [0.5, "5ms"], [1, "90ms"]]',
    );
  }
  if (meanMs === undefined) return report(place, "has no mean", 'write mean: "10ms"');
  const kind =
    draft.kind ??
    (cv === 0 || meanMs === 0 ? "constant" : draft.cv === undefined ? "exponential" : "lognormal");
  if (kind === "hyperexponential" && cv <= 1)
    return report(place, `is hyperexponential with a cv of ${cv}`, "write a cv above 1, or another kind");
  switch (kind) {
    case "constant":
    case "exponential":
      return { kind, meanMs };
    case "erlang":
      return { kind, meanMs, k };
    case "hyperexponential":
    case "lognormal":
      return { kind, meanMs, cv };
    case "empirical":
      return report(place, "is empirical without quantiles", "write quantiles: [[0, …], …, [1, …]]");
  }
}
