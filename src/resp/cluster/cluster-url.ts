/**
 * Addresses of clusters: `redis-cluster://[user[:password]@]host[:port][,host[:port]…]`, `rediss-cluster://` for TLS, and
 * `valkey-cluster://`, `valkeys-cluster://`, which mean the same. The hosts are where to begin: the cluster says who else
 * belongs to it. There is one database.
 */
import { parseStoreUrl } from "../store-url.ts";
import { type NodeAddress, splitAddress } from "./slot-map.ts";

/** Where a cluster is, and how each of its nodes is reached. */
export interface ClusterUrl {
  /** Nodes to begin with, at least one. */
  readonly seeds: readonly NodeAddress[];
  /** The URL of one node, with the cluster's user and password. */
  readonly nodeUrl: (address: NodeAddress) => string;
}

const SCHEME = /^(rediss?|valkeys?)-cluster:\/\//i;

/** Hosts in one URL: more than a few are for those that are down just now. */
const SEEDS_MAX = 64;

/** Whether a URL says that it is a cluster's. */
export function isClusterUrl(text: string): boolean {
  return SCHEME.test(text);
}

/** Reads a cluster's URL. Gives a sentence that says what is wrong, without the password, when it is none. */
export function parseClusterUrl(text: string): ClusterUrl | string {
  const scheme = SCHEME.exec(text);
  if (scheme === null) return "is no cluster's URL: write redis-cluster://host:port,host:port";
  const rest = text.slice(scheme[0].length);
  const at = rest.lastIndexOf("@");
  const login = rest.slice(0, at + 1);
  const [hosts = "", ...path] = rest.slice(at + 1).split("/");
  if (path.some((part) => part !== "" && part !== "0"))
    return "has a database, and a cluster has one only: end it after the last host";
  const base = `${scheme[1]?.toLowerCase()}://${login}`;
  const seeds: NodeAddress[] = [];
  for (const host of hosts.split(",")) {
    const seed = parseStoreUrl(base + host);
    if (typeof seed === "string")
      return seed.startsWith("has")
        ? seed
        : "has a host that is none: write redis-cluster://host:port,host:port";
    seeds.push(`${seed.host}:${seed.port}`);
  }
  if (seeds.length > SEEDS_MAX)
    return `has more than ${SEEDS_MAX} hosts: a few are enough, the cluster names the others`;
  const nodeUrl = (address: NodeAddress): string => {
    const { host, port } = splitAddress(address);
    return `${base}${host.includes(":") ? `[${host}]` : host}:${port}`;
  };
  return { seeds, nodeUrl };
}
