/**
 * Sessions are refused by a server that drops keys when its memory is full: a user would be signed out because a page
 * was cached. All keys of sessions expire, so that the volatile policies drop them as the allkeys ones do.
 *
 * The policy is asked for before the first command and again once a minute, since it can be changed under way. A server
 * that answers neither INFO nor CONFIG (some hosted ones) is used, with a warning that nobody could see.
 */
import { type Clock, systemClock } from "../../base/index.ts";
import { SessionError } from "../errors.ts";
import { members, type StoreCommands } from "./commands.ts";

/** What is done about a server that evicts. */
export interface EvictionOptions {
  /** Sessions may vanish when the server's memory is full. Default false: it is refused. */
  readonly allowEviction?: boolean;
  /** Told once when the server does not say whether it evicts. Default: `process.emitWarning`. */
  readonly warn?: (message: string) => void;
  readonly clock?: Clock;
}

/** How long an answer is believed, ms: one question a minute is no load, and a change is found while it does little harm. */
const KEPT_BELIEVED_MS = 60_000;

/** The same for a refusal: so soon does a server that was mended get its sessions back. */
const EVICTS_BELIEVED_MS = 1000;

const UNSEEN =
  "the session store answers neither INFO memory nor CONFIG GET maxmemory-policy: see by other means that its policy is noeviction, then set allowEviction: true to end this warning";

/** The policy; undefined when the server does not say. Rejects when it cannot be asked. */
async function policyOf(commands: StoreCommands): Promise<string | undefined> {
  const info = await refusable(() => commands.send(["INFO", "memory"]));
  const [, told] = /^maxmemory_policy:(\S+)/m.exec(typeof info === "string" ? info : "") ?? [];
  if (told !== undefined) return told;
  return members((await refusable(() => commands.send(["CONFIG", "GET", "maxmemory-policy"]))) ?? [])[1];
}

/** Undefined when the server refuses the command; a lost connection is no answer. */
async function refusable<R>(ask: () => Promise<R>): Promise<R | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof Error && /^(?:ERR|NOPERM)\b/.test(error.message)) return undefined;
    throw error;
  }
}

/** The same commands; they reject with `session-store-evicts` while the server's policy is another than noeviction. */
export function refusingEviction(commands: StoreCommands, options: EvictionOptions = {}): StoreCommands {
  const {
    allowEviction = false,
    warn = (message) => process.emitWarning(message),
    clock = systemClock,
  } = options;
  if (allowEviction) return commands;
  let believedUntilMs = Number.NEGATIVE_INFINITY;
  let known: Promise<string | undefined> | undefined;
  let isWarned = false;

  const ask = async (): Promise<string | undefined> => {
    try {
      const policy = await policyOf(commands);
      const isKept = policy === undefined || policy === "noeviction";
      believedUntilMs = clock.nowMs() + (isKept ? KEPT_BELIEVED_MS : EVICTS_BELIEVED_MS);
      if (policy === undefined && !isWarned) warn(UNSEEN);
      isWarned ||= policy === undefined;
      return policy;
    } catch (error) {
      known = undefined;
      throw error;
    }
  };
  const admitted = async (): Promise<void> => {
    if (known === undefined || clock.nowMs() >= believedUntilMs) {
      believedUntilMs = Number.POSITIVE_INFINITY; // one asks, the others wait for its answer
      known = ask();
    }
    const policy = await known;
    if (policy !== undefined && policy !== "noeviction")
      throw new SessionError("session-store-evicts", `its maxmemory-policy is ${policy}`);
  };

  return {
    send: async (command) => {
      await admitted();
      return commands.send(command);
    },
    transaction: async (list) => {
      await admitted();
      return commands.transaction(list);
    },
    watched: async (key, decide) => {
      await admitted();
      return commands.watched(key, decide);
    },
  };
}
