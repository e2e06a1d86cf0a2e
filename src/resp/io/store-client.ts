/** A client of a store by its URL: one server, or a cluster. What the parts that need a store are written against. */
import { isClusterUrl } from "../cluster/index.ts";
import type { Reply } from "../reply.ts";
import type { Request } from "../request.ts";
import { RespClient, type RespClientOptions } from "./client.ts";
import { RespCluster } from "./cluster.ts";
import { type Decide, Watcher, watchOn } from "./watcher.ts";

/** What a store can be asked, whether it is one server or a cluster. */
export interface StoreClient {
  /** Sends a request and resolves to its reply; see `RespClient.call`. */
  call(request: Request, deadlineMs?: number): Promise<Reply>;
  /** Sends requests together; see `RespClient.pipeline`. Those whose keys are in one slot are carried out in order. */
  pipeline(requests: readonly Request[], deadlineMs?: number): Promise<Reply[]>;
  /**
   * WATCHes `key` on a connection of its own, lets `decide` read and choose, and runs what it chose as MULTI … EXEC. One at a
   * time. Undefined when the key changed in between, or when nothing was chosen.
   */
  watched(key: string, decide: Decide): Promise<readonly Reply[] | undefined>;
  close(): void;
}

/** Opens a client by `options.url`. Throws a TypeError when it is no store's or cluster's. */
export function openStoreClient(options: RespClientOptions): StoreClient {
  if (isClusterUrl(options.url)) return new RespCluster(options);
  const client = new RespClient(options);
  // Events of the connection are told by the first client alone.
  const { onPush: _, onState: __, ...silent } = options;
  const watcher = new Watcher(() => new RespClient(silent));
  return {
    call: (request, deadlineMs) => client.call(request, deadlineMs),
    pipeline: (requests, deadlineMs) => client.pipeline(requests, deadlineMs),
    watched: (key, decide) => watcher.run((connection) => watchOn(connection(""), key, decide)),
    close: () => {
      client.close();
      watcher.close();
    },
  };
}
