/**
 * A class of clients: sends requests by its law of arrivals, waits as long as it has patience, tries again if it is of
 * that kind, and keeps the account of what it was answered.
 */
import type { Random } from "../../base/index.ts";
import type { Deadlines } from "./deadlines.ts";
import type { ClientsDesign, Objective } from "./design.ts";
import { exponential, type Sampler, sampler } from "./distribution.ts";
import { drawer } from "./draw.ts";
import { OUTCOME } from "./outcomes.ts";
import { Quantiles } from "./quantiles.ts";
import { EVENT, ROOT, type World } from "./world.ts";

/** What was answered, by class or route. */
export class Account {
  readonly latency: Quantiles = new Quantiles();
  readonly errors: Float64Array = new Float64Array(32);
  requests = 0;

  add(outcome: number, ms: number): void {
    this.requests++;
    if (outcome === OUTCOME.ok) this.latency.record(ms);
    else this.errors[outcome] = (this.errors[outcome] ?? 0) + 1;
  }

  clear(): void {
    this.latency.clear();
    this.errors.fill(0);
    this.requests = 0;
  }
}

/** Bounds and books that all clients of a run share. */
export interface Ledger {
  readonly inSystemMax: number;
  readonly requestsMax: number;
  sent: number;
  /** Requests that clients wait for. */
  inFlight: number;
  readonly total: Account;
  /** Since the last window began. */
  readonly window: Account;
  windowArrivals: number;
  readonly byRoute: readonly Account[];
  readonly objective: Objective;
}

/** What a class of clients is given. */
export interface SourceContext {
  readonly world: World;
  readonly random: Random;
  readonly index: number;
  readonly entry: number;
  /** Numbers of its routes, in the order of the design. */
  readonly routes: readonly number[];
  readonly ledger: Ledger;
}

/** One class of clients. A client that has given up is no longer the parent of its visit. */
export class Source {
  readonly account: Account = new Account();
  readonly owner: { ended(visit: number, outcome: number): void } = this;
  readonly #design: ClientsDesign;
  readonly #context: SourceContext;
  readonly #deadlines: Deadlines;
  readonly #route: () => number;
  readonly #key: () => number;
  readonly #think: Sampler;
  readonly #gap: Sampler;
  /** Number of the profile's point that time has not reached yet, and the piece that ends there. */
  #segment = 0;
  #piece: Piece = { startMs: 0, endMs: 0, fromRps: 0, toRps: 0 };

  constructor(design: ClientsDesign, context: SourceContext) {
    const { world, random } = context;
    this.#design = design;
    this.#context = context;
    this.#deadlines = world.deadlines(design.timeoutMs, (visit) => this.#giveUp(visit));
    const routeDraw = drawer(
      design.routes.map(({ weight }) => weight),
      random,
    );
    this.#route = () => context.routes[routeDraw()] ?? 0;
    this.#key = keyDrawer(design.keys, random);
    this.#think = design.arrivals.kind === "closed" ? sampler(design.arrivals.think, random) : () => 0;
    this.#gap = exponential(1, random);
  }

  get name(): string {
    return this.#design.name;
  }

  /** Schedules the first arrivals. */
  begin(): void {
    const { world } = this.#context;
    const { arrivals } = this.#design;
    if (arrivals.kind === "open") return this.#scheduleNext();
    if (arrivals.kind === "closed")
      for (let user = 0; user < arrivals.users; user++) this.#arriveAfter(this.#think());
    else
      world.after(arrivals.atMs - world.nowMs, () => {
        for (let i = 0; i < arrivals.count; i++) this.#send();
      });
  }

  /** The next request is due. */
  arrive(): void {
    this.#send();
    if (this.#design.arrivals.kind === "open") this.#scheduleNext();
  }

  /** A request has come back. */
  ended(visit: number, outcome: number): void {
    const { visits, nowMs } = this.#context.world;
    const tries = visits.tries[visit] ?? 0;
    this.#book(outcome, nowMs - (visits.startMs[visit] ?? nowMs), visits.route[visit] ?? 0);
    this.#after(outcome, tries, visits.route[visit] ?? 0, visits.key[visit] ?? 0);
  }

  #giveUp(visit: number): void {
    const { world } = this.#context;
    const { visits, nowMs } = world;
    const [tries, route, key] = [visits.tries[visit] ?? 0, visits.route[visit] ?? 0, visits.key[visit] ?? 0];
    this.#book(OUTCOME["client-timeout"], nowMs - (visits.startMs[visit] ?? nowMs), route);
    world.abandon(visit);
    this.#after(OUTCOME["client-timeout"], tries, route, key);
  }

  #after(outcome: number, tries: number, route: number, key: number): void {
    if (outcome !== OUTCOME.ok && tries < this.#design.retries) return this.#enter(route, key, tries + 1);
    if (this.#design.arrivals.kind === "closed") this.#arriveAfter(this.#think());
  }

  #send(): void {
    this.#enter(this.#route(), this.#key(), 0);
  }

