/** A cluster's view as its agents have it, looked at again and again. */
import { type Cancel, type Log, systemScheduler } from "../../base/index.ts";
import type { ClusterView } from "../../database/index.ts";
import { askAgents } from "./agents.ts";
import { observedView } from "./observed-view.ts";

/** How often agents are asked who is primary. */
const LOOK_MS = 250;
const FACTS_TIMEOUT_MS = 1_000;

/** Nothing is known of a cluster yet. */
export function unknownView(name: string, mode: ClusterView["mode"]): ClusterView {
  return { revision: 0, name, term: 0, state: "no-primary", primary: undefined, servers: [], mode };
}

/** Tells of each view that differs from the one before; returns what ends that. */
export function followAgents(
  folder: string,
  first: ClusterView,
  log: Log,
  changed: (view: ClusterView) => void,
): Cancel {
  let view = first;
  let isOver = false;
  let cancel: Cancel = () => {};
  const look = async (): Promise<void> => {
    const asked = await askAgents(folder, FACTS_TIMEOUT_MS);
    const next = observedView(
      view,
      asked.flatMap(({ facts }) => facts ?? []),
    );
    if (next === view || isOver) return;
    view = next;
    log.info("router-view", { state: view.state, primary: view.primary ?? null, term: view.term });
    changed(view);
  };
  const again = (): void => {
    if (isOver) return;
    cancel = systemScheduler.after(LOOK_MS, () => {
      look()
        .catch((problem: unknown) => log.warn("router-view-unknown", { error: String(problem) }))
        .finally(again);
    });
  };
  again();
  return () => {
    isOver = true;
    cancel();
  };
}
