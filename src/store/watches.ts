/** Keys under WATCH: whose transaction fails when one of them changes. */
import { latin1 } from "../resp/index.ts";
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

  /** Every key of a database has gone, or of all databases. */
  flushed(database: number | undefined): void {
    for (const [name, watchers] of this.#watchers) {
      if (database !== undefined && !name.startsWith(`${database} `)) continue;
      for (const session of watchers) session.watchBroken = true;
    }
  }
}
