/** What is broken in runs of random faults: one row for each kind. A fault ends after its time, and has mended what it broke then. */
import type { Random } from "../../src/base/index.ts";
import { type FaultSite, ROUTERS, STORE } from "./fault-site.ts";
import { pause } from "./wait.ts";

/** A fault of a schedule: all of it is drawn from the seed, but for who is primary when it comes. */
export interface Planned {
  /** After the one before. */
  readonly afterMs: number;
  readonly kind: string;
  /** "primary": whoever is that when it comes; or a server by its name. */
  readonly target: string;
  readonly ms: number;
  /** Of those that `target` is cut from. */
  readonly other: string;
}

type Break = (site: FaultSite, name: string, ms: number, other: string) => Promise<void>;

/** Stops processes for a while. */
async function stopFor(signal: (signal: NodeJS.Signals) => void, ms: number): Promise<void> {
  signal("SIGSTOP");
  await pause(ms);
  signal("SIGCONT");
}

const PROCESSES: Readonly<Record<string, Break>> = {
  "kill machine": async ({ cluster }, name, ms) => {
    cluster.killMachine(name);
    await pause(ms);
    cluster.startAgent(name);
  },
  "kill server": async ({ cluster }, name) => cluster.signalServer(name, "SIGKILL"),
  "kill agent": async ({ cluster }, name, ms) => {
    cluster.signalAgent(name, "SIGKILL");
    await pause(ms);
    cluster.startAgent(name);
  },
  "stop agent": ({ cluster }, name, ms) => stopFor((signal) => cluster.signalAgent(name, signal), ms),
  "stop server": ({ cluster }, name, ms) => stopFor((signal) => cluster.signalServer(name, signal), ms),
  "stop machine": ({ cluster }, name, ms) =>
    stopFor((signal) => {
      cluster.signalAgent(name, signal);
      cluster.signalServer(name, signal);
    }, ms),
  switchover: async (site, name) => {
    const primary = await site.holder();
    if (primary !== undefined && primary !== name)
      await site.cluster
        .client(primary)
        .switchover(name)
        .catch(() => {});
  },
};

/** The one fault that no server is the target of. */
const STOP_STORE = "stop store";

type Pairs = readonly (readonly [string, string])[];

const both = (pairs: Pairs): Pairs => [...pairs, ...pairs.map(([from, to]) => [to, from] as const)];

async function cutFor({ machines }: FaultSite, pairs: Pairs, ms: number): Promise<void> {
  machines?.cut(pairs);
  await pause(ms);
  machines?.mend(pairs);
}

/** From `name` to each other member, router and the store. */
function outOf({ cluster }: FaultSite, name: string): Pairs {
  return [...cluster.names, ...ROUTERS, STORE].flatMap((to) => (to === name ? [] : [[name, to] as const]));
}

function intoIt(site: FaultSite, name: string): Pairs {
  return outOf(site, name).map(([from, to]) => [to, from] as const);
}

const NETWORK: Readonly<Record<string, Break>> = {
  isolate: (site, name, ms) => cutFor(site, both(outOf(site, name)), ms),
  "isolate out": (site, name, ms) => cutFor(site, outOf(site, name), ms),
  "isolate in": (site, name, ms) => cutFor(site, intoIt(site, name), ms),
  unplug: async ({ machines }, name, ms) => {
    machines?.unplug(name);
    await pause(ms);
    machines?.plug(name);
  },
  "cut from store": (site, name, ms) => cutFor(site, both([[name, STORE]]), ms),
  "cut a pair": (site, name, ms, other) => cutFor(site, both([[name, other]]), ms),
  "cut a direction": (site, name, ms, other) => cutFor(site, [[name, other]], ms),
  // The old primary and one router are in the dark together.
  "cut from store, with a router": (site, name, ms) =>
    cutFor(
      site,
      both([
        [name, STORE],
        [ROUTERS[0], STORE],
      ]),
      ms,
    ),
  [STOP_STORE]: (site, _, ms) => stopFor((signal) => site.signalStore(signal), ms),
};

const DISKS: Readonly<Record<string, Break>> = {
  "full disk": async ({ disks }, name, ms) => {
    disks?.fill(name);
    await pause(ms);
    disks?.free(name);
  },
};

const SLOW_DISKS: Readonly<Record<string, Break>> = {
  "slow disk": async ({ disks }, name, ms) => {
    disks?.slow(name);
    await pause(ms);
    disks?.quick(name);
  },
};

/** What can be broken at a site. */
export function kindsAt({ machines, disks }: FaultSite): Readonly<Record<string, Break>> {
  return {
    ...PROCESSES,
    ...(machines === undefined ? {} : NETWORK),
    ...(disks === undefined ? {} : DISKS),
    ...(disks?.canBeSlow === true ? SLOW_DISKS : {}),
  };
}

/** The primary is what matters most. */
const PRIMARY_SHARE = 0.6;

/** The faults of a run, by its seed. */
export function planOf(
  kinds: readonly string[],
  servers: readonly string[],
  times: { readonly random: Random; readonly runMs: number; readonly longestMs: number },
): Planned[] {
  const { random, runMs, longestMs } = times;
  const pick = (from: readonly string[]): string => from[Math.floor(random() * from.length)] ?? "";
  const planned: Planned[] = [];
  for (let atMs = 0; atMs < runMs; ) {
    const afterMs = 200 + random() * 1_500;
    const target = random() < PRIMARY_SHARE ? "primary" : pick(servers);
    const other = pick([...servers, ...ROUTERS]);
    planned.push({ afterMs, target, kind: pick(kinds), ms: 200 + random() * longestMs, other });
    atMs += afterMs;
  }
  return planned;
}

/** Carries a plan out; faults of one server follow each other, those of several overlap. Resolves to what was done. */
export async function carryOut(site: FaultSite, plan: readonly Planned[]): Promise<string[]> {
  const kinds = kindsAt(site);
  const told: string[] = [];
  const busy = new Map<string, Promise<void>>();
  for (const { afterMs, kind, target, ms, other } of plan) {
    await pause(afterMs);
    const name = kind === STOP_STORE ? STORE : await nameOf(site, target);
    if (busy.has(name)) continue;
    told.push(`${kind} ${name} ${ms.toFixed(0)} ms`);
    const running = kinds[kind]?.(site, name, ms, other) ?? Promise.resolve();
    busy.set(
      name,
      running.finally(() => busy.delete(name)),
    );
  }
  await Promise.all(busy.values());
  return told;
}

async function nameOf(site: FaultSite, target: string): Promise<string> {
  return target === "primary" ? ((await site.holder()) ?? site.cluster.names[0] ?? "") : target;
}
