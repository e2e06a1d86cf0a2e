/** What goes wrong or is done during a run, each at its instant. One row for each kind of fault. */
import type { Fault } from "./design.ts";
import type { CacheNode } from "./nodes/cache.ts";
import type { DatabaseNode } from "./nodes/database.ts";
import type { Service } from "./nodes/service.ts";
import type { ServiceScaler } from "./service-scaler.ts";
import type { World } from "./world.ts";

/** Nodes by name that faults can befall. */
export interface FaultTargets {
  readonly world: World;
  readonly services: ReadonlyMap<string, Service>;
  readonly caches: ReadonlyMap<string, CacheNode>;
  readonly databases: ReadonlyMap<string, DatabaseNode>;
  readonly scalers: ReadonlyMap<string, ServiceScaler>;
}

type Handlers = {
  readonly [K in Fault["kind"]]: (fault: Extract<Fault, { kind: K }>, targets: FaultTargets) => void;
};

const HANDLERS: Handlers = {
  "kill-task": ({ node, task }, { services }) => {
    const service = services.get(node);
    const victim = service?.tasks.living[task];
    if (victim !== undefined) service?.tasks.kill(victim);
  },
  "kill-zone": ({ node, zone }, { services }) => {
    const tasks = services.get(node)?.tasks;
    for (const task of tasks?.living ?? []) if (task.zone === zone) tasks?.kill(task);
  },
  "slow-task": ({ node, task, factor, forMs }, { services, world }) => {
    const server = services.get(node)?.tasks.living[task]?.server;
    if (server === undefined) return;
    server.slowness = factor;
    world.after(forMs, () => (server.slowness = 1));
  },
  partition: ({ node, task, forMs }, { services, world }) => {
    const service = services.get(node);
    if (service === undefined) return;
    const living = service.tasks.living;
    const victims = task === undefined ? living : living.slice(task, task + 1);
    for (const victim of victims) service.partition(victim, true);
    world.after(forMs, () => {
      for (const victim of victims) service.partition(victim, false);
    });
  },
  "kill-primary": ({ node, shard }, { databases }) => databases.get(node)?.killPrimary(shard),
  flush: ({ node }, { caches }) => caches.get(node)?.flush(),
  deploy: ({ node }, { services }) => services.get(node)?.tasks.deploy(),
  "lose-metrics": ({ node, forMs }, { scalers, world }) => {
    const scaler = scalers.get(node);
    if (scaler === undefined) return;
    scaler.blind = true;
    world.after(forMs, () => (scaler.blind = false));
  },
};

/** Puts every fault into the calendar. */
export function scheduleFaults(faults: readonly Fault[], targets: FaultTargets): void {
  for (const fault of faults) targets.world.after(fault.atMs, () => happen(fault, targets));
}

function happen<K extends Fault["kind"]>(fault: Extract<Fault, { kind: K }>, targets: FaultTargets): void {
  const handle: (of: typeof fault, on: FaultTargets) => void = HANDLERS[fault.kind];
  handle(fault, targets);
}
