/**
 * The world of a simulation: time, chance, machines and the network between them; everything from one seed.
 */
import { type Random, seededRandom, simulatedTime } from "../../../base/index.ts";
import type { Lsn } from "../../../pgwire/index.ts";
import type { Member } from "../member.ts";
import type { Stored } from "../watch.ts";
import type { Mutation } from "./mutations.ts";
import { PostgresModel } from "./postgres-model.ts";

/** Something that must never happen, and when it did. */
export interface Violation {
  readonly atMs: number;
  readonly rule: string;
  readonly detail: string;
}

/** What was promoted: by whom, where its log ended. */
export interface Promotion {
  readonly atMs: number;
  readonly server: string;
  readonly lsn: Lsn;
}

export class World {
  readonly random: Random;
  readonly #time = simulatedTime();
  readonly #servers = new Map<string, PostgresModel>();
  /** "a>b": nothing gets from a to b. */
  readonly blocked: Set<string> = new Set();
  readonly violations: Violation[] = [];
  readonly promotions: Promotion[] = [];
  readonly notes: string[] = [];
  /** The lease store. */
  stored: Stored | undefined;
  storeDownUntilMs = 0;
  storeSlowUntilMs = 0;
  /** Share of messages that are lost. */
  loss = 0;
  readonly mutation: Mutation;

  constructor(seed: number, mutation: Mutation) {
    this.mutation = mutation;
    this.random = seededRandom(seed);
  }

  get nowMs(): number {
    return this.#time.clock.nowMs();
  }

  below(limit: number): number {
    return Math.floor(this.random() * limit);
  }

  between(from: number, to: number): number {
    return from + this.random() * (to - from);
  }

  chance(share: number): boolean {
    return this.random() < share;
  }

  pick<T>(from: readonly T[]): T {
    const found = from[this.below(from.length)];
    if (found === undefined) throw new Error("nothing to pick from");
    return found;
  }

  after(delayMs: number, run: () => void): void {
    this.#time.scheduler.after(delayMs, run);
  }

  advance(ms: number): void {
    this.#time.advance(ms);
  }

  addServer({ name, kind }: Pick<Member, "name" | "kind">): PostgresModel {
    const server = new PostgresModel(name, this, kind);
    this.#servers.set(name, server);
    return server;
  }

  server(name: string): PostgresModel {
    const server = this.#servers.get(name);
    if (server === undefined) throw new Error(`no server ${name}`);
    return server;
  }

  get servers(): readonly PostgresModel[] {
    return [...this.#servers.values()];
  }

  /** A message; it arrives later, or never. */
  send(from: string, to: string, arrive: () => void): void {
    const delayMs = from === to ? 0.1 : 0.3 + this.random() ** 4 * 8;
    if (from !== to && this.loss > 0 && this.chance(this.loss)) return;
    this.after(delayMs, () => {
      if (!this.isBlocked(from, to)) arrive();
    });
  }

  isBlocked(from: string, to: string): boolean {
    return from !== to && this.blocked.has(`${from}>${to}`);
  }

  violate(rule: string, detail: string): void {
    if (this.violations.length < 20) this.violations.push({ atMs: this.nowMs, rule, detail });
  }

  note(text: string): void {
    this.notes.push(`${this.nowMs.toFixed(0).padStart(6)} ${text}`);
  }

  promoted(server: string, lsn: Lsn): void {
    this.promotions.push({ atMs: this.nowMs, server, lsn });
    this.note(`${server} is promoted at ${lsn}`);
  }
}
