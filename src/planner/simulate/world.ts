/**
 * The world of one run: time, chance, the visits under way, and the loop that turns events into calls of nodes.
 *
 * A node is entered by a visit, works on it, may make visits to others, and ends it with an outcome, which is handed to
 * whoever made it. That is the whole protocol.
 */
import type { Random } from "../../base/index.ts";
import { Calendar } from "./calendar.ts";
import { Deadlines } from "./deadlines.ts";
import { OUTCOME } from "./outcomes.ts";
import type { Usage } from "./usage.ts";
import { NONE, Visits } from "./visits.ts";

/** Kinds of events. */
export const EVENT = {
  /** A visit's work is done; subject: visit. */
  work: 0,
  /** Clients number `subject` send the next request. */
  arrival: 1,
  /** Deadlines number `subject` may be over. */
  deadline: 2,
  /** Call number `subject` of the world's own list: rare things, as closures. */
  call: 3,
} as const;

/** A place where visits are worked on. */
export interface Node {
  readonly name: string;
  readonly kind: string;
  readonly usage: Usage;
  /** Visits that ended, and the time they took together. */
  readonly tally: Tally;
  readonly pricePerMonth: number;
  /** A visit comes. */
  enter(visit: number): void;
  /** The work that was scheduled for the visit is done. */
  worked(visit: number): void;
  /** A visit to `child`'s node, made for `visit`, has ended. `child` is still readable. */
  returned(visit: number, child: number, outcome: number): void;
  /** Whoever made the visit waits for it no longer; by default it goes on by itself. */
  abandoned?(visit: number): void;
  /** Numbers of its kind, since the last `clear`. */
  counters(): Readonly<Record<string, number>>;
  /** Kinds of units that are not alike, with how busy the busiest of each is. */
  parts?(): readonly NodePart[];
  clear(): void;
  /** How far replicas are behind, ms; 0 for what has none. */
  lagMs(): number;
}

/** Units of one kind within a node: the primaries of a database, its replicas. */
export interface NodePart {
  readonly name: string;
  readonly utilisation: number;
}

/** What ended at a node. */
export class Tally {
  requests = 0;
  /** Those without an error. */
  answered = 0;
  sumMs = 0;
  readonly errors: Float64Array = new Float64Array(32);

  clear(): void {
    this.requests = 0;
    this.answered = 0;
    this.sumMs = 0;
    this.errors.fill(0);
  }
}

/** Where requests come from: they are told of the end of visits that no visit made. */
export interface RootOwner {
  ended(visit: number, outcome: number): void;
}

/** Time, visits and nodes of one run. */
export class World {
  readonly calendar: Calendar = new Calendar();
  readonly visits: Visits = new Visits();
  readonly nodes: Node[] = [];
  readonly sources: { arrive(): void; readonly owner: RootOwner }[] = [];
  readonly random: Random;
  nowMs = 0;
  events = 0;
  readonly #deadlines: Deadlines[] = [];
  readonly #calls: ((() => void) | undefined)[] = [];
  readonly #freeCalls: number[] = [];

  constructor(random: Random) {
    this.random = random;
  }

  /** Runs until `untilMs`, or until `stop` says so. */
  run(untilMs: number, stop: () => boolean): void {
    const { calendar } = this;
    while (calendar.nextMs <= untilMs && !stop() && calendar.next()) {
      this.nowMs = calendar.timeMs;
      this.events++;
      this.#dispatch(calendar.kind, calendar.subject);
    }
    if (!stop()) this.nowMs = untilMs;
  }

