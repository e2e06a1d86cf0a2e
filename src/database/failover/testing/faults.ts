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
  return primary !== undefined && world.chance(0.75) ? primary : world.pick(names);
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
  "kill machine": kill,
  "kill postgres": (cluster, name, ms) => {
    if (cluster.dataNames.includes(name)) cluster.world.server(name).kill();
    else killAgent(cluster, name, ms);
  },
  "kill agent": killAgent,
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
    block(
      cluster.world,
      others.flatMap(
        (other) =>
          [
            [name, other],
            [other, name],
          ] as const,
      ),
      ms,
    );
  },
  "isolate out": (cluster, name, ms) =>
    block(
      cluster.world,
      everybody(cluster).map((other) => [name, other] as const),
      ms,
    ),
  "isolate in": (cluster, name, ms) =>
    block(
      cluster.world,
      everybody(cluster).map((other) => [other, name] as const),
      ms,
    ),
  "cut from store": ({ world }, name, ms) =>
    block(
      world,
      [
        [name, STORE],
        [STORE, name],
      ],
      ms,
    ),
  "cut a pair": ({ world, names, routerNames }, name, ms) => {
    const other = world.pick([...names, ...routerNames]);
    block(
      world,
      [
        [name, other],
        [other, name],
      ],
      ms,
    );
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
  switchover: (cluster) => {
    const { world, dataNames } = cluster;
    const primary = world.stored?.record.server;
    if (primary !== undefined) agentOf(cluster, primary).switchover(world.pick(dataNames));
  },
};

/** Faults that belong together: each is the worst for one rule. */
const PLOTS: Readonly<Record<string, Fault>> = {
  // An old primary that does not know that it is one, and a router that does not either.
  "left in the dark": (cluster, name, ms) => {
    agentOf(cluster, name).pause(ms);
    const router = cluster.world.pick(cluster.routerNames);
    block(
      cluster.world,
      [
        [router, STORE],
        [STORE, router],
      ],
      ms,
    );
  },
  // Its log gets to nobody, then it is gone.
  "behind, then dead": (cluster, name, ms) => killAlone(cluster, name, cluster.names, ms),
  // One replica has the latest writes alone.
  "one replica ahead, then dead": (cluster, name, ms) => {
    const ahead = cluster.world.pick(cluster.names);
    killAlone(
      cluster,
      name,
      cluster.names.filter((other) => other !== ahead),
      ms,
    );
  },
  // And that one cannot be reached either.
  "one replica ahead, both gone": (cluster, name, ms) => {
    const { world } = cluster;
    const ahead = world.pick(cluster.names.filter((other) => other !== name));
    killAlone(
      cluster,
      name,
      cluster.names.filter((other) => other !== ahead),
      ms,
    );
    world.after(ALONE_MS - 50, () =>
      block(
        world,
        everybody(cluster).flatMap(
          (other) =>
            [
              [ahead, other],
              [other, ahead],
            ] as const,
        ),
        ms,
      ),
    );
  },
  // The server goes on without its agent, then everything of it is gone.
  "agent stopped, then dead": (cluster, name, ms) => {
    agentOf(cluster, name).pause(ms);
    cluster.world.after(ms * 0.7, () => cluster.world.server(name).kill());
  },
  "primary killed during an election": (cluster, name, ms) => {
    kill(cluster, name, ms);
    cluster.world.after(cluster.world.between(4_000, 7_000), () => kill(cluster, target(cluster), ms));
  },
};

