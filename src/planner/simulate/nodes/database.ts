/**
 * A database: in each shard a primary that writes and replicas that read.
 *
 * A key lives in one shard. Writes go to the primary; with `sync` they wait until one replica has them. Reads go to
 * the replica with the fewest statements, to the primary when there is none. A replica applies what the primary
 * wrote in its own queue, so that it falls behind when it is busy. When a primary is lost, writes fail until a replica
 * was promoted.
 */
import type { Random } from "../../../base/index.ts";
import type { DatabaseDesign } from "../design.ts";
import { type Sampler, sampler } from "../distribution.ts";
import { OUTCOME } from "../outcomes.ts";
import { NONE } from "../visits.ts";
import type { Node, NodePart, World } from "../world.ts";
import { Server } from "./server.ts";
import { basicsOf } from "./simple-node.ts";

/** A database whose primaries can be lost. */
export interface DatabaseNode extends Node {
  killPrimary(shard: number): void;
}

/** Where a statement stands. */
const STEP = { statement: 0, replicate: 1, apply: 2 } as const;

/** What replaying a write costs a replica, as a share of the write: no parsing, no planning, no locks. */
const APPLY_SHARE = 0.5;

interface Shard {
  primary: number;
  replicas: number[];
}

/** The shards of one database. `writes` says which routes write. */
export class Database implements DatabaseNode {
  readonly name: string;
  readonly kind = "database";
  readonly usage: Node["usage"];
  readonly tally: Node["tally"];
  readonly pricePerMonth: number;
  readonly #design: DatabaseDesign;
  readonly #world: World;
  readonly #random: Random;
  readonly #writes: (route: number) => boolean;
  readonly #servers: Server[] = [];
  readonly #alive: boolean[] = [];
  readonly #shards: Shard[] = [];
  readonly #read: Sampler;
  readonly #write: Sampler;
  #reads = 0;
  #written = 0;
  #replicaReads = 0;
  #applyWaitMs = 0;
  /** By server: core-milliseconds that it had done when the figures began. */
  #workedBefore: number[] = [];
  #beganMs = 0;

  constructor(design: DatabaseDesign, world: World, random: Random, writes: (route: number) => boolean) {
    const servers = design.shards * (1 + design.replicas);
    const basics = basicsOf(design, servers * design.cores, servers, world.nowMs);
    this.name = basics.name;
    this.usage = basics.usage;
    this.tally = basics.tally;
    this.pricePerMonth = basics.pricePerMonth;
    this.#design = design;
    this.#world = world;
    this.#random = random;
    this.#writes = writes;
    this.#read = sampler(design.read, random);
    this.#write = sampler(design.write, random);
    for (let shard = 0; shard < design.shards; shard++) this.#shards.push(this.#createShard());
  }

  enter(visit: number): void {
    const shard = this.#shards[this.#shardOf(this.#world.visits.key[visit] ?? 0)];
    const writes = this.#writes(this.#world.visits.route[visit] ?? 0);
    if (shard === undefined) return this.#world.end(visit, OUTCOME["no-server"]);
    const server = writes ? shard.primary : this.#readerOf(shard);
    if (server === NONE) return this.#world.end(visit, OUTCOME[writes ? "primary-down" : "no-server"]);
    if (writes) this.#written++;
    else this.#reads++;
    if (!writes && server !== shard.primary) this.#replicaReads++;
    this.#submit(visit, server);
  }

