/**
 * An agent in the simulation: production's state machine, with the orders carried out on models. It can be killed, and stopped in
 * its tracks while its server goes on; a witness is one process with its agent.
 */

import type { StoreReply } from "../lease-store.ts";
import type { Member } from "../member.ts";
import type { Answer, Question } from "../questions.ts";
import type { FailoverSettings } from "../settings.ts";
import {
  type MemberEvent,
  type MemberOrder,
  type MemberState,
  newMember,
  type Report,
  type ServerOrder,
  type ServerOutcome,
} from "../state.ts";
import { stepMember } from "../step.ts";
import { commonPrefix } from "./log-model.ts";
import type { PostgresModel } from "./postgres-model.ts";
import { askStore } from "./store-model.ts";
import type { World } from "./world.ts";

const TICK_MS = 50;

/** What an agent is made of. */
export interface AgentOptions {
  readonly world: World;
  readonly self: Member;
  readonly members: readonly Member[];
  readonly settings: FailoverSettings;
  /** Speed of its clock, 1 = true. */
  readonly speed: number;
  readonly peers: ReadonlyMap<string, AgentModel>;
  readonly onReport: (server: string, report: Report) => void;
}

export class AgentModel {
  readonly #options: AgentOptions;
  readonly #server: PostgresModel;
  #state: MemberState | undefined;
  #pausedUntilMs = 0;
  /** Of an agent's life, and of the order that was given last: answers to older ones are for nobody. */
  #life = 0;
  #epoch = 0;
  #startedMs = 0;

  constructor(options: AgentOptions) {
    this.#options = options;
    this.#server = options.world.server(options.self.name);
  }

  get name(): string {
    return this.#options.self.name;
  }

