/**
 * Failover at work: the state machine of a member (../../failover/step.ts), driven by a clock, fed with what its server, the
 * lease store and the other members say, and its orders carried out on the server, or on the witness.
 *
 * Events are taken one at a time, in the order in which they come; whatever takes time is a promise whose end is an event.
 */
import type { Cancel, Clock, Log, Scheduler } from "../../../base/index.ts";
import type { ServerFacts } from "../../failover/facts.ts";
import type { LeaseStore, StoreProblem, StoreReply } from "../../failover/lease-store.ts";
import type { Member } from "../../failover/member.ts";
import type { Answer, Question } from "../../failover/questions.ts";
import { type ClusterRecord, firstRecord } from "../../failover/record.ts";
import type { FailoverSettings } from "../../failover/settings.ts";
import {
  type MemberEvent,
  type MemberOrder,
  type MemberState,
  type NoSwitchover,
  newMember,
  type Report,
  type ServerOrder,
} from "../../failover/state.ts";
import type { FailoverStatus, FoundLoss, SwitchoverOutcome } from "../../failover/status.ts";
import { stepMember } from "../../failover/step.ts";
import { isOver } from "../../failover/watch.ts";
import type { Order, OrderOutcome } from "../../orders.ts";
import { messageOf } from "../server/problem.ts";
import { pause } from "../server/server-process.ts";
import { Ballots } from "./ballots.ts";
import type { Driven, Known } from "./driven.ts";
import { Patience } from "./patience.ts";
import type { Peers } from "./peers.ts";
import { reportFields } from "./report-log.ts";
import { statusOf } from "./status-of.ts";

/** The state machine looks at its clock so often: a part of the margin of the shortest lease. */
const TICK_MS = 50;

/** How often the server is asked how it is while nothing happens: each time costs it a millisecond. */
const CALM_LOOK_MS = 250;

/** And while somebody waits for what it will say. */
const EAGER_LOOK_MS = 25;

/** Before there is a record the store is asked so often. */
const BEGIN_POLL_MS = 250;

/** A switchover that was begun is over by then, one way or the other. */
const SWITCHOVER_MS = 20_000;

/** Orders during which what is read of the server is neither what it was nor what it will be. */
const MOVING: ReadonlySet<ServerOrder["kind"]> = new Set([
  "start",
  "stop",
  "freeze",
  "detach",
  "follow",
  "rejoin",
  "drain",
  "promote",
] as const);

/** What a driver works with. */
export interface FailoverParts {
  readonly driven: Driven;
  readonly store: LeaseStore;
  readonly members: readonly Member[];
  readonly settings: FailoverSettings;
  readonly peers: Peers;
  /** Its server is the first primary when the store has no record yet. */
  readonly isFirst: boolean;
}

type SwitchoverReport = Extract<Report, { kind: "switchover" }>;

export class FailoverDriver {
  readonly #parts: FailoverParts;
  readonly #self: Member;
  readonly #clock: Clock;
  readonly #scheduler: Scheduler;
  readonly #log: Log;
  readonly #ballots: Ballots;
  readonly #patience = new Patience();
  #state: MemberState;
  #isOver = false;
  #isBegun = false;
  #cancelTick: Cancel = () => {};
  #cancelLook: Cancel = () => {};
  #isLooking = false;
  /** Changes when an order begins or ends: what was read across that is of no time. */
  #epoch = 0;
  #lease: Promise<unknown> = Promise.resolve();
  #storeProblem: StoreProblem | null = null;
  #last: { readonly event: string; readonly reason: string; readonly atMs: number } | undefined;
  #foundLoss: FoundLoss | null = null;
  #onSwitchover: (report: SwitchoverReport) => void = () => {};
  /** An operator has said that whatever is missing is lost. */
  #forcedUntilMs = 0;

