/**
 * The agent of one Postgres server: starts, adopts and restarts it, reports what it says of itself, carries out orders, and
 * ends it when it has no right to go on. It decides nothing about the cluster.
 *
 * Orders run one after the other, except the two that cannot wait: "lease" is taken at once, "freeze" breaks off whatever is
 * under way. A server that was once given a lease starts as a primary only while it holds one, else as a replica of nobody.
 */
import type { Cancel } from "../../../base/index.ts";
import { identify } from "../../../base/io/index.ts";
import type { FailoverStatus } from "../../failover/status.ts";
import {
  type AgentFacts,
  type Order,
  type OrderOutcome,
  type OrderProblem,
  type Progress,
  SETTINGS_HOLD,
  type ServerState,
  type SettingsStanding,
} from "../../orders.ts";
import type { DatabaseServerView } from "../../server-view.ts";
import { applySettings } from "../server/apply-settings.ts";
import type { BackupStore } from "../server/backup-store.ts";
import { hasData, markReplica, readControlFile } from "../server/data-directory.ts";
import type { PostgresServer } from "../server/postgres-server.ts";
import { messageOf } from "../server/problem.ts";
import { reachableHost } from "../server/reachable-host.ts";
import { type AgentMemory, NEW_MEMORY, readMemory, writeMemory } from "./agent-state.ts";
import { Guard } from "./guard.ts";
import { Lease } from "./lease.ts";
import { type Detail, ORDERS, type OrderedAgent, Refusal } from "./orders.ts";

/** How often the server is asked how it is. */
const VIEW_INTERVAL_MS = 500;

/** Waits before a crashed server is started again: at once, then ever longer, so that a broken one does not spin. */
const RESTART_MS: readonly number[] = [0, 200, 1000, 5000];

/** A server that ran this long has recovered from what made it crash. */
const STABLE_MS = 5_000;

/** A server that could not be ended is tried again. */
const FENCE_RETRY_MS = 100;

/** What an agent works with. */
export interface AgentParts {
  readonly server: PostgresServer;
  /** Where its backups go; undefined = it has no archive. */
  readonly backups: BackupStore | undefined;
  /** Failover decides: the agent starts nothing by itself and looks at its server when it is told to. Default false. */
  readonly isGoverned?: boolean;
}

/** One order under way. */
interface Work {
  readonly order: Order;
  readonly abort: AbortController;
  progress: Progress | null;
}

export class DatabaseAgent implements OrderedAgent {
  readonly server: PostgresServer;
  readonly backups: BackupStore | undefined;
  readonly lease: Lease;
  /** Called when the server of a governed agent has ended by itself. */
  onEnd: () => void = () => {};
  /** What `facts` tell of failover. */
  failover: () => FailoverStatus | null = () => null;
  readonly #isGoverned: boolean;
  readonly #guard: Guard;
  #memory: AgentMemory = NEW_MEMORY;
  #work: Work | undefined;
  #last: Promise<unknown> = Promise.resolve();
  #view: { readonly view: DatabaseServerView; readonly atMs: number } | undefined;
  #stopped: AgentFacts["stopped"] = null;
  #problem: string | null = null;
  #settings: SettingsStanding = SETTINGS_HOLD;
  #restarts = 0;
  #startedMs = 0;
  #cancelLook: Cancel = () => {};
  #cancelRestart: Cancel = () => {};
  #isOver = false;

