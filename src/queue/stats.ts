/** How much waits, per kind of job: what people watch, and what an autoscaler follows. */
import { type MetricFamily, renderMetrics } from "../base/index.ts";

/** One kind's jobs. */
export interface KindStats {
  /** Could run now. */
  readonly ready: number;
  /** Wait for their time: delayed, or before a retry. */
  readonly delayed: number;
  readonly active: number;
  /** Tries used up, still kept. */
  readonly failed: number;
  /** How long the oldest that could run has waited. 0 when none does. */
  readonly oldestMs: number;
}

/** All kinds' jobs. */
export interface QueueStats {
  /** Of all kinds but dead letters: ready and active. What there is to do now. */
  readonly depth: number;
  readonly oldestMs: number;
  readonly kinds: Readonly<Record<string, KindStats>>;
}

/** The statement that counts; `$1`: names. Jobs that ended well are not looked at. */
export function statsSql(schema: string): string {
  return `SELECT name,
    count(*) FILTER (WHERE state < 'active' AND start_after <= now())::int AS ready,
    count(*) FILTER (WHERE state < 'active' AND start_after > now())::int AS delayed,
    count(*) FILTER (WHERE state = 'active')::int AS active,
    count(*) FILTER (WHERE state = 'failed')::int AS failed,
    coalesce(extract(epoch FROM now() - min(greatest(start_after, created_on))
      FILTER (WHERE state < 'active' AND start_after <= now())) * 1000, 0)::float AS "oldestMs"
  FROM ${schema}.job WHERE name = ANY($1) AND (state < 'completed' OR state = 'failed') GROUP BY name`;
}

const NONE: KindStats = { ready: 0, delayed: 0, active: 0, failed: 0, oldestMs: 0 };

/** The counts of all kinds; `dead` names those that only keep what failed. */
export function statsOf(
  rows: readonly (KindStats & { readonly name: string })[],
  names: readonly string[],
  dead: ReadonlySet<string>,
): QueueStats {
  const known = new Map(rows.map(({ name, ...counts }) => [name, counts]));
  const kinds = Object.fromEntries(names.map((name) => [name, known.get(name) ?? NONE]));
  const alive = names.filter((name) => !dead.has(name)).map((name) => kinds[name] ?? NONE);
  return {
    depth: alive.reduce((sum, { ready, active }) => sum + ready + active, 0),
    oldestMs: alive.reduce((most, { oldestMs }) => Math.max(most, oldestMs), 0),
    kinds,
  };
}

/** The numbers as Prometheus reads them. */
export function queueMetrics({ kinds }: QueueStats): string {
  const STATES = ["ready", "delayed", "active", "failed"] as const;
  const families: MetricFamily[] = [
    {
      name: "tenfold_queue_jobs",
      help: "Jobs by kind and state.",
      type: "gauge",
      samples: Object.entries(kinds).flatMap(([kind, counts]) =>
        STATES.map((state) => ({ labels: { kind, state }, value: counts[state] })),
      ),
    },
    {
      name: "tenfold_queue_oldest_seconds",
      help: "How long the oldest job that could run has waited.",
      type: "gauge",
      samples: Object.entries(kinds).map(([kind, { oldestMs }]) => ({
        labels: { kind },
        value: oldestMs / 1000,
      })),
    },
  ];
  return renderMetrics(families);
}
