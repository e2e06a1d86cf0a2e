/** Which servers a router is for: a primary and replicas by their URLs, or the members of a cluster, whose lease says who is primary. */
import type { RouterOptions } from "../../app/index.ts";
import { formatAddress } from "../../config/index.ts";
import {
  type ClusterView,
  DEFAULT_FAILOVER,
  POOL_DEFAULTS,
  type PoolSettings,
} from "../../database/index.ts";
import type { PostgresUrl } from "../../pgwire/index.ts";
import { parseMembers } from "../database/members.ts";
import { UsageError } from "../failure.ts";

/** Who routes where, and as whom the router itself asks. */
export interface RoutedServers {
  readonly cluster: ClusterView;
  /** Whom it logs in as, and the TLS that a URL asks for. */
  readonly login: PostgresUrl;
  readonly hasReplicas: boolean;
  readonly lease?: NonNullable<RouterOptions["lease"]>;
}

/** Servers are named by their addresses, so that another primary is known for one. Timelines are 0: monitors learn them. */
export function serversByUrl(primary: PostgresUrl, replicas: readonly PostgresUrl[]): RoutedServers {
  const servers = [primary, ...replicas].map(({ host, port }, at) => ({
    name: formatAddress({ host, port }),
    host,
    port,
    role: at === 0 ? ("primary" as const) : ("replica" as const),
    timeline: 0,
    eligible: true,
  }));
  const name = formatAddress(primary);
  return {
    cluster: { revision: 1, name: "main", term: 1, state: "steady", primary: name, servers, mode: "async" },
    login: primary,
    hasReplicas: replicas.length > 0,
  };
}

/** What the options say of a cluster with a lease. */
export interface LeasedOptions {
  readonly members: string;
  readonly store: string | undefined;
  readonly user: string;
  readonly password: string | undefined;
  readonly pool: Partial<PoolSettings>;
}

/** The cluster of `tenfold db serve --members`; until its lease is read nobody is primary, and statements wait. Throws a `UsageError`. */
export function serversByLease({ members, store, user, password, pool }: LeasedOptions): RoutedServers {
  const parsed = parseMembers(members).filter(({ kind }) => kind === undefined); // a witness answers nothing
  if (store === undefined)
    throw new UsageError(
      "--members needs to know where the lease is, which says who is primary",
      "write --store etcd://HOST:2379,… as for tenfold db serve",
    );
  const servers = parsed.map(({ name, address: { host, port } }) => ({
    name,
    host,
    port,
    role: "replica" as const,
    timeline: 0,
    eligible: true,
  }));
  const [{ host, port } = { host: "", port: 0 }] = servers;
  const { queueTimeoutMs = POOL_DEFAULTS.queueTimeoutMs, queueMax = POOL_DEFAULTS.queueMax } = pool;
  return {
    cluster: { ...NOBODY, servers },
    login: {
      host,
      port,
      user,
      database: "postgres",
      options: new Map(),
      ...(password === undefined ? {} : { password }),
    },
    hasReplicas: servers.length > 1,
    lease: {
      store,
      cluster: NOBODY.name,
      times: DEFAULT_FAILOVER,
      hold: { ms: queueTimeoutMs, max: queueMax },
    },
  };
}

const NOBODY: Omit<ClusterView, "servers"> = {
  revision: 1,
  name: "main",
  term: 0,
  state: "no-primary",
  primary: undefined,
  mode: "async",
};
