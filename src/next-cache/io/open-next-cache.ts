/**
 * The shared cache of Next.js in Redis, Valkey or the embedded store.
 *
 *     next:e:<key>     an entry
 *     next:tags        hash of all marks: :seq and :epoch; e:<tag> expired, s:<tag> stale, u:<tag> until
 *
 * All marks are one key, which every read touches: a store that evicts hardly drops it, and when it does, all of it goes,
 * the epoch too. Then nothing that was stored before is used, where single lost marks would bring old pages back.
 */
import { randomUUID } from "node:crypto";
import { systemClock, systemScheduler } from "../../base/index.ts";
import { type Reply, ReplyError, textOf } from "../../resp/index.ts";
import { RespClient, type RespClientOptions } from "../../resp/io/index.ts";
import type { NextCacheBackend, TagChange } from "../backend.ts";
import { guardedBackend } from "../guarded-backend.ts";

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
  const entryKey = (key: string): string => `${prefix}e:${key}`;
  const tagsKey = `${prefix}tags`;

  /** Called one at a time: WATCH holds for all that is sent on its connection. */
  const mark = async (tags: readonly string[], change: TagChange): Promise<void> => {
    marker ??= new RespClient({ ...clientOptions, url });
    for (let attempt = 0; attempt < MARK_ATTEMPTS_MAX; attempt++) {
      // oxlint-disable-next-line no-await-in-loop -- each try waits for the outcome of the one before
      if (await tryMark(marker, tagsKey, tags, change)) return;
    }
    throw new Error(`an invalidation met others ${MARK_ATTEMPTS_MAX} times in a row`);
  };

  const backend: NextCacheBackend = {
    read: async (key) => {
      const requests = [
        ["HSETNX", tagsKey, ":epoch", randomUUID()],
        ["HMGET", tagsKey, ":seq", ":epoch"],
        ["GET", entryKey(key)],
      ];
      const [, state, entry] = (await client.pipeline(requests)).map(orThrow);
      const [sequence, epoch] = Array.isArray(state) ? (state as Reply[]) : [];
      return {
        entry: entry instanceof Uint8Array ? entry : undefined,
        sequence: numberOf(sequence),
        epoch: textOf(epoch) ?? "",
      };
    },
    write: async (key, entry, ttlMs) => {
      await client.call(["SET", entryKey(key), entry, "PX", String(Math.ceil(ttlMs))]);
    },
    remove: async (key) => {
      await client.call(["DEL", entryKey(key)]);
    },
    marks: async (tags) => {
      const names = tags.flatMap((tag) => [`e:${tag}`, `s:${tag}`, `u:${tag}`]);
      const reply = await client.call(["HMGET", tagsKey, ...names]);
      const numbers = (Array.isArray(reply) ? (reply as Reply[]) : []).map(numberOf);
      return tags.map((_, index) => ({
        expired: numbers[3 * index] ?? 0,
        stale: numbers[3 * index + 1] ?? 0,
        staleUntilMs: numbers[3 * index + 2] ?? 0,
      }));
    },
    mark,
    forget: async () => {
      await client.call(["DEL", tagsKey]);
    },
  };
  const guarded = guardedBackend(backend, { clock: systemClock, scheduler: systemScheduler });
  return {
    ...guarded,
    close: () => {
      guarded.stop();
      client.close();
      marker?.close();
    },
  };
}

/** False when another invalidation took the number. */
async function tryMark(
  client: RespClient,
  tagsKey: string,
  tags: readonly string[],
  change: TagChange,
): Promise<boolean> {
  await client.call(["WATCH", tagsKey]);
  const next = String(numberOf(await client.call(["HGET", tagsKey, ":seq"])) + 1);
  const fields = tags.flatMap((tag) =>
    change.kind === "expire" ? [`e:${tag}`, next] : [`s:${tag}`, next, `u:${tag}`, String(change.untilMs)],
  );
  const replies = await client.pipeline([["MULTI"], ["HSET", tagsKey, ":seq", next, ...fields], ["EXEC"]]);
  return orThrow(replies.at(-1) ?? null) !== null;
}

function orThrow(reply: Reply): Reply {
  if (reply instanceof ReplyError) throw reply;
  return reply;
}

function numberOf(reply: Reply | undefined): number {
  return Number(textOf(reply) ?? 0);
}
