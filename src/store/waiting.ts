/**
 * Clients that wait for a list or sorted set to get an element (BLPOP and its like). First come, first served, key by key: when
 * a key got something, the command of the client that waits longest is simply run again.
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
  readonly keys: readonly string[];
  /** What to reply when the time is over. */
  readonly timedOut: () => void;
  readonly cancel: Cancel;
}

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
  nextReady(): { readonly sessions: readonly Session[] } | undefined {
    const key = this.#ready.shift();
    return key === undefined ? undefined : { sessions: [...(this.#byKey.get(key) ?? [])] };
  }
}
