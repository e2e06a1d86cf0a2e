/** A lease store by its URL, as it stands in options and config. */
import type { LeaseStore } from "../../failover/lease-store.ts";
import { EtcdStore } from "./etcd-store.ts";
import { FileStore } from "./file-store.ts";

/** A request to the store that takes longer has failed; as a share of the lease, two fit before it is over. */
const DEADLINE_SHARE = 0.2;

let opened = 0;

/** What a store is opened with. */
export interface StoreWanted {
  /** "etcd://host:port,host:port", with the cluster's own key as a path if wanted; or "file:PATH", for servers of one machine. */
  readonly url: string;
  /** The cluster: by default its key in etcd is "tenfold/databases/NAME". */
  readonly cluster: string;
  readonly ttlMs: number;
}

/** Opens it; nothing is sent before the first request. Throws when the URL is none. */
export function openLeaseStore({ url, cluster, ttlMs }: StoreWanted): LeaseStore {
  if (url.startsWith("file:") && url.length > "file:".length) {
    opened += 1;
    return new FileStore(url.slice("file:".length).replace(/^\/\//, ""), `${process.pid}-${opened}`);
  }
  const etcd = /^etcd(s?):\/\/(?:([^:@/]+):([^@/]+)@)?([^/@]+)(?:\/(.+))?$/.exec(url);
  if (etcd === null)
    throw new Error(
      `the lease store "${withoutSecrets(url)}" is none: write etcd://host:2379,… or file:PATH`,
    );
  const [, secure, name, password, hosts = "", key = `tenfold/databases/${cluster}`] = etcd;
  return new EtcdStore({
    endpoints: hosts.split(",").map((host) => `http${secure}://${host}`),
    key,
    deadlineMs: ttlMs * DEADLINE_SHARE,
    ...(name === undefined || password === undefined
      ? {}
      : { user: { name: decodeURIComponent(name), password: decodeURIComponent(password) } }),
  });
}

function withoutSecrets(url: string): string {
  return url.replace(/\/\/[^@/]*@/, "//…@");
}
