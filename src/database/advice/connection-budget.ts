/**
 * How many connections a server has, who has them, and how many it should have.
 *
 * More queries at once than cores and disks can work on wait inside of the server, where they hold memory and locks, instead of before
 * it. PostgreSQL's wiki ("Number Of Database Connections"): cores * 2 + effective spindles.
 */

/** What the server says of itself. */
export interface ServerLimits {
  readonly maxConnections: number;
  readonly superuserReserved: number;
  /** Since PostgreSQL 16; 0 before. */
  readonly reserved: number;
  /** What one sort or hash may take: work_mem times hash_mem_multiplier. */
  readonly workMemBytes: number;
  readonly sharedBufferBytes: number;
  /** Connections that clients hold now, by application (else role) and state. */
  readonly inUse: readonly { readonly app: string; readonly state: string; readonly count: number }[];
  /** Roles with a limit of their own. */
  readonly roles: readonly { readonly name: string; readonly limit: number }[];
}

/** Who connects. */
export interface Pools {
  /** Processes that have a pool each: workers of all tasks, or of routers. */
  readonly workers: number;
  /** Connections of each pool at most. */
  readonly size: number;
  /** Connections of others: jobs, consoles, backups. */
  readonly others: number;
}

/** The budget. */
export interface Budget {
  /** For others than superusers. */
  readonly available: number;
  readonly inUse: ServerLimits["inUse"];
  readonly used: number;
  readonly pooled: number;
  readonly demanded: number;
  /** Below 0: connections are refused (53300) when all pools are full. */
  readonly left: number;
  /** One sort or hash in each connection at once, and the shared cache. */
  readonly worstMemoryBytes: number;
  /** Right for all pools together, and for each. */
  readonly recommended: { readonly total: number; readonly each: number; readonly how: string };
  readonly problems: readonly string[];
}

/** Solid-state disks and data in memory: one "spindle" is what the formula's authors count then. */
const SPINDLES = 1;

/** What a backend takes before it sorts anything: its catalog cache, page tables, stack. */
const BACKEND_BYTES = 10 * 1024 * 1024;

/** From here on waiting inside of the server costs more than it hides. */
const CROWD = 4;

/** The budget of a server with `cores` and `memoryBytes`, for these pools. */
export function connectionBudget(
  limits: ServerLimits,
  { workers, size, others }: Pools,
  { cores, memoryBytes }: { readonly cores: number; readonly memoryBytes: number },
): Budget {
  const available = Math.max(0, limits.maxConnections - limits.superuserReserved - limits.reserved);
  const pooled = workers * size;
  const demanded = pooled + others;
  const wanted = cores * 2 + SPINDLES;
  const total = Math.max(1, Math.min(wanted, available - others));
  const each = Math.max(1, Math.floor(total / Math.max(1, workers)));
  const worstMemoryBytes =
    limits.maxConnections * (limits.workMemBytes + BACKEND_BYTES) + limits.sharedBufferBytes;
  const hot = limits.roles.filter(({ limit }) => limit < pooled);
  return {
    available,
    inUse: limits.inUse,
    used: limits.inUse.reduce((sum, { count }) => sum + count, 0),
    pooled,
    demanded,
    left: available - demanded,
    worstMemoryBytes,
    recommended: {
      total,
      each,
      how: `${cores} cores x 2 + ${SPINDLES} = ${wanted} (PostgreSQL wiki, "Number Of Database Connections")`,
    },
    problems: [
      ...(demanded > available
        ? [
            `full pools ask for ${demanded} of ${available}: ${demanded - available} connections would be refused (53300)`,
          ]
        : []),
      ...hot.map(
        ({ name, limit }) => `role ${name} may have ${limit} connections, below the pools' ${pooled}`,
      ),
      ...(pooled > wanted * CROWD || workers > wanted
        ? [
            `${pooled} pooled connections are ${(pooled / wanted).toFixed(1)} times what the cores can work on: put the router between, with a pool of ${total}`,
          ]
        : []),
      ...(worstMemoryBytes > memoryBytes
        ? [
            "one sort in each connection at once takes more than the machine has: lower max_connections or work_mem",
          ]
        : []),
    ],
  };
}
