/**
 * The router's side of the lease: looks at its record again and again, says which server may be written to, and until when.
 *
 *   look -> watch -> gate: open to one server until a time | shut, for a reason
 *
 * It is asked before a statement is sent and again before its answer goes out. A new connection is used when a look that was sent after
 * it was made says that its server is still the primary.
 */
import type { Cancel, Scheduler } from "../../../base/index.ts";
import { gateOf, type HoldReason, isConfirmed } from "../../failover/gate.ts";
import type { StoreReply } from "../../failover/lease-store.ts";
import type { ClusterRecord } from "../../failover/record.ts";
import { passesOn, standsFor, viewByRecord } from "../../failover/routing.ts";
import { DEFAULT_FAILOVER, type FailoverSettings } from "../../failover/settings.ts";
import { startOf } from "../../failover/starts.ts";
import { nextLookMs, observe, type Watch } from "../../failover/watch.ts";
import { HOLD_DEFAULTS, type HoldSettings, type RouterFailover } from "../../router/failover-settings.ts";
import type { ClusterView } from "../../view.ts";
import type { RouterContext } from "./context.ts";
import { Outcomes } from "./outcomes.ts";

/** A server that may be connected to. `term`: of the lease under which it is the primary; none: nobody holds one. */
export interface Target {
  readonly host: string;
  readonly port: number;
  readonly term?: number;
}

/** A connection as far as the gate is concerned with it. `openedAtMs`: when it could be used. */
export interface Gated {
  readonly address: Target;
  readonly openedAtMs: number;
  /** Number of the primary's start to which it was made; `confirms` notes it. */
  start: number;
}

/** What changed: all that depends on who is primary, or only that a later look has confirmed it. */
export type GateEvent = "changed" | "looked";

/** A look that takes longer has failed. */
const LOOK_TIMEOUT_MS = 1_000;

/** A store that never answers is not asked without end. */
const UNANSWERED_MAX = 4;

export class PrimaryGate {
  readonly hold: HoldSettings;
  /** Finds out what became of writes that were lost with their server; undefined: clients are told that it is not known. */
  readonly outcomes: Outcomes | undefined;
  readonly #context: RouterContext;
  readonly #scheduler: Scheduler;
  readonly #failover: RouterFailover;
  readonly #times: FailoverSettings;
  readonly #moved: (event: GateEvent) => void;
  #known: ClusterView;
  #watch: Watch | undefined;
  #target: Target | undefined;
  #untilMs = -Infinity;
  /** Number of the look under way; 0: none. */
  #looking = 0;
  #looks = 0;
  /** Looks that the store has not answered, given up or not. */
  #unanswered = 0;
  #lookedMs = -Infinity;
  #isWanted = false;
  #giveUp: Cancel = () => {};
  #reason: HoldReason | undefined = "no-primary";
  #shutMs: number;
  #problem: string | undefined;
  /** They wait for the next look. */
  #lookers: (() => void)[] = [];
  #isStopped = false;

  constructor(
    context: RouterContext,
    failover: RouterFailover,
    known: ClusterView,
    parts: { readonly scheduler: Scheduler; readonly moved: (event: GateEvent) => void },
  ) {
    this.#context = context;
    this.#failover = failover;
    this.#known = known;
    this.#times = failover.times ?? DEFAULT_FAILOVER;
    this.hold = { ...HOLD_DEFAULTS, ...failover.hold };
    this.#scheduler = parts.scheduler;
    this.#moved = parts.moved;
    this.#shutMs = context.clock.nowMs();
    this.outcomes = this.hold.resolve ? new Outcomes(this, context) : undefined;
  }

