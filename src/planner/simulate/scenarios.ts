/**
 * Designs that come with Tenfold, as a user would write them: the case study of a growing app step by step, and the
 * known ways in which systems fall over. Each is a starting point: `tenfold simulate NAME --print > mine.yaml`.
 */

import { ALGORITHMS } from "../../balance/index.ts";

/** A design by name, and what it shows. */
export interface Scenario {
  readonly name: string;
  readonly about: string;
  readonly design: unknown;
}

const OBJECTIVE = { p99: "500ms", errors: "1%" };

/** A user of the case study sends a request every 100 s, nine reads to a write. */
const caseStudyClients = (users: number) => ({
  web: {
    to: "web",
    rate: `${users / 100}/s`,
    routes: { read: 9, write: 1 },
    keys: { count: 10_000, skew: 0.8 },
  },
});

const APP = { kind: "service", cores: 4, time: "7.6ms", calls: ["db"], pricePerMonth: 100 };
const DATABASE = {
  kind: "database",
  cores: 1,
  read: { mean: "1.6ms", cv: 3 },
  write: { mean: "4ms", cv: 2 },
  pricePerMonth: 150,
};
const WEB = { kind: "gateway", to: "app", group: { algorithm: "least-requests" } };
/** Profiles are kept 5 min and the feed 30 s; together seven of ten reads are answered from there. */
const CACHE = { kind: "cache", to: "db", hits: 0.7, time: "0.5ms", bypass: ["write"], pricePerMonth: 40 };
const CACHED_APP = { ...APP, calls: ["cache"] };

/** What ejection does to a group that is slow as a whole is seen in "metastable" alone. */
const NO_EJECTION = { consecutive5xx: 0, consecutiveFailures: 0 };

/** A service that is slow for ten seconds and cuts off what takes long, and a gateway that then tries again. */
const storm = (retry: { readonly attempts: number; readonly budget: boolean }, ejection: object) => ({
  clients: { web: { to: "web", rate: "600/s", timeout: "2s" } },
  nodes: {
    web: { kind: "gateway", to: "app", retry, group: { ejection } },
    app: { kind: "service", tasks: 10, time: "10ms", queueMax: 100_000, timeLimit: "500ms" },
  },
  faults: Array.from({ length: 10 }, (_, task) => ({
    kind: "slow-task",
    at: "20s",
    node: "app",
    task,
    factor: 3,
    for: "10s",
  })),
  run: { duration: "90s", warmUp: "5s", objective: { p99: "500ms", errors: "1%" } },
});

const stampede = (coalesce: boolean) => ({
  clients: { web: { to: "cache", rate: "2000/s", keys: { count: 200, skew: 1 } } },
  nodes: {
    cache: { kind: "cache", to: "db", entries: 1000, ttl: "1h", time: "0.2ms", coalesce },
    db: { kind: "database", cores: 4, read: "50ms", queueMax: 100_000 },
  },
  faults: [{ kind: "flush", at: "20s", node: "cache" }],
  run: { duration: "60s", warmUp: "10s", objective: { p99: "500ms", errors: "1%" } },
});

const slowTarget = (algorithm: string) => ({
  clients: { web: { to: "web", rate: "120/s" } },
  nodes: {
    web: { kind: "gateway", to: "app", group: { algorithm } },
    app: { kind: "service", tasks: 3, time: "10ms" },
  },
  faults: [{ kind: "slow-task", at: "0s", node: "app", task: 0, factor: 5, for: "1h" }],
  run: { duration: "120s", warmUp: "20s", objective: { p99: "300ms", errors: "1%" } },
});

const unevenWork = (algorithm: string) => ({
  clients: { web: { to: "web", rate: "560/s" } },
  nodes: {
    web: { kind: "gateway", to: "app", group: { algorithm } },
    app: { kind: "service", tasks: 8, time: { mean: "10ms", cv: 4 } },
  },
  run: { duration: "120s", warmUp: "20s", objective: { p99: "300ms", errors: "1%" } },
});

