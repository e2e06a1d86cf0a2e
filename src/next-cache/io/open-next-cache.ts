/**
 * The shared cache of Next.js in Redis, Valkey or the embedded store.
 *
 *     next:e:<key>     an entry
 *     next:t:<tag>     a tag's mark: hash of expired, stale, until
 *     next:seq         the number of the last invalidation
 */
import { type Reply, ReplyError, type Request, textOf } from "../../resp/index.ts";
import { RespClient, type RespClientOptions } from "../../resp/io/index.ts";
import { type NextCacheBackend, type TagChange, type TagMark } from "../backend.ts";

/** A cache with connections. */
export interface NextCacheStore extends NextCacheBackend {
  close(): void;
}

/** Tries of an invalidation that met another one. Each round one of them is done. */
const MARK_ATTEMPTS_MAX = 32;

/** Opens the cache at `redis://`, `rediss://`, `valkey://` or `valkeys://`. @throws TypeError when it is no such URL. */
export function openNextCache(
  url: string,
  options: { readonly prefix?: string; readonly client?: Omit<RespClientOptions, "url"> } = {},
): NextCacheStore {
  const { prefix = "next:", client: clientOptions } = options;
  const client = new RespClient({ ...clientOptions, url });
  let marker: RespClient | undefined;
  let marking: Promise<unknown> = Promise.resolve();
  const entryKey = (key: string): string => `${prefix}e:${key}`;
  const tagKey = (tag: string): string => `${prefix}t:${tag}`;
  const sequenceKey = `${prefix}seq`;

  /** One at a time: WATCH holds for all that is sent on its connection. */
  const mark = async (tags: readonly string[], change: TagChange): Promise<void> => {
    marker ??= new RespClient({ ...clientOptions, url });
    for (let attempt = 0; attempt < MARK_ATTEMPTS_MAX; attempt++) {
      // oxlint-disable-next-line no-await-in-loop -- each try waits for the outcome of the one before
      if (await tryMark(marker, sequenceKey, tags.map(tagKey), change)) return;
    }
    throw new Error(`an invalidation met others ${MARK_ATTEMPTS_MAX} times in a row`);
  };

  return {
    read: async (key) => {
      const reply = await client.call(["MGET", entryKey(key), sequenceKey]);
      const [entry, sequence] = Array.isArray(reply) ? (reply as Reply[]) : [];
      return { entry: entry instanceof Uint8Array ? entry : undefined, sequence: numberOf(sequence) };
    },
    write: async (key, entry, ttlMs) => {
      await client.call(["SET", entryKey(key), entry, "PX", String(Math.ceil(ttlMs))]);
    },
    remove: async (key) => {
      await client.call(["DEL", entryKey(key)]);
    },
    marks: async (tags) => {
      const replies = await client.pipeline(
        tags.map((tag) => ["HMGET", tagKey(tag), "expired", "stale", "until"]),
      );
      return replies.map(markOf);
    },
    mark: (tags, change) => {
      const marked = marking.then(() => mark(tags, change));
      marking = marked.catch(() => undefined);
      return marked;
    },
    close: () => {
      client.close();
      marker?.close();
    },
  };
}

/** False when another invalidation took the number. */
async function tryMark(
  client: RespClient,
  sequenceKey: string,
  tagKeys: readonly string[],
  change: TagChange,
): Promise<boolean> {
  await client.call(["WATCH", sequenceKey]);
  const next = String(numberOf(await client.call(["GET", sequenceKey])) + 1);
  const fields =
    change.kind === "expire" ? ["expired", next] : ["stale", next, "until", String(change.untilMs)];
  const commands: Request[] = tagKeys.map((key) => ["HSET", key, ...fields]);
  const replies = await client.pipeline([["MULTI"], ["SET", sequenceKey, next], ...commands, ["EXEC"]]);
  const last = replies.at(-1) ?? null;
  if (last instanceof ReplyError) throw last;
  return last !== null;
}

function markOf(reply: Reply): TagMark {
  if (reply instanceof ReplyError) throw reply;
  const [expired, stale, until] = Array.isArray(reply) ? (reply as Reply[]) : [];
  return { expired: numberOf(expired), stale: numberOf(stale), staleUntilMs: numberOf(until) };
}

function numberOf(reply: Reply | undefined): number {
  return Number(textOf(reply) ?? 0);
}
