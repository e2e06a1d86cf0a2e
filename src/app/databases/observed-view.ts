/** Who is who in a cluster, by what the agents of its servers report. Pure. */
import type { AgentFacts, ClusterServer, ClusterView } from "../../database/index.ts";

/** The view that follows `last`; the same object when nothing is new. `facts`: of the agents that answer. */
export function observedView(last: ClusterView, facts: readonly AgentFacts[]): ClusterView {
  const primaries = facts.filter(isPrimary).toSorted((a, b) => b.term - a.term);
  const [primary] = primaries;
  const servers = facts.flatMap((one) => serverOf(one, primary));
  const known = servers.map(({ name }) => name);
  // An agent that is being replaced says nothing, and its server goes on.
  const silent = last.servers.filter(({ name }) => !known.includes(name));
  const keepsPrimary = primary === undefined && silent.some(({ name }) => name === last.primary);
  const view: Omit<ClusterView, "revision"> = {
    name: last.name,
    mode: last.mode,
    term: primary?.term ?? last.term,
    state: primary === undefined && !keepsPrimary ? "no-primary" : "steady",
    primary: primary?.name ?? (keepsPrimary ? last.primary : undefined),
    servers: [
      ...servers,
      ...silent.filter(({ role }) => role === "replica" || primary === undefined),
    ].toSorted((a, b) => (a.name < b.name ? -1 : 1)),
  };
  const { revision, ...before } = last;
  return JSON.stringify(view) === JSON.stringify(inOrder(before))
    ? last
    : { revision: revision + 1, ...view };
}

/** Keys in the order in which they are written above, so that texts can be compared. */
function inOrder({ name, mode, term, state, primary, servers }: Omit<ClusterView, "revision">): object {
  return { name, mode, term, state, primary, servers };
}

/** It takes writes, and where a lease decides, it has the lease. */
function isPrimary({ state, view, failover }: AgentFacts): boolean {
  if (state !== "running" || view?.role !== "primary") return false;
  return failover === null || (failover.role === "leader" && failover.record?.phase === "running");
}

function serverOf(
  { name, host, port, state, view }: AgentFacts,
  primary: AgentFacts | undefined,
): ClusterServer[] {
  if (view === null) return [];
  const isOld = view.role === "primary" && name !== primary?.name;
  const eligible = state === "running" && !isOld;
  return [
    {
      name,
      host,
      port,
      role: view.role,
      timeline: view.timeline,
      eligible,
      ...(eligible ? {} : { reason: isOld ? "an older primary" : state }),
    },
  ];
}
