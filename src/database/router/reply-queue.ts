/**
 * What a server connection still owes answers to, in order: the client's messages, and ours among them, whose answers
 * nobody is to see.
 *
 * One byte a message: a client may send thousands ahead.
 */
import type { ErrorReply } from "../../pgwire/index.ts";
import type { Statement } from "./prepared.ts";
import type { StatementEffects } from "./statement-effects.ts";

/** What was sent. "own": by the router. "made": not sent at all, the router answers when its turn has come. */
export const REPLY = {
  none: 0,
  query: 1,
  call: 2,
  ownQuery: 3,
  sync: 4,
  // From here on an error skips what follows, up to the next sync.
  parse: 5,
  ownParse: 6,
  madeParse: 7,
  bind: 8,
  describe: 9,
  execute: 10,
  close: 11,
  ownClose: 12,
  madeClose: 13,
  /** Sent so that the server fails; the client gets the router's error. */
  failing: 14,
  /** The router's own words around a write: nobody sees their answers, but for the rows that are described. */
  ownBind: 15,
  ownDescribe: 16,
  /** Asks for the transaction's id. */
  ownId: 17,
  /** Not answered: the client's end of a COPY that may not have begun yet. Never the front. */
  copyEnd: 18,
  /** The Execute of a DEALLOCATE of what Parse prepared: as a made close, but for the answer. */
  madeDeallocate: 19,
} as const;

/** Kinds whose answers no client waits for. */
const OWN: ReadonlySet<number> = new Set([
  REPLY.ownQuery,
  REPLY.ownParse,
  REPLY.ownClose,
  REPLY.ownBind,
  REPLY.ownId,
  REPLY.copyEnd,
]);

/** Whether a client waits for the answer. */
export function isAwaited(kind: number): boolean {
  return !OWN.has(kind);
}

/** What belongs to an entry, where something does. */
export interface ReplyDetail {
  /** Of a parse: what the server then has. Of a made close or DEALLOCATE: what the name meant, to undo it. */
  readonly statement?: Statement | undefined;
  /** Of a parse, close or DEALLOCATE: the client's name, to undo it. */
  readonly name?: string | undefined;
  readonly effects?: StatementEffects;
  readonly error?: ErrorReply;
}

const START = 16;

/** A ring of entries that grows. */
export class ReplyQueue {
  #kinds: Uint8Array = new Uint8Array(START);
  #details: (ReplyDetail | undefined)[] = [];
  #head = 0;
  #length = 0;
  #detailed = 0;

  get length(): number {
    return this.#length;
  }
  /** Entries that have something to them: each is an object of its own. */
  get detailed(): number {
    return this.#detailed;
  }
  /** The oldest entry's kind, `none` when there is none. */
  get front(): number {
    return this.#length === 0 ? REPLY.none : (this.#kinds[this.#head] ?? 0);
  }
  get frontDetail(): ReplyDetail | undefined {
    return this.#details[this.#head];
  }

  /** The client's end of a COPY goes out. */
  pushCopyEnd(): void {
    if (this.#length > 0) this.push(REPLY.copyEnd);
  }

  push(kind: number, detail?: ReplyDetail): void {
    if (this.#length === this.#kinds.length) this.#grow();
    const at = (this.#head + this.#length) & (this.#kinds.length - 1);
    this.#kinds[at] = kind;
    if (detail !== undefined) {
      this.#details[at] = detail;
      this.#detailed++;
    }
    this.#length++;
  }

  shift(): void {
    if (this.#details[this.#head] !== undefined) {
      this.#details[this.#head] = undefined;
      this.#detailed--;
    }
    this.#head = (this.#head + 1) & (this.#kinds.length - 1);
    this.#length--;
    if (this.front === REPLY.copyEnd) this.shift();
  }

  /** All entries that have something to them or are of `kind`, the oldest first. O(entries). */
  *entries(kind?: number): Iterable<readonly [kind: number, detail: ReplyDetail | undefined]> {
    const mask = this.#kinds.length - 1;
    for (let i = 0; i < this.#length; i++) {
      const at = (this.#head + i) & mask;
      const [found, detail] = [this.#kinds[at] ?? REPLY.none, this.#details[at]];
      if (detail !== undefined || found === kind) yield [found, detail];
    }
  }

  /** A COPY has begun: the server ignores the syncs that were sent behind it, up to its end. Whether that was sent, too. */
  copyBegins(): boolean {
    const mask = this.#kinds.length - 1;
    for (;;) {
      const next = this.#length > 1 ? this.#kinds[(this.#head + 1) & mask] : REPLY.none;
      if (next !== REPLY.sync && next !== REPLY.copyEnd) return false;
      // The skipped one has nothing to it, so only its place changes.
      this.#kinds[(this.#head + 1) & mask] = this.front;
      this.#details[(this.#head + 1) & mask] = this.frontDetail;
      this.#details[this.#head] = undefined;
      this.shift();
      if (next === REPLY.copyEnd) return true;
    }
  }

  clear(): void {
    while (this.#length > 0) this.shift();
  }

  #grow(): void {
    const old = this.#kinds;
    const oldDetails = this.#details;
    this.#kinds = new Uint8Array(old.length * 2);
    this.#details = [];
    for (let i = 0; i < this.#length; i++) {
      const from = (this.#head + i) & (old.length - 1);
      this.#kinds[i] = old[from] ?? 0;
      const detail = oldDetails[from];
      if (detail !== undefined) this.#details[i] = detail;
    }
    this.#head = 0;
  }
}