/** Faults that only a cluster with a witness has. */
const WITNESS_FAULTS: Readonly<Record<string, Fault>> = {
  "new disk of the witness": (cluster, _, ms) => {
    const { world, names, dataNames } = cluster;
    const witness = names.find((name) => !dataNames.includes(name)) ?? "";
    agentOf(cluster, witness).kill();
    world.server(witness).loseDisk();
    world.after(Math.min(ms, 500), () => agentOf(cluster, witness).start());
  },
  // It had the latest writes alone, begins anew, and is slow to get them again.
  "a new and slow witness, then dead": (cluster, name, ms) => {
    const { world, names, dataNames } = cluster;
    const witness = names.find((one) => !dataNames.includes(one)) ?? "";
    const behind = dataNames.filter((one) => one !== name);
    block(
      world,
      behind.map((one) => [name, one] as const),
      ms,
    );
    world.after(ALONE_MS, () => {
      agentOf(cluster, witness).kill();
      world.server(witness).loseDisk();
      world.server(witness).stalledUntilMs = world.nowMs + 2 * ALONE_MS + SLOW_MS;
      agentOf(cluster, witness).start();
    });
    world.after(3 * ALONE_MS, () => kill(cluster, name, ms));
  },
  // The witness has the latest writes alone.
  "the witness ahead, then dead": (cluster, name, ms) => killAlone(cluster, name, cluster.dataNames, ms),
};

const ALONE_MS = 400;

/** Longer than a lease and an election. */
const SLOW_MS = 8_000;

function killAgent(cluster: Cluster, name: string, ms: number): void {
  agentOf(cluster, name).kill();
  cluster.world.after(ms, () => agentOf(cluster, name).start());
}

function kill(cluster: Cluster, name: string, ms: number): void {
  cluster.world.server(name).kill(true);
  agentOf(cluster, name).kill();
  cluster.world.after(ms, () => agentOf(cluster, name).start());
}

/** Cuts `others` from the log of `name`, then kills that. */
function killAlone(cluster: Cluster, name: string, others: readonly string[], ms: number): void {
  const { world } = cluster;
  block(
    world,
    others.map((other) => [name, other] as const),
    Math.max(ms, ALONE_MS + 200),
  );
  world.after(ALONE_MS, () => kill(cluster, name, ms));
}

/** Faults by name, for scripts. `name`: of the server that it happens to. */
export function breakBy(kind: string, cluster: Cluster, name: string, ms: number): void {
  const fault = { ...FAULTS, ...PLOTS, ...WITNESS_FAULTS }[kind];
  if (fault === undefined) throw new Error(`there is no fault "${kind}"`);
  fault(cluster, name, ms);
}

/** When the order to promote is under way, after the record says so. */
const PROMOTING_MS = 40;

/**
 * A script: the primary dies, and whoever is promoted is cut off from the store before its term runs. So another one is promoted from the same
 * point.
 */
export function promotedTwice(cluster: Cluster): void {
  const { world } = cluster;
  kill(cluster, world.stored?.record.server ?? "", 14_000);
  const look = (): void => {
    const { phase, server = "" } = world.stored?.record ?? {};
    if (phase !== "promoting") return world.after(5, look);
    world.after(PROMOTING_MS, () =>
      block(
        world,
        [
          [server, STORE],
          [STORE, server],
        ],
        9_000,
      ),
    );
  };
  look();
}

/** Share of plots. */
const PLOT_SHARE = 0.35;

function isPairWithWitness({ names, dataNames }: Cluster): boolean {
  return dataNames.length === 2 && names.length === 3;
}

/** Breaks something now, until `endMs` at the latest. */
export function breakSomething(cluster: Cluster, endMs: number): void {
  const { world } = cluster;
  const isPlot = world.chance(PLOT_SHARE);
  const table = isPlot ? PLOTS : isPairWithWitness(cluster) ? { ...FAULTS, ...WITNESS_FAULTS } : FAULTS;
  const kind = world.pick(Object.keys(table));
  const name = target(cluster);
  const longestMs = endMs - world.nowMs;
  const isShort = !isPlot && world.chance(0.4);
  const ms = Math.min(longestMs, isShort ? world.between(100, 2_500) : world.between(2_500, 14_000));
  world.note(`fault: ${kind}, ${name}, ${ms.toFixed(0)} ms`);
  table[kind]?.(cluster, name, ms);
}
