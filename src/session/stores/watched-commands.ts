/**
 * What client libraries have in common: `StoreCommands` from a way to send, a way to run a transaction, and connections of
 * their own for WATCH, by the place where a key is.
 */
import { type Scheduler, systemScheduler } from "../../base/index.ts";
import type { StoreCommand, StoreCommands, StoreReply } from "./commands.ts";

/** Commands by a client library, and the end of the connections that were opened for WATCH. The client stays open. */
export interface ClientCommands extends StoreCommands {
  close(): void;
}

/** A connection for WATCH. */
export interface Connection {
  readonly commands: ClientCommands;
  close(): void;
}

/** What a library must be able to do. */
export interface Primitives {
  readonly send: (command: StoreCommand) => Promise<unknown>;
  /** Undefined when a watched key changed. */
  readonly exec: (commands: readonly StoreCommand[]) => Promise<unknown[] | undefined>;
  /** Names the server that a key is on. */
  readonly placeOf: (key: string) => string;
  readonly another: (key: string) => Promise<Connection>;
  /** In a cluster: finds out where a key is now. */
  readonly learn?: (key: string) => Promise<unknown>;
  readonly scheduler?: Scheduler;
}

/** Attempts while a cluster redirects, and the pause between them, ms: half a second, as long as sessions wait. */
const ATTEMPTS_MAX = 10;
const PAUSE_MS = 50;

/** Makes commands of what a library can do. */
export function clientCommands(primitives: Primitives): ClientCommands {
  const { send, exec, placeOf, another } = primitives;
  const connections = new Map<string, Promise<Connection>>();
  let last: Promise<unknown> = Promise.resolve();
  const sendTyped = async (command: StoreCommand): Promise<StoreReply> => toReply(await send(command));
  const transaction = async (commands: readonly StoreCommand[]): Promise<readonly StoreReply[]> => {
    const replies = await exec(commands);
    if (replies === undefined) throw new WatchedKeyChanged();
    return replies.map(toReply);
  };

  const open = (key: string): Promise<Connection> => {
    const place = placeOf(key);
    const opened = connections.get(place) ?? another(key);
    connections.set(place, opened);
    return opened;
  };
  /** A connection that failed may be lost for good, or to a server that is no primary any more. */
  const drop = (place: string): void => {
    void connections
      .get(place)
      ?.then((own) => own.close())
      .catch(() => undefined);
    connections.delete(place);
  };
  const watchNow = async (
    key: string,
    decide: Parameters<StoreCommands["watched"]>[1],
  ): Promise<readonly StoreReply[] | undefined> => {
    const place = placeOf(key);
    try {
      return await watchOn((await open(key)).commands, key, decide);
    } catch (error) {
      drop(place);
      throw error;
    }
  };

  return {
    send: sendTyped,
    transaction,
    watched: (key, decide) => {
      const run = last.then(() => redirected(primitives, key, () => watchNow(key, decide)));
      last = run.catch(() => undefined);
      return run;
    },
    close: () => {
      for (const place of connections.keys()) drop(place);
    },
  };
}

/** Runs again what a cluster redirected, once the client has learnt where the key is. What is redirected was not run. */
export async function redirected<T>(
  { learn, scheduler = systemScheduler }: Pick<Primitives, "learn" | "scheduler">,
  key: string,
  run: () => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      // oxlint-disable-next-line no-await-in-loop -- each attempt follows from the one before
      return await run();
    } catch (error) {
      const isRedirected =
        error instanceof Error && /^(?:MOVED|ASK|TRYAGAIN|CLUSTERDOWN|EXECABORT)\b/.test(error.message);
      if (learn === undefined || !isRedirected || attempt === ATTEMPTS_MAX) throw error;
      // oxlint-disable-next-line no-await-in-loop -- as above
      await learn(key);
      if (attempt === 1) continue;
      // oxlint-disable-next-line no-await-in-loop -- as above
      await new Promise<void>((resolve) => {
        scheduler.after(PAUSE_MS, resolve);
      });
    }
  }
}

/** RESP3 maps and sets as RESP2 has them: flat lists. */
function toReply(reply: unknown): StoreReply {
  if (Array.isArray(reply)) return reply.map(toReply);
  if (reply instanceof Map) return [...reply].flat().map(toReply);
  if (reply instanceof Set) return [...reply].map(toReply);
  if (reply instanceof Error || typeof reply === "string" || typeof reply === "number") return reply;
  if (typeof reply !== "object" || reply === null) return null;
  return Object.entries(reply).flat().map(toReply);
}

/** EXEC answered null. */
class WatchedKeyChanged extends Error {}

async function watchOn(
  own: ClientCommands,
  key: string,
  decide: Parameters<StoreCommands["watched"]>[1],
): Promise<readonly StoreReply[] | undefined> {
  await own.send(["WATCH", key]);
  let commands: readonly StoreCommand[] | undefined;
  try {
    commands = await decide((command) => own.send(command));
  } finally {
    if (commands === undefined) await own.send(["UNWATCH"]);
  }
  if (commands === undefined) return undefined;
  try {
    return await own.transaction(commands);
  } catch (error) {
    if (error instanceof WatchedKeyChanged) return undefined;
    throw error;
  }
}
