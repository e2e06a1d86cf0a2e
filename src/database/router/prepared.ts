/**
 * Prepared statements of sessions that change their server connection: a client's name stands for a text, and each server
 * connection has the text under a name of ours.
 *
 *   client's name -> Statement (one per text and worker) -> "tenfold_7" on the servers that have seen it, the last 200
 */
import { utf8 } from "../../pgwire/index.ts";
import type { StatementEffects } from "./statement-effects.ts";

/** Texts kept that no client has prepared at present: most come back with the next client. */
const UNUSED_MAX = 2000;

/** In no text as it is kept here: what stands before the last one is a path. */
const NOT_LATIN1 = "\u0100";

/** Our names for statements begin so. */
const PREFIX = "tenfold_";

/** Whether a client's name could be one of ours, which it must not reach. */
export function isOurName(name: string): boolean {
  return name.startsWith(PREFIX);
}

/** One text with the types of its parameters, for one search path. */
export interface Statement {
  /** What made the search path; "": the default. */
  readonly path: string;
  /** Body of its Parse message behind the name: text, zero, types. */
  readonly body: Uint8Array;
  /** Its name on servers, with the zero byte. */
  readonly name: Uint8Array;
  readonly effects: StatementEffects;
}

interface Entry extends Statement {
  readonly key: string;
  /** Of the schema, when it was prepared first. */
  readonly version: number;
  users: number;
}

/** The texts of a worker. */
export class Statements {
  readonly #byKey = new Map<string, Entry>();
  /** Oldest first. */
  readonly #unused = new Map<string, Entry>();
  #last = 0;
  #version = 0;

  get size(): number {
    return this.#byKey.size;
  }

  /**
   * Tables or types are others now: who prepares a text from here on gets a statement of its own, as a server would give it,
   * and not one whose types are those of before.
   */
  schemaChanged(): void {
    this.#version++;
  }

  /**
   * The statement with this body, which is copied when it is new. `release` it when the client's name is gone. `path`: what made the search
   * path, "" for the default: where names mean other tables the same text is another statement, with types of its own.
   */
  use(
    bytes: Uint8Array,
    start: number,
    end: number,
    effectsOf: () => StatementEffects,
    path = "",
  ): Statement {
    const text = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString("latin1");
    const key = path === "" ? text : `${NOT_LATIN1}${path}${NOT_LATIN1}${text}`;
    let entry = this.#byKey.get(key);
    if (entry?.version !== this.#version) {
      const name = utf8(`${PREFIX}${++this.#last}\0`);
      const version = this.#version;
      entry = { body: bytes.slice(start, end), name, effects: effectsOf(), path, key, version, users: 0 };
      this.#unused.delete(key);
      this.#byKey.set(key, entry);
    }
    if (entry.users++ === 0) this.#unused.delete(key);
    return entry;
  }

  /** One user more. */
  retain(statement: Statement): void {
    const entry = statement as Entry;
    if (entry.users++ > 0) return;
    if (this.#unused.get(entry.key) === entry) this.#unused.delete(entry.key);
    if (!this.#byKey.has(entry.key)) this.#byKey.set(entry.key, entry);
  }

  /** One user less. */
  release(statement: Statement): void {
    const entry = statement as Entry;
    if (--entry.users > 0 || this.#byKey.get(entry.key) !== entry) return;
    this.#unused.set(entry.key, entry);
    if (this.#unused.size <= UNUSED_MAX) return;
    for (const [key] of this.#unused) {
      this.#unused.delete(key);
      this.#byKey.delete(key);
      break;
    }
  }
}

/** What one server connection has prepared: the statements used last. */
export class PreparedOnServer {
  readonly #statements = new Set<Statement>();
  /** Used last: most queries on a connection are the ones of before. */
  #newest: Statement | undefined;
  readonly #max: number;

  constructor(max: number) {
    this.#max = max;
  }

  get size(): number {
    return this.#statements.size;
  }

  /** Whether the server has it; it is the one used last then. */
  touch(statement: Statement): boolean {
    if (statement === this.#newest) return true;
    if (!this.#statements.delete(statement)) return false;
    this.#statements.add(statement);
    this.#newest = statement;
    return true;
  }

  /** Notes a new one; returns the one that has to go for it, if any. */
  add(statement: Statement): Statement | undefined {
    this.#statements.add(statement);
    this.#newest = statement;
    if (this.#statements.size <= this.#max) return undefined;
    for (const oldest of this.#statements) {
      this.delete(oldest);
      return oldest;
    }
    return undefined;
  }

  delete(statement: Statement): void {
    this.#statements.delete(statement);
    if (statement === this.#newest) this.#newest = undefined;
  }
  clear(): void {
    this.#statements.clear();
    this.#newest = undefined;
  }
}
