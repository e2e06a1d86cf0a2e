/** What a client's session has beyond its transactions: settings, prepared statements, and why it keeps its server connection. */
import type { Statement, Statements } from "./prepared.ts";
import { Settings } from "./settings.ts";
import type { PinReason, SettingChange, StatementEffects } from "./statement-effects.ts";

export class Session {
  /** Why it keeps its server connection; undefined when it moves. */
  pin: PinReason | undefined;
  /** Its settings at present, and those of its start-up. */
  settings: Settings = Settings.none;
  initial: Settings = Settings.none;
  /** Body of its last Parse without a name; undefined: none, or too long to keep. */
  unnamed: Uint8Array | undefined;
  unnamedEffects: StatementEffects | undefined;
  /** What the portal bound last does when it is executed. */
  bound: StatementEffects | undefined;
  /** Its prepared statements by its own names. */
  readonly #names = new Map<string, Statement>();
  readonly #statements: Statements;

  constructor(statements: Statements) {
    this.#statements = statements;
  }

  /** Prepared statements. */
  get size(): number {
    return this.#names.size;
  }

  /** What the client means by a name. */
  named(name: string): Statement | undefined {
    return this.#names.get(name);
  }

  /** Gives a statement, of which this is a user already, a name. */
  name(name: string, statement: Statement): void {
    this.#names.set(name, statement);
  }

  /** It is a user of the statement, and will give it a name. */
  retain(statement: Statement): void {
    this.#statements.retain(statement);
  }

  /** The name means nothing any more. */
  forget(name: string): void {
    const statement = this.#names.get(name);
    if (statement === undefined) return;
    this.#names.delete(name);
    this.#statements.release(statement);
  }

  /** A name that was forgotten means the statement again. */
  restore(name: string, statement: Statement): void {
    this.forget(name);
    this.#statements.retain(statement);
    this.#names.set(name, statement);
  }

  /** Whether this is the body of its last Parse without a name. O(its length). */
  isUnnamed(bytes: Uint8Array, start: number, end: number): boolean {
    const { unnamed } = this;
    if (unnamed?.length !== end - start) return false;
    for (let at = 0; at < unnamed.length; at++) if (unnamed[at] !== bytes[start + at]) return false;
    return true;
  }

  forgetAll(): void {
    for (const name of this.#names.keys()) this.forget(name);
  }

  /** A statement has changed a setting for the session. `isReported`: the server tells its value by itself. */
  settingChanged(change: SettingChange, isReported: (name: string) => boolean): void {
    if (change.kind === "reset-all") this.settings = this.initial;
    else if (change.kind === "reset")
      this.settings = this.settings.with(change.name, this.initial.get(change.name));
    else if (!isReported(change.name)) this.settings = this.settings.with(change.name, change.sql);
  }

  /** DISCARD ALL. The statements are forgotten by themselves, and so are the settings. */
  discarded(): void {
    this.pin = undefined;
    this.unnamed = undefined;
  }
}
