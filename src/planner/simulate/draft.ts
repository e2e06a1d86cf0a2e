/**
 * A design as people write it, in YAML, JSON or TypeScript: the shape of each part. What is left out gets its default
 * in `parse`.
 */
import { shapes } from "../../config/index.ts";
import { CALLS_MAX, count, FAULTS_MAX, NODES_MAX, POINTS_MAX, rate, share, TASKS_MAX } from "./bounds.ts";
import type { Distribution } from "./distribution.ts";
import { distribution } from "./distribution-shape.ts";
import { type NodeDraft, node } from "./node-draft.ts";

const { duration, flag, leaf, list, name, named, number, object, word } = shapes;

/** One class of clients. */
export interface ClientsDraft {
  readonly to: string;
  readonly rateRps: number;
  readonly points: readonly (readonly [number, number])[];
  readonly sine: { readonly meanRps: number; readonly peakRps: number; readonly periodMs: number };
  readonly even: boolean;
  readonly users: number;
  readonly think: Distribution;
  readonly herd: { readonly count: number; readonly atMs: number };
  readonly routes: ReadonlyMap<string, number>;
  readonly timeoutMs: number;
  readonly retries: number;
  readonly keys: { readonly count: number; readonly skew: number };
}

const point = leaf<readonly [number, number]>(
  'a pair such as ["30s", "500/s"]',
  "list",
  (pair: readonly unknown[], place) => {
    const atMs = duration(0).spelling?.shape.read(pair[0], place);
    const rps = rate.read(pair[1], place);
    return atMs === undefined || rps === undefined ? undefined : [atMs, rps];
  },
);

/** A rate keeps its unit in its text, under a key without one. */
const rateRow: shapes.Shape<number> = {
  ...number({ min: 0, max: 1e9 }),
  spelling: { keyOf: (key) => key.replace(/Rps$/, ""), shape: rate },
};

const clients = object<ClientsDraft>(
  {
    to: name,
    rateRps: rateRow,
    points: list(point, POINTS_MAX, 2),
    sine: object<ClientsDraft["sine"]>(
      { meanRps: rateRow, peakRps: rateRow, periodMs: duration(1000) },
      { required: ["meanRps", "peakRps", "periodMs"] },
    ),
    even: flag,
    users: count(10_000_000, 1),
    think: distribution,
    herd: object<ClientsDraft["herd"]>(
      { count: count(10_000_000, 1), atMs: duration(0) },
      { required: ["count"] },
    ),
    routes: named(name, number({ min: 0, max: 1e9 }), CALLS_MAX),
    timeoutMs: duration(0),
    retries: count(10),
    keys: object<ClientsDraft["keys"]>(
      { count: count(5_000_000), skew: number({ min: 0, max: 5 }) },
      { required: ["count"] },
    ),
  },
  { required: ["to"], exactlyOne: ["rateRps", "points", "sine", "users", "herd"] },
);

/** One fault; which keys it needs depends on its kind. */
export interface FaultDraft {
  readonly kind:
    | "kill-task"
    | "kill-zone"
    | "slow-task"
    | "partition"
    | "kill-primary"
    | "flush"
    | "deploy"
    | "lose-metrics";
  readonly atMs: number;
  readonly node: string;
  readonly task: number;
  readonly zone: number;
  readonly shard: number;
  readonly factor: number;
  readonly forMs: number;
}

const fault = object<FaultDraft>(
  {
    kind: word([
      "kill-task",
      "kill-zone",
      "slow-task",
      "partition",
      "kill-primary",
      "flush",
      "deploy",
      "lose-metrics",
    ]),
    atMs: duration(0),
    node: name,
    task: count(TASKS_MAX),
    zone: count(100),
    shard: count(1000),
    factor: number({ min: 0.01, max: 10_000 }),
    forMs: duration(0),
  },
  { required: ["kind", "atMs", "node"] },
);

/** How long, how much, judged by what. */
export interface RunDraft {
  readonly durationMs: number;
  readonly warmUpMs: number;
  readonly seed: number;
  readonly inSystemMax: number;
  readonly requestsMax: number;
  readonly windowMs: number;
  readonly objective: { readonly p99Ms: number; readonly errors: number };
}

const run = object<RunDraft>({
  durationMs: duration(1),
  warmUpMs: duration(0),
  seed: count(0xffff_ffff),
  inSystemMax: count(10_000_000, 1),
  requestsMax: count(1_000_000_000, 1),
  windowMs: duration(1),
  objective: object<RunDraft["objective"]>({ p99Ms: duration(0), errors: share }),
});

/** A whole design. */
export interface DesignDraft {
  readonly name: string;
  readonly clients: ReadonlyMap<string, Partial<ClientsDraft>>;
  readonly nodes: ReadonlyMap<string, NodeDraft>;
  readonly faults: readonly Partial<FaultDraft>[];
  readonly run: Partial<RunDraft>;
}

/** The shape of a whole design. */
export const designShape: shapes.Shape<DesignDraft> = object<DesignDraft>(
  {
    name,
    clients: named(name, clients as shapes.Shape<Partial<ClientsDraft>>, NODES_MAX),
    nodes: named(name, node, NODES_MAX),
    faults: list(fault as shapes.Shape<Partial<FaultDraft>>, FAULTS_MAX),
    run,
  },
  { required: ["clients", "nodes"] },
);
