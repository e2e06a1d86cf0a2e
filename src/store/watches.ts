/** Keys under WATCH: whose transaction fails when one of them changes. */
import { bytesOf, latin1 } from "../resp/index.ts";
import type { Session } from "./session.ts";

/** A key of a database as one text. */
export function keyName(database: number, bytes: Uint8Array, start: number, end: number): string {
  return `${database} ${latin1(bytes, start, end)}`;
}

export class Watches {
  readonly #watchers = new Map<string, Set<Session>>();

  get isEmpty(): boolean {
    return this.#watchers.size === 0;
  }

  watch(session: Session, name: string): void {
    session.watched ??= new Set();
    session.watched.add(name);
    const watchers = this.#watchers.get(name) ?? new Set();
    watchers.add(session);
    this.#watchers.set(name, watchers);
  }

  unwatch(session: Session): void {
    session.watchBroken = false;
    for (const name of session.watched ?? []) {
      const watchers = this.#watchers.get(name);
      watchers?.delete(session);
      if (watchers?.size === 0) this.#watchers.delete(name);
    }
    session.watched = undefined;
  }

  /** A key has changed. */
  changed(name: string): void {
    for (const session of this.#watchers.get(name) ?? []) session.watchBroken = true;
  }

  /** Every key for which `isThere` holds is about to go. */
  flushing(isThere: (database: number, key: Uint8Array) => boolean): void {
    for (const [name, watchers] of this.#watchers) {
      const { database, key } = parts(name);
      if (!isThere(database, key)) continue;
      for (const session of watchers) session.watchBroken = true;
    }
  }
}

/** What `keyName` put together. */
export function parts(name: string): { readonly database: number; readonly key: Uint8Array } {
  const space = name.indexOf(" ");
  return { database: Number(name.slice(0, space)), key: bytesOf(name.slice(space + 1)) };
}
