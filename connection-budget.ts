/**
 * How many connections a server has, who may take them, and how many it should have.
 *
 * Little's law and a queue for the cores: more queries at once than cores and disks can work on wait inside of the server, where they hold
 * memory and locks, instead of before it. PostgreSQL's wiki ("Number Of Database Connections"): cores * 2 + effective spindles.
 */

/** What the server says of itself. */
export interface ServerLimits {
  readonly maxConnections: number;
  readonly superuserReserved: number;
  /** Since PostgreSQL 16; 0 before. */
  readonly reserved: number;
  /** Connections that clients hold now. */
  readonly used: number;
  readonly roles: readonly { readonly name: string; readonly limit: number; readonly used: number }[];
}

/** Who connects. */
export interface Pools {
  readonly routers: number;
  readonly workers: number;
  /** Connections of each worker's pool at most. */
  readonly size: number;
  /** Connections of others: jobs, consoles, backups. */
  readonly others: number;
}

/** A line of arithmetic. */
export interface BudgetLine {
  readonly what: string;
  readonly count: number;
  readonly how: string;
}

/** The budget. */
export interface Budget {
  readonly lines: readonly BudgetLine[];
  readonly available: number;
  readonly demanded: number;
  /** Below 0: connections are refused (53300) when all pools are full. */
  readonly left: number;
  /** Right for all pools together, and for each worker's. */
  readonly recommended: { readonly total: number; readonly each: number; readonly how: string };
  readonly problems: readonly string[];
}

/** Solid-state disks and data in memory: one "spindle" is what the formula's authors count then. */
const SPINDLES = 1;

/** The budget of a server with `cores`, for these pools. */
export function connectionBudget(limits: ServerLimits, pools: Pools, cores: number): Budget {
  const { maxConnections, superuserReserved, reserved } = limits;
  const { routers, workers, size, others } = pools;
  const available = maxConnections - superuserReserved - reserved;
  const pooled = routers * workers * size;
  const demanded = pooled + others;
  const clients = Math.max(1, routers * workers);
  const wanted = cores * 2 + SPINDLES;
  const total = Math.max(clients, Math.min(wanted, available - others));
  const each = Math.max(1, Math.floor(total / clients));
  const lines: BudgetLine[] = [
    { what: "max_connections", count: maxConnections, how: "the server's setting" },
    { what: "for superusers", count: -superuserReserved, how: "superuser_reserved_connections" },
    { what: "reserved", count: -reserved, how: "reserved_connections" },
    { what: "pools", count: -pooled, how: `${routers} routers x ${workers} workers x ${size}` },
    { what: "others", count: -others, how: "jobs, consoles, backups" },
  ];
  return {
    lines,
    available,
    demanded,
    left: available - demanded,
    recommended: {
      total: each * clients,
      each,
      how: `${cores} cores x 2 + ${SPINDLES} = ${wanted} (PostgreSQL wiki, "Number Of Database Connections"), over ${clients} workers`,
    },
    problems: problemsOf(limits, { pooled, demanded, available, wanted, clients }),
  };
}

interface Sums {
  readonly pooled: number;
  readonly demanded: number;
  readonly available: number;
  readonly wanted: number;
  readonly clients: number;
}

/** From here on waiting inside of the server costs more than it hides. */
const CROWD = 4;

function problemsOf({ roles, maxConnections }: ServerLimits, sums: Sums): readonly string[] {
  const { pooled, demanded, available, wanted, clients } = sums;
  const limited = roles.filter(({ limit }) => limit >= 0 && limit < pooled);
  return [
    ...(demanded > available
      ? [`full pools ask for ${demanded} of ${available}: ${demanded - available} connections would be refused (53300)`]
      : []),
    ...limited.map(
      ({ name, limit }) => `role ${name} may have ${limit}, below the pools' ${pooled}: ALTER ROLE ${name} CONNECTION LIMIT ${pooled}`,
    ),
    ...(pooled > wanted * CROWD
      ? [`${pooled} pooled connections are ${(pooled / wanted).toFixed(1)} times what the cores can work on: queries wait inside of the server`]
      : []),
    ...(clients > wanted
      ? [`${clients} workers hold one connection each at least, above ${wanted}: use fewer workers or routers`]
      : []),
    ...(maxConnections > MEMORY_CONNECTIONS
      ? [`max_connections ${maxConnections}: each may take work_mem several times; pools make so many needless`]
      : []),
  ];
}

/** From here on a server is short of memory before it is short of connections. */
const MEMORY_CONNECTIONS = 500;
