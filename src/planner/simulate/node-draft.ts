/** The nodes of a design as people write them: a table of shapes by kind. */
import { shapes } from "../../config/index.ts";
import { CALLS_MAX, count, GATEWAYS_MAX, share, TASKS_MAX } from "./bounds.ts";
import type { Distribution } from "./distribution.ts";
import { distribution } from "./distribution-shape.ts";

const { bySort, duration, flag, leaf, list, name, named, number, object, report, sortOf, word } = shapes;

/** One call of a service: a name, or a name with how it is made. */
export interface CallDraft {
  readonly to: string;
  readonly share: number;
  readonly times: number;
  readonly parallel: boolean;
  readonly optional: boolean;
}

const call = bySort<Partial<CallDraft>>({
  string: { expected: name.expected, read: (input, place) => ({ to: name.read(input, place) ?? "" }) },
  object: object<CallDraft>(
    { to: name, share, times: count(CALLS_MAX, 1), parallel: flag, optional: flag },
    { required: ["to"] },
  ),
});

/** Own work and calls of one route. */
export interface WorkDraft {
  readonly time: Distribution;
  readonly calls: readonly Partial<CallDraft>[];
}

const workRows = { time: distribution, calls: list(call, CALLS_MAX) };
const price = number({ min: 0, max: 1e9 });

/** Keys of a node by its kind. What stands here as `unknown` is read as config, by `parse`. */
export interface NodeDrafts {
  readonly delay: { kind: string; time: Distribution; to: string; pricePerMonth: number };
  readonly gateway: {
    kind: string;
    to: string;
    count: number;
    group: unknown;
    retry: { readonly attempts: number; readonly budget: boolean };
    firstByteMs: number;
    queueMax: number;
    time: Distribution;
    cores: number;
    pricePerMonth: number;
  };
  readonly service: {
    kind: string;
    tasks: number;
    cores: number;
    concurrency: number;
    queueMax: number;
    timeLimitMs: number;
    time: Distribution;
    calls: readonly Partial<CallDraft>[];
    routes: ReadonlyMap<string, Partial<WorkDraft>>;
    errors: number;
    coldStart: { readonly forMs: number; readonly factor: number };
    pauses: { readonly everyMs: number; readonly pauseMs: number };
    startDelayMs: number;
    zones: number;
    autoscale: unknown;
    deploy: unknown;
    pricePerMonth: number;
  };
  readonly cache: {
    kind: string;
    to: string;
    time: Distribution;
    hits: number;
    entries: number;
    ttlMs: number;
    coalesce: boolean;
    bypass: readonly string[];
    pricePerMonth: number;
  };
  readonly pool: {
    kind: string;
    to: string;
    size: number;
    queueMax: number;
    queueTimeoutMs: number;
    pricePerMonth: number;
  };
  readonly database: {
    kind: string;
    cores: number;
    read: Distribution;
    write: Distribution;
    writes: readonly string[];
    replicas: number;
    readFromReplicas: boolean;
    sync: boolean;
    lagMs: number;
    failoverMs: number;
    shards: number;
    skew: number;
    queueMax: number;
    pricePerMonth: number;
  };
  readonly queue: {
    kind: string;
    time: Distribution;
    workers: number;
    work: Distribution;
    depthMax: number;
    to: string;
    pricePerMonth: number;
  };
}

/** A kind of node. */
export type NodeKind = keyof NodeDrafts;

const anything: shapes.Shape<unknown> = { expected: "an object", read: (input) => input };
const kind = leaf("a kind", "string", (text: string) => text);
const places = count(10_000_000);
const routeNames = list(name, CALLS_MAX);

/** Kind -> its shape. A new kind of node is one row here, one in `parse` and one in `run`. */
const NODES: { readonly [K in NodeKind]: shapes.Shape<NodeDrafts[K]> } = {
  delay: object<NodeDrafts["delay"]>(
    { kind, time: distribution, to: name, pricePerMonth: price },
    { required: ["time"] },
  ),
  gateway: object<NodeDrafts["gateway"]>(
    {
      kind,
      to: name,
      count: count(GATEWAYS_MAX, 1),
      group: anything,
      retry: object<NodeDrafts["gateway"]["retry"]>({ attempts: count(10), budget: flag }),
      firstByteMs: duration(0),
      queueMax: places,
      time: distribution,
      cores: count(1024, 1),
      pricePerMonth: price,
    },
    { required: ["to"] },
  ),
  service: object<NodeDrafts["service"]>(
    {
      kind,
      tasks: count(TASKS_MAX, 1),
      cores: count(1024, 1),
      concurrency: count(1_000_000, 1),
      queueMax: places,
      timeLimitMs: duration(0),
      ...workRows,
      routes: named(name, object<WorkDraft>(workRows), CALLS_MAX),
      errors: share,
      coldStart: object<NodeDrafts["service"]["coldStart"]>(
        { forMs: duration(0), factor: number({ min: 1, max: 1000 }) },
        { required: ["forMs", "factor"] },
      ),
      pauses: object<NodeDrafts["service"]["pauses"]>(
        { everyMs: duration(1), pauseMs: duration(0) },
        { required: ["everyMs", "pauseMs"] },
      ),
      startDelayMs: duration(0),
      zones: count(100, 1),
      autoscale: anything,
      deploy: anything,
      pricePerMonth: price,
    },
    { someOf: ["time", "routes"] },
  ),
  cache: object<NodeDrafts["cache"]>(
    {
      kind,
      to: name,
      time: distribution,
      hits: share,
      entries: count(5_000_000, 1),
      ttlMs: duration(0),
      coalesce: flag,
      bypass: routeNames,
      pricePerMonth: price,
    },
    { required: ["to"], exactlyOne: ["hits", "entries"] },
  ),
  pool: object<NodeDrafts["pool"]>(
    {
      kind,
      to: name,
      size: count(100_000, 1),
      queueMax: places,
      queueTimeoutMs: duration(0),
      pricePerMonth: price,
    },
    { required: ["to", "size"] },
  ),
  database: object<NodeDrafts["database"]>(
    {
      kind,
      cores: count(1024, 1),
      read: distribution,
      write: distribution,
      writes: routeNames,
      replicas: count(100),
      readFromReplicas: flag,
      sync: flag,
      lagMs: duration(0),
      failoverMs: duration(0),
      shards: count(1000, 1),
      skew: number({ min: 0, max: 0.99 }),
      queueMax: places,
      pricePerMonth: price,
    },
    { required: ["read"] },
  ),
  queue: object<NodeDrafts["queue"]>(
    {
      kind,
      time: distribution,
      workers: count(100_000, 1),
      work: distribution,
      depthMax: places,
      to: name,
      pricePerMonth: price,
    },
    { required: ["work"] },
  ),
};

/** A node, told by its kind. */
export type NodeDraft = {
  readonly [K in NodeKind]: { readonly kind: K; readonly draft: Partial<NodeDrafts[K]> };
}[NodeKind];

const KINDS = Object.keys(NODES) as NodeKind[];

/** Any node, told by its kind. */
export const node: shapes.Shape<NodeDraft> = {
  expected: `a node such as { kind: service, time: 10ms }`,
  read(input, place) {
    if (sortOf(input) !== "object") return report(place, "is no node", "write an object with kind");
    const at = shapes.below(place, "kind");
    const of = word(KINDS).read((input as Record<string, unknown>)["kind"], at);
    if (of === undefined) return undefined;
    return { kind: of, draft: NODES[of].read(input, place) } as NodeDraft;
  },
};
