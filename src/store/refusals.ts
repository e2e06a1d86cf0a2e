/** Why a command may not be run now: who asks, what for, and whether memory and disk allow it. In Redis' order. */
import type { Call } from "./call.ts";
import { eachKey } from "./command.ts";
import { ERR, wrongArity } from "./replies.ts";
import type { Queued } from "./session.ts";
import type { Store } from "./store.ts";

/** What a RESP2 subscriber may still say. */
const SUBSCRIBER_COMMANDS: ReadonlySet<string> = new Set([
  "subscribe",
  "unsubscribe",
  "psubscribe",
  "punsubscribe",
  "ssubscribe",
  "sunsubscribe",
  "ping",
  "quit",
  "reset",
]);

/** The error, or undefined when the command may be run. Makes room in memory where that is needed and possible. */
export function refusal(store: Store, call: Call): string | undefined {
  const { command, session, count } = call;
  if (command.arity > 0 ? count !== command.arity : count < -command.arity) return wrongArity(call.name);
  if (command.subcommands !== undefined) {
    const problem = unknownSubcommand(call, command.subcommands);
    if (problem !== undefined) return problem;
  }
  if (session.user === undefined && !command.flags.has("no_auth")) return ERR.noAuth;
  if (session.user !== undefined && !session.user.isUnbound) {
    const problem = notPermitted(call);
    if (problem !== undefined) return problem;
  }
  if (session.isSubscriber && !SUBSCRIBER_COMMANDS.has(call.name))
    return `ERR Can't execute '${call.name}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context`;
  if (!command.isWrite) return undefined;
  if (store.settings.maxMemoryBytes > 0 && !store.makeRoom() && command.needsMemory) return ERR.oom;
  return store.log?.refusal;
}

/** Why memory or the disk forbids a transaction as a whole: half of one must not be run. */
export function queueRefusal(store: Store, queue: readonly Queued[]): string | undefined {
  const needsMemory = queue.some(({ command }) => command.needsMemory);
  if (needsMemory && store.settings.maxMemoryBytes > 0 && !store.makeRoom()) return ERR.oom;
  return queue.some(({ command }) => command.isWrite) ? store.log?.refusal : undefined;
}

function unknownSubcommand(call: Call, known: Readonly<Record<string, number>>): string | undefined {
  const word = call.count > 1 ? call.word(1) : "";
  const arity = known[word];
  if (arity === undefined)
    return `ERR unknown subcommand '${call.text(1).slice(0, 128)}'. Try ${call.name.toUpperCase()} HELP.`;
  const isRight = arity > 0 ? call.count === arity : call.count >= -arity;
  return isRight ? undefined : wrongArity(`${call.name}|${word.toLowerCase()}`);
}

/** Writes that show nothing of what was there: for a user who may write a key, and not read it. All others need both rights. */
const WRITES_ALONE: ReadonlySet<string> = new Set(
  (
    "set setex psetex setnx mset msetnx append setrange del unlink expire pexpire expireat pexpireat persist " +
    "hset hmset hsetnx hdel lpush rpush lpushx rpushx lset linsert lrem ltrim sadd srem zadd zrem " +
    "zremrangebyrank zremrangebyscore zremrangebylex"
  ).split(" "),
);

/** Whether a SET has the option GET. */
function saysGet(call: Call): boolean {
  for (let place = 3; place < call.count; place++) if (call.word(place) === "GET") return true;
  return false;
}

function notPermitted(call: Call): string | undefined {
  const { command, session, name } = call;
  const { user } = session;
  if (user === undefined || command.flags.has("no_auth")) return undefined;
  if (!user.mayRun(name)) return `NOPERM this user has no permissions to run the '${name}' command`;
  let problem: string | undefined;
  eachKey(command, call, (place) => {
    const key = call.copy(place);
    const needsWrite = command.isWrite;
    const needsRead = !needsWrite || !WRITES_ALONE.has(name) || (name === "set" && saysGet(call));
    if ((needsWrite && !user.mayUseKey(key, true)) || (needsRead && !user.mayUseKey(key, false)))
      problem = "NOPERM this user has no permissions to access one of the keys used as arguments";
  });
  if (problem !== undefined || !command.flags.has("pubsub") || name === "pubsub") return problem;
  const last = name.endsWith("publish") ? 2 : call.count;
  for (let place = 1; place < last; place++)
    if (
      !(name === "psubscribe" ? user.mayUsePattern(call.text(place)) : user.mayUseChannel(call.text(place)))
    )
      return "NOPERM this user has no permissions to access one of the channels used as arguments";
  return undefined;
}

/** Redis shows at most this much of the arguments. */
const SHOWN_CHARS = 128;

/** The error for a name that is no command. */
export function unknownCommand(call: Call): string {
  let shown = "";
  for (let place = 1; place < call.count && shown.length < SHOWN_CHARS; place++) {
    // A zero byte ends a text in C.
    const [text = ""] = call
      .text(place)
      .slice(0, SHOWN_CHARS - shown.length)
      .split("\0");
    shown += `'${text}' `;
  }
  return `ERR unknown command '${call.text(0).slice(0, SHOWN_CHARS)}', with args beginning with: ${shown}`;
}