/** All of them; a new one is one row. */
export const SCENARIOS: readonly Scenario[] = [
  {
    name: "case-1-one-server",
    about: "1,000 users on one server",
    design: {
      clients: caseStudyClients(1000),
      nodes: { web: WEB, app: { ...APP, tasks: 1 }, db: DATABASE },
      run: { duration: "10m", warmUp: "1m", objective: OBJECTIVE },
    },
  },
  {
    name: "case-2-full",
    about: "50,000 users on the same server: it is full",
    design: {
      clients: caseStudyClients(50_000),
      nodes: { web: WEB, app: { ...APP, tasks: 1 }, db: DATABASE },
      run: { duration: "5m", warmUp: "1m", objective: OBJECTIVE },
    },
  },
  {
    name: "case-3-cache",
    about: "…with a cache before the database",
    design: {
      clients: caseStudyClients(50_000),
      nodes: { web: WEB, app: { ...CACHED_APP, tasks: 1 }, cache: CACHE, db: DATABASE },
      run: { duration: "5m", warmUp: "1m", objective: OBJECTIVE },
    },
  },
  {
    name: "case-4-three-servers",
    about: "…and three servers behind the balancer",
    design: {
      clients: caseStudyClients(50_000),
      nodes: { web: WEB, app: { ...CACHED_APP, tasks: 3 }, cache: CACHE, db: DATABASE },
      run: { duration: "5m", warmUp: "1m", objective: OBJECTIVE },
    },
  },
  {
    name: "case-5-replicas",
    about: "150,000 users, two replicas that read",
    design: {
      clients: caseStudyClients(150_000),
      nodes: { web: WEB, app: { ...CACHED_APP, tasks: 4 }, cache: CACHE, db: { ...DATABASE, replicas: 2 } },
      run: { duration: "3m", warmUp: "30s", objective: OBJECTIVE },
    },
  },
  {
    name: "case-6-bigger-primary",
    about: "500,000 users, database servers of eight cores",
    design: {
      clients: caseStudyClients(500_000),
      nodes: {
        web: WEB,
        app: { ...CACHED_APP, tasks: 12 },
        cache: CACHE,
        db: { ...DATABASE, cores: 8, replicas: 2, pricePerMonth: 900 },
      },
      run: { duration: "60s", warmUp: "10s", objective: OBJECTIVE },
    },
  },
  {
    name: "case-7-shards",
    about: "1,000,000 users, four shards by user",
    design: {
      clients: caseStudyClients(1_000_000),
      nodes: {
        web: WEB,
        app: { ...CACHED_APP, tasks: 24 },
        cache: CACHE,
        db: { ...DATABASE, cores: 4, replicas: 2, shards: 4, pricePerMonth: 500 },
      },
      run: { duration: "60s", warmUp: "10s", objective: OBJECTIVE },
    },
  },
  {
    name: "retry-storm",
    about: "Retries without a budget keep a service down that has long been well again",
    design: storm({ attempts: 2, budget: false }, NO_EJECTION),
  },
  {
    name: "retry-budget",
    about: "The same with a budget: it recovers",
    design: storm({ attempts: 2, budget: true }, NO_EJECTION),
  },
  {
    name: "metastable",
    about: "All targets are slow for a while; ejecting half of them leaves too few to recover with",
    design: storm({ attempts: 0, budget: true }, {}),
  },
  { name: "stampede", about: "A cache is flushed and every miss asks the database", design: stampede(false) },
  { name: "coalesced", about: "The same, concurrent misses of one key asking once", design: stampede(true) },
  ...Object.keys(ALGORITHMS).map((algorithm) => ({
    name: `slow-target-${algorithm}`,
    about: `One of three targets is five times as slow, under ${algorithm}`,
    design: slowTarget(algorithm),
  })),
  ...["round-robin", "least-requests"].map((algorithm) => ({
    name: `uneven-work-${algorithm}`,
    about: `A few requests take a hundred times as long as most, under ${algorithm}`,
    design: unevenWork(algorithm),
  })),
  {
    name: "news",
    about: "A news site: articles that never change, and a spike of fifty times",
    design: {
      clients: {
        readers: {
          to: "cdn",
          points: [
            ["0s", "200/s"],
            ["60s", "200/s"],
            ["70s", "10000/s"],
            ["120s", "10000/s"],
            ["180s", "400/s"],
            ["240s", "200/s"],
          ],
          keys: { count: 5000, skew: 1.2 },
        },
      },
      nodes: {
        cdn: { kind: "cache", to: "web", entries: 10_000, ttl: "1h", time: "1ms" },
        web: { kind: "gateway", to: "app", group: { algorithm: "p2c" } },
        app: {
          kind: "service",
          tasks: 2,
          time: "20ms",
          calls: ["db"],
          autoscale: { min: 2, max: 10, inFlight: 4 },
        },
        db: { kind: "database", cores: 4, read: "3ms", replicas: 1 },
      },
      run: { duration: "4m", warmUp: "5s", objective: { p99: "200ms", errors: "0.1%" } },
    },
  },
];
