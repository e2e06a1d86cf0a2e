/**
 * One gateway worker: takes snapshots, keeps listeners and groups in step with them, and keeps time.
 *
 * A snapshot changes a running worker in place. Groups keep their connections, listeners keep their clients; only
 * an address that is no longer wanted is drained. The revision is acknowledged in the scoreboard once every request
 * from then on follows it: that is what a drain waits for.
 */
import { readFileSync } from "node:fs";
import { type Cancel, type Clock, type Log, type Scheduler, TimerWheel } from "../../base/index.ts";
import type { CacheStoreConfig, ListenerConfig, Snapshot } from "../../config/index.ts";
import type { Store } from "../../edge/index.ts";
import type { DiskTier } from "../../edge/io/index.ts";
import type { Transport } from "../../transport/index.ts";
import type { Column, Scoreboard } from "../scoreboard.ts";
import { Edge } from "./cache/edge.ts";
import { HealthChecks } from "./health-checks.ts";
import { HttpListener } from "./listener.ts";
import { compilePlans } from "./plan.ts";
import { Serving } from "./serving.ts";
import { UpstreamGroup, type UpstreamGroupContext } from "./upstream-group.ts";

/** Resolution of connection timeouts. */
const TICK_MS = 50;

/** Characters of a token that nobody guesses. */
const PURGE_TOKEN_MIN = 16;

/** Heartbeat, ends of ejections, and the sweep of resting connections. */
const SWEEP_MS = 500;

/** What a worker works with. */
export interface WorkerContext {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly random: () => number;
  readonly log: Log;
  readonly scoreboard: Scoreboard;
  /** Number of this worker's column. */
  readonly index: number;
  readonly pid: number;
  readonly writeAccess: (line: string) => void;
  /** Opens the store of all workers' caches; called when a rule first has one. */
  readonly openCache: (config: CacheStoreConfig) => Store;
  /** Joins the disk tier below that store, if there is one. */
  readonly openDisk?: (store: Store, config: CacheStoreConfig) => DiskTier | undefined;
  /** Where a worker's socket for the others is; absent: they only look at the store again. */
  readonly linkPath?: (worker: number) => string;
}

export class Worker {
  readonly #context: WorkerContext;
  readonly #column: Column;
  readonly #wheel: TimerWheel;
  readonly #serving: Serving;
  readonly #groups = new Map<string, UpstreamGroup>();
  readonly #listeners = new Map<string, HttpListener>();
  /** Listeners whose address could not be opened when a snapshot asked for it; tried again until it can. */
  readonly #unopened = new Map<string, HttpListener>();
  readonly #draining = new Set<HttpListener>();
  readonly #checks: HealthChecks;
  #snapshot: Snapshot;
  #started = false;
  #cancels: Cancel[] = [];

