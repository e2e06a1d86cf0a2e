/**
 * One run of a design: builds the world, lets time pass, reads off the result. Reads as a parts list.
 */
import { seededRandom } from "../../base/index.ts";
import { type Autoscaler, productionAutoscaler } from "./autoscaler.ts";
import { Books } from "./books.ts";
import type { Design, NodeDesign, ServiceDesign } from "./design.ts";
import { scheduleFaults } from "./faults.ts";
import { type CacheNode, createCache } from "./nodes/cache.ts";
import { Database, type DatabaseNode } from "./nodes/database.ts";
import { createDelay } from "./nodes/delay.ts";
import { createGateways, type GatewayNode } from "./nodes/gateways.ts";
import { createPool } from "./nodes/pool.ts";
import { createQueue } from "./nodes/queue.ts";
import { Service } from "./nodes/service.ts";
import type { SimulationResult } from "./result.ts";
import { ServiceScaler } from "./service-scaler.ts";
import { Source } from "./source.ts";
import { type Node, World } from "./world.ts";

/** What can be exchanged in a run. */
export interface RunOptions {
  /** The autoscaler of a service, instead of the production rule. */
  readonly autoscaler?: (service: ServiceDesign) => Autoscaler;
}

/** Everything of one run by name. */
interface Graph {
  readonly world: World;
  readonly numbers: ReadonlyMap<string, number>;
  readonly routes: readonly string[];
  readonly services: Map<string, Service>;
  readonly gateways: Map<string, GatewayNode>;
  readonly caches: Map<string, CacheNode>;
  readonly databases: Map<string, DatabaseNode>;
}

/** Runs the design from its seed to its end. The same design gives the same result. */
export function simulate(design: Design, options: RunOptions = {}): SimulationResult {
  const graph = build(design);
  const { world } = graph;
  const { run } = design;
  const books = new Books(design, world, graph.routes);
  const sources = design.clients.map((clients, index) => {
    const source = new Source(clients, {
      world,
      random: seededRandom(seedOf(run.seed, index + 1)),
      index,
      entry: numberOf(graph, clients.to),
      routes: clients.routes.map(({ name }) => graph.routes.indexOf(name)),
      ledger: books.ledger,
    });
    world.sources.push(source);
    return source;
  });
  const scalers = startScalers(design, graph, books, options);
  scheduleFaults(design.faults, { ...graph, scalers });
  for (const source of sources) source.begin();
  const spent = (): boolean => books.ledger.sent >= run.requestsMax;
  if (run.warmUpMs > 0) world.run(run.warmUpMs, spent);
  books.begin(sources);
  world.run(run.durationMs, spent);
  return books.close(sources, spent());
}

/** Streams of chance that have nothing to do with each other, from one seed. */
function seedOf(seed: number, stream: number): number {
  return Math.imul(seed + 1, 0x9e37_79b1) ^ Math.imul(stream, 0x85eb_ca6b);
}

function build(design: Design): Graph {
  const routes = [...new Set(design.clients.flatMap((clients) => clients.routes.map(({ name }) => name)))];
  const graph: Graph = {
    world: new World(seededRandom(seedOf(design.run.seed, 0))),
    numbers: new Map(design.nodes.map(({ name }, index) => [name, index])),
    routes,
    services: new Map(),
    gateways: new Map(),
    caches: new Map(),
    databases: new Map(),
  };
  // Gateways last: they follow the tasks of a service that must be there. Numbers are those of the design all the same.
  const nodes = design.nodes.map((node) => (node.kind === "gateway" ? undefined : createNode(node, graph)));
  for (const node of nodes) graph.world.nodes.push(node ?? PLACEHOLDER);
  for (const [index, node] of design.nodes.entries())
    if (node.kind === "gateway") graph.world.nodes[index] = createNode(node, graph);
  return graph;
}

/** Stands at a gateway's number until it is made; nothing is sent before all are. */
const PLACEHOLDER = {} as Node;

function createNode(design: NodeDesign, graph: Graph): Node {
  const { world, routes } = graph;
  const { random } = world;
  const nodeOf = (name: string): number => numberOf(graph, name);
  const among = (names: readonly string[]) => (route: number) => names.includes(routes[route] ?? "");
  switch (design.kind) {
    case "delay":
      return createDelay(design, world, random, design.to === undefined ? undefined : nodeOf(design.to));
    case "pool":
      return createPool(design, world, nodeOf(design.to));
    case "queue":
      return createQueue(design, world, random, design.to === undefined ? undefined : nodeOf(design.to));
    case "cache":
      return keep(
        graph.caches,
        createCache(design, { world, random }, nodeOf(design.to), among(design.bypass)),
      );
    case "database":
      return keep(graph.databases, new Database(design, world, random, among(design.writes)));
    case "service":
      return keep(graph.services, new Service(design, { world, random, nodeOf, routes }));
    case "gateway": {
      const service = graph.services.get(design.to);
      if (service === undefined) throw new Error(`simulate: ${design.name} stands before no service`);
      return keep(
        graph.gateways,
        createGateways(design, { world, random, service, serviceNode: nodeOf(design.to) }),
      );
    }
  }
}

function keep<T extends Node>(nodes: Map<string, T>, node: T): T {
  nodes.set(node.name, node);
  return node;
}

function numberOf({ numbers }: Graph, name: string): number {
  const number = numbers.get(name);
  if (number === undefined) throw new Error(`simulate: there is no node "${name}"`);
  return number;
}

function startScalers(
  design: Design,
  graph: Graph,
  books: Books,
  { autoscaler }: RunOptions,
): Map<string, ServiceScaler> {
  const scalers = new Map<string, ServiceScaler>();
  for (const node of design.nodes) {
    if (node.kind !== "service") continue;
    const service = graph.services.get(node.name);
    const rule =
      autoscaler?.(node) ??
      (node.autoscale === undefined ? undefined : productionAutoscaler(node.autoscale, node.tasks));
    if (service === undefined || rule === undefined) continue;
    const fronts = design.nodes.flatMap((other) =>
      other.kind === "gateway" && other.to === node.name ? [graph.gateways.get(other.name)] : [],
    );
    const inFlight = (): number =>
      fronts.length === 0
        ? service.tasks.living.reduce((sum, task) => sum + task.admitted, service.usage.queued)
        : fronts.reduce((sum, front) => sum + (front?.inFlight ?? 0), 0);
    scalers.set(
      node.name,
      new ServiceScaler({
        world: graph.world,
        service,
        autoscaler: rule,
        inFlight,
        changed: (event) => books.scaled(event),
      }),
    );
  }
  return scalers;
}