  /** Where writes go now; undefined while they are held. */
  get target(): Target | undefined {
    return this.#context.clock.nowMs() < this.#untilMs ? this.#target : undefined;
  }
  /** The primary, else another one: replicas have all users, too, so a log-in need not wait for a failover. */
  get anyServer(): { readonly host: string; readonly port: number } | undefined {
    return this.target ?? this.#known.servers[0];
  }
  /** Why writes are held; undefined: they are not. */
  get reason(): HoldReason | undefined {
    return this.target === undefined ? (this.#reason ?? "view-stale") : undefined;
  }
  get view(): ClusterView {
    return viewByRecord(this.#known, this.#watch, this.#times);
  }
  /** A planned switchover is under way: who has no transaction there leaves the primary. */
  get isSwitching(): boolean {
    return this.#reason === "switching-over";
  }
  /** A planned switchover has had the time that it has for transactions. */
  get isDrained(): boolean {
    return this.isSwitching && this.#nowMs >= this.#shutMs + this.hold.drainMs;
  }
  get #nowMs(): number {
    return this.#context.clock.nowMs();
  }

  /** Whether a connection may be written to, and its answers passed on. */
  passes({ address }: Gated): boolean {
    return passesOn(this.#watch, this.#times, address.term ?? 0, this.#nowMs);
  }
  /** Whether it may be kept. */
  stands({ address }: Gated): boolean {
    return standsFor(this.#watch, this.#times, address.term ?? 0);
  }
  /** Whether a look that was sent after it was made has shown that its server is the primary. */
  confirms(server: Gated): boolean {
    if (!this.passes(server) || !isConfirmed(this.#watch, server.openedAtMs)) return false;
    server.start = this.#watch === undefined ? 0 : startOf(this.#watch.record);
    return true;
  }
  /** Whether a look that was sent at `ms` or later has been answered. */
  hasLookedSince(ms: number): boolean {
    return this.#watch !== undefined && this.#watch.sentMs >= ms;
  }
  /** Looks, and calls back once: when a look is answered, or trust has ended without one. */
  lookThen(callback: () => void): void {
    this.#lookers.push(callback);
    this.look();
  }
  /** The record as it was seen last. */
  get record(): ClusterRecord | undefined {
    return this.#watch?.record;
  }

  /** Servers have come, gone or moved. */
  know(view: ClusterView): void {
    this.#known = view;
    this.#settle(true);
  }

  /** Looks as soon as may be: the next look is to be one that is sent from now on. */
  look(): void {
    if (this.#isStopped) return;
    if (this.#looking > 0) {
      this.#isWanted = true;
      return;
    }
    this.#isWanted = false;
    if (this.#unanswered >= UNANSWERED_MAX) return;
    this.#unanswered++;
    const look = ++this.#looks;
    this.#looking = look;
    const sentMs = this.#nowMs;
    this.#lookedMs = sentMs;
    this.#giveUp = this.#scheduler.after(LOOK_TIMEOUT_MS, () =>
      this.#looked(look, sentMs, { kind: "failed", reason: "timeout", message: "it does not answer" }),
    );
    void this.#failover.store.read().then((reply) => {
      this.#unanswered--;
      this.#looked(look, sentMs, reply);
    });
  }

  /** A few times a second: looks when it is time to, and notices that trust has ended. */
  tick(): void {
    if (this.#nowMs >= this.#lookedMs + nextLookMs(this.#watch, this.#times)) this.look();
    this.#settle(false);
    this.outcomes?.tick();
  }

  stop(): void {
    this.outcomes?.stop();
    this.#isStopped = true;
    this.#giveUp();
  }

  #looked(look: number, sentMs: number, reply: StoreReply): void {
    if (look !== this.#looking || this.#isStopped) return;
    this.#looking = 0;
    this.#giveUp();
    try {
      this.#take(sentMs, reply);
      if (reply.kind !== "failed") this.#callBack();
    } catch (error) {
      this.#context.reportCrash(error);
    }
    if (this.#isWanted) this.look();
  }

  #take(sentMs: number, reply: StoreReply): void {
    const problem = reply.kind === "failed" ? reply.reason : undefined;
    if (reply.kind === "failed" && problem !== this.#problem)
      this.#context.log.warn("lease-store-failed", { reason: reply.reason, error: reply.message });
    this.#problem = problem;
    if (reply.kind === "failed") return;
    const before = this.#watch?.record;
    this.#watch = observe(this.#watch, reply.stored, sentMs, this.#nowMs);
    const { record } = this.#watch;
    // It may have been started again between two looks: who waits for it need not wait longer.
    const isSame =
      before?.term === record.term && before.phase === record.phase && startOf(before) === startOf(record);
    if (!this.#settle(!isSame)) this.#moved("looked");
    this.outcomes?.tick();
  }

  /** Works the gate out anew; whether somebody was told. */
  #settle(isForced: boolean): boolean {
    const gate = gateOf(this.#watch, this.#times, this.#nowMs);
    const server =
      gate.kind === "open" ? this.#known.servers.find(({ name }) => name === gate.server) : undefined;
    const isOpen = gate.kind === "open" && server !== undefined;
    const reason = isOpen ? undefined : gate.kind === "hold" ? gate.reason : "no-primary";
    const isChanged = isForced || reason !== this.#reason;
    this.#untilMs = isOpen ? gate.untilMs : -Infinity;
    if (!isChanged) return false;
    this.#target = isOpen ? { host: server.host, port: server.port, term: gate.term } : undefined;
    if (reason !== this.#reason) this.#told(reason, gate.kind === "open" ? gate.server : undefined);
    this.#moved("changed");
    if (!isOpen) this.#callBack();
    return true;
  }

  #callBack(): void {
    for (const callback of this.#lookers.splice(0)) callback();
  }

  #told(reason: HoldReason | undefined, server: string | undefined): void {
    const { log } = this.#context;
    const nowMs = this.#nowMs;
    const term = this.#watch?.record.term ?? 0;
    if (reason === undefined)
      log.info("primary-confirmed", {
        server: server ?? "",
        term,
        afterMs: Math.round(nowMs - this.#shutMs),
      });
    else log.warn("writes-held", { reason, term, server: server ?? this.#watch?.record.server ?? "" });
    this.#reason = reason;
    this.#shutMs = nowMs;
  }
}
