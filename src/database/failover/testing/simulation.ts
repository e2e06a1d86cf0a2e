/**
 * A seeded simulation of a cluster: agents and routers run production's code, over models of Postgres, network and store; clients
 * write and read; faults break all of it. After the faults, everything must be well again, and nothing may have gone wrong.
 */
import type { Member } from "../member.ts";
import { published } from "../quorum.ts";
import { firstRecord } from "../record.ts";
import { DEFAULT_FAILOVER, type Durability, type FailoverSettings } from "../settings.ts";
import { AgentModel } from "./agent-model.ts";
import { Clients } from "./clients.ts";
import { breakSomething, type Cluster } from "./faults.ts";
import { Invariants } from "./invariants.ts";
import { type Mutation, NO_MUTATION } from "./mutations.ts";
import { RouterModel } from "./router-model.ts";
import { type Violation, World } from "./world.ts";

/** How a run ended. */
export interface SimulationResult {
  readonly seed: number;
  readonly violations: readonly Violation[];
  /** What happened, for people. */
  readonly notes: readonly string[];
  readonly members: number;
  readonly failovers: number;
  readonly writes: number;
  readonly reads: number;
  /** Longest time without an acknowledged write, in milliseconds. */
  readonly gapMs: number;
}

/** Who there is. */
export interface ClusterWanted {
  readonly servers: number;
  readonly hasWitness: boolean;
  /** Agents read each other's data directories; default: by chance. */
  readonly sharesDisks?: boolean;
}

/** Two servers with data and a witness: what a quorum of one loses nothing with. */
export const PAIR_AND_WITNESS: ClusterWanted = { servers: 2, hasWitness: true };

/** What differs from a run of chance. */
export interface SimulationOptions {
  readonly mutation?: Mutation;
  readonly durability?: Durability;
  /** Default: of chance. */
  readonly cluster?: ClusterWanted;
  /** Breaks things instead of chance; called once, when all is well. */
  readonly script?: (cluster: Cluster) => void;
}

/** Faults begin when the cluster is at work, and are over here; then it has the rest of the time to be well again. */
const CALM_MS = 1_500;
const HEAL_MS = 18_000;
const END_MS = 38_000;
const FAULTS_MAX = 6;

/** Runs one seed. */
export function simulate(seed: number, options: SimulationOptions = {}): SimulationResult {
  const world = new World(seed, options.mutation ?? NO_MUTATION);
  const settings = settingsOf(world, seed % 5 === 4 ? 2 : 1, options);
  const members = membersOf(world, options.cluster);
  const agents = new Map<string, AgentModel>();
  const names = members.map(({ name }) => name);
  for (const member of members) world.addServer(member);
  bootstrap(world, names, settings);
  const invariants = new Invariants(world, agents, { settings, sharesDisks: members[0]?.data !== undefined });
  for (const self of members) {
    const speed = world.between(0.97, 1.03);
    const onReport = invariants.reported.bind(invariants);
    agents.set(self.name, new AgentModel({ world, self, members, settings, speed, peers: agents, onReport }));
  }
  for (const agent of agents.values()) agent.start();
  const routers = ["r1", "r2"].map(
    (name) => new RouterModel(name, { world, settings, speed: world.between(0.97, 1.03) }),
  );
  const clients = new Clients(
    world,
    routers,
    members.filter(({ kind }) => kind === "data").map(({ name }) => name),
  );
  const dataNames = members.filter(({ kind }) => kind === "data").map(({ name }) => name);
  const cluster: Cluster = { world, agents, names, dataNames, routerNames: routers.map(({ name }) => name) };
  world.advance(CALM_MS);
  clients.measure();
  if (options.script !== undefined) options.script(cluster);
  else scheduleFaults(cluster);
  world.advance(HEAL_MS - CALM_MS);
  world.blocked.clear();
  world.note("healed");
  world.advance(END_MS - HEAL_MS);
  clients.stop();
  world.advance(3_000);
  invariants.check(clients);
  const { writes, reads, gapMs } = clients;
  const { violations, notes } = world;
  return {
    seed,
    violations,
    notes,
    members: members.length,
    failovers: world.promotions.length,
    writes,
    reads,
    gapMs,
  };
}

function scheduleFaults(cluster: Cluster): void {
  const { world } = cluster;
  const count = 1 + world.below(FAULTS_MAX);
  for (let fault = 0; fault < count; fault += 1)
    world.after(world.between(0, HEAL_MS - CALM_MS - 1_000), () => breakSomething(cluster, HEAL_MS));
}

/** A cluster that is asked for is one of quorums. */
function settingsOf(
  world: World,
  count: number,
  { durability, cluster }: SimulationOptions,
): FailoverSettings {
  const isAsync = world.chance(0.4) && cluster === undefined;
  const drawn: Durability = isAsync
    ? { kind: "async", lagBytesMax: 1024 * 1024 }
    : {
        kind: "quorum",
        count: cluster === undefined ? count : 1,
        strict: world.chance(0.6),
        lagBytesMax: 1024 * 1024,
      };
  return { ...DEFAULT_FAILOVER, durability: durability ?? drawn };
}

/** Two to four servers, sometimes with a witness, sometimes with disks that all can read. */
function membersOf(world: World, wanted: ClusterWanted | undefined): readonly Member[] {
  const count = wanted?.servers ?? 2 + world.below(3);
  const hasWitness = wanted?.hasWitness ?? (count < 4 && world.chance(0.3));
  const isDrawnToShare = world.chance(0.4);
  const sharesDisks = wanted?.sharesDisks ?? isDrawnToShare;
  const member = (name: string, kind: Member["kind"]): Member => ({
    name,
    kind,
    host: name,
    port: 5432,
    priority: world.chance(0.8) ? 1 : 2,
    data: sharesDisks ? `/data/${name}` : undefined,
  });
  const servers = Array.from({ length: count }, (_, index) => member(`s${index + 1}`, "data"));
  return hasWitness ? [...servers, member("w1", "witness")] : servers;
}

/** A cluster that has been at work: s1 is the primary, the others follow it. */
function bootstrap(world: World, names: readonly string[], settings: FailoverSettings): void {
  const others = names.slice(1);
  const { durability } = settings;
  const quorum =
    durability.kind === "quorum"
      ? { count: Math.min(durability.count, others.length), names: others }
      : { count: 0, names: [] };
  const first = { end: 64n, timeline: 1, write: undefined };
  for (const name of names) {
    const server = world.server(name);
    server.log = [first];
    server.flushed = 1;
    server.role = name === "s1" ? "primary" : "replica";
    server.follow(name === "s1" ? undefined : "s1");
    server.start();
  }
  world.server("s1").setQuorum(quorum);
  world.stored = { record: firstRecord("s1", 1, 64n, published(quorum)), revision: 1 };
}