  constructor({ server, backups, isGoverned = false }: AgentParts) {
    this.server = server;
    this.backups = backups;
    this.#isGoverned = isGoverned;
    this.#guard = new Guard(server.options.folder);
    const { clock, scheduler } = server.options;
    this.lease = new Lease({ clock, scheduler, onOver: (term) => void this.#leaseOver(term) });
    server.onCrash = (exit) => this.#crashed(exit);
    server.onStarting = () => this.#asWhatItMayBe();
    server.onStarted = () => this.#tellGuard(this.lease.leftMs);
  }

  /** The term of the last promotion or lease. */
  get term(): number {
    return this.#memory.term;
  }

  /** Begins to work: takes over a server that runs, or starts the one whose data is there, unless it is governed. */
  async start(): Promise<void> {
    await this.server.prepareFolder();
    this.#memory = await readMemory(this.server.options.folder);
    const isAdopted = this.server.adopt();
    const isThere = isAdopted || (await hasData(this.server.data));
    if (isThere && !this.#isGoverned)
      await this.startServer().catch((problem: unknown) => this.#failed("database-not-started", problem));
    // A primary of an earlier agent goes on until its lease, which is in the guard's file, is over.
    if (this.#memory.needsLease && this.server.mightWrite)
      this.lease.extend(this.#memory.term, this.#guard.leftMs() ?? 0);
    if (!this.#isGoverned) this.#lookAgain(0);
    // Ours may be others than those of the agent before. A primary's lease does not wait for that.
    if (isAdopted) void this.#applySettings();
  }

  async #applySettings(): Promise<void> {
    try {
      this.#settings = await applySettings(this.server);
      const { waiting, refused } = this.#settings;
      const isNews = waiting.length + refused.length > 0;
      if (isNews)
        this.server.options.log.warn("database-settings", { server: this.server.name, waiting, refused });
    } catch (problem) {
      this.#failed("database-settings-not-read", problem);
    }
  }

  /** Ends the server in order, and the agent. */
  async stop(): Promise<void> {
    this.leave();
    await this.server.stop();
    this.#releaseGuard();
  }

  /** Ends the agent alone: its server goes on, and the next agent adopts it. */
  leave(): void {
    this.#isOver = true;
    this.lease.release();
    this.#cancelLook();
    this.#cancelRestart();
    this.server.onCrash = () => {};
  }

  /** Carries out one order; never rejects. */
  order(order: Order): Promise<OrderOutcome> {
    if (order.kind === "lease")
      return this.#answer(order, () => this.#extendLease(order.term, order.validMs));
    if (order.kind === "freeze") return this.#freeze();
    const turn = this.#last.then(() => this.#carryOut(order));
    this.#last = turn.then(undefined, (problem: unknown) => this.#failed("database-order", problem));
    return turn;
  }

  /** What is known now; asks nobody. */
  facts(): AgentFacts {
    const { name, state, data, pid, options } = this.server;
    const isRunning = state === "running";
    return {
      name,
      state: this.#stateOf(state),
      pid: isRunning ? (pid ?? null) : null,
      host: reachableHost(options.settings.host),
      port: options.settings.port,
      data,
      term: this.#memory.term,
      leaseLeftMs: this.lease.leftMs ?? null,
      viewAtMs: isRunning ? (this.#view?.atMs ?? null) : null,
      view: isRunning ? (this.#view?.view ?? null) : null,
      stopped: isRunning ? null : this.#stopped,
      order: this.#work === undefined ? null : { kind: this.#work.order.kind, progress: this.#work.progress },
      problem: this.#problem,
      settings: isRunning ? this.#settings : SETTINGS_HOLD,
      failover: this.failover(),
    };
  }

  #stateOf(state: ServerState): ServerState {
    return state === "stopped" && this.#stopped === null ? "absent" : state;
  }

  /** Without the lease that it needs it is a replica, however long ago the order to start it was given. */
  async #asWhatItMayBe(): Promise<void> {
    if (!this.mayWrite) await markReplica(this.server.data, this.server.options.owner);
  }

  /** Starts the server as what it may be. */
  async startServer(): Promise<void> {
    this.#cancelRestart();
    if (this.server.state !== "running") this.#settings = SETTINGS_HOLD;
    await this.server.start();
    this.#startedMs = this.server.options.clock.nowMs();
    this.#problem = null;
    await this.look();
  }

  /** Whether it has had a lease once. */
  get needsLease(): boolean {
    return this.#memory.needsLease;
  }

  /** Asks the server how it is; undefined when it does not run or does not answer. */
  async look(): Promise<DatabaseServerView | undefined> {
    const { server } = this;
    if (server.state !== "running") {
      const control = await readControlFile(server.data).catch(() => undefined);
      const { systemIdentifier, state, timeline } = control ?? {};
      this.#stopped =
        systemIdentifier === undefined || state === undefined || timeline === undefined
          ? null
          : { systemIdentifier, state, timeline };
      return undefined;
    }
    try {
      const view = await server.view();
      this.#view = { view, atMs: server.options.clock.wallMs() };
      this.#problem = null;
      if (view.role === "replica" && this.lease.leftMs === undefined) this.#releaseGuard();
      return view;
    } catch (problem) {
      this.#problem = messageOf(problem);
      return undefined;
    }
  }

  #lookAgain(afterMs: number): void {
    if (this.#isOver) return;
    this.#cancelLook = this.server.options.scheduler.after(afterMs, () => {
      this.look()
        .catch((problem: unknown) => this.#failed("database-not-seen", problem))
        .finally(() => this.#lookAgain(VIEW_INTERVAL_MS));
    });
  }

  /** Takes a term over, durably, before anything is done in it. */
  async enterTerm(term: number, needsLease: boolean): Promise<void> {
    if (term < this.#memory.term)
      throw new Refusal("stale-term", `term ${term} is over: this server has seen ${this.#memory.term}`);
    const memory = { term, needsLease: needsLease || this.#memory.needsLease };
    if (memory.term !== this.#memory.term || memory.needsLease !== this.#memory.needsLease)
      await writeMemory(this.server.options.folder, memory);
    this.#memory = memory;
  }

  /** Whether it may take writes now. */
  get mayWrite(): boolean {
    return !this.#memory.needsLease || this.lease.isHeld;
  }

  async #extendLease(term: number, validMs: number): Promise<void> {
    const { clock } = this.server.options;
    const untilMs = clock.nowMs() + validMs;
    await this.enterTerm(term, true);
    const leftMs = untilMs - clock.nowMs();
    this.#tellGuard(leftMs);
    this.lease.extend(term, leftMs);
  }

  /** The guard knows of the lease as soon as there is a server. Throws when it cannot be told, as on a full disk. */
  #tellGuard(leftMs: number | undefined): void {
    const { pid, data } = this.server;
    const identity = pid === undefined ? undefined : identify(pid);
    if (identity !== undefined && leftMs !== undefined) this.#guard.watch(identity, data, leftMs);
  }

  #releaseGuard(): void {
    try {
      this.#guard.release();
    } catch (problem) {
      this.#failed("database-guard", problem);
    }
  }

  async #leaseOver(term: number): Promise<void> {
    const { clock, log } = this.server.options;
    const startedMs = clock.nowMs();
    // A lease for a promotion that never came: a replica may go on.
    if (!this.server.mightWrite) return this.#releaseGuard();
    this.#work?.abort.abort();
    this.#cancelRestart();
    try {
      await this.server.fence(0);
      log.error("database-fenced", {
        server: this.server.name,
        term,
        reason: "lease-over",
        tookMs: clock.nowMs() - startedMs,
      });
    } catch (problem) {
      this.#failed("database-not-fenced", problem);
      this.server.options.scheduler.after(FENCE_RETRY_MS, () => void this.#leaseOver(term));
    }
  }

  async #freeze(): Promise<OrderOutcome> {
    this.#work?.abort.abort();
    this.#cancelRestart();
    this.lease.release();
    return this.#answer({ kind: "freeze" }, async () => {
      await this.server.fence();
      await this.look();
    });
  }

  async #carryOut(order: Exclude<Order, { readonly kind: "lease" | "freeze" }>): Promise<OrderOutcome> {
    const work: Work = { order, abort: new AbortController(), progress: null };
    this.#work = work;
    const options = {
      signal: work.abort.signal,
      onProgress: (progress: Progress): void => {
        work.progress = progress;
      },
    };
    const run = ORDERS[order.kind] as (
      agent: OrderedAgent,
      order: Order,
      copy: typeof options,
    ) => Promise<Detail>;
    const outcome = await this.#answer(order, () => run(this, order, options));
    this.#work = undefined;
    await this.look();
    return outcome;
  }

  async #answer(order: Order, run: () => Promise<Detail | void>): Promise<OrderOutcome> {
    const { clock, log } = this.server.options;
    const startedMs = clock.nowMs();
    try {
      const detail = { ...(await run()), tookMs: Math.round(clock.nowMs() - startedMs) };
      if (order.kind !== "lease")
        log.info("database-order-done", { server: this.server.name, order: order.kind, ...detail });
      return { kind: "done", detail };
    } catch (problem) {
      const reason: OrderProblem = problem instanceof Refusal ? problem.reason : "failed";
      const message = messageOf(problem);
      log.warn("database-order-refused", { server: this.server.name, order: order.kind, reason, message });
      return { kind: "refused", reason, message };
    }
  }

  #crashed(exit: { readonly code: number | null; readonly signal: string | null }): void {
    const { clock, scheduler, log } = this.server.options;
    if (this.#isGoverned) {
      log.error("database-crashed", { server: this.server.name, ...exit });
      return this.onEnd();
    }
    if (clock.nowMs() - this.#startedMs > STABLE_MS) this.#restarts = 0;
    const waitMs = RESTART_MS[Math.min(this.#restarts, RESTART_MS.length - 1)] ?? 0;
    this.#restarts += 1;
    log.error("database-crashed", { server: this.server.name, ...exit, restartInMs: waitMs });
    this.#problem = `it ended (${exit.signal ?? `exit code ${exit.code ?? "unknown"}`})`;
    this.#cancelRestart = scheduler.after(waitMs, () => {
      // An order that is under way knows better what is to run.
      const turn = this.#last.then(() =>
        this.server.state === "crashed" && !this.#isOver ? this.startServer() : undefined,
      );
      this.#last = turn.catch((problem: unknown) => this.#failed("database-not-started", problem));
    });
  }

  #failed(event: string, problem: unknown): void {
    this.#problem = messageOf(problem);
    this.server.options.log.error(event, { server: this.server.name, error: this.#problem });
  }
}
