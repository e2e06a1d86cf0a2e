/**
 * The settings of a session, as far as they differ from those of a fresh one: what has to be said again when the session
 * goes on by another server connection.
 *
 * Immutable, so that a client and its server connection share one, and "nothing to do" is a comparison of references.
 */

/** Reported by the server, but not to be set. */
const READ_ONLY: ReadonlySet<string> = new Set([
  "in_hot_standby",
  "integer_datetimes",
  "is_superuser",
  "server_encoding",
  "server_version",
  "session_authorization",
]);

/** Settings by name (small letters): the SQL that makes each. */
export class Settings {
  static readonly none: Settings = new Settings(new Map());
  readonly #sqlByName: ReadonlyMap<string, string>;
  #key: string | undefined;

  private constructor(sqlByName: ReadonlyMap<string, string>) {
    this.#sqlByName = sqlByName;
  }

  /** With one setting changed; without `sql` it has its default. */
  with(name: string, sql: string | undefined): Settings {
    if (this.#sqlByName.get(name) === sql) return this;
    const changed = new Map(this.#sqlByName);
    if (sql === undefined) changed.delete(name);
    else changed.set(name, sql);
    return changed.size === 0 ? Settings.none : new Settings(changed);
  }

  get(name: string): string | undefined {
    return this.#sqlByName.get(name);
  }
  names(): Iterable<string> {
    return this.#sqlByName.keys();
  }

  /** Whether both mean the same. */
  equals(other: Settings): boolean {
    return this === other || this.#keyText === other.#keyText;
  }

  /** Statements that turn a session with `from` into one with these. "" when there is nothing to do. */
  sqlFrom(from: Settings): string {
    const resets = [...from.names()].filter((name) => !this.#sqlByName.has(name)).map(resetSql);
    const sets = [...this.#sqlByName].filter(([name, sql]) => from.get(name) !== sql).map(([, sql]) => sql);
    return [...resets, ...sets].join("; ");
  }

  /** Made once. The order in which settings were made does not matter. */
  get #keyText(): string {
    this.#key ??= [...this.#sqlByName.values()].toSorted().join("\n");
    return this.#key;
  }
}

/** Whether a setting that the server reports can be made by a client. */
export function isSettable(name: string): boolean {
  return !READ_ONLY.has(name.toLowerCase());
}

/** The statement that gives a setting a value, whatever kind of setting it is. */
export function setSql(name: string, value: string): string {
  return `SELECT pg_catalog.set_config(${literal(name.toLowerCase())}, ${literal(value)}, false)`;
}

function resetSql(name: string): string {
  return `RESET ${name
    .split(".")
    .map((part) => `"${part.replaceAll('"', '""')}"`)
    .join(".")}`;
}

/** A literal that means the same whatever `standard_conforming_strings` is. */
function literal(text: string): string {
  const quoted = `'${text.replaceAll("'", "''").replaceAll("\\", "\\\\")}'`;
  return text.includes("\\") ? ` E${quoted}` : quoted;
}

/** Parameters of a start-up that are no settings. */
const NOT_SETTINGS: ReadonlySet<string> = new Set(["user", "database", "options", "replication"]);

/** The settings that a start-up packet asks for, also by `options`, which its other parameters outdo; or what is wrong with them. */
export function startupSettings(
  parameters: ReadonlyMap<string, string>,
): { readonly values: ReadonlyMap<string, string> } | { readonly mistake: string } {
  const values = new Map<string, string>();
  const words = splitOptions(parameters.get("options") ?? "");
  for (let at = 0; at < words.length; at++) {
    const word = words[at] === "-c" ? `-c${words[++at] ?? ""}` : (words[at] ?? "");
    const [, name, value = ""] = /^(?:-c|--)([A-Za-z_][\w.-]*)=([\s\S]*)$/.exec(word) ?? [];
    if (name === undefined) return { mistake: `the start-up's options hold "${word}": write -c name=value` };
    values.set(name.toLowerCase().replaceAll("-", "_"), value);
  }
  for (const [name, value] of parameters) if (!NOT_SETTINGS.has(name)) values.set(name.toLowerCase(), value);
  for (const name of values.keys())
    if (!/^[a-z_][\w.]*$/.test(name)) return { mistake: `"${name.slice(0, 64)}" is no name of a setting` };
  return { values };
}

/** Words between spaces; a backslash takes the next character as it is (pg_split_opts). */
function splitOptions(text: string): string[] {
  return (text.match(/(?:\\[\s\S]|[^\s\\])+/g) ?? []).map((word) => word.replaceAll(/\\([\s\S])/g, "$1"));
}
