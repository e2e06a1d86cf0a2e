/**
 * What a request did to the fields of its session, kept per field until it is saved, and seen by its own reads at once.
 */
import { SessionError } from "./errors.ts";

/** Bytes of one field's JSON text. A session is read whole by each request, so it must stay small. */
const FIELD_BYTES_MAX = 64 * 1024;

/** Fields of one session: as many as a form, not as many as a table. */
const FIELDS_MAX = 512;

/** Longest name of a field, in characters. */
const NAME_LENGTH_MAX = 128;

/** Changes not saved yet. A field is in one of them only. */
export interface PendingChanges {
  readonly set: Map<string, string>;
  readonly setIfAbsent: Map<string, string>;
  readonly add: Map<string, number>;
  readonly remove: Set<string>;
}

/** The fields of a session with what was changed. */
export class FieldChanges {
  #texts: Map<string, string>;
  #pending: PendingChanges = emptyChanges();
  #parsed: Map<string, unknown> = new Map();

  /** `texts`: the fields as loaded, name -> JSON. */
  constructor(texts: Map<string, string>) {
    this.#texts = texts;
  }

  /** A frozen copy of the value: what was changed in place would be lost, so that it throws instead. */
  get(name: string): unknown {
    const text = this.#texts.get(name);
    if (text === undefined) return undefined;
    if (!this.#parsed.has(name)) this.#parsed.set(name, deepFreeze(JSON.parse(text)));
    return this.#parsed.get(name);
  }

  has(name: string): boolean {
    return this.#texts.has(name);
  }

  names(): string[] {
    return [...this.#texts.keys()];
  }

  /** Name -> JSON, the changes included. */
  texts(): ReadonlyMap<string, string> {
    return this.#texts;
  }

  set(name: string, value: unknown): void {
    const text = this.#checked(name, value);
    if (text === undefined) {
      this.delete(name);
      return;
    }
    this.#settle(name);
    this.#pending.set.set(name, text);
    this.#put(name, text);
  }

  setIfAbsent(name: string, value: unknown): void {
    const text = this.#checked(name, value);
    if (text === undefined || this.#texts.has(name)) return;
    // After a removal in this request the field is absent for us: then it is an ordinary set.
    if (this.#pending.remove.has(name)) {
      this.set(name, value);
      return;
    }
    this.#pending.setIfAbsent.set(name, text);
    this.#put(name, text);
  }

  increment(name: string, by: number): number {
    const before = this.#texts.has(name) ? this.get(name) : 0;
    const sum = Number(before) + by;
    if (typeof before !== "number" || !Number.isSafeInteger(before) || !Number.isSafeInteger(sum)) {
      throw new SessionError("session-not-a-number", `field "${name}"`);
    }
    const text = String(sum);
    this.#checked(name, sum);
    const isOwn = this.#pending.set.has(name) || this.#pending.setIfAbsent.has(name);
    if (isOwn || this.#pending.remove.has(name)) this.set(name, sum);
    else this.#pending.add.set(name, (this.#pending.add.get(name) ?? 0) + by);
    this.#put(name, text);
    return sum;
  }

  delete(name: string): void {
    this.#settle(name);
    this.#pending.remove.add(name);
    this.#texts.delete(name);
    this.#parsed.delete(name);
  }

  /** Takes what is to be saved; undefined when nothing is. */
  take(): PendingChanges | undefined {
    const taken = this.#pending;
    if (Object.values(taken).every((changes) => changes.size === 0)) return undefined;
    this.#pending = emptyChanges();
    return taken;
  }

  get isChanged(): boolean {
    return Object.values(this.#pending).some((changes) => changes.size > 0);
  }

  /** What the store has in the end, where that is not what was guessed. */
  learn(name: string, text: string): void {
    this.#put(name, text);
  }

  /** The fields as read anew; what is pending was saved before. */
  reload(texts: Map<string, string>): void {
    this.#texts = texts;
    this.#parsed.clear();
  }

  #checked(name: string, value: unknown): string | undefined {
    if (name === "" || name.length > NAME_LENGTH_MAX) {
      throw new SessionError("session-field-refused", `a name has 1 to ${NAME_LENGTH_MAX} characters`);
    }
    const text = toJson(name, value);
    if (text !== undefined && Buffer.byteLength(text) > FIELD_BYTES_MAX) {
      throw new SessionError("session-field-refused", `"${name}" is larger than ${FIELD_BYTES_MAX} bytes`);
    }
    if (!this.#texts.has(name) && this.#texts.size >= FIELDS_MAX) {
      throw new SessionError("session-field-refused", `"${name}" would be field ${FIELDS_MAX + 1}`);
    }
    return text;
  }

  #put(name: string, text: string): void {
    this.#texts.set(name, text);
    this.#parsed.delete(name);
  }

  #settle(name: string): void {
    for (const changes of Object.values(this.#pending)) changes.delete(name);
  }
}

/** JSON text of a value; undefined for undefined. */
function toJson(name: string, value: unknown): string | undefined {
  try {
    return JSON.stringify(value);
  } catch (error) {
    throw new SessionError("session-field-refused", `"${name}" is no JSON value`, error);
  }
}

function emptyChanges(): PendingChanges {
  return { set: new Map(), setIfAbsent: new Map(), add: new Map(), remove: new Set() };
}

function deepFreeze(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  for (const part of Object.values(value)) deepFreeze(part);
  return Object.freeze(value);
}
