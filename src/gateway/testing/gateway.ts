/** A gateway worker inside the test: real listeners, real connections, a scoreboard in plain memory. */

import {
  type Clock,
  createLog,
  type Scheduler,
  seededRandom,
  systemClock,
  systemScheduler,
} from "../../base/index.ts";
import { eventually, freePort } from "../../base/testing.ts";
import type { TaskTarget } from "../../config/index.ts";
import {
  buildSnapshot,
  formatProblem,
  parseConfig,
  type Snapshot,
  type UserConfig,
} from "../../config/index.ts";
import { formatStore, Store, sizesFor } from "../../edge/index.ts";
import type { DiskTier } from "../../edge/io/index.ts";
import { createTransport } from "../../transport/io/index.ts";
import { objectShare } from "../io/cache/rule-cache.ts";
import { Worker } from "../io/worker.ts";
import { type Column, formatScoreboard, Scoreboard, scoreboardBytes } from "../scoreboard.ts";
import { Client } from "./client.ts";
import type { Target } from "./target.ts";

/** One for all gateways of the process: two loops over the kernel would wait for each other. */
const transport = createTransport(process.env["TENFOLD_TRANSPORT"]);
transport.start();

/** The snapshot of a config that must be right. */
export function snapshotOf(
  user: UserConfig,
  previous?: Snapshot,
  tasks: readonly TaskTarget[] = [],
): Snapshot {
  const parsed = parseConfig(user, { folder: "/", cores: 1 });
  if (parsed.kind === "problems") throw new Error(parsed.problems.map(formatProblem).join("\n"));
  const revision = (previous?.revision ?? 0) + 1;
  const built = buildSnapshot({ config: parsed.config, tasks, previous, revision });
  if (built.kind === "refused") throw new Error(built.message);
  return built.snapshot;
}

/** A scoreboard in memory of its own. */
export function plainScoreboard(columns = 4): Scoreboard {
  const block = new Uint8Array(scoreboardBytes(columns));
  formatScoreboard(block, columns);
  return new Scoreboard(block);
}

/** A store of cached responses in memory of its own. */
export function plainStore(memoryBytes: number, worker = 0, share = 0.01): Store {
  const bytes = new Uint8Array(memoryBytes);
  formatStore(bytes, sizesFor({ bytes: memoryBytes, workers: 4, objectShare: share }), 7);
  return new Store(bytes, { worker, pid: process.pid, isAlive: () => true });
}

/** What a test may choose; the rest is real. */
export interface GatewayOptions {
  readonly scoreboard?: Scoreboard;
  readonly index?: number;
  readonly clock?: Clock;
  readonly scheduler?: Scheduler;
  readonly port?: number;
  readonly store?: Store;
  /** Where workers of one gateway find each other; without it there is one. */
  readonly linkPath?: (worker: number) => string;
  readonly disk?: DiskTier;
}

/** A config as tests write it: the listener "web" is on `port`. */
export type ConfigAt = (port: number) => UserConfig;

export class TestGateway {
  readonly port: number;
  readonly worker: Worker;
  readonly scoreboard: Scoreboard;
  readonly column: Column;
  readonly log: string[];
  readonly accessLog: string[];
  /** Of cached responses, once a rule has a cache. */
  store: Store | undefined;
  snapshot: Snapshot;

  private constructor(port: number, snapshot: Snapshot, options: GatewayOptions) {
    const { index = 0, clock = systemClock, scheduler = systemScheduler } = options;
    this.port = port;
    this.snapshot = snapshot;
    this.scoreboard = options.scoreboard ?? plainScoreboard();
    this.log = [];
    this.accessLog = [];
    const column = this.scoreboard.columns[index];
    if (column === undefined) throw new Error(`the scoreboard has no column ${index}`);
    this.column = column;
    this.worker = new Worker(snapshot, {
      transport,
      clock,
      scheduler,
      scoreboard: this.scoreboard,
      index,
      pid: index + 1,
      random: seededRandom(7),
      log: createLog({ clock, level: "info", write: (line) => this.log.push(line) }),
      writeAccess: (line) => this.accessLog.push(line),
      openCache: ({ memoryBytes }) => {
        this.store = options.store ?? plainStore(memoryBytes, index, objectShare(snapshot));
        return this.store;
      },
      ...(options.linkPath === undefined ? {} : { linkPath: options.linkPath }),
      openDisk: () => options.disk,
    });
  }

  static async start(configAt: ConfigAt, options: GatewayOptions = {}): Promise<TestGateway> {
    const port = options.port ?? freePort();
    const gateway = new TestGateway(port, snapshotOf(configAt(port)), options);
    gateway.worker.start();
    return gateway;
  }

  /** Serves by another config from now on. */
  apply(user: UserConfig, tasks: readonly TaskTarget[] = []): Snapshot {
    this.snapshot = snapshotOf(user, this.snapshot, tasks);
    this.worker.apply(this.snapshot);
    return this.snapshot;
  }

  connect(): Promise<Client> {
    return Client.connect(this.port);
  }

  /** Requests in flight, over all targets of this worker. */
  get inFlight(): number {
    return this.column.targetInFlight.reduce((sum, count) => sum + count, 0);
  }

  async idle(): Promise<void> {
    await eventually("no request in flight", () => this.inFlight === 0);
  }

  stop(): void {
    this.worker.stop();
  }
}

/** Settings beside the targets, of the group "app" and of the gateway. */
export interface Extra {
  readonly gateway?: UserConfig["gateway"];
  readonly group?: Partial<NonNullable<UserConfig["targetGroups"]>[string]>;
  readonly rule?: Partial<NonNullable<UserConfig["listeners"]>[string]["rules"][number]>;
}

/**
 * One listener, one rule, one group "app" of these targets. Ejection is off unless asked for. Without targets the rule
 * answers 204 by itself.
 */
export function proxyTo(addresses: readonly string[], extra: Extra = {}): ConfigAt {
  if (addresses.length === 0) return answering(extra);
  return (port) => ({
    gateway: { workers: 1, ...extra.gateway },
    listeners: {
      web: { address: `127.0.0.1:${port}`, rules: [{ forward: "app", ...extra.rule }] },
    },
    targetGroups: {
      app: {
        targets: addresses.map((address) => ({ address })),
        ejection: { consecutive5xx: 0, consecutiveFailures: 0 },
        ...extra.group,
      },
    },
  });
}

function answering({ gateway }: Extra): ConfigAt {
  return (port) => ({
    gateway: { workers: 1, ...gateway },
    listeners: { web: { address: `127.0.0.1:${port}`, rules: [{ respond: 204 }] } },
  });
}

/** Things to stop when a test is over, whatever became of it. */
const started: { stop(): void }[] = [];

/** Remembers what `stopAll` stops. */
export function track<T extends { stop(): void }>(thing: T): T {
  started.push(thing);
  return thing;
}

/** For `afterEach`. */
export function stopAll(): void {
  for (const thing of started.splice(0)) thing.stop();
}

/** A gateway before these targets, stopped by `stopAll`. */
export async function gatewayTo(targets: readonly Target[], extra: Extra = {}): Promise<TestGateway> {
  return track(
    await TestGateway.start(
      proxyTo(
        targets.map(({ address }) => address),
        extra,
      ),
    ),
  );
}
