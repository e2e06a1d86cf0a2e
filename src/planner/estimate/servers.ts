/**
 * How many servers: the textbook's floor, a number with room to breathe, one that may lose a server; and where an
 * answer has to come in time, what queues make of it (M/M/c, see `queueing`).
 */
import type { Problem } from "../../config/index.ts";
import { keeps, mmc, type ServiceObjective, type Staffing, serversFor } from "../queueing/index.ts";
import type { Workload } from "./workload.ts";

/** The machines that requests run on. */
export type Fleet = Pick<Workload, "cpuMs" | "coresPerServer" | "busyTarget" | "spareServers">;

/** Three answers to "how many servers". */
export interface Servers {
  /** Busy at the peak, on average. */
  readonly cores: number;
  /** All cores 100 % busy: a floor, with queues without end. */
  readonly floor: number;
  /** At the busy target. */
  readonly target: number;
  readonly withSpare: number;
}

/** The servers for this rate of requests. */
export function serversOf(
  rateRps: number,
  { cpuMs, coresPerServer, busyTarget, spareServers }: Fleet,
): Servers {
  const cores = (rateRps * cpuMs) / 1000;
  const target = whole(cores / (coresPerServer * busyTarget));
  return { cores, floor: whole(cores / coresPerServer), target, withSpare: target + spareServers };
}

/** At least one, and not one more because 36 x 0.7 x 4 is a little less than what it should be. */
function whole(servers: number): number {
  return Math.max(1, Math.ceil(Number(servers.toPrecision(12))));
}

/** Servers that keep an objective, none to spare, as the best and the worst way of balancing would have it. */
export type ServersInTime =
  | {
      readonly kind: "servers";
      /** All cores take from one queue: no balancer does better. */
      readonly together: number;
      /** Each server has its own queue and gets its share by chance: no balancer should do worse. */
      readonly apart: number;
    }
  | Exclude<Staffing, { readonly kind: "servers" }>;

/** How many servers answer in time. Times are taken as exponential; each core serves one request at a time. */
function serversInTime(
  rateRps: number,
  { cpuMs, coresPerServer }: Pick<Fleet, "cpuMs" | "coresPerServer">,
  objective: ServiceObjective,
): ServersInTime {
  const cores = serversFor({ rateRps, serviceMs: cpuMs }, objective);
  if (cores.kind !== "servers") return cores;
  const together = Math.ceil(cores.servers / coresPerServer);
  const holds = (servers: number): boolean => {
    const queue = mmc({ rateRps: rateRps / servers, serviceMs: cpuMs, servers: coresPerServer });
    return queue.kind === "steady" && keeps(queue, objective);
  };
  return { kind: "servers", together, apart: fewest(together, holds) };
}

/** The smallest number from `from` on that holds; with enough of them nobody ever waits, so there is one. */
function fewest(from: number, holds: (servers: number) => boolean): number {
  let [low, high] = [from - 1, from];
  while (!holds(high) && high < Number.MAX_SAFE_INTEGER / 2) [low, high] = [high, high * 2];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (holds(middle)) high = middle;
    else low = middle;
  }
  return high;
}

/** What servers are asked to do. */
export interface ServersQuestion extends Fleet {
  /** Requests that reach them at the peak. */
  readonly rateRps: number;
  readonly objective?: ServiceObjective;
}

/** What answers it. */
export interface ServersAnswer {
  readonly servers: Servers;
  readonly inTime?: ServersInTime;
}

/** All servers of the world have fewer; a higher number is a mistyped unit. */
const CORES_MAX = 1e9;

/** What is wrong with asking for so many. */
export function coresProblem(cores: number): Problem | undefined {
  if (cores <= CORES_MAX) return undefined;
  return {
    path: "servers",
    what: `would need ${cores.toExponential(0)} cores`,
    mend: "check the units of the requests and their CPU",
  };
}

/** The servers, and those that the objective needs where there is one. */
export function answerServers(question: ServersQuestion): ServersAnswer {
  const { rateRps, objective } = question;
  const servers = serversOf(rateRps, question);
  return objective === undefined || rateRps === 0
    ? { servers }
    : { servers, inTime: serversInTime(rateRps, question, objective) };
}