  constructor(snapshot: Snapshot, context: WorkerContext) {
    const { clock, random, log, scoreboard, index, writeAccess } = context;
    const column = scoreboard.columns[index];
    if (column === undefined)
      throw new Error(`worker ${index}: the scoreboard has ${scoreboard.columns.length} columns`);
    this.#context = context;
    this.#column = column;
    this.#snapshot = snapshot;
    this.#wheel = new TimerWheel(clock.nowMs(), TICK_MS);
    this.#serving = new Serving(snapshot.gateway, {
      transport: context.transport,
      clock,
      random,
      wheel: this.#wheel,
      column,
      log,
      writeAccess,
    });
    this.#checks = new HealthChecks({ ...context, index });
  }

  /** Client connections, idle ones and tunnels included. */
  get connections(): number {
    return this.#serving.connections;
  }

  /** Takes its column, opens the listeners and begins to serve. Throws when an address cannot be opened. */
  start(): void {
    this.#column.claim(this.#context.pid, this.#context.clock.wallMs());
    this.apply(this.#snapshot);
    this.#started = true;
    this.#every(TICK_MS, () => this.#wheel.advance(this.#context.clock.nowMs()));
    this.#every(SWEEP_MS, () => this.#sweep());
  }

  /**
   * Serves by `snapshot` from now on. An address that cannot be opened is logged and tried again: it must hold up neither
   * the others nor the acknowledgement, for no request comes by it.
   */
  apply(snapshot: Snapshot): void {
    this.#snapshot = snapshot;
    this.#serving.update(snapshot.gateway);
    this.#openCache(snapshot);
    this.#applyGroups(snapshot);
    this.#applyListeners(snapshot);
    this.#checks.setGroups(snapshot.targetGroups);
    this.#column.acknowledge(snapshot.revision);
  }

  /** Stops accepting; resolves when the last connection has closed, or has been cut after the stop timeout. */
  async drain(): Promise<void> {
    this.#column.setStopping();
    this.#checks.stop();
    for (const listener of this.#listeners.values()) listener.drain();
    const deadlineMs = this.#context.clock.nowMs() + this.#snapshot.gateway.stopTimeoutMs;
    await this.#until(() => this.connections === 0 || this.#context.clock.nowMs() >= deadlineMs);
    await this.#serving.edge?.disk?.stop();
    this.stop();
  }

  /** Cuts everything and gives the column back. */
  stop(): void {
    for (const cancel of this.#cancels.splice(0)) cancel();
    for (const listener of [...this.#listeners.values(), ...this.#draining]) listener.stop();
    this.#checks.stop();
    for (const group of this.#groups.values()) group.close();
    this.#serving.edge?.stop();
    this.#column.release();
  }

  /** A cache that cannot be opened is logged, and requests go around it: they must not fail for it. */
  #openCache({ listeners, gateway }: Snapshot): void {
    const isWanted = listeners.some(({ rules }) => rules.some(({ cache }) => cache !== undefined));
    this.#serving.purgeToken = isWanted ? this.#readPurgeToken(gateway.cache) : undefined;
    if (!isWanted || this.#serving.edge !== undefined) return;
    const { index, openCache, openDisk, linkPath, log } = this.#context;
    try {
      const store = openCache(gateway.cache);
      const disk = openDisk?.(store, gateway.cache);
      const edge = new Edge({ store, disk, serving: this.#serving, worker: index });
      if (linkPath !== undefined) edge.openLink(linkPath);
      this.#serving.edge = edge;
    } catch (error) {
      log.error("cache-unavailable", {
        error: String(error),
        mend: "lower gateway.cache.memory, or free the space",
      });
    }
  }

  /** Without a token that can be read nobody may purge. */
  #readPurgeToken({ purgeTokenFile }: CacheStoreConfig): string | undefined {
    if (purgeTokenFile === undefined) return undefined;
    try {
      const token = readFileSync(purgeTokenFile, "utf8").trim();
      if (token.length >= PURGE_TOKEN_MIN) return token;
      this.#context.log.error("purge-token-too-short", {
        file: purgeTokenFile,
        mend: `write ${PURGE_TOKEN_MIN} characters or more`,
      });
    } catch (error) {
      this.#context.log.error("purge-token-unreadable", {
        error: String(error),
        mend: "create the file, or remove gateway.cache.purgeTokenFile",
      });
    }
    return undefined;
  }

  #applyGroups(snapshot: Snapshot): void {
    const gone = new Set(this.#groups.keys());
    for (const spec of snapshot.targetGroups) {
      gone.delete(spec.name);
      const group = this.#groups.get(spec.name);
      if (group === undefined) this.#groups.set(spec.name, new UpstreamGroup(spec, this.#groupContext));
      else group.update(spec);
    }
    for (const name of gone) {
      this.#groups.get(name)?.close();
      this.#groups.delete(name);
    }
  }

  #applyListeners(snapshot: Snapshot): void {
    const gone = new Set(this.#listeners.keys());
    this.#unopened.clear();
    for (const config of snapshot.listeners) {
      const key = addressKey(config);
      gone.delete(key);
      const plans = compilePlans(config.rules, snapshot.gateway, this.#groups);
      const listener = this.#listeners.get(key);
      if (listener === undefined) this.#open(key, new HttpListener(config, plans, this.#serving));
      else listener.update(config, plans);
    }
    for (const key of gone) this.#close(key);
  }

  #open(key: string, listener: HttpListener): void {
    try {
      listener.start();
      this.#listeners.set(key, listener);
      this.#unopened.delete(key);
    } catch (error) {
      if (!this.#started) throw error;
      if (!this.#unopened.has(key)) this.#reportUnopened(listener, error);
      this.#unopened.set(key, listener);
    }
  }

  #reportUnopened({ config }: HttpListener, error: unknown): void {
    const { host, port } = config.address;
    const fields = { listener: config.name, address: `${host}:${port}`, error: String(error) };
    this.#context.log.error("listener-unavailable", fields);
  }

  #close(key: string): void {
    const listener = this.#listeners.get(key);
    if (listener === undefined) return;
    this.#listeners.delete(key);
    listener.drain();
    if (listener.connections > 0) this.#draining.add(listener);
  }

  #sweep(): void {
    const { clock } = this.#context;
    this.#column.beat(clock.wallMs());
    for (const group of this.#groups.values()) group.sweep(clock.nowMs());
    for (const [key, listener] of this.#unopened) this.#open(key, listener);
    for (const listener of this.#draining) {
      if (listener.connections === 0) this.#draining.delete(listener);
    }
    this.#checks.sweep();
    this.#serving.tick();
  }

  get #groupContext(): UpstreamGroupContext {
    const { clock, random, scoreboard, transport } = this.#context;
    return {
      transport,
      scoreboard,
      column: this.#column,
      random,
      nowMs: () => clock.nowMs(),
      keepAliveMs: () => this.#serving.timeouts.upstreamKeepAliveMs,
      queueMax: () => this.#serving.limits.queueMax,
      groupNamed: (name) => this.#groups.get(name),
    };
  }

  /** Runs again and again: what one run throws is logged, and keeps no later one from its turn. */
  #every(ms: number, run: () => void): void {
    let cancel: Cancel = () => {};
    const again = (): void => {
      try {
        run();
      } catch (error) {
        this.#serving.reportCrash(error);
      }
      cancel = this.#context.scheduler.after(ms, again);
    };
    cancel = this.#context.scheduler.after(ms, again);
    this.#cancels.push(() => cancel());
  }

  #until(holds: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (holds()) resolve();
        else this.#context.scheduler.after(TICK_MS, look);
      };
      look();
    });
  }
}

/** A listener is known by its address: a change of name or rules keeps its clients. */
function addressKey({ address }: ListenerConfig): string {
  return `${address.host} ${address.port}`;
}
