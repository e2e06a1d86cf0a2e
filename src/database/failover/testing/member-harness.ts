/** One member with a server and a store that do what they are told at once: for tests of single rules. */
import type { ServerFacts } from "../facts.ts";
import type { StoreReply } from "../lease-store.ts";
import type { Member } from "../member.ts";
import { NO_QUORUM } from "../quorum.ts";
import { type ClusterRecord, firstRecord } from "../record.ts";
import { DEFAULT_FAILOVER } from "../settings.ts";
import {
  type MemberEvent,
  type MemberOrder,
  type MemberState,
  newMember,
  type ServerOrder,
} from "../state.ts";
import { stepMember } from "../step.ts";

const TICK_MS = 50;

const MEMBERS: readonly Member[] = ["s1", "s2", "s3"].map((name) => ({
  name,
  host: name,
  port: 5432,
  kind: "data",
  priority: 1,
  data: undefined,
}));

const RUNNING: ServerFacts = {
  running: true,
  role: "primary",
  timeline: 1,
  lsn: 1000n,
  fork: 0n,
  upstream: undefined,
  streaming: false,
  stuck: false,
  heard: 1000n,
  quorum: NO_QUORUM,
  replicas: [],
};

export class MemberHarness {
  readonly #self: Member;
  readonly #storeDelayMs: number;
  #state: MemberState = newMember(0);
  #nowMs = 0;
  facts: ServerFacts;
  record: ClusterRecord = firstRecord("s1", 1, 1000n, null);
  revision = 1;
  storeIsUp = true;
  /** The server does not start. */
  breaks = false;

  private constructor(name: string, facts: ServerFacts, storeDelayMs: number) {
    const self = MEMBERS.find((member) => member.name === name);
    if (self === undefined) throw new Error(`no member ${name}`);
    this.#self = self;
    this.facts = facts;
    this.#storeDelayMs = storeDelayMs;
  }

  /** s1, which the record names as the primary. */
  static primary({ storeDelayMs = 0 }: { readonly storeDelayMs?: number } = {}): MemberHarness {
    return new MemberHarness("s1", RUNNING, storeDelayMs);
  }

  /** s2, which follows s1; nobody renews the lease unless a test does. */
  static replica(): MemberHarness {
    return new MemberHarness("s2", { ...RUNNING, role: "replica", upstream: "s1", streaming: true }, 0);
  }

  get role(): string {
    return this.#state.role.kind;
  }

  /** Lets time go by; returns all orders that were given. */
  run(ms: number): MemberOrder[] {
    const endMs = this.#nowMs + ms;
    const orders: MemberOrder[] = [];
    while (this.#nowMs < endMs) {
      this.#nowMs += TICK_MS;
      orders.push(...this.tick());
    }
    return orders;
  }

  tick(): MemberOrder[] {
    return this.event({ kind: "facts", facts: this.facts });
  }

  /** Time goes by and the member does not notice. */
  pause(ms: number): void {
    this.#nowMs += ms;
  }

  crash(): void {
    this.facts = { ...this.facts, running: false };
  }

  renewLease(): void {
    this.revision += 1;
  }

  takeLease(server: string, change: Partial<ClusterRecord> = {}): void {
    this.record = { ...this.record, term: this.record.term + 1, server, phase: "promoting", ...change };
    this.revision += 1;
  }

  /** One event, and all that follows from it at once. */
  event(event: MemberEvent): MemberOrder[] {
    const context = { self: this.#self, members: MEMBERS, settings: DEFAULT_FAILOVER, nowMs: this.#nowMs };
    const { state, orders } = stepMember(this.#state, event, context);
    this.#state = state;
    return orders.flatMap((order) => [order, ...this.#carryOut(order)]);
  }

  #carryOut(order: MemberOrder): MemberOrder[] {
    switch (order.kind) {
      case "read":
      case "write": {
        if (!this.storeIsUp) return [];
        const reply = this.#serve(order);
        this.#nowMs += this.#storeDelayMs;
        return this.event({ kind: "store", id: order.id, reply });
      }
      case "server": {
        const isDone = this.#apply(order.order);
        const outcome = isDone
          ? ({ kind: "done" } as const)
          : ({ kind: "failed", reason: "broken" } as const);
        return this.event({ kind: "done", id: order.id, outcome, facts: this.facts });
      }
      case "ask":
      case "answer":
      case "lease":
      case "report":
        return [];
    }
  }

  #serve(request: Extract<MemberOrder, { kind: "read" | "write" }>): StoreReply {
    const stored = { record: this.record, revision: this.revision };
    if (request.kind === "read") return { kind: "stored", stored };
    if (request.revision !== this.revision) return { kind: "conflict", stored };
    this.record = request.record;
    this.revision += 1;
    return { kind: "stored", stored: { record: this.record, revision: this.revision } };
  }

  #apply(order: ServerOrder): boolean {
    const { facts } = this;
    if (this.breaks && order.kind === "start") return false;
    const changes: Partial<Record<ServerOrder["kind"], Partial<ServerFacts>>> = {
      start: { running: true },
      stop: { running: false },
      freeze: { running: false, role: "replica", upstream: undefined },
      detach: { upstream: undefined, streaming: false },
      promote: {
        role: "primary",
        timeline: order.kind === "promote" ? order.timeline : facts.timeline,
        fork: facts.lsn,
      },
    };
    const followed =
      "server" in order && order.kind !== "drain" ? { upstream: order.server, running: true } : {};
    const quorum = order.kind === "quorum" ? { count: order.count, names: order.names } : facts.quorum;
    this.facts = { ...facts, ...changes[order.kind], ...followed, quorum };
    return true;
  }
}