  #enter(route: number, key: number, tries: number): void {
    const { world, index, entry, ledger } = this.#context;
    const { visits, nowMs } = world;
    ledger.sent++;
    ledger.inFlight++;
    ledger.windowArrivals++;
    if (visits.size >= ledger.inSystemMax) {
      this.#book(OUTCOME["too-many-in-system"], 0, route);
      // A closed client that were let in at once again would spin.
      if (this.#design.arrivals.kind === "closed") this.#arriveAfter(Math.max(1, this.#think()));
      return;
    }
    const visit = visits.take(ROOT - index, entry, nowMs);
    visits.route[visit] = route;
    visits.key[visit] = key;
    visits.tries[visit] = tries;
    this.#deadlines.set(visit, visits.serial[visit] ?? 0, nowMs);
    world.nodes[entry]?.enter(visit);
  }

  #book(outcome: number, ms: number, route: number): void {
    const { ledger } = this.#context;
    ledger.inFlight--;
    this.account.add(outcome, ms);
    ledger.total.add(outcome, ms);
    ledger.window.add(outcome, ms);
    ledger.byRoute[route]?.add(outcome, ms);
  }

  #arriveAfter(ms: number): void {
    const { world, index } = this.#context;
    world.calendar.schedule(world.nowMs + ms, EVENT.arrival, index);
  }

  #scheduleNext(): void {
    const { world, index, ledger } = this.#context;
    const { arrivals } = this.#design;
    if (arrivals.kind !== "open" || ledger.sent >= ledger.requestsMax) return;
    const atMs = arrivals.spacing === "even" ? this.#nextEven() : this.#nextPoisson();
    if (atMs !== Infinity) world.calendar.schedule(atMs, EVENT.arrival, index);
  }

  /**
   * Thinning (Lewis & Shedler 1979) within each straight piece of the profile, whose greater end bounds the rate; a
   * draw beyond the piece starts anew at its end, which for a law without memory changes nothing.
   */
  #nextPoisson(): number {
    let atMs = this.#context.world.nowMs;
    for (;;) {
      const piece = this.#pieceAt(atMs);
      const most = Math.max(piece.fromRps, piece.toRps);
      const nextMs = most > 0 ? atMs + (this.#gap() * 1000) / most : Infinity;
      if (nextMs > piece.endMs) atMs = piece.endMs;
      else if (this.#context.random() * most <= rateAt(piece, nextMs)) return nextMs;
      else atMs = nextMs;
      if (atMs === Infinity) return Infinity;
    }
  }

  /** When as much of the rate has gone by as makes one request: the area under the profile, piece by piece. */
  #nextEven(): number {
    let atMs = this.#context.world.nowMs;
    for (let left = 1; atMs !== Infinity; ) {
      const piece = this.#pieceAt(atMs);
      const nextMs = atMs + 1000 * timeOf(left, rateAt(piece, atMs), slopeOf(piece) * 1000);
      if (nextMs <= piece.endMs) return nextMs;
      left -= ((rateAt(piece, atMs) + piece.toRps) / 2) * ((piece.endMs - atMs) / 1000);
      atMs = piece.endMs;
    }
    return Infinity;
  }

  /** The straight piece of the profile that holds this time; time only moves on. */
  #pieceAt(atMs: number): Piece {
    if (atMs < this.#piece.endMs) return this.#piece;
    const points = this.#design.arrivals.kind === "open" ? this.#design.arrivals.points : [];
    while ((points[this.#segment]?.[0] ?? Infinity) <= atMs) this.#segment++;
    const [endMs, toRps] = points[this.#segment] ?? [Infinity, points.at(-1)?.[1] ?? 0];
    const [startMs, fromRps] = points[this.#segment - 1] ?? [0, toRps];
    this.#piece = { startMs, endMs, fromRps, toRps };
    return this.#piece;
  }
}

interface Piece {
  readonly startMs: number;
  readonly endMs: number;
  readonly fromRps: number;
  readonly toRps: number;
}

function rateAt(piece: Piece, atMs: number): number {
  return piece.endMs === Infinity ? piece.toRps : piece.fromRps + slopeOf(piece) * (atMs - piece.startMs);
}

/** Requests per second, gained in each millisecond. */
function slopeOf({ startMs, endMs, fromRps, toRps }: Piece): number {
  return endMs === Infinity ? 0 : (toRps - fromRps) / (endMs - startMs);
}

/**
 * Seconds until a rate that begins at `rate` and grows by `slope` a second has made `count` requests: the root of
 * slope/2 t^2 + rate t = count, in the form that loses no digits. Infinity when a falling rate never gets there.
 */
function timeOf(count: number, rate: number, slope: number): number {
  const square = rate * rate + 2 * slope * count;
  const sum = rate + Math.sqrt(square);
  return square >= 0 && sum > 0 ? (2 * count) / sum : Infinity;
}

/** Keys by popularity: Zipf's law with exponent `skew`; without a count every request has its own. */
function keyDrawer({ count, skew }: ClientsDesign["keys"], random: Random): () => number {
  if (count === 0) return () => Math.floor(random() * 0x1_0000_0000) | 0;
  const draw = drawer(
    Array.from({ length: count }, (_, rank) => (rank + 1) ** -skew),
    random,
  );
  return () => mixed(draw());
}

/** A permutation of 32-bit numbers (murmur3's finaliser), so that neighbouring keys do not hash alike. */
function mixed(rank: number): number {
  let hash = Math.imul(rank ^ (rank >>> 16), 0x85eb_ca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2_ae35);
  return (hash ^ (hash >>> 16)) | 0;
}
