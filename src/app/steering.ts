/** Composition root of `tenfold steer`: the choice of an edge, its health checks, and the DNS server. A parts list. */
import {
  type Clock,
  formatDuration,
  type Random,
  type Scheduler,
  systemClock,
  systemRandom,
  systemScheduler,
} from "../base/index.ts";
import { type Address, formatAddress, type HealthConfig, type SteeringConfig } from "../config/index.ts";
import { ActiveChecks, type CheckReport, type CheckTarget } from "../health/index.ts";
import { probe } from "../health/io/index.ts";
import { Answerer, type Decision, type EdgeHealth, PrefixLimiter, Steering } from "../steering/index.ts";
import { type DnsCounts, DnsServer } from "../steering/io/index.ts";
import { StartFailure } from "./start-failure.ts";

interface CheckedEdge extends CheckTarget {
  readonly policy: HealthConfig;
  readonly address: Address;
}

/** What it runs on; the machine's own unless said otherwise. */
export interface SteeringContext {
  /** Told when an edge falls ill or recovers. */
  readonly say: (line: string) => void;
  readonly clock?: Clock;
  readonly scheduler?: Scheduler;
  readonly random?: Random;
}

/** A DNS server that runs. */
export interface SteeringHandle {
  readonly address: Address;
  readonly counts: Readonly<DnsCounts>;
  decide(client: string): Decision | undefined;
  stop(): void;
}

/** Starts it. Rejects with a `StartFailure` when the address cannot be opened. */
export async function startSteering(
  config: SteeringConfig,
  context: SteeringContext,
): Promise<SteeringHandle> {
  const { clock = systemClock, scheduler = systemScheduler, random = systemRandom, say } = context;
  const steering = new Steering(config);
  const checks = new ActiveChecks<CheckedEdge>({
    clock,
    scheduler,
    random,
    probe: ({ address, policy }) => probe(address, policy),
    onReport: (report) => tell(report, say),
  });
  const healthOf = (edge: string): EdgeHealth => {
    const kind = checks.state(edge)?.kind ?? "new";
    return kind === "new" ? "unknown" : kind;
  };
  // A serial that grows with each start, whatever the zone was before.
  const answerer = new Answerer(steering, Math.floor(clock.wallMs() / 1000), healthOf);
  const server = await open(config, answerer, clock);
  checks.setTargets(config.edges.map((edge) => checkedEdge(edge)));
  return {
    address: server.address,
    counts: server.counts,
    decide: (client) => steering.decide(client, healthOf),
    stop() {
      checks.stop();
      server.stop();
    },
  };
}

/** Where a client would be sent, by one check of each edge now. Undefined when the text is no address. */
export async function decideOnce(config: SteeringConfig, client: string): Promise<Decision | undefined> {
  const results = await Promise.all(
    config.edges.map(async (edge) => {
      const { address, policy } = checkedEdge(edge);
      const { kind } = await probe(address, policy);
      return [edge.name, kind === "pass" ? "healthy" : "unhealthy"] as const;
    }),
  );
  const health = new Map<string, EdgeHealth>(results);
  return new Steering(config).decide(client, (edge) => health.get(edge) ?? "unknown");
}

async function open(config: SteeringConfig, answerer: Answerer, clock: Clock): Promise<DnsServer> {
  const { address, perSecond } = config;
  const limiter = new PrefixLimiter(perSecond, clock);
  try {
    return await DnsServer.open({ address, answer: (query) => answerer.answer(query), limiter });
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
    throw new StartFailure(
      `${formatAddress(address)} cannot be opened for DNS (${code})`,
      "stop what uses it (`ss -lnup` shows it), run as a user who may open it, or set steering.address",
    );
  }
}

/** All addresses of an edge are one machine, or stand before the same ones: its first one is asked. */
function checkedEdge({ name, addresses, health }: SteeringConfig["edges"][number]): CheckedEdge {
  const [host = ""] = addresses;
  return { key: name, policy: health, address: { host, port: health.port } };
}

function tell(
  { target, result, state, changed }: CheckReport<CheckedEdge>,
  say: (line: string) => void,
): void {
  if (!changed) return;
  const why = result.kind === "fail" ? ` (${result.reason})` : "";
  const every = formatDuration(target.policy.intervalMs);
  say(`edge ${target.key} is ${state.kind}${why}; asked at ${formatAddress(target.address)} every ${every}`);
}
