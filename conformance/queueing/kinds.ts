/** What is compared: by kind, how a case is drawn, how we answer, and what Octave is asked. A new kind is one row. */
import type { Random } from "../../src/base/index.ts";
import {
  closedNetwork,
  erlangB,
  erlangC,
  fitUsl,
  mg1,
  mmc,
  mmck,
  type NetworkResult,
  openNetwork,
  type Station,
  type UslPoint,
  uslAt,
} from "../../src/planner/queueing/index.ts";

/** One drawn question with both answers: ours as numbers, Octave's as the expression that computes it. */
export interface Case {
  readonly about: string;
  readonly ours: readonly number[];
  readonly octave: string;
}

/** A kind of question. */
export interface Kind {
  readonly count: number;
  /** Largest relative difference, of numbers above `least`; below it, of `least`. */
  readonly tolerance: number;
  readonly least?: number;
  readonly draw: (random: Random) => Case;
}

/** Both are direct: what differs is rounding. */
const ROUNDING = 1e-9;

/** Both iterate. */
const ITERATION = 1e-6;

/** Octave solves a system of equations there, whose small probabilities have the error of its large ones. */
const SOLVED = 1e-4;

/** Functions that the expressions call. Times are seconds there. */
export const PRELUDE = `
function r = mm1(l, mu), [u, w, q, x, p] = qsmm1(l, mu); r = [u, w, q, x, p]; endfunction
function r = mmm(l, mu, m), [u, w, q, x, p, c] = qsmmm(l, mu, m); r = [u, w, q, x, p, c]; endfunction
function r = mmmk(l, mu, m, k), [u, w, q, x, p, f] = qsmmmk(l, mu, m, k); r = [u, w, q, x, p, f]; endfunction
function r = mg1(l, s, s2), [u, w, q, x] = qsmg1(l, s, s2); r = [u, w, q, x]; endfunction
function r = opened(l, s, v, m), [u, w, q, x] = qnos(l, s, v, m); r = [w, q, x]; endfunction
function r = closed(n, s, v, m, z), [u, w, q, x] = qncsmva(n, s, v, m, z); r = [w, q, x]; endfunction
function r = crowded(n, s, m, z)
  k = length(s);
  [u, w, q, x] = qncsconv(n, [s, z], ones(1, k + 1), [ones(1, k - 1), m, -1]);
  r = [x(1), q(1:k - 1), sum(q(1:k - 1)) + x(1) * z];
endfunction
function r = usl(n, x, p)
  f = @(p) p(3) * n ./ (1 + p(1) * (n - 1) + p(2) * n .* (n - 1));
  for i = 1:20
    d = 1 + p(1) * (n - 1) + p(2) * n .* (n - 1);
    j = [-p(3) * n .* (n - 1) ./ d.^2, -p(3) * n.^2 .* (n - 1) ./ d.^2, n ./ d];
    p = p + (j \\ (x - f(p)));
  endfor
  v = length(n) - 3;
  t = sqrt(v * (1 / betaincinv(0.05, v / 2, 0.5) - 1));
  e = t * sqrt(diag(inv(j' * j)) * sumsq(x - f(p)) / v);
  r = [p', (p + e)'];
endfunction`;

const between = (random: Random, low: number, high: number): number => low + (high - low) * random();
const whole = (random: Random, low: number, high: number): number =>
  Math.floor(between(random, low, high + 1));

/** From a microsecond to an hour, each decade as likely. */
const drawServiceMs = (random: Random): number => 10 ** between(random, -3, 6.5);

function drawQueue(random: Random, serversMax: number, fullest: number) {
  const servers = whole(random, 1, serversMax);
  const serviceMs = drawServiceMs(random);
  return { servers, serviceMs, rateRps: (between(random, 0.01, fullest) * servers * 1000) / serviceMs };
}

function steady<T extends { readonly kind: string }>(answer: T): Extract<T, { kind: "steady" }> {
  if (answer.kind !== "steady") throw new Error("a drawn queue has no steady state");
  return answer as Extract<T, { kind: "steady" }>;
}

