/**
 * The config that a state directory served by last, without its services: enough to adopt what runs and to stop it,
 * and nothing that would be started.
 *
 * Routes and targets stay as they are, so that requests in flight reach their tasks to the end.
 */
import { join } from "node:path";
import { type Config, DEFAULTS, type Snapshot } from "../config/index.ts";
import { readSnapshot } from "../gateway/io/index.ts";

/** The config of the last snapshot with no services and no workers. */
export function lastConfig(stateDirectory: string): Config {
  const snapshot = lastSnapshot(stateDirectory);
  const { limits, timeouts, forwarded, cacheStore: cache } = DEFAULTS;
  const gateway = snapshot?.gateway ?? { ...DEFAULTS.gateway, limits, timeouts, forwarded, cache };
  return {
    admin: DEFAULTS.admin,
    gateway: { ...gateway, workers: 0 },
    listeners: snapshot?.listeners ?? [],
    targetGroups: snapshot?.targetGroups ?? [],
    services: [],
    edges: [],
    stores: [],
    databases: [],
  };
}

/** Undefined when nothing was ever published, or it cannot be read: then no worker can be serving by it, either. */
function lastSnapshot(stateDirectory: string): Snapshot | undefined {
  try {
    return readSnapshot(join(stateDirectory, "gateway", "snapshot.json"));
  } catch {
    return undefined;
  }
}
