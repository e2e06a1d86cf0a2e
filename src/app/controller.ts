/**
 * Composition root of the controller: the pure controller meets the journal, processes, the gateway's files, the
 * admin address and the config file. Reads as a parts list.
 */
import { createWriteStream } from "node:fs";
import { join } from "node:path";
import {
  type Cancel,
  createLog,
  formatDuration,
  type Log,
  renderMetrics,
  systemClock,
  systemRandom,
  systemScheduler,
} from "../base/index.ts";
import { isAlive, VERSION } from "../base/io/index.ts";
import {
  type Address,
  type Config,
  diff,
  formatAddress,
  formatChange,
  formatProblem,
  type ListenerConfig,
  type Problem,
} from "../config/index.ts";
import { Controller, livingWorkers } from "../control/index.ts";
import {
  acquireLock,
  BacklogReader,
  detectHierarchies,
  type JournalStore,
  openJournalStore,
  ProcessRuntime,
} from "../control/io/index.ts";
import { cacheMetrics, columnsFor, gatewayMetrics, NO_GROUP } from "../gateway/index.ts";
import { probe } from "../health/io/index.ts";
import { type AdminActions, adminRoutes } from "./admin-routes.ts";
import { AdminServer } from "./admin-server.ts";
import type { DatabaseStatus, ReloadResult } from "./api.ts";
import { CacheLedger } from "./cache-ledger.ts";
import { CacheTraffic } from "./cache-traffic.ts";
import { CacheUsageLook } from "./cache-usage.ts";
import { type ConfigSource, configSource } from "./config-source.ts";
import { DatabaseWatch } from "./databases/database-watch.ts";
import { leftOutNotes } from "./databases/problems.ts";
import { stopServers } from "./databases/stop-servers.ts";
import { edgeMetrics } from "./edge-metrics.ts";
import { type EdgePlane, openEdges } from "./edge-plane.ts";
import { effectiveConfig, tryEffectiveConfig } from "./effective-config.ts";
import { GatewayPlane } from "./gateway-plane.ts";
import { checkListeners, listenerProblems } from "./ports.ts";
import { Purger } from "./purger.ts";
import { StartFailure, stateFailure } from "./start-failure.ts";
import { StateDirectory } from "./state-directory.ts";
import { Traffic } from "./traffic.ts";
import { workerSet } from "./worker-set.ts";

/** Time and chance of the machine. */
const OUTSIDE = { clock: systemClock, scheduler: systemScheduler, random: systemRandom } as const;

/** Traffic is read this often. */
const TRAFFIC_MS = 1_000;

/** What to start. */
export interface ControllerOptions {
  /** File that is read again on a reload; absent when `config` is all there is. */
  readonly configPath?: string;
  readonly config: Config;
  readonly stateDirectory: string;
  /** In place of the config's. Port 0 = any. */
  readonly adminAddress?: Address;
  /** Gateway workers, in place of the config's number; holds across reloads. */
  readonly workers?: number;
}

/** A controller that runs in this process. */
export interface ControllerHandle {
  /** Where its admin API listens. */
  readonly admin: Address;
  /** Takes everything down: gateway, tasks, then the controller itself. */
  stopAll(): Promise<void>;
  /** Ends the controller alone; gateway and tasks go on. */
  detach(): Promise<void>;
  /** Reads the config file again and applies it. */
  reload(): Promise<ReloadResult>;
  /** Resolves when the controller has ended, to its exit code. */
  readonly done: Promise<number>;
}

/** Starts a controller in this process. Rejects with a `StartFailure` that names the thing and the mend. */
export async function startController(options: ControllerOptions): Promise<ControllerHandle> {
  const { directory, unlock } = takeDirectory(options.stateDirectory);
  const running = new RunningController(options, directory, unlock);
  try {
    await running.start();
    return running;
  } catch (problem) {
    await running.abandon();
    throw stateFailure(directory.path, problem);
  }
}

function takeDirectory(path: string): { readonly directory: StateDirectory; readonly unlock: () => void } {
  try {
    const directory = new StateDirectory(path);
    const lock = acquireLock(directory.path);
    if (lock.kind === "held") return { directory, unlock: lock.release };
    throw new StartFailure(lock.message, ""); // the message holds the mend
  } catch (problem) {
    throw stateFailure(path, problem);
  }
}

class RunningController implements ControllerHandle {
  readonly #options: ControllerOptions;
  readonly #directory: StateDirectory;
  readonly #unlock: () => void;
  readonly #log: Log;
  readonly #source: ConfigSource;
  readonly #done = Promise.withResolvers<number>();
  readonly #cancels: Cancel[] = [];
  #config: Config;
  #store: JournalStore | undefined;
  #plane: GatewayPlane | undefined;
  #controller: Controller | undefined;
  readonly #backlogs = new BacklogReader(systemClock);
  #admin: AdminServer | undefined;
  #edges: EdgePlane | undefined;
  #ending: Promise<void> | undefined;

