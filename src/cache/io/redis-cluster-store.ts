/**
 * A shared store in a Redis Cluster: 64 partitions, each with a hash tag of its own, so that what a step touches is in one slot.
 *
 * Redis replicates after it has acknowledged, so a failover may lose the last writes. Values that are lost are loads. Against
 * invalidations that are lost there are two things: the scripts begin a new epoch on another node than the one that counted
 * (lease-scripts.ts), and a process that told the old primary something tells the new one that all is invalid: what it told may
 * have been told to a primary that was deposed already, and did not know.
 */
import type { Clock, Scheduler } from "../../base/index.ts";
import { parseClusterUrl, type SlotMap, slotOf } from "../../resp/index.ts";
import { RespCluster } from "../../resp/io/index.ts";
import { type GuardedStore, guarded } from "../store/guarded-store.ts";
import { PARTITIONS, PartitionedStore, partitionPrefixes } from "../store/partitioned.ts";
import { ClusterBus } from "./cluster-bus.ts";
import { busChannel, clientOptions, RedisStore, type RedisStoreOptions } from "./redis-store.ts";

/** What a store in a cluster is made of; the URL is a cluster's. */
export interface RedisClusterStoreOptions extends RedisStoreOptions {
  /** The URL without the password, for errors. */
  readonly name: string;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
}

/** Connects; calls fail until the cluster has told its slots. Throws a TypeError when the URL is no cluster's. */
export function redisClusterStore(options: RedisClusterStoreOptions): GuardedStore {
  const { namespace, newToken, clock, scheduler, name, deadlineMs } = options;
  const url = parseClusterUrl(options.url);
  if (typeof url === "string") throw new TypeError(`the store's URL ${url}`);
  const prefixes = partitionPrefixes(namespace);
  const slots = prefixes.map((prefix) => slotOf(prefix));
  const origin = newToken();
  const primaries: (string | undefined)[] = Array.from({ length: PARTITIONS });
  /** Partitions whose present primary was told something. */
  const told = new Set<number>();
  let bus: ClusterBus | undefined;

  const changed = (map: SlotMap): void => {
    bus?.update(map);
    slots.forEach((slot, at) => {
      const [former, present] = [primaries[at], map.primaries[map.owners[slot] ?? -1]];
      if (present === undefined) return;
      primaries[at] = present;
      if (former === undefined || former === present || !told.delete(at)) return;
      partitions[at]?.invalidate({ kind: "all" }).catch(() => {}); // its guard owes it now
    });
  };
  const client = new RespCluster({ ...clientOptions(options), onMap: changed });
  const partitions = prefixes.map((prefix) =>
    guarded(
      new RedisStore({
        client,
        place: "cluster",
        namespace: prefix,
        origin,
        newToken,
        listen: () => {}, // one bus hears all partitions
        close: () => {},
      }),
      { name, deadlineMs, clock, scheduler },
    ),
  );

  return new PartitionedStore({
    partitions,
    onTold: (at) => told.add(at),
    listen: (listener) => {
      bus?.close();
      bus = new ClusterBus({
        client: clientOptions(options),
        nodeUrl: url.nodeUrl,
        channels: prefixes.map(busChannel),
        origin,
        scheduler,
        listener,
        onMoved: () => client.refresh(),
      });
      if (client.map !== undefined) bus.update(client.map);
    },
    close: () => {
      bus?.close();
      client.close();
    },
  });
}
