/** The books of one run: steps over time while it lasts, the whole at its end. */
import { bottlenecksOf } from "./bottlenecks.ts";
import type { Design } from "./design.ts";
import { countsByName } from "./outcomes.ts";
import type { Quantiles } from "./quantiles.ts";
import type {
  LatencySummary,
  NodeResult,
  ScaleEvent,
  SimulationResult,
  TrafficResult,
  WindowNode,
  WindowResult,
} from "./result.ts";
import { Account, type Ledger, type Source } from "./source.ts";
import type { Node, World } from "./world.ts";

/** Steps over time kept at most; a longer run has longer steps. */
const WINDOWS_MAX = 10_000;

interface Areas {
  busy: number;
  capacity: number;
}

/** What a run writes down. */
export class Books {
  readonly ledger: Ledger;
  readonly #design: Design;
  readonly #world: World;
  readonly #routes: readonly string[];
  readonly #windows: WindowResult[] = [];
  readonly #scaling: ScaleEvent[] = [];
  readonly #areas: Areas[] = [];
  readonly #windowMs: number;
  #beganMs = 0;
  /** Requests sent before the figures begin. */
  #sentBefore = 0;

  constructor(design: Design, world: World, routes: readonly string[]) {
    const { inSystemMax, requestsMax, objective, durationMs, windowMs } = design.run;
    this.#design = design;
    this.#world = world;
    this.#routes = routes;
    this.#windowMs = Math.max(windowMs, durationMs / WINDOWS_MAX);
    this.ledger = {
      inSystemMax,
      requestsMax,
      sent: 0,
      inFlight: 0,
      total: new Account(),
      window: new Account(),
      windowArrivals: 0,
      byRoute: routes.map(() => new Account()),
      objective,
    };
  }

  /** The warm-up is over: what was counted until now is forgotten. */
  begin(sources: readonly Source[]): void {
    const world = this.#world;
    this.#beganMs = world.nowMs;
    this.#sentBefore = this.ledger.sent;
    const accounts = [this.ledger.total, this.ledger.window, ...this.ledger.byRoute];
    for (const account of [...accounts, ...sources.map((source) => source.account)]) account.clear();
    this.ledger.windowArrivals = 0;
    for (const [index, node] of this.#nodes.entries()) {
      node.usage.clear(world.nowMs);
      node.tally.clear();
      node.clear();
      this.#areas[index] = areasOf(node, world.nowMs);
    }
    world.every(this.#windowMs, () => this.#closeWindow());
  }

  /** A service was told another number of tasks. */
  scaled(event: ScaleEvent): void {
    this.#scaling.push(event);
  }

  /** The result, once time is over. */
  close(sources: readonly Source[], spent: boolean): SimulationResult {
    const { nowMs, events } = this.#world;
    const measuredMs = nowMs - this.#beganMs;
    const nodes = this.#nodes.map((node) => nodeResult(node, nowMs));
    const violations = this.#windows.filter(({ violated }) => violated).length;
    return {
      name: this.#design.name,
      seed: this.#design.run.seed,
      measuredMs,
      total: trafficOf("all", this.ledger.total, measuredMs),
      clients: sources.map(({ name, account }) => trafficOf(name, account, measuredMs)),
      routes: this.#routes.map((name, route) =>
        trafficOf(name, this.ledger.byRoute[route] ?? new Account(), measuredMs),
      ),
      nodes,
      windows: this.#windows,
      scaling: this.#scaling.filter(({ atMs }) => atMs >= this.#beganMs),
      objective: this.ledger.objective,
      violationMs: violations * this.#windowMs,
      bottlenecks: bottlenecksOf(nodes, {
        offered: this.ledger.sent - this.#sentBefore,
        answered: this.#answeredAtEntries(),
      }),
      costPerMonth: nodes.reduce((sum, { costPerMonth }) => sum + costPerMonth, 0),
      events,
      ...(spent ? { endedEarly: "requests-spent" as const } : {}),
    };
  }