  constructor(options: ControllerOptions, directory: StateDirectory, unlock: () => void) {
    this.#options = options;
    this.#directory = directory;
    this.#unlock = unlock;
    this.#log = openLog(join(directory.logs, "controller.log"));
    this.#config = options.config;
    this.#source = configSource(options.configPath, options.config, systemScheduler);
  }

  get done(): Promise<number> {
    return this.#done.promise;
  }
  get admin(): Address {
    if (this.#admin === undefined) throw new Error("controller: not started yet");
    return this.#admin.address;
  }

  async start(): Promise<void> {
    const { config: asked, workers } = this.#options;
    this.#config = await effectiveConfig(asked, workers, this.#directory.path);
    const plane = new GatewayPlane(this.#directory, columnsFor(this.#config.gateway.workers), this.#log);
    this.#plane = plane;
    const store = await openJournalStore(this.#directory.journal);
    this.#store = store;
    const workersLive = plane.workers().length > 0 || (await livingWorkers(store, isAlive)) > 0;
    if (!workersLive) checkListeners(this.#config.listeners);
    const runtime = new ProcessRuntime({
      logs: this.#directory.logs,
      instance: this.#directory.instance,
      hierarchies: detectHierarchies(),
      scheduler: systemScheduler,
      random: systemRandom,
      log: this.#log,
    });
    const controller = new Controller({
      config: this.#config,
      workers: workerSet(this.#directory, this.#config),
      store,
      runtime,
      dataPlane: plane,
      probe,
      backlog: (url) => this.#backlogs.read(url),
      ...OUTSIDE,
      log: this.#log,
    });
    this.#controller = controller;
    const { tail } = store;
    if (tail.kind === "corrupt")
      controller.warn("journal-damaged", damageTo(this.#directory.journal, tail.lostBytes));
    const { cache, ledger } = followCache(plane);
    const traffic = this.#followTraffic(plane, controller, cache);
    const purger = new Purger({
      plane,
      note: (...what) => controller.note(...what),
      propagation: () => this.#edges?.propagation,
    });
    const edges = await openEdges(this.#directory.purges, purger, this.#log);
    this.#edges = edges;
    const info = {
      version: VERSION,
      configPath: this.#source.path,
      stateDirectory: this.#directory.path,
      sinceMs: systemClock.wallMs(),
    };
    const config = (): Config => this.#config;
    await this.#openAdmin({
      controller,
      plane,
      traffic,
      cache,
      config,
      databases: this.#followDatabases(config),
      info,
      ledger,
      usage: new CacheUsageLook(plane, systemClock, systemScheduler),
      purger,
      propagation: edges.propagation,
      reload: () => this.reload(),
      down: () => void this.stopAll(),
    });
    await controller.start();
    for (const note of leftOutNotes(this.#options.config)) controller.warn("database-left-out", note);
    await edges.propagation.setEdges(this.#config.gateway.edge, this.#config.edges);
    this.#cancels.push(this.#source.watch(() => void this.reload()));
    this.#log.info("controller-started", { ...info, admin: formatAddress(this.admin) });
  }

  async reload(): Promise<ReloadResult> {
    const reading = await this.#source.read();
    const revision = (): number => this.#controller?.status().snapshot.revision ?? 0;
    if (reading.kind === "problems") {
      this.#log.warn("reload-refused", { problems: reading.problems });
      return { revision: revision(), changes: [], problems: reading.problems };
    }
    const next = await tryEffectiveConfig(reading.config, this.#options.workers, this.#directory.path);
    const problems = isProblem(next)
      ? [formatProblem(next)]
      : listenerProblems(newListeners(this.#config, next));
    if (isProblem(next) || problems.length > 0) return { revision: revision(), changes: [], problems };
    const changes = diff(this.#config, next).map(formatChange);
    if (changes.length > 0) {
      this.#config = next;
      await this.#controller?.reload(next, workerSet(this.#directory, next));
      await this.#edges?.propagation.setEdges(next.gateway.edge, next.edges);
      this.#log.info("reloaded", { changes });
    }
    return { revision: revision(), changes, problems: [] };
  }

  stopAll(): Promise<void> {
    this.#ending ??= this.#end(async () => {
      this.#log.info("going-down");
      await this.#controller?.down();
      await this.#controller?.stop();
      await stopServers(this.#directory.path, this.#log);
      await this.#plane?.sealCache();
      this.#directory.forget();
    });
    return this.#ending;
  }

  detach(): Promise<void> {
    this.#ending ??= this.#end(async () => {
      this.#log.info("controller-stopping", { note: "gateway and tasks go on" });
      await this.#controller?.stop();
      await this.#plane?.leave();
    });
    return this.#ending;
  }

  /** After a start that failed: gives back what was taken. */
  async abandon(): Promise<void> {
    for (const cancel of this.#cancels.splice(0)) cancel();
    await this.#controller?.stop().catch(() => {}); // it may not have started; the start's own problem is told
    await this.#release();
  }

  async #end(stop: () => Promise<void>): Promise<void> {
    const startedMs = systemClock.nowMs();
    await stop();
    for (const cancel of this.#cancels.splice(0)) cancel();
    this.#log.info("controller-ended", { took: formatDuration(systemClock.nowMs() - startedMs) });
    await this.#release();
    this.#done.resolve(0);
  }

  async #release(): Promise<void> {
    await this.#admin?.stop();
    await this.#edges?.close();
    await this.#store?.close();
    this.#unlock();
  }

  async #openAdmin(actions: AdminActions): Promise<void> {
    const { plane, controller } = actions;
    const token = await this.#directory.adminToken();
    this.#admin = new AdminServer({
      address: this.#options.adminAddress ?? this.#config.admin.address,
      token,
      routes: adminRoutes(actions),
      metrics: () =>
        renderMetrics([
          ...gatewayMetrics(plane.scoreboard, plane.latest()),
          ...cacheMetrics(plane.cacheStats(), plane.diskStats()),
          ...edgeMetrics(actions.propagation.status(), actions.propagation.head),
        ]),
      health: () => ({
        status: "ok",
        revision: controller.status().snapshot.revision,
        acked: plane.ackedBy(controller.status().snapshot.revision),
      }),
      log: this.#log,
    });
    await this.#directory.announce({
      pid: process.pid,
      admin: formatAddress(this.#admin.address),
      version: VERSION,
      configPath: this.#source.path,
    });
  }

  #followDatabases(config: () => Config): () => readonly DatabaseStatus[] {
    const databases = new DatabaseWatch(config, this.#directory.path, systemScheduler);
    this.#cancels.push(() => databases.stop());
    return () => databases.status();
  }

  #followTraffic(plane: GatewayPlane, controller: Controller, cache: CacheTraffic): Traffic {
    const traffic = new Traffic(() => plane.scoreboard);
    const read = (): void => {
      void this.#restoreFiles(plane, controller, traffic);
      const groups = plane.latest()?.targetGroups ?? [];
      const rows = [...groups.map(({ slot }) => slot), NO_GROUP];
      const slots = groups.flatMap(({ targets }) => targets.map(({ slot }) => slot));
      traffic.read(rows, slots, systemClock.nowMs());
      cache.read(systemClock.nowMs());
      cancel = systemScheduler.after(TRAFFIC_MS, read);
    };
    let cancel: Cancel = () => {};
    read();
    this.#cancels.push(() => cancel());
    return traffic;
  }

  /** Files between the planes that somebody deleted or damaged are made anew; what cannot be written is retried. */
  async #restoreFiles(plane: GatewayPlane, controller: Controller, traffic: Traffic): Promise<void> {
    try {
      if (plane.restoreScoreboard()) {
        traffic.beginAnew();
        controller.warn("scoreboard-restored", "the scoreboard file was deleted: there is a new one");
      }
      if (await plane.restoreSnapshot())
        controller.warn(
          "snapshot-restored",
          "the snapshot file was changed by somebody else: it is as it was",
        );
    } catch (problem) {
      this.#log.warn("restore-failed", { problem });
    }
  }
}

function isProblem(next: Config | Problem): next is Problem {
  return "mend" in next;
}

/** What the cache does, live and since the start. */
function followCache(plane: GatewayPlane): { readonly cache: CacheTraffic; readonly ledger: CacheLedger } {
  const cache = new CacheTraffic(
    () => plane.cacheStats(),
    () => plane.diskStats(),
  );
  const ledger = new CacheLedger(() => plane.cacheStats(), systemClock);
  ledger.begin(); // where a snapshot is taken up as it is, none is published
  plane.published = () => {
    cache.begin(systemClock.nowMs());
    ledger.begin();
  };
  return { cache, ledger };
}

/** Listeners whose address nothing of ours holds yet. */
function newListeners(before: Config, next: Config): readonly ListenerConfig[] {
  const held = new Set(before.listeners.map(({ address }) => formatAddress(address)));
  return next.listeners.filter(({ address }) => !held.has(formatAddress(address)));
}

function damageTo(journal: string, lostBytes: number): string {
  return (
    `the journal is damaged: its last ${lostBytes} bytes were cut off and kept in ${journal}.damaged; ` +
    "what was decided last is forgotten, and a process that was started last may run on unknown"
  );
}

function openLog(path: string): Log {
  const stream = createWriteStream(path, { flags: "a", mode: 0o600 });
  stream.on("error", () => {}); // a full disk must not end the controller; the log has a gap then
  return createLog({ clock: systemClock, level: "info", write: (line) => void stream.write(line) });
}
