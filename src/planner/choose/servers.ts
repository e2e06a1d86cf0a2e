/**
 * How many servers: one question, many readings, and an answer that survives them.
 *
 * Given: the rate that is wanted, what one server gives and at which p99, and the p99 that is wanted. What one server is
 * inside is not known, so it is fitted: for every number of workers the service time at which the rated load has the
 * rated p99 (M/M/c). What all servers share is not known either: the law of scalability says what it would take away.
 */
import { bisect } from "../queueing/bisect.ts";
import { mmc, responseQuantile, squareRootStaffing, uslAt } from "../queueing/index.ts";

/** The question. */
export interface ServersQuestion {
  readonly rateRps: number;
  readonly objectiveMs: number;
  readonly serverRps: number;
  readonly serverP99Ms: number;
}

/** One way to read it. */
export interface Reading {
  readonly name: string;
  readonly formula: string;
  /** What one server may be given; absent where the reading does not speak of it. */
  readonly perServerRps?: number;
  /** Infinity: no number is enough. */
  readonly servers: number;
  /** So that one may fail; absent where the reading does not ask. */
  readonly withOneLost?: number;
}

type Divided = Reading & Required<Pick<Reading, "withOneLost">>;

/** A server of so many workers that fits its rating. */
export interface Fitted {
  readonly workers: number;
  readonly serviceMs: number;
  /** At the rated load. */
  readonly busy: number;
  /** The rate at which it has the wanted p99. */
  readonly perServerRps: number;
}

/** Everything that was found. */
export interface ServersAnswer {
  readonly readings: readonly Reading[];
  readonly fits: readonly Fitted[];
  /** Enough for headroom with a server lost, and for a lost zone. */
  readonly answer: number;
  /** Contention up to which the answer holds with one server lost; above it more servers are needed, or none suffice. */
  readonly contentionMax: number;
  /** p99 of the answer with all up and with one lost, for the most and the least favourable fit, ms. */
  readonly p99Ms: { readonly all: Range; readonly oneLost: Range };
  /** p99 of the divided number of servers as separate queues, and as one queue for all, ms. */
  readonly queues: { readonly apart: number; readonly shared: number };
}

interface Range {
  readonly best: number;
  readonly worst: number;
}

/** Share of a server that is planned for. */
const HEADROOM = 0.7;
const ZONES = 3;

/** Workers of one server that are tried: from one at a time to many slow ones. */
const WORKERS = [1, 4, 16, 32, 50];

/** Contention of what all servers share, and coherence beside it (USL), that are tried. */
const SHARED: readonly (readonly [contention: number, coherence: number])[] = [
  [0.001, 0],
  [0.005, 0],
  [0.01, 0],
  [0.02, 0],
  [0.04, 0],
  [0.05, 0],
  [0.02, 0.0005],
];

const P99 = 0.99;

/** 20 x 5,000 is 100,000, whatever the last bit says. */
const ROUNDING = 1e-9;

/** All readings, and the answer. */
export function serversFor(question: ServersQuestion): ServersAnswer {
  const { rateRps, serverRps } = question;
  const fits = WORKERS.map((workers) => fit(question, workers));
  const naive = divided("naive division", "rate / rated load", rateRps, serverRps);
  const headroom = divided(
    `${HEADROOM * 100} % headroom`,
    "rate / (rated load x 70 %)",
    rateRps,
    serverRps * HEADROOM,
  );
  const zones = zoneReading(question);
  const answer = Math.max(headroom.withOneLost, zones.servers);
  return {
    readings: [
      naive,
      ...fits.map(({ workers, perServerRps }) =>
        divided(
          `${workers} ${workers === 1 ? "worker" : "workers"}, fitted`,
          "rate / the load at which M/M/c has the wanted p99",
          rateRps,
          perServerRps,
        ),
      ),
      headroom,
      zones,
      ...staffing(question, fits[0]?.busy ?? 1),
      ...SHARED.map(([contention, coherence]) => sharedReading(question, contention, coherence)),
    ],
    fits,
    answer,
    contentionMax: contentionMax(rateRps / serverRps, answer - 1),
    p99Ms: { all: p99Range(question, fits, answer), oneLost: p99Range(question, fits, answer - 1) },
    queues: queuesOf(question, fits[0], naive.servers),
  };
}

