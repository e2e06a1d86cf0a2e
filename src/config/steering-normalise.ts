/** From the draft of `steering` to what it means. */
import { DEFAULTS } from "./defaults.ts";
import type { SteeredEdge, SteeredEdgeDraft, SteeringConfig, SteeringDraft } from "./steering.ts";

/** Fills in every default. */
export function normaliseSteering(draft: SteeringDraft): SteeringConfig {
  const { edges, regions, roundTrips, nameservers, zone = "", ...rest } = draft;
  const [first = ""] = [...(regions ?? new Map<string, never>()).keys()];
  return {
    ...DEFAULTS.steering,
    fallback: first,
    ...rest,
    zone,
    nameservers: [...(nameservers ?? [])].map(([name, addresses]) => ({ name, addresses })),
    edges: [...(edges ?? [])].map(([name, entry]) => edge(name, entry)),
    regions: [...(regions ?? [])].map(([name, { prefixes = [], at }]) => ({
      name,
      prefixes,
      ...(at === undefined ? {} : { at }),
    })),
    roundTrips: [...(roundTrips ?? [])].flatMap(([from, others]) =>
      [...others].map(([to, ms]) => ({ from, to, ms })),
    ),
  };
}

function edge(name: string, { region = "", addresses = [], health }: SteeredEdgeDraft): SteeredEdge {
  return { name, region, addresses, health: { ...DEFAULTS.edgeHealth, ...health } };
}
