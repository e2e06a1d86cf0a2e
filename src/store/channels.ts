/** Publish and subscribe: channels, patterns and shard channels. */
import { bytesOf } from "../resp/index.ts";
import { matchesGlob } from "./glob.ts";
import type { Session } from "./session.ts";

/** Kinds of subscriptions: a channel by name, by pattern, or of a shard. */
export type ChannelKind = "channels" | "patterns" | "shardChannels";

/** Gets who is to be told, by which pattern, if by one. */
export type Deliver = (session: Session, pattern: string | undefined) => void;

export class Channels {
  readonly #subscribers: Readonly<Record<ChannelKind, Map<string, Set<Session>>>> = {
    channels: new Map(),
    patterns: new Map(),
    shardChannels: new Map(),
  };

  /** False when it was subscribed already. */
  subscribe(session: Session, kind: ChannelKind, name: string): boolean {
    const own = (session[kind] ??= new Set());
    if (own.has(name)) return false;
    own.add(name);
    const table = this.#subscribers[kind];
    const sessions = table.get(name) ?? new Set();
    sessions.add(session);
    table.set(name, sessions);
    return true;
  }

  unsubscribe(session: Session, kind: ChannelKind, name: string): void {
    session[kind]?.delete(name);
    const table = this.#subscribers[kind];
    const sessions = table.get(name);
    sessions?.delete(session);
    if (sessions?.size === 0) table.delete(name);
  }

  unsubscribeAll(session: Session): void {
    for (const kind of ["channels", "patterns", "shardChannels"] as const)
      for (const name of [...(session[kind] ?? [])]) this.unsubscribe(session, kind, name);
  }

  /** Delivers to all who subscribe to `channel`; returns to how many. */
  publish(channel: string, deliver: Deliver): number {
    let receivers = 0;
    for (const session of this.#subscribers.channels.get(channel) ?? []) {
      deliver(session, undefined);
      receivers++;
    }
    if (this.#subscribers.patterns.size === 0) return receivers;
    const bytes = bytesOf(channel);
    for (const [pattern, sessions] of this.#subscribers.patterns) {
      if (!matchesGlob(bytesOf(pattern), bytes, 0, bytes.length)) continue;
      for (const session of sessions) deliver(session, pattern);
      receivers += sessions.size;
    }
    return receivers;
  }

  publishToShard(channel: string, deliver: Deliver): number {
    const sessions = this.#subscribers.shardChannels.get(channel);
    for (const session of sessions ?? []) deliver(session, undefined);
    return sessions?.size ?? 0;
  }

  /** Names with subscribers. */
  names(kind: ChannelKind): readonly string[] {
    return [...this.#subscribers[kind].keys()];
  }

  count(kind: ChannelKind, name: string): number {
    return this.#subscribers[kind].get(name)?.size ?? 0;
  }
}