  #dispatch(kind: number, subject: number): void {
    switch (kind) {
      case EVENT.work:
        // A visit that was cut off meanwhile, or whose number another one has now, is not due at this time.
        if (this.visits.dueMs[subject] !== this.nowMs) return;
        // Once: an event of the number's last owner may be due at this very instant too.
        this.visits.dueMs[subject] = Number.NaN;
        return this.nodes[this.visits.node[subject] ?? 0]?.worked(subject);
      case EVENT.arrival:
        return this.sources[subject]?.arrive();
      case EVENT.deadline:
        return this.#deadlines[subject]?.expire(this.nowMs);
      default:
        return this.#call(subject);
    }
  }

  /** Has `worked` called for the visit after `ms`. */
  work(visit: number, ms: number): void {
    const dueMs = this.nowMs + ms;
    this.visits.dueMs[visit] = dueMs;
    this.calendar.schedule(dueMs, EVENT.work, visit);
  }

  /** Sends a visit to a node, for another visit. */
  visit(parent: number, node: number): number {
    const child = this.prepare(parent, node);
    this.nodes[node]?.enter(child);
    return child;
  }

  /** The same in two steps, for who has to say more before it enters. */
  prepare(parent: number, node: number): number {
    const { visits } = this;
    const child = visits.take(parent, node, this.nowMs);
    visits.child[parent] = child;
    visits.route[child] = visits.route[parent] ?? 0;
    visits.key[child] = visits.key[parent] ?? 0;
    return child;
  }

  /** Ends a visit and tells whoever made it. */
  end(visit: number, outcome: number): void {
    const { visits } = this;
    const at = this.nodes[visits.node[visit] ?? 0];
    if (at !== undefined) {
      at.tally.requests++;
      at.tally.sumMs += this.nowMs - (visits.startMs[visit] ?? 0);
      if (outcome === OUTCOME.ok) at.tally.answered++;
      else if ((visits.mark[visit] ?? 0) !== INHERITED) count(at.tally, outcome);
    }
    this.#tell(visit, visits.parent[visit] ?? NONE, outcome);
    visits.give(visit);
  }

  /** Whoever made the visit is no longer interested. */
  abandon(visit: number): void {
    const { visits } = this;
    if (visits.mark[visit] === HELD) return visits.give(visit);
    visits.parent[visit] = NONE;
    this.nodes[visits.node[visit] ?? 0]?.abandoned?.(visit);
  }

  /** Tells whoever made the visit of an end that its node knows nothing of: the work goes on, and nobody waits for it. */
  cutOff(visit: number, outcome: number): void {
    const { visits } = this;
    const parent = visits.parent[visit] ?? NONE;
    if (parent === NONE) return;
    const at = this.nodes[visits.node[visit] ?? 0];
    if (at !== undefined) count(at.tally, outcome);
    visits.parent[visit] = NONE;
    this.#tell(visit, parent, outcome);
  }

  #tell(visit: number, parent: number, outcome: number): void {
    if (parent >= 0) this.nodes[this.visits.node[parent] ?? 0]?.returned(parent, visit, outcome);
    else if (parent <= ROOT) this.sources[ROOT - parent]?.owner.ended(visit, outcome);
  }

  /** Deadlines of this length; `expired` is told the visit. */
  deadlines(delayMs: number, expired: (visit: number) => void): Deadlines {
    const { visits, calendar } = this;
    const index = this.#deadlines.length;
    const deadlines = new Deadlines(delayMs, {
      wake: (atMs) => calendar.schedule(atMs, EVENT.deadline, index),
      isCurrent: (visit, serial) => visits.serial[visit] === serial,
      expired,
    });
    this.#deadlines.push(deadlines);
    return deadlines;
  }

  /** Calls `run` after `ms`. For what is rare: it allocates. */
  after(ms: number, run: () => void): void {
    const index = this.#freeCalls.pop() ?? this.#calls.length;
    this.#calls[index] = run;
    this.calendar.schedule(this.nowMs + ms, EVENT.call, index);
  }

  /** Calls `run` every `ms` from now on, until it says false. */
  every(ms: number, run: () => boolean | void): void {
    this.after(ms, () => {
      if (run() !== false) this.every(ms, run);
    });
  }

  #call(index: number): void {
    const run = this.#calls[index];
    this.#calls[index] = undefined;
    this.#freeCalls.push(index);
    run?.();
  }
}

function count({ errors }: Tally, outcome: number): void {
  errors[outcome] = (errors[outcome] ?? 0) + 1;
}

/** Parent of a request of source 0; source i has ROOT - i. */
export const ROOT: number = -2;

/** Mark of a visit whose error began at a node that it called. */
export const INHERITED: number = 1 << 30;

/** Mark of a visit that nobody works on: once it is abandoned it is over. */
export const HELD: number = 1 << 29;
