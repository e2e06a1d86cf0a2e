/**
 * Where the keys of a request are, for a client of a cluster: a table of the commands whose first argument is not their
 * first key. And how requests with keys of several slots are cut into one request per slot, and their replies joined.
 */
import { type Reply, ReplyError } from "../reply.ts";
import type { Argument, Request } from "../request.ts";
import { slotOf } from "./slot.ts";

/**
 * Where the first key of a request is: nowhere (any node does), at a place, after the number of keys, which is then at the
 * place before it, or after the word STREAMS. Commands that are not here have it first.
 */
type KeyPlace = "none" | "second" | "counted first" | "counted second" | "streams";

const COMMANDS: Readonly<Record<KeyPlace, string>> = {
  none:
    "ACL ASKING AUTH BGREWRITEAOF BGSAVE CLIENT CLUSTER COMMAND CONFIG DBSIZE DISCARD ECHO EXEC FLUSHALL FLUSHDB FUNCTION HELLO INFO " +
    "KEYS LASTSAVE LATENCY MULTI PING PUBLISH PUBSUB RANDOMKEY READONLY ROLE SAVE SCAN SCRIPT SLOWLOG SUBSCRIBE TIME UNWATCH WAIT",
  // After a subcommand or an operation.
  second: "BITOP MEMORY OBJECT XGROUP XINFO",
  "counted first": "LMPOP SINTERCARD ZDIFF ZINTER ZINTERCARD ZMPOP ZUNION",
  "counted second": "EVAL EVALSHA EVALSHA_RO EVAL_RO FCALL FCALL_RO",
  streams: "XREAD XREADGROUP",
};

const PLACES: ReadonlyMap<string, KeyPlace> = new Map(
  (Object.keys(COMMANDS) as KeyPlace[]).flatMap((place) =>
    COMMANDS[place].split(" ").map((name) => [name, place] as const),
  ),
);

/** How replies of a request that was cut are joined: in the order of the keys, as a sum, or as one OK. */
type Joining = "list" | "sum" | "ok";

/** Commands over many keys that may be cut: name -> how many arguments belong to a key, and how replies are joined. */
const SPLITTABLE: Readonly<Record<string, { readonly stride: 1 | 2; readonly joining: Joining }>> = {
  DEL: { stride: 1, joining: "sum" },
  EXISTS: { stride: 1, joining: "sum" },
  MGET: { stride: 1, joining: "list" },
  MSET: { stride: 2, joining: "ok" },
  TOUCH: { stride: 1, joining: "sum" },
  UNLINK: { stride: 1, joining: "sum" },
};

/** The name of a request, in capitals. */
export function nameOf(request: Request): string {
  return String(request[0]).toUpperCase();
}

/** The first key of a request; undefined when it has none. */
export function firstKeyOf(request: Request): Argument | undefined {
  switch (PLACES.get(nameOf(request))) {
    case undefined:
      return request[1];
    case "none":
      return undefined;
    case "second":
      return request[2];
    case "counted first":
      return Number(request[1]) > 0 ? request[2] : undefined;
    case "counted second":
      return Number(request[2]) > 0 ? request[3] : undefined;
    case "streams": {
      const streams = request.findIndex((argument) => String(argument).toUpperCase() === "STREAMS");
      return streams < 0 ? undefined : request[streams + 1];
    }
  }
}

/** A request in pieces of one slot each. */
export interface SplitRequest {
  readonly requests: readonly Request[];
  /** The reply of the whole from those of the pieces, in their order; the first refusal among them is the whole's. */
  readonly join: (replies: readonly Reply[]) => Reply;
}

/**
 * Cuts a request over several keys by slot, or, with `each`, into one request a key; undefined when it is no such request, or
 * in one piece already. What is cut is not atomic any more: MSET writes slot by slot.
 */
export function splitRequest(request: Request, each = false): SplitRequest | undefined {
  const row = SPLITTABLE[nameOf(request)];
  if (row === undefined) return undefined;
  const { stride, joining } = row;
  const count = Math.floor((request.length - 1) / stride);
  if (count < 2 || (request.length - 1) % stride !== 0) return undefined;
  const groups = new Map<number, number[]>();
  for (let index = 0; index < count; index++) {
    const group = each ? index : slotOf(request[1 + index * stride] ?? "");
    const members = groups.get(group);
    if (members === undefined) groups.set(group, [index]);
    else members.push(index);
  }
  if (groups.size < 2) return undefined;
  const pieces = [...groups.values()];
  const requests = pieces.map((indexes) => [
    request[0] ?? "",
    ...indexes.flatMap((index) => request.slice(1 + index * stride, 1 + (index + 1) * stride)),
  ]);
  return { requests, join: (replies) => join(joining, pieces, count, replies) };
}

function join(
  joining: Joining,
  pieces: readonly (readonly number[])[],
  count: number,
  replies: readonly Reply[],
): Reply {
  const refused = replies.find((reply) => reply instanceof ReplyError);
  if (refused !== undefined) return refused;
  if (joining === "ok") return replies[0] ?? null;
  if (joining === "sum") return replies.reduce<number>((sum, reply) => sum + Number(reply), 0);
  const joined: Reply[] = Array.from({ length: count }, () => null);
  pieces.forEach((indexes, piece) => {
    const reply = replies[piece];
    if (Array.isArray(reply)) indexes.forEach((index, at) => (joined[index] = (reply[at] as Reply) ?? null));
  });
  return joined;
}
