/** Builders for tests of reads: a cluster without sockets. */
import { VolatileFunctions } from "../../sql/index.ts";
import type { ClusterServer } from "../view.ts";
import type { ReadBatch, ReadCluster } from "./decide.ts";
import { Positions } from "./positions.ts";
import { Replica } from "./replica.ts";
import { textPlans } from "./text-plan.ts";
import { Writers } from "./writers.ts";

/** The primary's timeline in all of them. */
const TIMELINE = 3;

/** A server of the view. */
export function serverOf(name: string, eligible = true): ClusterServer {
  return { name, host: "10.0.0.1", port: 5432, role: "replica", timeline: TIMELINE, eligible };
}

/** A replica that may be read and has replayed up to `replayed`. */
export function replicaAt(name: string, replayed: bigint, nowMs = 0): Replica {
  const replica = new Replica(serverOf(name));
  replica.timeline = TIMELINE;
  replica.answered(replayed, nowMs);
  return replica;
}

/** A cluster whose primary was at `lsn` at time 0. */
export function clusterAt(lsn: bigint, ...replicas: Replica[]): ReadCluster {
  const positions = new Positions();
  positions.add({ lsn, atMs: 0 });
  return { replicas, positions, timeline: TIMELINE, writers: new Writers() };
}

const planOf = textPlans();

/** A batch of these texts; only `writes_something` and `nextval` may write. */
export function batchOf(...texts: readonly string[]): ReadBatch {
  return { plans: texts.map(planOf), functions: new VolatileFunctions(["writes_something"]) };
}
