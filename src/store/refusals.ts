/** Why a command may not be run now: who asks, what for, and whether memory and disk allow it. In Redis' order. */
import type { Call } from "./call.ts";
import { eachKey } from "./command.ts";
import { ERR, wrongArity } from "./replies.ts";
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

function unknownSubcommand(call: Call, known: Readonly<Record<string, number>>): string | undefined {
  const word = call.count > 1 ? call.word(1) : "";
  const arity = known[word];
  if (arity === undefined)
    return `ERR unknown subcommand '${call.text(1).slice(0, 128)}'. Try ${call.name.toUpperCase()} HELP.`;
  const isRight = arity > 0 ? call.count === arity : call.count >= -arity;
  return isRight ? undefined : wrongArity(`${call.name}|${word.toLowerCase()}`);
}

function notPermitted(call: Call): string | undefined {
  const { command, session, name } = call;
  const { user } = session;
  if (user === undefined || command.flags.has("no_auth")) return undefined;
  if (!user.mayRun(name)) return `NOPERM this user has no permissions to run the '${name}' command`;
  let problem: string | undefined;
  eachKey(command, call, (place) => {
    const key = call.copy(place);
    if (
      !user.mayUseKey(key, command.isWrite) ||
      (!command.isRead && !command.isWrite && !user.mayUseKey(key, false))
    )
      problem = "NOPERM this user has no permissions to access one of the keys used as arguments";
  });
  if (problem !== undefined || !command.flags.has("pubsub") || name === "pubsub") return problem;
  const last = name.endsWith("publish") ? 2 : call.count;
  for (let place = 1; place < last; place++)
    if (!user.mayUseChannel(call.text(place)))
      return "NOPERM this user has no permissions to access one of the channels used as arguments";
  return undefined;
}
