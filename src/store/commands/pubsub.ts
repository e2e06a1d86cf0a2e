/** Publish and subscribe. */
import { bytesOf } from "../../resp/index.ts";
import type { Call } from "../call.ts";
import type { ChannelKind } from "../channels.ts";
import { type CommandTable, NO_KEYS, row, rowOfMany, type Subcommands } from "../command.ts";
import { matchesGlob } from "../glob.ts";

interface Words {
  readonly kind: ChannelKind;
  readonly on: string;
  readonly off: string;
}

const CHANNELS: Words = { kind: "channels", on: "subscribe", off: "unsubscribe" };
const PATTERNS: Words = { kind: "patterns", on: "psubscribe", off: "punsubscribe" };
const SHARDS: Words = { kind: "shardChannels", on: "ssubscribe", off: "sunsubscribe" };

function confirm(call: Call, word: string, name: string | undefined, kind: ChannelKind): void {
  const { out, session } = call;
  out.push(3);
  out.bulkText(word);
  if (name === undefined) out.null();
  else out.bulkText(name);
  out.integer(kind === "shardChannels" ? (session.shardChannels?.size ?? 0) : session.subscriptions);
}

function subscribe(call: Call, { kind, on }: Words): void {
  // A RESP2 client could not tell the confirmations from the replies of its transaction.
  if (call.session.protocol === 2 && !call.mayBlock)
    return call.fail(`ERR ${on.toUpperCase()} isn't allowed for a DENY BLOCKING client`);
  for (let place = 1; place < call.count; place++) {
    const name = call.text(place);
    call.store.channels.subscribe(call.session, kind, name);
    confirm(call, on, name, kind);
  }
}

function unsubscribe(call: Call, { kind, off }: Words): void {
  const { session, store } = call;
  const named = Array.from({ length: call.count - 1 }, (_, i) => call.text(i + 1));
  const names = named.length > 0 ? named : [...(session[kind] ?? [])];
  for (const name of names) {
    store.channels.unsubscribe(session, kind, name);
    confirm(call, off, name, kind);
  }
  if (names.length === 0) confirm(call, off, undefined, kind);
}

function publish(call: Call): void {
  const channel = call.text(1);
  const payload = call.copy(2);
  const { pushes, channels } = call.store;
  const receivers = channels.publish(channel, (session, pattern) => {
    if (pattern === undefined) pushes.message(session, "message", channel, payload);
    else pushes.patternMessage(session, pattern, channel, payload);
  });
  call.out.integer(receivers);
}

function sPublish(call: Call): void {
  const channel = call.text(1);
  const payload = call.copy(2);
  const { pushes, channels } = call.store;
  call.out.integer(
    channels.publishToShard(channel, (session) => pushes.message(session, "smessage", channel, payload)),
  );
}

function counts(kind: ChannelKind): (call: Call) => void {
  return (call) => {
    call.out.array((call.count - 2) * 2);
    for (let place = 2; place < call.count; place++) {
      call.out.bulkText(call.text(place));
      call.out.integer(call.store.channels.count(kind, call.text(place)));
    }
  };
}

const PUBSUB_SUBCOMMANDS: Subcommands = {
  CHANNELS: [-2, (call) => names(call, "channels")],
  SHARDCHANNELS: [-2, (call) => names(call, "shardChannels")],
  NUMPAT: [2, (call) => call.out.integer(call.store.channels.names("patterns").length)],
  NUMSUB: [-2, counts("channels")],
  SHARDNUMSUB: [-2, counts("shardChannels")],
};

function names(call: Call, kind: ChannelKind): void {
  const pattern = call.count > 2 ? call.copy(2) : undefined;
  const isIn = (name: string): boolean => {
    const bytes = bytesOf(name);
    return pattern === undefined || matchesGlob(pattern, bytes, 0, bytes.length);
  };
  const found = call.store.channels.names(kind).filter(isIn);
  call.out.array(found.length);
  for (const name of found) call.out.bulkText(name);
}

const FLAGS = "pubsub noscript loading stale";

/** Commands of publish and subscribe. */
export const PUBSUB: CommandTable = {
  subscribe: row(-2, FLAGS, NO_KEYS, "pubsub", (call) => subscribe(call, CHANNELS)),
  unsubscribe: row(-1, FLAGS, NO_KEYS, "pubsub", (call) => unsubscribe(call, CHANNELS)),
  psubscribe: row(-2, FLAGS, NO_KEYS, "pubsub", (call) => subscribe(call, PATTERNS)),
  punsubscribe: row(-1, FLAGS, NO_KEYS, "pubsub", (call) => unsubscribe(call, PATTERNS)),
  ssubscribe: row(-2, FLAGS, NO_KEYS, "pubsub", (call) => subscribe(call, SHARDS)),
  sunsubscribe: row(-1, FLAGS, NO_KEYS, "pubsub", (call) => unsubscribe(call, SHARDS)),
  publish: row(3, `${FLAGS} fast`, NO_KEYS, "pubsub", publish),
  spublish: row(3, `${FLAGS} fast`, NO_KEYS, "pubsub", sPublish),
  pubsub: rowOfMany(-2, FLAGS, NO_KEYS, "pubsub", PUBSUB_SUBCOMMANDS),
};