  /** Of what clients sent; with the answers that came too late for them, since they cost as much. */
  #answeredAtEntries(): number {
    const entries = new Set(this.#design.clients.map(({ to }) => to));
    const nodes = this.#nodes.filter(({ name }) => entries.has(name));
    return nodes.reduce((sum, { tally }) => sum + tally.answered, 0);
  }

  /** Those of the design, without what stands behind one of them. */
  get #nodes(): readonly Node[] {
    return this.#world.nodes.slice(0, this.#design.nodes.length);
  }

  #closeWindow(): void {
    const { ledger } = this;
    const { window, objective } = ledger;
    const { nowMs } = this.#world;
    const seconds = this.#windowMs / 1000;
    const failed = window.requests - window.latency.count;
    const errorShare = window.requests === 0 ? 0 : failed / window.requests;
    const p99Ms = window.latency.quantile(0.99);
    this.#windows.push({
      atMs: nowMs,
      arrivalsRps: ledger.windowArrivals / seconds,
      answeredRps: window.latency.count / seconds,
      errorShare,
      p50Ms: window.latency.quantile(0.5),
      p99Ms,
      inFlight: ledger.inFlight,
      violated: p99Ms > objective.p99Ms || errorShare > objective.errorShare,
      nodes: Object.fromEntries(this.#nodes.map((node, index) => [node.name, this.#windowNode(node, index)])),
    });
    window.clear();
    ledger.windowArrivals = 0;
  }

  #windowNode(node: Node, index: number): WindowNode {
    const before = this.#areas[index] ?? { busy: 0, capacity: 0 };
    const now = areasOf(node, this.#world.nowMs);
    this.#areas[index] = now;
    const capacity = now.capacity - before.capacity;
    const { queued, units } = node.usage;
    return {
      utilisation: capacity > 0 ? (now.busy - before.busy) / capacity : 0,
      queued,
      units,
      lagMs: node.lagMs(),
    };
  }
}

function areasOf({ usage }: Node, nowMs: number): Areas {
  return { busy: usage.busyArea(nowMs), capacity: usage.capacityArea(nowMs) };
}

function trafficOf(name: string, { latency, errors, requests }: Account, measuredMs: number): TrafficResult {
  return {
    name,
    requests,
    answered: latency.count,
    errors: countsByName(errors),
    errorShare: requests === 0 ? 0 : (requests - latency.count) / requests,
    throughputRps: measuredMs > 0 ? latency.count / (measuredMs / 1000) : 0,
    latency: summaryOf(latency),
  };
}

function summaryOf(latency: Quantiles): LatencySummary {
  return {
    meanMs: latency.meanMs,
    p10Ms: latency.quantile(0.1),
    p25Ms: latency.quantile(0.25),
    p50Ms: latency.quantile(0.5),
    p75Ms: latency.quantile(0.75),
    p90Ms: latency.quantile(0.9),
    p99Ms: latency.quantile(0.99),
    p999Ms: latency.quantile(0.999),
    maxMs: latency.maxMs,
  };
}

function nodeResult(node: Node, nowMs: number): NodeResult {
  const { usage, tally } = node;
  const means = usage.means(nowMs);
  const unlimited = usage.capacity === Infinity;
  return {
    name: node.name,
    kind: node.kind,
    requests: tally.requests,
    answered: tally.answered,
    utilisation: unlimited || means.capacity === 0 ? 0 : means.busy / means.capacity,
    parts: node.parts?.() ?? [],
    capacity: unlimited ? Infinity : means.capacity,
    queued: means.queued,
    queuedMax: usage.queuedMax,
    meanMs: tally.requests === 0 ? 0 : tally.sumMs / tally.requests,
    errors: countsByName(tally.errors),
    counters: node.counters(),
    costPerMonth: node.pricePerMonth * means.units,
  };
}
