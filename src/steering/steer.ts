/**
 * Which edge a client is sent to: the nearest one that is well.
 *
 *   address -> region (longest prefix) -> edges by round trip -> those that are well -> the nearest
 *
 * Edges that are equally near are all given. When none is well all are given: the checks may be wrong, and a client that
 * is sent nowhere is certainly not served. Always the same for the same health, and each step can be told.
 */
import type { SteeredEdge, SteeringConfig } from "../config/index.ts";
import { type Distance, distanceBetween } from "./distance.ts";
import { PrefixTable } from "./prefix-table.ts";

/** What is known of an edge's health; one that was not asked yet is taken for well. */
export type EdgeHealth = "healthy" | "unhealthy" | "unknown";

/** An edge as seen from a region. */
export interface RankedEdge {
  readonly edge: SteeredEdge;
  readonly distance: Distance;
}

/** Where a client is sent, and why. */
export interface Decision {
  readonly client: string;
  readonly region: string;
  /** The prefix that says so; undefined when none does and it is the fallback. */
  readonly prefix: string | undefined;
  /** Bits of the client's address for which the decision holds. */
  readonly scope: number;
  /** "nearest": all nearer ones are none. "next": nearer ones are unhealthy. "fail-open": all are. */
  readonly reason: "nearest" | "next" | "fail-open";
  readonly edges: readonly SteeredEdge[];
  /** Every edge, nearest first. */
  readonly ranked: readonly (RankedEdge & { readonly health: EdgeHealth })[];
}

/** The choice for one config, its tables built once. */
export class Steering {
  readonly config: SteeringConfig;
  readonly #table: PrefixTable;
  readonly #ranked: ReadonlyMap<string, readonly RankedEdge[]>;

  constructor(config: SteeringConfig) {
    this.config = config;
    this.#table = new PrefixTable(config.regions);
    this.#ranked = new Map(config.regions.map(({ name }) => [name, rankedFrom(config, name)]));
  }

  /** Decides for an address; undefined when the text is none. O(log prefixes + edges). */
  decide(client: string, healthOf: (edge: string) => EdgeHealth): Decision | undefined {
    const found = this.#table.find(client);
    if (found === undefined) return undefined;
    const { region = this.config.fallback, prefix, scope } = found;
    const ranked = (this.#ranked.get(region) ?? []).map((row) => ({
      ...row,
      health: healthOf(row.edge.name),
    }));
    const well = ranked.filter(({ health }) => health !== "unhealthy");
    const common = { client, region, prefix, scope, ranked };
    const [best] = well;
    if (best === undefined) return { ...common, reason: "fail-open", edges: ranked.map(({ edge }) => edge) };
    const nearest = well.filter(({ distance }) => distance.ms === best.distance.ms);
    const reason = best.distance.ms === ranked[0]?.distance.ms ? "nearest" : "next";
    return { ...common, reason, edges: nearest.map(({ edge }) => edge) };
  }
}

/** Nearest first; those that are equally near by name. */
function rankedFrom(config: SteeringConfig, region: string): readonly RankedEdge[] {
  const rows = config.edges.map((edge) => ({ edge, distance: distanceBetween(config, region, edge.region) }));
  return rows.toSorted((a, b) => a.distance.ms - b.distance.ms || (a.edge.name < b.edge.name ? -1 : 1));
}

const REASONS: Readonly<Record<Decision["reason"], string>> = {
  nearest: "the nearest that is well",
  next: "the nearest that is well: nearer ones are unhealthy",
  "fail-open": "all are unhealthy, and so all are given: the checks may be wrong",
};

/** A decision in lines. */
export function explainSteering({
  client,
  region,
  prefix,
  scope,
  reason,
  edges,
  ranked,
}: Decision): string[] {
  const place = prefix === undefined ? "no prefix has it: the fallback" : `prefix ${prefix}`;
  const names = edges.map(({ name }) => name);
  return [
    `${client} is in region ${region} (${place}); the same holds for its /${scope}`,
    ...ranked.map(({ edge, distance, health }) => {
      const mark = names.includes(edge.name) ? "->" : "  ";
      return `${mark} ${edge.name} in ${edge.region}: ${wordsOf(distance)}, ${health}`;
    }),
    `answer: ${names.join(", ")} (${edges.flatMap(({ addresses }) => addresses).join(", ")}): ${REASONS[reason]}`,
  ];
}

function wordsOf({ ms, how, km = 0 }: Distance): string {
  switch (how) {
    case "same-region":
      return "the same region";
    case "round-trip":
      return `${ms} ms, by roundTrips`;
    case "great-circle":
      return `about ${Math.round(ms)} ms, by ${Math.round(km)} km of great circle`;
  }
}