function divided(name: string, formula: string, rateRps: number, perServerRps: number): Divided {
  const servers = Math.ceil(rateRps / perServerRps - ROUNDING);
  return { name, formula, perServerRps, servers, withOneLost: servers + 1 };
}

function p99At(rateRps: number, serviceMs: number, servers: number): number {
  const queue = mmc({ rateRps, serviceMs, servers });
  return queue.kind === "steady" ? responseQuantile(queue, P99) : Infinity;
}

/** The service time at which the rated load has the rated p99, and the load at which that server has the wanted one. */
function fit({ objectiveMs, serverRps, serverP99Ms }: ServersQuestion, workers: number): Fitted {
  const longest = (workers * 1000) / serverRps;
  const share = bisect((of) => p99At(serverRps, of * longest, workers) >= serverP99Ms, 0.5);
  const serviceMs = share * longest;
  const most = (workers * 1000) / serviceMs;
  const perServerRps =
    bisect((of) => p99At(Math.min(of, 1) * most, serviceMs, workers) >= objectiveMs, 0.5) * most;
  return { workers, serviceMs, busy: share, perServerRps };
}

/** What is left after a zone is lost still serves at the rated load. */
function zoneReading({ rateRps, serverRps }: ServersQuestion): Divided {
  const perZone = Math.ceil(rateRps / serverRps / (ZONES - 1) - ROUNDING);
  return {
    name: `lose 1 of ${ZONES} zones`,
    formula: `ceil(rate / rated load / ${ZONES - 1}) x ${ZONES}`,
    perServerRps: serverRps,
    servers: perZone * ZONES,
    withOneLost: perZone * ZONES,
  };
}

/** The load in busy servers, and square roots of it. A server at its rating is busy as the single worker's fit says. */
function staffing({ rateRps, serverRps }: ServersQuestion, busy: number): Reading[] {
  const load = (rateRps / serverRps) * busy;
  return [1, 2, 3].map((k) => {
    const servers = squareRootStaffing(load, k);
    return {
      name: `load + ${k} square ${k === 1 ? "root" : "roots"} of it`,
      formula: `ceil(a + ${k} sqrt(a)), a = rate / rated load x busy`,
      servers,
    };
  });
}

/** The fewest servers whose common throughput by the law is enough; never where its greatest is not. */
function sharedReading(
  { rateRps, serverRps }: ServersQuestion,
  contention: number,
  coherence: number,
): Reading {
  const need = rateRps / serverRps;
  const servers = fewest(need, contention, coherence);
  const second = coherence === 0 ? "" : `, ${coherence * 100} % agreed on by all`;
  return {
    name: `${contention * 100} % done one after the other${second} (USL)`,
    formula: "fewest N with N / (1 + c(N-1) + kN(N-1)) >= rate / rated load",
    servers,
  };
}

/** N = n(1 + c(N-1) + kN(N-1)), a square in N: its smaller root, rounded up. */
function fewest(need: number, contention: number, coherence: number): number {
  const linear = 1 - need * (contention - coherence);
  const constant = need * (1 - contention);
  const square = need * coherence;
  const root = linear ** 2 - 4 * square * constant;
  if (linear <= ROUNDING || root < 0) return Infinity;
  const exact = square === 0 ? constant / linear : (2 * constant) / (linear + Math.sqrt(root));
  const servers = Math.max(1, Math.ceil(exact - ROUNDING * exact));
  return uslAt([contention, coherence, 1], servers) >= need * (1 - ROUNDING) ? servers : Infinity;
}

/** Contention at which `servers` give just enough: (N - n) / (n(N - 1)). */
function contentionMax(need: number, servers: number): number {
  return servers <= 1 ? Infinity : Math.max(0, (servers - need) / (need * (servers - 1)));
}

function p99Range({ rateRps }: ServersQuestion, fits: readonly Fitted[], servers: number): Range {
  const all = fits.map(({ serviceMs, workers }) => p99At(rateRps / servers, serviceMs, workers));
  return { best: Math.min(...all), worst: Math.max(...all) };
}

/** One worker a server: each with its own queue, or all behind one. What balancing by load could win at most. */
function queuesOf(
  { rateRps }: ServersQuestion,
  single: Fitted | undefined,
  servers: number,
): ServersAnswer["queues"] {
  const serviceMs = single?.serviceMs ?? 0;
  return {
    apart: p99At(rateRps / servers, serviceMs, 1),
    shared: p99At(rateRps, serviceMs, servers),
  };
}
