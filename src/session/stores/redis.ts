/**
 * Sessions in a Redis-compatible store: a hash per session, patched by MULTI … EXEC of plain commands, without Lua.
 *
 * A hash is a session only while it has the field `:live`, which nothing but `create` writes. A patch reads it within
 * its own transaction: where it was missing, what the patch wrote is a husk that no load takes for a session, and is
 * deleted at once (or by its expiry, when this process dies just then). So no WATCH is needed, and no patch of one
 * session waits for another. Only `ifVersion` watches.
 */
import { applied, type Patch, type PatchOutcome, type SessionStore, wholeNumber } from "../store.ts";
import {
  members,
  pairs,
  type StoreCommand,
  type StoreCommands,
  type StoreReply,
  textOfReply,
} from "./commands.ts";

/** Marks a hash as a session. */
const LIVE = ":live";

/** Counts changes. */
const VERSION = ":version";

/** Where keys begin; another prefix lets several apps share a store. */
export const KEY_PREFIX = "session:";

/** A session store on a Redis-compatible one. Keys: `session:r:<key>` hashes, `session:u:<owner>` sets, `session:v:<owner>` strings. */
export function redisStore(commands: StoreCommands, prefix: string = KEY_PREFIX): SessionStore {
  const record = (key: string): string => `${prefix}r:${key}`;
  const owned = (owner: string): string => `${prefix}u:${owner}`;
  const revoked = (owner: string): string => `${prefix}v:${owner}`;

  return {
    load: async (key) => {
      const fields = new Map(pairs(await commands.send(["HGETALL", record(key)])));
      const version = fields.get(VERSION);
      if (!fields.delete(LIVE) || version === undefined) return undefined;
      fields.delete(VERSION);
      return { fields, version };
    },
    create: async (key, fields, ttlMs) => {
      const name = record(key);
      const replies = await commands.transaction([
        ["DEL", name],
        ["HSET", name, LIVE, "1", VERSION, "1", ...[...fields].flat()],
        ["PEXPIRE", name, ttl(ttlMs)],
      ]);
      refuseErrors(replies);
    },
    patch: (key, patch) =>
      patch.ifVersion === undefined
        ? patchNow(commands, record(key), patch)
        : patchIf(commands, record(key), patch, patch.ifVersion),
    remove: async (key) => Number(await commands.send(["DEL", record(key)])) > 0,
    link: async (owner, key, ttlMs) => {
      const name = owned(owner);
      const replies = await commands.transaction([
        ["SADD", name, key],
        ["PEXPIRE", name, ttl(ttlMs)],
        ["SCARD", name],
      ]);
      refuseErrors(replies);
      return Number(replies[2]);
    },
    unlink: async (owner, keys) => {
      if (keys.length > 0) await commands.send(["SREM", owned(owner), ...keys]);
    },
    linked: async (owner) => members(await commands.send(["SMEMBERS", owned(owner)])),
    noteRevocation: async (owner, revocation, ttlMs) => {
      await commands.send(["SET", revoked(owner), revocation, "PX", ttl(ttlMs)]);
    },
    revocation: async (owner) => textOfReply(await commands.send(["GET", revoked(owner)])) || undefined,
  };
}

async function patchNow(commands: StoreCommands, name: string, patch: Patch): Promise<PatchOutcome> {
  const replies = await commands.transaction(patchCommands(name, patch));
  if (replies[0] === null) {
    await commands.send(["DEL", name]);
    return { status: "gone" };
  }
  return outcome(patch, replies);
}

async function patchIf(
  commands: StoreCommands,
  name: string,
  patch: Patch,
  version: string,
): Promise<PatchOutcome> {
  let isGone = false;
  const replies = await commands.watched(name, async (send) => {
    const found = members(await send(["HMGET", name, LIVE, VERSION]));
    isGone = found[0] !== "1";
    return found[0] === "1" && found[1] === version ? patchCommands(name, patch) : undefined;
  });
  if (replies !== undefined) return outcome(patch, replies);
  return { status: isGone ? "gone" : "conflict" };
}

/** The first two replies are `:live` and the version, then those of setIfAbsent and add, in order. */
function patchCommands(name: string, patch: Patch): StoreCommand[] {
  const set = [...(patch.set ?? [])].flat();
  return [
    ["HGET", name, LIVE],
    ["HINCRBY", name, VERSION, "1"],
    ...[...(patch.setIfAbsent ?? [])].map(([field, text]) => ["HSETNX", name, field, text]),
    ...[...(patch.add ?? [])].map(([field, by]) => ["HINCRBY", name, field, String(by)]),
    ...(set.length > 0 ? [["HSET", name, ...set]] : []),
    ...(patch.remove?.length ? [["HDEL", name, ...patch.remove]] : []),
    ["PEXPIRE", name, ttl(patch.ttlMs)],
  ];
}

function outcome(patch: Patch, replies: readonly StoreReply[]): PatchOutcome {
  let at = 2;
  const written = new Set<string>();
  const sums = new Map<string, number>();
  const notNumbers: string[] = [];
  for (const field of patch.setIfAbsent?.keys() ?? []) if (Number(replies[at++]) === 1) written.add(field);
  for (const field of patch.add?.keys() ?? []) {
    const sum = wholeNumber(textOfReply(replies[at++]));
    if (sum === undefined) notNumbers.push(field);
    else sums.set(field, sum);
  }
  refuseErrors([replies[0] ?? null, replies[1] ?? null, ...replies.slice(at)]);
  return applied(written, sums, notNumbers);
}

function refuseErrors(replies: readonly StoreReply[]): void {
  const failed = replies.find((reply) => reply instanceof Error);
  if (failed instanceof Error) throw failed;
}

/** PEXPIRE takes whole milliseconds; 0 would delete. */
function ttl(ttlMs: number): string {
  return String(Math.max(1, Math.ceil(ttlMs)));
}