  worked(visit: number): void {
    const { visits } = this.#world;
    const step = visits.step[visit] ?? STEP.statement;
    if (step === STEP.replicate) return this.#world.end(visit, OUTCOME.ok);
    const server = visits.unit[visit] ?? 0;
    if (this.#servers[server]?.worked(visit) !== true) return;
    if (step === STEP.apply) return this.#applied(visit);
    const shard = this.#shards.find(({ primary }) => primary === server);
    if (shard === undefined || !this.#writes(visits.route[visit] ?? 0))
      return this.#world.end(visit, OUTCOME.ok);
    this.#replicate(visit, shard);
  }

  returned(): void {}

  /** The mean time from a write on the primary to its being on a replica. */
  lagMs(): number {
    return this.#design.replicas === 0 ? 0 : this.#design.lagMs + this.#applyWaitMs;
  }

  counters(): Readonly<Record<string, number>> {
    const replicas = this.#shards.reduce((sum, shard) => sum + shard.replicas.length, 0);
    const { length: shards } = this.#shards;
    return {
      reads: this.#reads,
      writes: this.#written,
      replicaReads: this.#replicaReads,
      replicas,
      shards,
      lagMs: this.lagMs(),
    };
  }
  /** The busiest primary and the busiest replica: writes can fill the one while the other rests. */
  parts(): readonly NodePart[] {
    const primaries = this.#shards.map(({ primary }) => primary);
    const replicas = this.#shards.flatMap((shard) => shard.replicas);
    if (replicas.length === 0 && primaries.length === 1) return [];
    const part = (name: string, servers: readonly number[]): NodePart => ({
      name,
      utilisation: servers.reduce((most, server) => Math.max(most, this.#utilisation(server)), 0),
    });
    return [part("primary", primaries), ...(replicas.length === 0 ? [] : [part("replica", replicas)])];
  }
  clear(): void {
    this.#reads = 0;
    this.#written = 0;
    this.#replicaReads = 0;
    this.#beganMs = this.#world.nowMs;
    this.#workedBefore = this.#servers.map(({ workedMs }) => workedMs);
  }

  #utilisation(server: number): number {
    const spanMs = this.#world.nowMs - this.#beganMs;
    const workedMs = (this.#servers[server]?.workedMs ?? 0) - (this.#workedBefore[server] ?? 0);
    return spanMs === 0 ? 0 : Math.min(1, workedMs / spanMs / this.#design.cores);
  }

  /** The primary of a shard is gone with what it was doing; a replica takes its place after the failover. */
  killPrimary(number: number): void {
    const shard = this.#shards[number];
    if (shard === undefined || shard.primary === NONE) return;
    this.#lose(shard.primary);
    shard.primary = NONE;
    this.#world.after(this.#design.failoverMs, () => {
      const promoted = shard.replicas.shift();
      if (promoted !== undefined) shard.primary = promoted;
    });
  }

  #submit(visit: number, server: number): void {
    this.#world.visits.unit[visit] = server;
    if (this.#servers[server]?.submit(visit) === true) return;
    this.#world.end(visit, OUTCOME["database-overloaded"]);
  }

  /** Each replica gets the write after the network's delay; who waits for one is answered then. */
  #replicate(visit: number, shard: Shard): void {
    const { visits } = this.#world;
    for (const replica of shard.replicas) this.#apply(visit, replica);
    if (this.#design.sync && shard.replicas.length > 0) {
      visits.step[visit] = STEP.replicate;
      return this.#world.work(visit, 2 * this.#design.lagMs);
    }
    this.#world.end(visit, OUTCOME.ok);
  }

  #apply(visit: number, replica: number): void {
    const { visits } = this.#world;
    const job = this.#world.prepare(visit, visits.node[visit] ?? 0);
    visits.parent[job] = NONE;
    visits.step[job] = STEP.apply;
    visits.unit[job] = replica;
    if (this.#alive[replica] !== true || this.#servers[replica]?.submit(job) !== true) visits.give(job);
  }

  #applied(job: number): void {
    const waitedMs = this.#world.nowMs - (this.#world.visits.startMs[job] ?? 0);
    this.#applyWaitMs += (waitedMs - this.#applyWaitMs) / LAG_SAMPLES;
    this.#world.visits.give(job);
  }

  #readerOf(shard: Shard): number {
    if (!this.#design.readFromReplicas || shard.replicas.length === 0) return shard.primary;
    let least: number = NONE;
    let leastLoad = Infinity;
    // Begun anywhere, so that equals take turns.
    const from = Math.floor(this.#random() * shard.replicas.length);
    for (let i = 0; i < shard.replicas.length; i++) {
      const replica = shard.replicas[(from + i) % shard.replicas.length] ?? NONE;
      const server = this.#servers[replica];
      const load = server === undefined ? Infinity : server.busy + server.queued;
      if (load >= leastLoad) continue;
      least = replica;
      leastLoad = load;
    }
    return least;
  }

  /** By hash, but for the share of keys that are drawn to the first shard. */
  #shardOf(key: number): number {
    const { length } = this.#shards;
    if (length === 1) return 0;
    const place = (Math.imul(key, 0x9e37_79b1) >>> 0) / 0x1_0000_0000;
    if (place < this.#design.skew) return 0;
    return Math.min(length - 1, Math.floor(((place - this.#design.skew) / (1 - this.#design.skew)) * length));
  }

  #createShard(): Shard {
    const primary = this.#createServer();
    return { primary, replicas: Array.from({ length: this.#design.replicas }, () => this.#createServer()) };
  }

  #createServer(): number {
    const { cores, queueMax } = this.#design;
    const draw = (visit: number): number => this.#draw(visit);
    this.#alive.push(true);
    return (
      this.#servers.push(new Server({ world: this.#world, usage: this.usage, cores, queueMax, draw })) - 1
    );
  }

  #draw(visit: number): number {
    const { visits } = this.#world;
    if (visits.step[visit] === STEP.apply) return this.#write() * APPLY_SHARE;
    return this.#writes(visits.route[visit] ?? 0) ? this.#write() : this.#read();
  }

  #lose(server: number): void {
    const { visits, nodes } = this.#world;
    const node = nodes.indexOf(this);
    this.#alive[server] = false;
    this.#servers[server]?.clear();
    this.usage.moveCapacity(-this.#design.cores, -1, this.#world.nowMs);
    for (let visit = 0; visit < visits.end; visit++) {
      if (visits.node[visit] !== node || visits.unit[visit] !== server) continue;
      if (visits.step[visit] === STEP.apply) visits.give(visit);
      else this.#world.end(visit, OUTCOME["primary-down"]);
    }
  }
}

/** Applied writes over which the lag is averaged. */
const LAG_SAMPLES = 100;
