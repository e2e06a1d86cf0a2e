/** How far the other installations of the site are behind with purges, as Prometheus metrics. */
import type { MetricFamily } from "../base/index.ts";
import type { EdgeStatus } from "./api.ts";

/** All families; none without other installations. `head` is the number of the latest purge. */
export function edgeMetrics(edges: readonly EdgeStatus[], head: number): MetricFamily[] {
  if (edges.length === 0) return [];
  const each = (read: (edge: EdgeStatus) => number): MetricFamily["samples"] =>
    edges.map((edge) => ({ labels: { edge: edge.edge }, value: read(edge) }));
  return [
    {
      name: "tenfold_purge_log_entries_total",
      help: "Purges that are for the other installations.",
      type: "counter",
      samples: [{ labels: {}, value: head }],
    },
    {
      name: "tenfold_purge_lag",
      help: "Purges that an installation has not acknowledged.",
      type: "gauge",
      samples: each(({ lag }) => lag),
    },
    {
      name: "tenfold_purge_lag_seconds",
      help: "How long the oldest of them has waited.",
      type: "gauge",
      samples: each(({ lagMs }) => lagMs / 1000),
    },
    {
      name: "tenfold_edge_reachable",
      help: "Whether the last attempt to reach an installation went well.",
      type: "gauge",
      samples: each(({ problem }) => (problem === "" ? 1 : 0)),
    },
  ];
}