  get #isWitness(): boolean {
    return this.#options.self.kind === "witness";
  }

  get isAlive(): boolean {
    return this.#state !== undefined;
  }

  get isAwake(): boolean {
    return this.isAlive && this.#options.world.nowMs >= this.#pausedUntilMs;
  }

  /** Since when it is awake and has had the time to ask for its lease. */
  get guardsSinceMs(): number {
    return Math.max(this.#pausedUntilMs, this.#startedMs + this.#options.settings.adoptMs);
  }

  get role(): string {
    return this.#state?.role.kind ?? "dead";
  }

  get state(): MemberState | undefined {
    return this.#state;
  }

  #clockMs(): number {
    return 1_000 + this.#options.world.nowMs * this.#options.speed;
  }

  start(): void {
    if (this.isAlive) return;
    this.#life += 1;
    this.#startedMs = this.#options.world.nowMs;
    if (this.#isWitness) {
      this.#server.follow(undefined);
      this.#server.start();
    }
    this.#state = newMember(this.#clockMs());
    this.#tick(this.#life);
  }

  /** Its server goes on. */
  kill(): void {
    if (this.#isWitness) this.#server.kill();
    this.#state = undefined;
    this.#life += 1;
  }

  pause(ms: number): void {
    this.#pausedUntilMs = Math.max(this.#pausedUntilMs, this.#options.world.nowMs + ms);
    if (this.#isWitness) this.#server.pausedUntilMs = this.#pausedUntilMs;
  }

  switchover(to: string): void {
    this.#take({ kind: "switchover", to });
  }

  #tick(life: number): void {
    if (this.#life !== life) return;
    this.#take({ kind: "facts", facts: this.#server.facts() });
    this.#options.world.after(TICK_MS, () => this.#tick(life));
  }

  /** Events that come while it is stopped are handled when it goes on, in their order. */
  #take(event: MemberEvent, life = this.#life): void {
    const { world, self, members, settings } = this.#options;
    if (this.#state === undefined || this.#life !== life) return;
    if (world.nowMs < this.#pausedUntilMs) {
      if (event.kind !== "facts")
        world.after(this.#pausedUntilMs - world.nowMs, () => this.#take(event, life));
      return;
    }
    const heard = world.mutation.event?.(event, this.name) ?? event;
    const context = { self, members, settings, nowMs: this.#clockMs() };
    const { state, orders } = stepMember(this.#state, heard, context);
    this.#state = state;
    for (const order of orders) this.#carryOut(order);
  }

  #carryOut(order: MemberOrder): void {
    const { world, onReport } = this.#options;
    const life = this.#life;
    switch (order.kind) {
      case "read":
      case "write":
        return askStore(world, this.name, order, (reply: StoreReply) =>
          this.#take({ kind: "store", id: order.id, reply }, life),
        );
      case "ask":
        return world.send(this.name, order.to, () => this.#peer(order.to).asked(this.name, order.question));
      case "answer":
        // As the driver: without data it cannot vouch for what it once acknowledged.
        if (order.answer.kind === "position" && order.answer.timeline === 0) return;
        return world.send(this.name, order.to, () => this.#peer(order.to).answered(this.name, order.answer));
      case "server":
        return this.#give(order.id, order.order);
      case "lease":
        return;
      case "report":
        world.note(
          `${this.name}: ${JSON.stringify(order.report, (_, v: unknown) => (typeof v === "bigint" ? String(v) : v))}`,
        );
        onReport(this.name, order.report);
    }
  }

  #peer(name: string): AgentModel {
    const peer = this.#options.peers.get(name);
    if (peer === undefined) throw new Error(`no agent ${name}`);
    return peer;
  }

  asked(from: string, question: Question): void {
    this.#take({ kind: "asked", from, question });
  }

  answered(from: string, answer: Answer): void {
    this.#take({ kind: "answered", from, answer });
  }

  #give(id: number, order: ServerOrder): void {
    const { world } = this.#options;
    const life = this.#life;
    const epoch = ++this.#epoch;
    const done = (outcome: ServerOutcome): void =>
      this.#take({ kind: "done", id, outcome, facts: this.#server.facts() }, life);
    if (world.mutation.order?.(order) === "skipped") return world.after(10, () => done({ kind: "done" }));
    world.note(`${this.name} < ${order.kind} ${"server" in order ? order.server : ""}`);
    const isFreeze = order.kind === "freeze";
    const needsDisk = !isFreeze && !this.#isWitness;
    const carry = (): void => {
      const { nowMs } = world;
      if (!isFreeze && this.#epoch !== epoch) return; // overtaken by a freeze
      if (this.#life !== life && DIES_WITH_AGENT.has(order.kind)) return;
      const untilMs = Math.max(needsDisk ? this.#server.stalledUntilMs : 0, this.#server.pausedUntilMs);
      // A stopped process is killed all the same.
      if (!isFreeze && nowMs < untilMs) return world.after(untilMs - nowMs, carry);
      this.#apply(order, done);
    };
    world.after(durationMs(order, world), carry);
  }

  #apply(order: ServerOrder, done: (outcome: ServerOutcome) => void): void {
    const server = this.#server;
    switch (order.kind) {
      case "start":
        server.start();
        break;
      case "stop":
        if (server.running) return server.shutDown(() => done({ kind: "done" }));
        break;
      case "freeze":
        server.kill();
        server.role = "replica";
        server.pausedUntilMs = 0;
        server.follow(undefined);
        break;
      case "checkpoint":
        break;
      case "detach":
        server.follow(undefined);
        break;
      case "follow":
        server.follow(order.server);
        break;
      case "quorum":
        server.setQuorum({ count: order.count, names: order.names });
        break;
      case "promote":
        if (!server.running) return done({ kind: "failed", reason: "not-running" });
        server.promote(this.#options.world.mutation.takesAnyTimeline === true ? 0 : order.timeline);
        break;
      case "rejoin":
        return done(this.#rejoin(order.server));
      case "drain":
        return done(this.#drain(order.server, order.timeline));
    }
    done({ kind: "done" });
  }

  #rejoin(name: string): ServerOutcome {
    const { world } = this.#options;
    const source = world.server(name);
    if (!source.isAwake || world.isBlocked(this.name, name) || world.isBlocked(name, this.name))
      return { kind: "failed", reason: "cannot-connect" };
    const server = this.#server;
    const own = server.log.slice(0, server.flushed);
    const isHistory = commonPrefix(own, source.log) === own.length;
    if (!isHistory || source.role !== "primary") {
      if (source.role !== "primary") return { kind: "failed", reason: "not-primary" };
      server.becomeCopyOf(source);
    }
    server.role = "replica";
    server.follow(name);
    server.start();
    return { kind: "done" };
  }

  #drain(name: string, timeline: number): ServerOutcome {
    const dead = this.#options.world.server(name);
    if (dead.running) return { kind: "failed", reason: "running" };
    return { kind: "done", end: this.#server.copyFrom(dead, timeline) };
  }
}

/** What an agent does by itself. Of other orders the server may have been told already. */
const DIES_WITH_AGENT: ReadonlySet<ServerOrder["kind"]> = new Set(["start", "rejoin", "drain"]);

const DURATIONS: Readonly<Record<ServerOrder["kind"], readonly [number, number]>> = {
  start: [60, 300],
  stop: [20, 100],
  freeze: [2, 30],
  checkpoint: [20, 300],
  detach: [5, 30],
  follow: [10, 40],
  rejoin: [200, 900],
  drain: [50, 500],
  quorum: [5, 20],
  promote: [80, 200],
};

function durationMs(order: ServerOrder, world: World): number {
  const [from, to] = DURATIONS[order.kind];
  return world.between(from, to);
}
