/** What a session asks of its reads, and what it has written. */
import { type Lsn, parseLsn } from "../../pgwire/index.ts";
import {
  type Consistency,
  parseConsistency,
  parseTarget,
  ROUTING_PREFIX,
  ROUTING_SETTINGS,
  type RoutingTarget,
  routingStatement,
} from "../../sql/index.ts";
import { setSql } from "../router/settings.ts";
import type { SettingChange } from "../router/statement-effects.ts";

/** How long a session that has been refused as serializable is not sent to a replica again. */
const SERIALIZABLE_MS = 60_000;

export class ReadSession {
  consistency: Consistency;
  /** Where all its reads are to go. */
  target: RoutingTarget | undefined;
  /** What was written up to here is to be seen. */
  after: Lsn = 0n;
  /** It has written since `after` was last asked for. */
  wrote = true;
  /** A setting of its is not understood, so that nothing is known of what it wants. */
  isMistaken = false;
  /** It has said something of synchronous_commit: its commits may be acknowledged before they are on disk. */
  commitsUnwaited = false;
  /** Its texts escape by backslashes: they cannot be read by the usual rules. */
  hasBackslashes = false;
  readonly #initial: Consistency;
  #byStartup: string | undefined;
  #serializableUntilMs = -Infinity;
  #isSerializable = false;

  /** `consistency`: what sessions have that do not say otherwise. */
  constructor(consistency: Consistency) {
    this.#initial = this.consistency = consistency;
  }

  /** A setting of the start-up; true: it is the router's, and no server is to hear of it. What RESET goes back to. */
  startedWith(name: string, value: string): boolean {
    if (!name.startsWith(ROUTING_PREFIX)) {
      this.#otherChanged(name, setSql(name, value));
      return false;
    }
    if (name === ROUTING_SETTINGS.consistency) this.#byStartup = value;
    this.set(name, value);
    return true;
  }

  /** A server has carried out a change of a setting; true: it is the router's, and is not carried to other servers. */
  settingChanged(change: SettingChange): boolean {
    if (change.kind === "reset-all") this.reset();
    else if (!change.name.startsWith(ROUTING_PREFIX)) {
      this.#otherChanged(change.name, change.kind === "set" ? change.sql : undefined);
    } else {
      const said = change.kind === "set" ? routingStatement(change.sql) : undefined;
      this.set(change.name, said?.kind === "set" ? said.value : undefined);
      // It was set in a way that is not read here.
      if (change.kind === "set" && said === undefined) this.isMistaken = true;
      return true;
    }
    return false;
  }

  /** One of the router's settings changes; undefined: to its default. Returns what is wrong with it. */
  set(name: string, value: string | undefined): string | undefined {
    const mistake = this.#set(name, value);
    this.isMistaken = mistake !== undefined;
    return mistake;
  }

  #set(name: string, value: string | undefined): string | undefined {
    if (name === ROUTING_SETTINGS.after) {
      const lsn = value === undefined || value === "" ? 0n : parseLsn(value);
      if (lsn === undefined) return `"${value}" is no position in the log: write it as 0/16B3748`;
      this.sees(lsn);
      return undefined;
    }
    if (name === ROUTING_SETTINGS.target) return this.#aimAt(value);
    if (name !== ROUTING_SETTINGS.consistency) return `there is no setting "${name}"`;
    const wanted = value ?? this.#byStartup;
    const consistency = wanted === undefined ? this.#initial : parseConsistency(wanted);
    if (consistency === undefined)
      return `"${wanted}" is no consistency: use eventual, bounded(500ms), session or global`;
    this.consistency = consistency;
    return undefined;
  }

  #aimAt(value: string | undefined): string | undefined {
    const target = parseTarget(value ?? "");
    if (value !== undefined && target === undefined) return `"${value}" is no target: use primary or replica`;
    this.target = target;
    return undefined;
  }

  /** RESET ALL, DISCARD ALL. */
  reset(): void {
    this.target = undefined;
    this.set(ROUTING_SETTINGS.consistency, undefined);
  }

  /** It must see what lies before `lsn`. */
  sees(lsn: Lsn): void {
    if (lsn > this.after) this.after = lsn;
  }

  /** All that it has written lies before `lsn`. */
  knows(lsn: Lsn): void {
    this.sees(lsn);
    this.wrote = false;
  }

  /** A setting of PostgreSQL's changes; `sql` undefined: to its default. */
  #otherChanged(name: string, sql: string | undefined): void {
    if (name === "default_transaction_isolation")
      this.#isSerializable = /serializable/i.test(
        sql?.slice(sql.indexOf("default_transaction_isolation") + 29) ?? "",
      );
    this.sawText(name);
    if (name === "standard_conforming_strings") this.hasBackslashes = sql !== undefined;
  }

  /** A text of its passes, or the name of a setting: SET LOCAL and set_config say it too. */
  sawText(text: string): void {
    if (/synchronous_commit/i.test(text)) this.commitsUnwaited = true;
  }

  /** A replica has refused its transaction as serializable. */
  refusedAsSerializable(nowMs: number): void {
    this.#serializableUntilMs = nowMs + SERIALIZABLE_MS;
  }

  isSerializable(nowMs: number): boolean {
    return this.#isSerializable || nowMs < this.#serializableUntilMs;
  }
}