function asked(call: string, ...values: (number | readonly number[])[]): Pick<Case, "about" | "octave"> {
  const text = values.map((value) => (typeof value === "number" ? `${value}` : `[${value.join(", ")}]`));
  return { about: `${call}(${text.join(", ")})`, octave: `${call}(${text.join(", ")})` };
}

function markov(random: Random, serversMax: number, call: "mm1" | "mmm"): Case {
  const queue = drawQueue(random, serversMax, 0.98);
  const { utilisation, responseMs, inSystem, emptyShare, waitShare } = steady(mmc(queue));
  const means = [utilisation, responseMs / 1000, inSystem, queue.rateRps, emptyShare];
  return call === "mm1"
    ? { ours: means, ...asked("mm1", queue.rateRps, 1000 / queue.serviceMs) }
    : { ours: [...means, waitShare], ...asked("mmm", queue.rateRps, 1000 / queue.serviceMs, queue.servers) };
}

/** Octave's check of its own equations has an absolute tolerance: the rates must be near 1. */
function bounded(random: Random): Case {
  const servers = whole(random, 1, 12);
  const serviceMs = between(random, 300, 3000);
  const queue = { servers, serviceMs, rateRps: (between(random, 0.01, 2) * servers * 1000) / serviceMs };
  const capacity = queue.servers + whole(random, 0, 30);
  const { utilisation, responseMs, inSystem, throughputRps, emptyShare, refusedShare } = mmck({
    ...queue,
    capacity,
  });
  return {
    ours: [utilisation, responseMs / 1000, inSystem, throughputRps, emptyShare, refusedShare],
    ...asked("mmmk", queue.rateRps, 1000 / queue.serviceMs, queue.servers, capacity),
  };
}

function general(random: Random): Case {
  const { rateRps, serviceMs } = drawQueue(random, 1, 0.98);
  const serviceCv = between(random, 0, 5);
  const seconds = serviceMs / 1000;
  const { utilisation, responseMs, inSystem } = steady(mg1({ rateRps, serviceMs, serviceCv }));
  return {
    ours: [utilisation, responseMs / 1000, inSystem, rateRps],
    ...asked("mg1", rateRps, seconds, seconds ** 2 * (1 + serviceCv ** 2)),
  };
}

/** Stations with these numbers of servers; Infinity is a delay. */
function drawStations(random: Random, servers: readonly number[]): Station[] {
  return servers.map((count, k) => ({
    name: `${k}`,
    visits: between(random, 0.05, 20),
    serviceMs: 10 ** between(random, 0, 3),
    servers: count,
  }));
}

function drawServers(random: Random, multipleMax: number): number[] {
  const kinds = [1, 1, whole(random, 1, multipleMax), Infinity];
  return Array.from({ length: whole(random, 2, 6) }, () => kinds[whole(random, 0, 3)] ?? 1);
}

function columns(stations: readonly Station[]): [seconds: number[], visits: number[], servers: number[]] {
  return [
    stations.map(({ serviceMs }) => serviceMs / 1000),
    stations.map(({ visits }) => visits),
    stations.map(({ servers }) => (servers === Infinity ? -1 : servers)),
  ];
}

function numbersOf({ stations }: NetworkResult): number[] {
  return [
    ...stations.map(({ responseMs }) => responseMs / 1000),
    ...stations.map(({ inSystem }) => inSystem),
    ...stations.map(({ throughputRps }) => throughputRps),
  ];
}

function opened(random: Random): Case {
  const stations = drawStations(random, [...drawServers(random, 8), 1]);
  const fullRps = Math.min(
    ...stations.map(({ visits, serviceMs, servers }) => (1000 * servers) / visits / serviceMs),
  );
  const rateRps = fullRps * between(random, 0.05, 0.97);
  return {
    ours: numbersOf(steady(openNetwork(rateRps, stations))),
    ...asked("opened", rateRps, ...columns(stations)),
  };
}

