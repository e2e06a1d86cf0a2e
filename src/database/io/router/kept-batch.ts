/** The client's messages since its last answer, as they came: what is sent again when nothing has come of it. */
import { cstringEnd, FRONTEND, int32At, textOf } from "../../../pgwire/index.ts";
import type { Statement } from "../../router/prepared.ts";
import type { Session } from "../../router/session.ts";
import { Bytes } from "./bytes.ts";
import type { Frame } from "./requests.ts";

/** Longest batch that is kept: what a client's statement and its parameters take, with room. */
const BATCH_BYTES_MAX = 64 * 1024;

const HEADER = 5;
/** "S" for a statement, in Describe and Close. */
const STATEMENT = 83;

export class KeptBatch {
  readonly #bytes = new Bytes();
  readonly #session: Session;
  /** All of it is here. */
  isWhole = true;
  /** Bytes of the last message that are still to come. */
  #missing = 0;
  /** Names that it gave, and those that it took back. */
  #names: string[] = [];
  #closed: (readonly [string, Statement])[] = [];
  /** The statement without a name: bound though another batch brought it, or brought here. */
  #boundBefore = false;
  #brought = false;

  constructor(session: Session) {
    this.#session = session;
  }

  /** A new one. */
  begin(): void {
    this.#bytes.clear();
    this.isWhole = true;
    if (this.#names.length > 0) this.#names = [];
    if (this.#closed.length > 0) this.#closed = [];
    this.#boundBefore = this.#brought = false;
    this.#missing = 0;
  }

  /** It cannot be sent again. */
  drop(): void {
    this.begin();
    this.isWhole = false;
  }

  /** Whether it would still be whole. */
  hasRoomFor({ start, end, rest }: Frame): boolean {
    return this.#missing === 0 && this.#bytes.length + end - start + rest <= BATCH_BYTES_MAX;
  }

  /** One message more, before anything is done with it. */
  add(frame: Frame): void {
    if (!this.isWhole) return;
    const { bytes, start, end, rest, type } = frame;
    if (!this.hasRoomFor(frame)) return this.drop();
    this.#bytes.add(bytes, start, end);
    this.#missing = rest;
    if (type === FRONTEND.parse) this.#parses(frame);
    else if (type === FRONTEND.bind) this.#binds(frame);
    else if (type === FRONTEND.close) this.#closes(frame);
  }

  /** More bytes of the last one, if it is kept. */
  addRest(bytes: Uint8Array, start: number, end: number): void {
    if (this.#missing === 0) return;
    this.#missing -= end - start;
    this.#bytes.add(bytes, start, end);
  }

  /** Messages that were here before. */
  addAll(frames: readonly Frame[]): void {
    this.begin();
    for (const frame of frames) this.add(frame);
  }

  #parses({ bytes, start, end }: Frame): void {
    const name = textTo(bytes, start + HEADER, end);
    if (name !== "") {
      if (this.#session.named(name) === undefined) this.#names.push(name);
      return;
    }
    // What was bound before would be another one the next time.
    if (this.#boundBefore) this.drop();
    this.#brought = true;
  }

  #binds({ bytes, start, end }: Frame): void {
    const at = cstringEnd(bytes, start + HEADER, end) + 1;
    if (at === 0 || bytes[at] !== 0 || this.#brought) return;
    this.#boundBefore = true;
    if (this.#session.unnamed === undefined) this.drop();
  }

  #closes({ bytes, start, end }: Frame): void {
    if (bytes[start + HEADER] !== STATEMENT) return;
    const name = textTo(bytes, start + HEADER + 1, end);
    const statement = this.#session.named(name);
    if (statement !== undefined) this.#closed.push([name, statement]);
  }

  /** What it changed in the session is undone: it will be sent once more. */
  undo(): void {
    for (const name of this.#names) this.#session.forget(name);
    for (const [name, statement] of this.#closed) this.#session.restore(name, statement);
    this.#names = [];
    this.#closed = [];
  }

  /** Its messages. Those that come while this goes on are not among them. */
  frames(): Frame[] {
    const bytes = this.#bytes.bytes.slice(0, this.#bytes.length);
    const frames: Frame[] = [];
    for (let start = 0; start < bytes.length; ) {
      const end = start + 1 + int32At(bytes, start + 1);
      frames.push({ type: bytes[start] ?? 0, bytes, start, end, rest: 0 });
      start = end;
    }
    return frames;
  }
}

function textTo(bytes: Uint8Array, start: number, end: number): string {
  return textOf(bytes, start, Math.max(start, cstringEnd(bytes, start, end)));
}
