/**
 * What must hold among stores: what may not vanish is never where something is dropped when memory is full.
 *
 * The unit is the server, not the database number: all databases of one Redis share its `maxmemory` and its policy.
 */
import type { Problem } from "./problem.ts";
import { EMBEDDED_STORE, type StoreConfig } from "./store.ts";

/** All problems of the stores. */
export function* storeProblems(stores: readonly StoreConfig[]): Iterable<Problem> {
  for (const store of stores) yield* evictionOfUse(store);
  yield* sharedServers(stores);
}

/** Sessions and state do not evict; a cache does. */
function* evictionOfUse({ name, url, use, eviction, memoryBytes }: StoreConfig): Iterable<Problem> {
  const path = `stores.${name}.eviction`;
  const what = use === "sessions" ? "sessions" : "what must not vanish";
  if (use !== "cache" && eviction !== "noeviction")
    yield {
      path,
      what: `is ${eviction}, which drops ${what} when memory is full`,
      mend: `write eviction: "noeviction", or use: "cache" if all in it can be made again`,
    };
  if (use === "cache" && eviction === "noeviction" && url === EMBEDDED_STORE && memoryBytes > 0)
    yield {
      path,
      what: "is noeviction, by which a cache that is full refuses every new value",
      mend: 'leave it out (allkeys-s3-fifo), or write use: "state"',
    };
}

/** A cache and something else on one server. */
function* sharedServers(stores: readonly StoreConfig[]): Iterable<Problem> {
  const seen = new Map<string, StoreConfig>();
  for (const store of stores) {
    const servers = serversOf(store);
    const others = servers.flatMap((server) => seen.get(server) ?? []);
    for (const server of servers) if (!seen.has(server)) seen.set(server, store);
    const other = others.find(({ use }) => (use === "cache") !== (store.use === "cache"));
    if (other === undefined) continue;
    yield {
      path: `stores.${store.name}.url`,
      what: `is the server of stores.${other.name}: one is for "${other.use}", the other for "${store.use}", and all databases of a server share its memory and its eviction`,
      mend: "give each a server of its own",
    };
  }
}

const REDIS_PORT = "6379";

/** Names of this machine; an address that takes all is on it too. */
const LOCAL = /^(?:localhost|127(?:\.\d+){3}|\[?::1?\]?|0\.0\.0\.0)$/;

/** "host:port" of each server; none for what cannot be read, and for Postgres, which drops nothing when it is full. */
function serversOf({ url, address }: StoreConfig): readonly string[] {
  if (url === EMBEDDED_STORE) return [placeOf(address.host, String(address.port))];
  const [, hosts = ""] = /^(?:redis|valkey)[^/]*:\/\/(?:[^/]*@)?([^/]*)/.exec(url) ?? [];
  return hosts.split(",").flatMap((host) => {
    if (!URL.canParse(`redis://${host}`)) return [];
    const { hostname, port } = new URL(`redis://${host}`);
    return hostname === "" ? [] : [placeOf(hostname, port || REDIS_PORT)];
  });
}

function placeOf(host: string, port: string): string {
  const name = host.toLowerCase().replace(/\.$/, "");
  return `${LOCAL.test(name) ? "localhost" : name}:${port}`;
}
