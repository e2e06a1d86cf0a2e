/**
 * One call of a command: its arguments, who calls, where the reply goes. One object serves all calls, one after the other, so
 * that a call makes none.
 */
import { latin1, type ReplyWriter } from "../resp/index.ts";
import type { Command } from "./command.ts";
import type { Keyspace } from "./keyspace.ts";
import { canonicalInteger, int64, parseDouble } from "./numbers.ts";
import { ERR } from "./replies.ts";
import type { Session } from "./session.ts";
import type { Store } from "./store.ts";

/** Arguments as slices of bytes. */
export interface Arguments {
  readonly bytes: Uint8Array;
  readonly starts: ArrayLike<number>;
  readonly ends: ArrayLike<number>;
  readonly count: number;
}

/** What `expect` gives when the key holds another type; the error has been replied. */
const WRONG_TYPE = -1;

export class Call implements Arguments {
  readonly store: Store;
  readonly out: ReplyWriter;
  session: Session;
  command: Command;
  name = "";
  space: Keyspace;
  bytes: Uint8Array = new Uint8Array(0);
  starts: ArrayLike<number> = [];
  ends: ArrayLike<number> = [];
  count = 0;
  /** Changes made to keys by this call. */
  dirty = 0;
  /** What goes into the log in place of the arguments; an empty array for nothing. */
  logged: (readonly (string | Uint8Array)[])[] | undefined;
  /** Whether the call may wait: not inside a transaction. */
  mayBlock = true;

  constructor(store: Store, out: ReplyWriter, session: Session, space: Keyspace, command: Command) {
    this.store = store;
    this.out = out;
    this.session = session;
    this.space = space;
    this.command = command;
  }

  // --- arguments ----------------------------------------------------------------------------------------------

  start(place: number): number {
    return this.starts[place] ?? 0;
  }
  end(place: number): number {
    return this.ends[place] ?? 0;
  }
  length(place: number): number {
    return this.end(place) - this.start(place);
  }

  /** One character a byte; of a long argument the first `max`. */
  text(place: number, max: number = Number.POSITIVE_INFINITY): string {
    const start = this.start(place);
    return latin1(this.bytes, start, Math.min(this.end(place), start + max));
  }

  /** An option in upper case. */
  word(place: number): string {
    return this.text(place).toUpperCase();
  }

  /** A copy. */
  copy(place: number): Uint8Array {
    return this.bytes.slice(this.start(place), this.end(place));
  }

  /** A whole number; NaN when it is none, or does not fit 64 bits. Beyond 2^53 it is rounded. */
  integerOrNaN(place: number): number {
    const start = this.start(place);
    const end = this.end(place);
    const value = canonicalInteger(this.bytes, start, end);
    if (!Number.isNaN(value)) return value;
    const large = int64(this.bytes, start, end);
    return large === undefined ? Number.NaN : Number(large);
  }

  /** A whole number; replies the error and gives undefined when it is none. */
  integer(place: number, error: string = ERR.notInteger): number | undefined {
    const value = this.integerOrNaN(place);
    if (!Number.isNaN(value)) return value;
    this.fail(error);
    return undefined;
  }

  /** A double; replies the error and gives undefined when it is none. */
  double(place: number, error: string = ERR.notFloat): number | undefined {
    const value = parseDouble(this.text(place));
    if (value === undefined) this.fail(error);
    return value;
  }

  // --- keys ---------------------------------------------------------------------------------------------------

  /** The entry of the key at `place`, of any type, opened, or 0. */
  find(place: number): number {
    return this.space.find(this.bytes, this.start(place), this.end(place));
  }

  /** The entry of the key at `place`, which must be of `type`: 0 when there is none, `WRONG_TYPE` after the error was replied. */
  expect(place: number, type: number): number {
    const ref = this.find(place);
    if (ref === 0 || this.space.typeOf(ref) === type) return ref;
    this.fail(ERR.wrongType);
    return WRONG_TYPE;
  }

  /** As `expect`, for a change: a snapshot gets to see it first. */
  expectForWrite(place: number, type: number): number {
    const ref = this.expect(place, type);
    if (ref > 0) this.space.beforeWrite(ref);
    return ref;
  }

  /** The key at `place` was changed. */
  changed(place: number): void {
    this.dirty++;
    this.store.changed(this.space, this.bytes, this.start(place), this.end(place), this.session);
  }

  /** Removes the entry of the key at `place`, which was found. */
  removeKey(ref: number): void {
    this.space.remove(ref);
  }

  // --- replies ------------------------------------------------------------------------------------------------

  fail(error: string): void {
    this.store.errors++;
    this.out.error(error);
  }
  ok(): void {
    this.out.raw(OK);
  }

  /** Puts this into the log in place of the arguments. */
  logAs(...request: readonly (string | Uint8Array)[]): void {
    (this.logged ??= []).push(request);
  }
  logNothing(): void {
    this.logged ??= [];
  }
}

const OK = Uint8Array.from([43, 79, 75, 13, 10]);

/** A copy of the arguments, in memory of its own. */
export function copyOf(call: Call): Arguments {
  const starts: number[] = [];
  const ends: number[] = [];
  let length = 0;
  for (let place = 0; place < call.count; place++) {
    starts.push(length);
    length += call.length(place);
    ends.push(length);
  }
  const bytes = new Uint8Array(length);
  for (let place = 0; place < call.count; place++)
    bytes.set(call.bytes.subarray(call.start(place), call.end(place)), starts[place]);
  return { bytes, starts, ends, count: call.count };
}
