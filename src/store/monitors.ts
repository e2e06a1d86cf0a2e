/**
 * Clients that are shown every command as it is run (MONITOR).
 *
 * Commands of administration are not shown, nor what carries a password, as in Redis.
 */
import type { Call } from "./call.ts";
import type { Session } from "./session.ts";

/** Characters of one argument that are shown; the rest is counted. */
const ARGUMENT_MAX = 1024;

/** They carry passwords. */
const HIDDEN: ReadonlySet<string> = new Set(["auth", "hello"]);

const ESCAPES: Readonly<Record<string, string>> = {
  "\\": "\\\\",
  '"': '\\"',
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\u0007": "\\a",
  "\b": "\\b",
};

/** Sends a line to a client. */
export type ShowLine = (session: Session, line: string) => void;

export class Monitors {
  readonly #sessions = new Set<Session>();
  readonly #show: ShowLine;

  constructor(show: ShowLine) {
    this.#show = show;
  }

  start(session: Session): void {
    session.isMonitor = true;
    this.#sessions.add(session);
  }

  stop(session: Session): void {
    session.isMonitor = false;
    this.#sessions.delete(session);
  }

  /** Whether anybody is to see this call. */
  wants({ command, name }: Call): boolean {
    return this.#sessions.size > 0 && !command.flags.has("admin") && !HIDDEN.has(name);
  }

  /** `1339518083.107412 [0 127.0.0.1:60866] "keys" "*"`: Unix time, database, client and arguments. */
  line(call: Call): string {
    const { session, store } = call;
    const ms = store.parts.clock.wallMs();
    const seconds = `${Math.floor(ms / 1000)}.${String(Math.floor((ms % 1000) * 1000)).padStart(6, "0")}`;
    const words = Array.from({ length: call.count }, (_, place) => quoted(call, place));
    return `${seconds} [${session.database} ${session.address}] ${words.join(" ")}`;
  }

  show(line: string): void {
    for (const session of this.#sessions) this.#show(session, line);
  }
}

function quoted(call: Call, place: number): string {
  const text = call.text(place, ARGUMENT_MAX);
  const beyond = call.length(place) - text.length;
  const escaped = text.replaceAll(
    // oxlint-disable-next-line no-control-regex -- these are what is escaped
    /[\\"\u0000-\u001f\u007f-\u00ff]/g,
    (character) => ESCAPES[character] ?? `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`,
  );
  return beyond > 0 ? `"${escaped}... (${beyond} more bytes)"` : `"${escaped}"`;
}
