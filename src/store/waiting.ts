/**
 * Clients that wait for a list or sorted set to get an element (BLPOP and its like). First come, first served, key by key: when
 * a key got something, the command of the client that waits longest is run again, on that key alone.
 */
import type { Cancel } from "../base/index.ts";
import type { Arguments } from "./call.ts";
import type { Command } from "./command.ts";
import type { Session } from "./session.ts";

/** What a client waits for. */
export interface Waiting {
  readonly command: Command;
  readonly name: string;
  readonly args: Arguments;
  /** What it waits for, as the watch table names keys, and their places among the arguments. */
  readonly keys: readonly string[];
  readonly places: readonly number[];
  /** Type of a key that serves it. */
  readonly type: number;
  /** What to reply when the time is over. */
  readonly timedOut: () => void;
  readonly cancel: Cancel;
}

/** Who waits for what. */
export class WaitingClients {
  readonly #byKey = new Map<string, Set<Session>>();
  readonly #ready: string[] = [];

  get size(): number {
    return this.#byKey.size;
  }

  /** Clients that wait. */
  get clients(): number {
    return new Set([...this.#byKey.values()].flatMap((sessions) => [...sessions])).size;
  }

  add(session: Session, waiting: Waiting): void {
    session.waiting = waiting;
    for (const key of waiting.keys) {
      const sessions = this.#byKey.get(key) ?? new Set();
      sessions.add(session);
      this.#byKey.set(key, sessions);
    }
  }

  remove(session: Session): void {
    const { waiting } = session;
    if (waiting === undefined) return;
    waiting.cancel();
    session.waiting = undefined;
    for (const key of waiting.keys) {
      const sessions = this.#byKey.get(key);
      sessions?.delete(session);
      if (sessions?.size === 0) this.#byKey.delete(key);
    }
  }

  /** A key got something: whoever waits for it is served when the present command is done. */
  signal(key: string): void {
    if (this.#byKey.has(key)) this.#ready.push(key);
  }

  /** The next key that got something, and who waits for it. */
  nextReady(): { readonly key: string; readonly sessions: readonly Session[] } | undefined {
    const key = this.#ready.shift();
    return key === undefined ? undefined : { key, sessions: [...(this.#byKey.get(key) ?? [])] };
  }
}

const ONE = 0x31;

/** The arguments with this key alone, where there were several. `numkeys`, if there is one, stands before the first. */
export function withKey({ args, places, command }: Waiting, place: number): Arguments {
  if (places.length === 1) return args;
  const kept = Array.from({ length: args.count }, (_, i) => i).filter(
    (i) => i === place || !places.includes(i),
  );
  const starts = kept.map((i) => args.starts[i] ?? 0);
  const ends = kept.map((i) => args.ends[i] ?? 0);
  if (command.keysOf === undefined) return { bytes: args.bytes, starts, ends, count: kept.length };
  const bytes = new Uint8Array(args.bytes.length + 1);
  bytes.set(args.bytes);
  bytes[args.bytes.length] = ONE;
  const count = (places[0] ?? 1) - 1;
  starts[count] = args.bytes.length;
  ends[count] = bytes.length;
  return { bytes, starts, ends, count: kept.length };
}
