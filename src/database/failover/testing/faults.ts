/** Faults of a simulation: what breaks, when, and for how long; all of it is over at the time of healing. */
import type { AgentModel } from "./agent-model.ts";
import { STORE } from "./store-model.ts";
import type { World } from "./world.ts";

/** What faults act on. */
export interface Cluster {
  readonly world: World;
  readonly agents: ReadonlyMap<string, AgentModel>;
  readonly names: readonly string[];
  readonly dataNames: readonly string[];
  readonly routerNames: readonly string[];
}

type Fault = (cluster: Cluster, target: string, ms: number) => void;

/** The primary by the record, or any. */
function target({ world, names }: Cluster): string {
  const primary = world.stored?.record.server;
  return primary !== undefined && world.chance(0.65) ? primary : world.pick(names);
}

function agentOf({ agents }: Cluster, name: string): AgentModel {
  const agent = agents.get(name);
  if (agent === undefined) throw new Error(`no agent ${name}`);
  return agent;
}

function block(world: World, pairs: readonly (readonly [string, string])[], ms: number): void {
  const keys = pairs.filter(([from, to]) => from !== to).map(([from, to]) => `${from}>${to}`);
  for (const key of keys) world.blocked.add(key);
  world.after(ms, () => {
    for (const key of keys) world.blocked.delete(key);
  });
}

function everybody({ names, routerNames }: Cluster): string[] {
  return [...names, ...routerNames, STORE];
}

const FAULTS: Readonly<Record<string, Fault>> = {
  "kill machine": (cluster, name, ms) => {
    agentOf(cluster, name).kill();
    cluster.world.server(name).kill();
    cluster.world.after(ms, () => agentOf(cluster, name).start());
  },
  "kill postgres": ({ world }, name) => world.server(name).kill(),
  "kill agent": (cluster, name, ms) => {
    agentOf(cluster, name).kill();
    cluster.world.after(ms, () => agentOf(cluster, name).start());
  },
  "stop agent": (cluster, name, ms) => agentOf(cluster, name).pause(ms),
  "stop machine": (cluster, name, ms) => {
    agentOf(cluster, name).pause(ms);
    cluster.world.server(name).pausedUntilMs = cluster.world.nowMs + ms;
  },
  "stall disk": ({ world }, name, ms) => {
    world.server(name).stalledUntilMs = world.nowMs + ms;
  },
  isolate: (cluster, name, ms) => {
    const others = everybody(cluster);
    block(cluster.world, others.flatMap((other) => [[name, other], [other, name]] as const), ms);
  },
  "isolate out": (cluster, name, ms) =>
    block(cluster.world, everybody(cluster).map((other) => [name, other] as const), ms),
  "isolate in": (cluster, name, ms) =>
    block(cluster.world, everybody(cluster).map((other) => [other, name] as const), ms),
  "cut from store": ({ world }, name, ms) =>
    block(world, [[name, STORE], [STORE, name]], ms),
  "cut a pair": ({ world, names, routerNames }, name, ms) => {
    const other = world.pick([...names, ...routerNames]);
    block(world, [[name, other], [other, name]], ms);
  },
  "cut a direction": ({ world, names, routerNames }, name, ms) => {
    const other = world.pick([...names, ...routerNames, STORE]);
    block(world, [world.chance(0.5) ? [name, other] : [other, name]], ms);
  },
  "store down": ({ world }, _, ms) => {
    world.storeDownUntilMs = world.nowMs + ms;
  },
  "store slow": ({ world }, _, ms) => {
    world.storeSlowUntilMs = world.nowMs + ms;
  },
  "loss of messages": ({ world }, _, ms) => {
    world.loss = 0.2;
    world.after(ms, () => {
      world.loss = 0;
    });
  },
  // An old primary that does not know that it is one, and a router that does not either.
  "leave in the dark": (cluster, name, ms) => {
    agentOf(cluster, name).pause(ms);
    const router = cluster.world.pick(cluster.routerNames);
    block(cluster.world, [[router, STORE], [STORE, router]], ms);
  },
  // The log of the primary gets to nobody, then it is gone.
  "behind, then dead": (cluster, name, ms) => {
    const { world, names } = cluster;
    block(world, names.map((other) => [name, other] as const), Math.min(ms, 1_000));
    world.after(Math.min(ms, 400), () => {
      world.server(name).kill();
      agentOf(cluster, name).kill();
    });
    world.after(ms, () => agentOf(cluster, name).start());
  },
  // One replica has the latest writes alone.
  "one replica ahead, then dead": (cluster, name, ms) => {
    const { world, dataNames } = cluster;
    const ahead = world.pick(dataNames);
    const others = dataNames.filter((other) => other !== name && other !== ahead);
    block(world, others.map((other) => [name, other] as const), Math.min(ms, 1_000));
    world.after(Math.min(ms, 400), () => {
      world.server(name).kill();
      agentOf(cluster, name).kill();
    });
    world.after(ms, () => agentOf(cluster, name).start());
  },
  switchover: (cluster) => {
    const { world, dataNames } = cluster;
    const primary = world.stored?.record.server;
    if (primary !== undefined) agentOf(cluster, primary).switchover(world.pick(dataNames));
  },
};

/** Breaks something now, until `endMs` at the latest. */
export function breakSomething(cluster: Cluster, endMs: number): void {
  const { world } = cluster;
  const kind = world.pick(Object.keys(FAULTS));
  const name = target(cluster);
  const longestMs = endMs - world.nowMs;
  const ms = Math.min(longestMs, world.chance(0.5) ? world.between(100, 2_500) : world.between(2_500, 12_000));
  world.note(`fault: ${kind}, ${name}, ${ms.toFixed(0)} ms`);
  FAULTS[kind]?.(cluster, name, ms);
}