  /** Throws when what is driven is not among the members. */
  constructor(parts: FailoverParts) {
    this.#parts = parts;
    const { name, time, log } = parts.driven;
    const self = parts.members.find((member) => member.name === name);
    if (self === undefined) throw new Error(`${name} is not among the members of its cluster`);
    this.#self = self;
    this.#clock = time.clock;
    this.#scheduler = time.scheduler;
    this.#log = log;
    this.#ballots = new Ballots(time.scheduler);
    this.#state = newMember(this.#clock.nowMs());
    parts.driven.attach({ status: () => this.status(), look: () => this.#look() });
  }

  get role(): MemberState["role"]["kind"] {
    return this.#state.role.kind;
  }

  /** Begins; the agent must have been started. Returns at once: without a store it waits, or fences what it has no right to. */
  start(): void {
    // Whoever has had a lease must have it confirmed at once; others wait until there is a cluster.
    if (this.#parts.driven.needsLease) this.#begin();
    else void this.#awaitRecord();
  }

  /** Ends the agent's part; the server goes on until its lease is over. */
  leave(): void {
    this.#isOver = true;
    this.#cancelTick();
    this.#cancelLook();
  }

  /** Stops the server in order; a primary gives its lease back then, so that nobody need wait for its end. */
  async stop(): Promise<void> {
    this.leave();
    const { driven, store } = this.#parts;
    const { role, watch } = this.#state;
    await driven.carryOut({ kind: "stop" }, this.#known());
    if (role.kind !== "leader" || watch === undefined) return;
    await driven.carryOut({ kind: "freeze" }, this.#known());
    const { lsn } = await driven.facts();
    const latest = await store.read();
    const isMine = latest.kind === "stored" && latest.stored.record.term === role.term;
    if (!isMine || latest.stored.record.server !== this.#self.name) return;
    const released = { ...latest.stored.record, phase: "released", successor: null } as const;
    await store.write({ ...released, flushed: lsn, end: lsn }, latest.stored.revision);
  }

  /** Answers a member's question, or undefined when there is none in time. A vote may have to wait for the server. */
  asked(from: string, question: Question): Promise<Answer | undefined> {
    const isKnown = this.#parts.members.some(({ name }) => name === from);
    if (!this.#isBegun || this.#isOver || !isKnown) return Promise.resolve(undefined);
    const answer = this.#ballots.wait(from, question.id);
    this.#take({ kind: "asked", from, question });
    return answer;
  }

  /** Makes `to` the primary, in peace; asked of the primary's agent. */
  async switchover(to: string): Promise<SwitchoverOutcome> {
    const startedMs = this.#clock.nowMs();
    const { promise, resolve } = Promise.withResolvers<NoSwitchover | "released" | "not-finished">();
    const cancel = this.#scheduler.after(SWITCHOVER_MS, () => resolve("not-finished"));
    this.#onSwitchover = (report) => {
      if (report.to === to && report.outcome !== "begun") resolve(report.outcome);
    };
    this.#take({ kind: "switchover", to });
    const outcome = await promise;
    cancel();
    this.#onSwitchover = () => {};
    if (outcome !== "released") return { kind: "refused", reason: outcome };
    while (this.#clock.nowMs() < startedMs + SWITCHOVER_MS) {
      const record = this.#state.watch?.record;
      const isDone = record?.phase === "running" && record.server === to;
      if (isDone) return { kind: "done", tookMs: Math.round(this.#clock.nowMs() - startedMs) };
      await pause(this.#scheduler, TICK_MS);
    }
    return { kind: "refused", reason: "not-finished" };
  }

  /**
   * An operator's word that this server shall be primary though what others may have is lost. Only when nobody holds the lease.
   * Returns why not, or undefined.
   */
  async force(): Promise<string | undefined> {
    const { watch } = this.#state;
    if (watch === undefined) return "the lease store does not answer";
    if (!isOver(watch, this.#parts.settings)) return `${watch.record.server} holds the lease`;
    const released = { ...watch.record, phase: "released", quorum: null, end: null } as const;
    const reply = await this.#parts.store.write({ ...released, successor: this.#self.name }, watch.revision);
    if (reply.kind !== "stored") return "somebody else was quicker, or the lease store does not answer";
    this.#forcedUntilMs = this.#clock.nowMs() + SWITCHOVER_MS;
    this.#log.warn("failover-forced", { server: this.#self.name, term: watch.record.term });
    return undefined;
  }

  /** An order from outside: failover decides about roles; copies and backups are made on request. */
  order(order: Order): Promise<OrderOutcome> {
    const { record } = this;
    const follows =
      this.role === "follower" && record?.phase === "running" && record.server !== this.#self.name;
    const asked = this.#parts.driven.ordered(order, follows ? record : undefined);
    if (asked !== undefined) return asked;
    const message = `failover decides about ${this.#self.name}: use tenfold db switchover, or promote --force`;
    return Promise.resolve({ kind: "refused", reason: "failover-decides", message });
  }

  /** How it stands. */
  status(): FailoverStatus {
    const noticed = { storeProblem: this.#storeProblem, foundLoss: this.#foundLoss, last: this.#last };
    return statusOf(this.#state, noticed, this.#clock.nowMs());
  }

  /** The record as this member knows it. */
  get record(): ClusterRecord | undefined {
    return this.#state.watch?.record;
  }

  /** Until there is a record nobody is a member of anything; the first one makes it. */
  async #awaitRecord(): Promise<void> {
    const { store, driven, isFirst } = this.#parts;
    while (!this.#isOver) {
      const reply = await store.read();
      this.#noteStore(reply);
      if (reply.kind === "stored") return this.#begin();
      if (reply.kind === "failed" && reply.reason === "empty" && isFirst) {
        if (!(await driven.facts()).running) await driven.carryOut({ kind: "start" }, this.#known());
        const facts = await driven.facts();
        if (facts.running && facts.role === "primary")
          await store.write(firstRecord(this.#self.name, facts.timeline, facts.lsn, null), 0);
      }
      await pause(this.#scheduler, BEGIN_POLL_MS);
    }
  }

  #begin(): void {
    this.#isBegun = true;
    this.#state = newMember(this.#clock.nowMs());
    this.#look();
    this.#tick();
  }

  #tick(): void {
    if (this.#isOver) return;
    this.#cancelTick = this.#scheduler.after(TICK_MS, () => this.#tick());
    this.#take({ kind: "tick" });
  }

  /** Asks the server how it is, and again after a while. */
  #look(): void {
    this.#cancelLook();
    if (this.#isOver || !this.#isBegun || this.#isLooking) return;
    this.#isLooking = true;
    const epoch = this.#epoch;
    this.#parts.driven
      .facts()
      .then(
        (facts) => {
          if (epoch === this.#epoch && !this.#isMoving()) this.#take({ kind: "facts", facts });
        },
        (problem: unknown) =>
          this.#log.error("failover-facts", { server: this.#self.name, error: messageOf(problem) }),
      )
      .finally(() => {
        this.#isLooking = false;
        if (this.#isOver) return;
        const isStale = epoch !== this.#epoch; // what it has become is not known yet
        const delayMs = isStale ? 0 : this.#isCalm() ? CALM_LOOK_MS : EAGER_LOOK_MS;
        this.#cancelLook = this.#scheduler.after(delayMs, () => this.#look());
      });
  }

  #isMoving(): boolean {
    const { busy } = this.#state;
    return busy !== undefined && MOVING.has(busy.kind);
  }

  #isCalm(): boolean {
    const { role, watch, facts } = this.#state;
    if (this.#isMoving()) return true; // its end is an event
    if (watch?.record.phase !== "running" || facts?.running !== true) return facts?.timeline === 0;
    return role.kind === "follower" || (role.kind === "leader" && role.handover === undefined);
  }

  #take(event: MemberEvent): void {
    if (this.#isOver) return;
    const { members, settings } = this.#parts;
    const nowMs = this.#clock.nowMs();
    const unbounded = { ...settings.durability, lagBytesMax: Number.MAX_SAFE_INTEGER };
    const now = nowMs < this.#forcedUntilMs ? { ...settings, durability: unbounded } : settings;
    const before = this.#state.role;
    const context = { self: this.#self, members, settings: now, nowMs };
    const { state, orders } = stepMember(this.#state, event, context);
    this.#state = state;
    for (const order of orders) this.#carryOut(order);
    if (before.kind !== state.role.kind) this.#look();
  }

  #carryOut(order: MemberOrder): void {
    switch (order.kind) {
      case "read":
        return this.#askStore(order.id, this.#parts.store.read());
      case "write":
        return this.#askStore(order.id, this.#parts.store.write(order.record, order.revision));
      case "ask":
        return this.#ask(order.to, order.question);
      case "answer": {
        // Without data it cannot vouch for what it once acknowledged.
        const isEmpty = order.answer.kind === "position" && order.answer.timeline === 0;
        return isEmpty ? undefined : this.#ballots.answer(order.to, order.answer);
      }
      case "server":
        return void this.#give(order.id, order.order);
      case "lease": {
        const { term, validMs } = order;
        this.#lease = this.#parts.driven.lease(term, validMs);
        return;
      }
      case "report":
        return this.#report(order.report);
    }
  }

  #askStore(id: number, asked: Promise<StoreReply>): void {
    void asked.then((reply) => {
      this.#noteStore(reply);
      this.#take({ kind: "store", id, reply });
    });
  }

  #noteStore(reply: StoreReply): void {
    if (reply.kind === "failed" && reply.reason !== this.#storeProblem) {
      const { reason, message } = reply;
      this.#log.warn("lease-store-failed", { server: this.#self.name, reason, message });
    }
    this.#storeProblem = reply.kind === "failed" ? reply.reason : null;
  }

  #ask(to: string, question: Question): void {
    void this.#parts.peers.ask(to, this.#self.name, question).then((answer) => {
      if (answer !== undefined) this.#take({ kind: "answered", from: to, answer });
    });
  }

  async #give(id: number, order: ServerOrder): Promise<void> {
    this.#epoch += 1;
    if (order.kind !== "freeze") await this.#lease; // a primary without a lease would be started as a replica
    const outcome = await this.#parts.driven.carryOut(order, this.#known());
    if (order.kind === "rejoin") await this.#rest(this.#patience.waitAfter(outcome));
    const facts = await this.#factsAfter();
    this.#epoch += 1;
    if (outcome.kind === "failed") this.#failed(order.kind, outcome.reason);
    this.#take({ kind: "done", id, outcome, facts });
    this.#look();
  }

  /** Waits, but not for a primary of the past. */
  async #rest(ms: number): Promise<void> {
    const endMs = this.#clock.nowMs() + ms;
    const term = this.record?.term;
    while (!this.#isOver && this.record?.term === term && this.#clock.nowMs() < endMs)
      await pause(this.#scheduler, TICK_MS);
  }

  #known(): Known {
    const onLoss = (loss: FoundLoss): void => this.#foundLossOf(loss);
    return { record: this.record, facts: this.#state.facts, onLoss };
  }

  /** An order's end without facts would leave the state machine waiting. */
  async #factsAfter(): Promise<ServerFacts> {
    for (;;) {
      try {
        return await this.#parts.driven.facts();
      } catch (problem) {
        this.#log.error("failover-facts", { server: this.#self.name, error: messageOf(problem) });
        await pause(this.#scheduler, CALM_LOOK_MS);
      }
    }
  }

  #failed(order: string, reason: string): void {
    const isNews = this.#last?.event !== `${order}-failed` || this.#last.reason !== reason;
    this.#last = { event: `${order}-failed`, reason, atMs: this.#clock.nowMs() };
    if (isNews) this.#log.warn("failover-order-failed", { server: this.#self.name, order, reason });
  }

  #foundLossOf(loss: FoundLoss): void {
    this.#foundLoss = loss;
    this.#log.error("failover-loss-found", { server: this.#self.name, ...loss });
  }

  #report(report: Report): void {
    const { event, reason, fields, isBad } = reportFields(report);
    const all = { server: this.#self.name, ...fields };
    if (isBad) this.#log.error(event, all);
    else this.#log.info(event, all);
    if (reason !== undefined) this.#last = { event, reason, atMs: this.#clock.nowMs() };
    if (report.kind === "switchover") this.#onSwitchover(report);
  }
}