function closed(random: Random, multipleMax: number, usersMax: number): Case {
  const stations = drawStations(random, [...drawServers(random, multipleMax), 1]);
  const users = whole(random, 1, usersMax);
  const thinkMs = random() < 0.3 ? 0 : between(random, 1, 20_000);
  return {
    ours: numbersOf(closedNetwork(users, thinkMs, stations)),
    ...asked("closed", users, ...columns(stations), thinkMs / 1000),
  };
}

/**
 * Many servers, often all busy: where the plain recursion loses its digits, and the package's conditional one too. Its
 * convolution holds for throughput and single servers, while demands are near a second; the rest of the users is at
 * the last station.
 */
function crowded(random: Random): Case {
  const servers = whole(random, 10, 40);
  const single = Array.from({ length: whole(random, 1, 3) }, () => between(random, 0.2, 1.5));
  const seconds = [...single, servers * between(random, 0.2, 1.5)];
  const users = whole(random, servers + 1, 100);
  const thinkS = between(random, 0.1, 30);
  const stations = seconds.map((s, k) => ({
    name: `${k}`,
    visits: 1,
    serviceMs: s * 1000,
    servers: k === single.length ? servers : 1,
  }));
  const { throughputRps, stations: of } = closedNetwork(users, thinkS * 1000, stations);
  const numbers = of.map(({ inSystem }) => inSystem);
  return {
    ours: [throughputRps, ...numbers.slice(0, -1), users - (numbers.at(-1) ?? 0)],
    ...asked("crowded", users, seconds, servers, thinkS),
  };
}

function erlang(random: Random): Case {
  const servers = whole(random, 1, 150);
  const load = servers * between(random, 0.3, 0.99);
  const octave = `[erlangb(${load}, ${servers}), erlangc(${load}, ${servers})]`;
  return { about: octave, octave, ours: [erlangB(servers, load), erlangC(servers, load)] };
}

function scalability(random: Random): Case {
  const truth = [between(random, 0.01, 0.1), between(random, 1e-4, 2e-3), between(random, 1, 1000)] as const;
  const points: UslPoint[] = [1, 2, 4, 8, 12, 16, 24, 32, 48, 64].map((n) => ({
    n,
    throughput: uslAt(truth, n) * between(random, 0.99, 1.01),
  }));
  const fit = fitUsl(points);
  if (fit === undefined) throw new Error("a drawn curve has too few points");
  const coefficients = [fit.contention, fit.coherence, fit.single];
  const transposed = (values: readonly number[]): string => `[${values.join("; ")}]`;
  const data = [points.map(({ n }) => n), points.map(({ throughput }) => throughput), truth].map(transposed);
  return {
    about: `usl(${data.join(", ")})`,
    octave: `usl(${data.join(", ")})`,
    ours: [...coefficients.map(({ value }) => value), ...coefficients.map(({ high }) => high)],
  };
}

/** Every kind, by its name. */
export const KINDS: Readonly<Record<string, Kind>> = {
  "M/M/1": { count: 60, tolerance: ROUNDING, draw: (random) => markov(random, 1, "mm1") },
  "M/M/c": { count: 70, tolerance: ROUNDING, draw: (random) => markov(random, 60, "mmm") },
  "Erlang B and C": { count: 50, tolerance: ROUNDING, draw: erlang },
  "M/M/c/K": { count: 60, tolerance: ROUNDING, least: SOLVED, draw: bounded },
  "M/G/1": { count: 50, tolerance: ROUNDING, draw: general },
  "open networks": { count: 60, tolerance: ROUNDING, draw: opened },
  "closed networks of single servers": {
    count: 60,
    tolerance: ROUNDING,
    draw: (random) => closed(random, 1, 200),
  },
  "closed networks of several servers": {
    count: 50,
    tolerance: ROUNDING,
    draw: (random) => closed(random, 4, 12),
  },
  "closed networks of many full servers": { count: 30, tolerance: ROUNDING, draw: crowded },
  "the scalability law and its intervals": { count: 30, tolerance: ITERATION, draw: scalability },
};
